"""Runs, cut into chunks, and how they stand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.addresses import AddressSet
from scanner.errors import ConfigError
from scanner.fleet.link import whole
from scanner.fleet.model import RunState
from scanner.fleet.rows import CHUNKS, RUNS, as_json, chunk_of, run_of, spans_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from scanner.addresses import Span
    from scanner.fleet.link import Link
    from scanner.fleet.model import Chunk, Run

OPEN: Final = (RunState.QUEUED, RunState.RUNNING, RunState.PAUSED)
"""States that are no end."""

_ADD: Final = """
INSERT INTO fleet.runs (site, plan, request, digest, chunks, untouchable)
VALUES (%s, %s, %s, %s, %s, %s) RETURNING id
"""
_ADD_CHUNKS: Final = """
INSERT INTO fleet.chunks (run, number, site, spans)
SELECT %s, number, %s, spans FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS each (spans, number)
"""
_SET_STATE: Final = """
UPDATE fleet.runs SET state = %s, says = CASE WHEN %s = '' THEN says ELSE %s END,
  started = CASE WHEN %s THEN coalesce(started, now()) ELSE started END,
  ended = CASE WHEN %s THEN ended ELSE now() END
WHERE id = %s AND state = ANY(%s) RETURNING id
"""


@dataclass(frozen=True, slots=True)
class Runs:
    """Rows of ``fleet.runs`` and ``fleet.chunks``."""

    link: Link

    def add(  # noqa: PLR0913, PLR0917 - what a run is
        self,
        site: str,
        request: Mapping[str, object],
        digest: str,
        chunks: Sequence[Sequence[Span]],
        untouchable: Iterable[Span] = (),
        plan: int | None = None,
    ) -> Run:
        """Keep a run and its chunks, numbered from 1; their jobs are the engine's.

        Args:
            site: its key.
            request: what is asked for, as :meth:`scanner.scan.Request.options` gives it.
            digest: of the site file that it was cut by.
            chunks: the addresses of each.
            untouchable: where nothing may be sent.
            plan: what wanted it; None where somebody did.
        """
        values = (site, plan, as_json(dict(request)), digest, len(chunks), as_json(list(untouchable)))
        with self.link.transaction():
            ((run,),) = self.link.rows(_ADD, values)
            self.link.rows(_ADD_CHUNKS, (run, site, as_json([list(spans) for spans in chunks])))
            return self.one(run)

    def one(self, run: int) -> Run:
        """A run.

        Raises:
            ConfigError: there is no such run.
        """
        for row in self.link.rows(RUNS + " WHERE id = %s", (whole(run),)):
            return run_of(row)
        raise ConfigError("there is no run {number}: vetuste fleet runs", number=run)

    def all(self, *, states: Collection[RunState] = tuple(RunState), site: str = "") -> tuple[Run, ...]:
        """Runs in these states, of one site or of all, the oldest first."""
        rows = self.link.rows(
            RUNS + " WHERE state = ANY(%s) AND %s IN ('', site) ORDER BY id",
            ([state.value for state in states], site),
        )
        return tuple(map(run_of, rows))

    def set_state(
        self, run: int, state: RunState, says: str = "", *, of: Collection[RunState] = OPEN
    ) -> bool:
        """Say how a run stands; nothing changes, and it gives False, where its state is none of ``of``.

        Its beginning is kept when it first runs, its end when the state is one.
        """
        running, is_open = state is RunState.RUNNING, state in OPEN
        values = (state.value, says, says, running, is_open, run, [each.value for each in of])
        return bool(self.link.rows(_SET_STATE, values))

    def set_scan(self, run: int, scan: int) -> None:
        """Keep which scan of the centre's inventory it is."""
        self.link.rows("UPDATE fleet.runs SET scan = %s WHERE id = %s", (scan, run))

    def keep_out(self, run: int, spans: Iterable[Span]) -> None:
        """Let nothing more be sent there: to what was untouchable before, this is added."""
        with self.link.transaction():
            sql = "SELECT untouchable FROM fleet.runs WHERE id = %s FOR UPDATE"
            for (before,) in self.link.rows(sql, (run,)):
                out = AddressSet([*spans_of(before), *spans]).spans
                self.link.rows("UPDATE fleet.runs SET untouchable = %s WHERE id = %s", (as_json(out), run))


def chunks_of(link: Link, run: int, *, missing: bool = False) -> tuple[Chunk, ...]:
    """A run's chunks in order; only those that nobody delivered yet, where these are asked for."""
    which = _UNDELIVERED if missing else "true"
    sql = f"{CHUNKS} WHERE run = %s AND {which} ORDER BY number"
    return tuple(map(chunk_of, link.rows(sql, (run,))))


_UNDELIVERED: Final = """NOT EXISTS (
  SELECT FROM fleet.deliveries AS had WHERE had.run = chunks.run AND had.number = chunks.number
)"""
