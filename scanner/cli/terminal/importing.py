"""Importing a file from a command: read whole, then recorded, so that a wrong file leaves nothing behind."""

from __future__ import annotations

import platform
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Final, Generic, TypeVar

from scanner.classify import default_classifier
from scanner.cli.terminal.output import complain
from scanner.cli.terminal.renewing import Report
from scanner.errors import ConfigError
from scanner.imports import CutShortError, Source
from scanner.imports.gathering import Gathered
from scanner.imports.recording import Recording
from scanner.imports.streams import Watched, unpacked
from scanner.inventory import Recorder, inventory_exists, open_inventory, settle_registers
from scanner.inventory.findings.today import settle
from scanner.language import translate
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scanner.config import SiteSource
    from scanner.imports import Format
    from scanner.imports.recording import Tally
    from scanner.imports.registering import RegisterTally
    from scanner.inventory import Inventory
    from scanner.model import Observation

_T = TypeVar("_T")
_Tally = TypeVar("_Tally", "Tally", "RegisterTally")

_NAMED: Final = 20
"""Mistakes of a file that are named one by one; more are counted."""


@dataclass(slots=True)
class Outcome(Generic[_Tally]):
    """What became of an import."""

    tally: _Tally
    scan: int
    """Its id among the scans."""
    wrong: int
    """Mistakes in the file: lines that are left out, or damage."""
    whole: bool
    """Whether the file has its end."""


@dataclass(frozen=True, slots=True)
class Reading:
    """A file that is being imported."""

    form: str
    """The name of its format."""
    name: str
    """As it may be shown."""
    read: Watched
    started: datetime

    def source(self) -> Source:
        """What its format reads."""
        return Source(unpacked(self.read), self.name, self.started)

    def recorder(
        self, inventory: Inventory, source: SiteSource | None, data: str, **request: object
    ) -> Recorder:
        """What records it, once it was read: by data of that version, and with what else was asked."""
        told = {"import": self.form, "file": self.name, "bytes": self.read.size, "sha256": self.read.digest}
        return Recorder(
            inventory,
            source.file if source else None,
            profile="import",
            scope=f"{self.form} {self.name}",
            versions={"data": data, "python": platform.python_version()},
            started=self.started,
            request={**told, **request},
            digest=source.digest if source else "",
        )


def reading_of(form: str, name: str, stream: IO[bytes], database: str) -> Reading:
    """Begin to read a file: what is wrong with the inventory is said before that, not an hour later.

    Raises:
        VetusteError: the inventory is something else, or cannot be read.
    """
    if inventory_exists(database):
        open_inventory(database).close()
    return Reading(form, "stdin" if name == "-" else printable(name), Watched(stream), datetime.now(UTC))


def perform(
    form: Format, name: str, stream: IO[bytes], source: SiteSource | None, database: str
) -> Outcome[Tally]:
    """Read a file, then record what machines said in it.

    Raises:
        VetusteError: the file is something else, or an attack (nothing is recorded then), or the inventory
            cannot be written; what was recorded before is kept.
    """
    classifier, reading = default_classifier(), reading_of(form.name, name, stream, database)
    with Gathered() as gathered, closing(Report()) as report:

        def keep(seen: Observation) -> None:
            gathered.add(seen)
            if report.is_due():
                report.show(translate("{number} MiB read").format(number=reading.read.size >> 20))

        def recorded(tally: Tally) -> None:
            if report.is_due():
                report.show(translate("{number} machines recorded").format(number=tally.hosts))

        wrong, whole = read_all(form.read(reading.source()), keep)
        with (
            open_inventory(database, create=True) as inventory,
            reading.recorder(inventory, source, classifier.version) as recorder,
        ):
            recording = Recording(inventory, recorder, source.file if source else None, classifier)
            tally = recording.record(gathered.hosts(), recorded)
            recorder.finish("done", {**tally.counts(), "wrong": wrong, "cut_short": int(not whole)})
            settle_registers(inventory, classifier)
            settle(inventory)
    return Outcome(tally, recorder.scan_id, wrong, whole)


def outcome_object(
    form: str, file: str, outcome: Outcome[Tally] | Outcome[RegisterTally]
) -> dict[str, object]:
    """What became of the import of a file in a format, for programs."""
    read = {"format": form, "file": file, "whole": outcome.whole, "wrong": outcome.wrong}
    return {**read, "scan": outcome.scan, **outcome.tally.counts()}


def read_all(lines: Iterable[_T | ConfigError], keep: Callable[[_T], object]) -> tuple[int, bool]:
    """Keep what a file holds: how many mistakes are in it, and whether it has its end."""
    wrong, whole = 0, True
    for found in lines:
        if isinstance(found, CutShortError):
            whole = False
            complain(found)
        elif isinstance(found, ConfigError):
            wrong += 1
            name_mistake(found, wrong)
        else:
            keep(found)
    return wrong, whole


def name_mistake(error: ConfigError, number: int) -> None:
    """Name a mistake of a file, the first of many in full."""
    if number <= _NAMED:
        complain(error)
    elif number == _NAMED + 1:
        complain(translate("and so on: from here on such lines are only counted"))
