"""How runs stand, as the centre knows it now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.fleet.rows import RUNS, run_of
from scanner.fleet.runs import OPEN

if TYPE_CHECKING:
    from datetime import datetime

    from scanner.fleet.link import Link
    from scanner.fleet.model import Run


@dataclass(frozen=True, slots=True)
class RunStatus:
    """A run, and what its chunks told."""

    run: Run
    asked: datetime
    started: datetime | None
    ended: datetime | None
    says: str
    """What went wrong."""
    delivered: int
    """Chunks."""
    recorded: int
    """Those of them that are in the inventory."""
    tries: int
    """Times at which a chunk of it was taken up again."""
    visited: int
    addresses: int
    """To be visited, of chunks that were begun."""
    seen: int
    """Machines."""
    attempts: int
    """Connections and datagrams that were sent."""
    seconds: float | None
    """From its beginning to the last word of a worker; None before."""
    silent: float | None
    """Seconds since a worker of its site gave a sign of life; None where there is none."""

    @property
    def rate(self) -> float | None:
        """Addresses a second, pauses included."""
        return self.visited / self.seconds if self.seconds else None


_STATUS: Final = """, asked, started, ended, says, delivered.*, tried.*, told.visited, told.total,
  told.seen, told.attempts, extract(epoch FROM told.at - started)::float,
  extract(epoch FROM now() - living.at)::float
FROM fleet.runs
CROSS JOIN LATERAL (
  SELECT count(*), count(taken) AS taken FROM fleet.deliveries WHERE run = runs.id
) AS delivered
CROSS JOIN LATERAL (
  SELECT coalesce(sum(greatest(0, attempts - (status NOT IN ('todo', 'doing'))::int)), 0)::int
  FROM jobs.procrastinate_jobs
  WHERE queue_name = runs.site AND (args->>'run')::bigint = runs.id
) AS tried
CROSS JOIN LATERAL (
  SELECT coalesce(sum(visited), 0)::bigint AS visited, coalesce(sum(total), 0)::bigint AS total,
    coalesce(sum(seen), 0)::bigint AS seen, coalesce(sum(attempts), 0)::bigint AS attempts, max(at) AS at
  FROM fleet.progress WHERE run = runs.id
) AS told
CROSS JOIN LATERAL (
  SELECT max(last_heartbeat) AS at FROM jobs.procrastinate_workers WHERE site = runs.site
) AS living
WHERE %s IN (0, id) AND (%s OR state = ANY(%s)) ORDER BY id DESC LIMIT %s
"""
_RUN: Final = RUNS.removesuffix(" FROM fleet.runs")
_WIDTH: Final = _RUN.count(",") + 1


def statuses(link: Link, *, run: int = 0, ended: bool = True, most: int = 100) -> tuple[RunStatus, ...]:
    """How runs stand, the newest first.

    Args:
        link: as the owner.
        run: one; 0 for all.
        ended: whether those that came to an end are told as well.
        most: so many at most.
    """
    rows = link.rows(_RUN + _STATUS, (run, ended or run > 0, [state.value for state in OPEN], most))
    return tuple(RunStatus(run_of(row[:_WIDTH]), *row[_WIDTH:]) for row in rows)


@dataclass(frozen=True, slots=True)
class SiteSeen:
    """A site, and whether its workers live."""

    key: str
    name: str
    digest: str
    paused: bool
    changed: datetime
    """When its site file was last put here."""
    silent: float | None
    """Seconds since one of its workers gave a sign of life; None where there is none."""


_SEEN: Final = """
SELECT key, name, digest, paused, changed, (SELECT extract(epoch FROM now() - max(last_heartbeat))::float
  FROM jobs.procrastinate_workers AS workers WHERE workers.site = sites.key)
FROM fleet.sites ORDER BY key
"""


def sites_seen(link: Link) -> tuple[SiteSeen, ...]:
    """Every site, by key."""
    return tuple(SiteSeen(*row) for row in link.rows(_SEEN))
