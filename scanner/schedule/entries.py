"""Schedules and their runs: what is kept of them, and what it means."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.schedule.times import Times, parse_times

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

KEPT_RUNS: Final = 100
"""Of each schedule; older ones are let go."""
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
"""It becomes part of the name of a unit of systemd."""
_SECRET: Final = re.compile(r"://[^/?#]*:[^/?#]*@|[?&](?:ssl)?password=", re.IGNORECASE)
_KILLED: Final = 128
"""From here on, exit codes are those of an end by a signal; 130 among them, which is Ctrl-C."""


@dataclass(frozen=True, slots=True)
class Run:
    """One time that a schedule was carried out."""

    begun: datetime
    ended: datetime | None = None
    """None: it goes on, or ended without a word: killed, or the machine went off."""
    code: int | None = None
    """The exit code of the scan."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """As ``vetuste scan --json`` prints them."""
    says: str = ""
    """The last line of what went wrong; empty where nothing did."""

    @property
    def cut_short(self) -> bool:
        """Whether it was ended from outside, so that the next one may go on with its scan."""
        return self.code is None or self.code >= _KILLED


@dataclass(frozen=True, slots=True)
class Schedule:
    """What is scanned by itself, when, and what became of it."""

    name: str
    every: str
    """As :func:`scanner.schedule.times.parse_times` reads it, and so the zone."""
    zone: str
    site: Path
    """The site file."""
    folder: Path
    """Where it was added: what is said by relative paths is looked for there."""
    added: datetime
    database: str = ""
    """The inventory, as ``--db`` names it; empty: the site file's, or the one in the folder."""
    arguments: tuple[str, ...] = ()
    """Of ``vetuste scan``, as they stand after its name; never with a secret."""
    runs: tuple[Run, ...] = ()
    """The oldest first."""

    @property
    def where(self) -> tuple[str, ...]:
        """The options of any command that name its site file and its inventory."""
        return (f"--site={self.site}", *((f"--db={self.database}",) if self.database else ()))

    @property
    def times(self) -> Times:
        """When it is due."""
        return parse_times(self.every, self.zone)

    @property
    def last(self) -> Run | None:
        """Its newest run."""
        return self.runs[-1] if self.runs else None

    def due(self, now: datetime) -> datetime | None:
        """The last time that it was due and not run since; None where nothing was missed."""
        return self.times.due_since(self.last.begun if self.last else self.added, now)

    def with_run(self, run: Run) -> Schedule:
        """The same with a run that begins, or one that is known already and ends."""
        others = tuple(each for each in self.runs if each.begun != run.begun)
        return replace(self, runs=(*others, run)[-KEPT_RUNS:])


def demand_name(name: str) -> str:
    """A name that may be a schedule's.

    Raises:
        ConfigError: it may not.
    """
    if not _NAME.fullmatch(name):
        raise ConfigError(
            "{name} cannot be the name of a schedule: at most 40 letters without accents, digits, - and _",
            name=repr(name[:60]),
        )
    return name


def demand_no_secret(url: str) -> str:
    """The URL of an inventory that may stand in a file and in a list of processes.

    Raises:
        ConfigError: a password is in it; it is not repeated.
    """
    if _SECRET.search(url):
        raise ConfigError(
            "the inventory's URL has a password, which everybody would see in the list of processes: leave "
            "it out, and give it by PGPASSFILE (docs/schedule.md)"
        )
    return url
