"""Importing a file from a command: read whole, then recorded, so that a wrong file leaves nothing behind."""

from __future__ import annotations

import platform
import sys
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Final, TypeVar

from scanner.classify import default_classifier
from scanner.cli.terminal.output import complain
from scanner.cli.terminal.switches import switches
from scanner.cli.terminal.table import line_width
from scanner.cli.terminal.text import cut
from scanner.errors import ConfigError
from scanner.imports import CutShortError, Source
from scanner.imports.gathering import Gathered
from scanner.imports.recording import Recording, Tally
from scanner.imports.streams import Watched, unpacked
from scanner.inventory import Recorder, inventory_exists, open_inventory, settle_registers
from scanner.inventory.findings.today import settle
from scanner.language import translate
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scanner.config import SiteSource
    from scanner.imports import Format
    from scanner.model import Observation

_T = TypeVar("_T")

_NAMED: Final = 20
"""Mistakes of a file that are named one by one; more are counted."""
_TELL_EVERY: Final = 0.5
"""Seconds between two reports of progress."""


@dataclass(slots=True)
class Outcome:
    """What became of an import."""

    tally: Tally
    scan: int
    """Its id among the scans."""
    wrong: int
    """Mistakes in the file: lines that are left out, or damage."""
    whole: bool
    """Whether the file has its end."""


def perform(form: Format, name: str, stream: IO[bytes], source: SiteSource | None, database: str) -> Outcome:
    """Read a file, then record what machines said in it.

    Raises:
        VetusteError: the file is something else, or an attack (nothing is recorded then), or the inventory
            cannot be written; what was recorded before is kept.
    """
    classifier = default_classifier()
    if inventory_exists(database):
        # What is wrong with it is said before an hour's reading, not after it.
        open_inventory(database).close()
    started = datetime.now(UTC)
    shown = "stdin" if name == "-" else printable(name)
    watched, progress = Watched(stream), _Progress()
    with Gathered() as gathered:

        def keep(seen: Observation) -> None:
            gathered.add(seen)
            progress.read(watched.size)

        wrong, whole = read_all(form.read(Source(unpacked(watched), shown, started)), keep)
        with (
            open_inventory(database, create=True) as inventory,
            Recorder(
                inventory,
                source.file if source else None,
                profile="import",
                scope=f"{form.name} {shown}",
                versions={"data": classifier.version, "python": platform.python_version()},
                started=started,
                request={"import": form.name, "file": shown, "bytes": watched.size, "sha256": watched.digest},
                digest=source.digest if source else "",
            ) as recorder,
        ):
            recording = Recording(inventory, recorder, source.file if source else None, classifier)
            tally = recording.record(gathered.hosts(), progress.recorded)
            recorder.finish("done", {**tally.counts(), "wrong": wrong, "cut_short": int(not whole)})
            settle_registers(inventory, classifier)
            settle(inventory)
    progress.clear()
    return Outcome(tally, recorder.scan_id, wrong, whole)


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


class _Progress:
    """How far it is, on a terminal; nothing elsewhere: the summary comes soon enough."""

    def __init__(self) -> None:
        self._shown = switches().verbosity >= 0 and sys.stderr.isatty()
        self._next = 0.0

    def read(self, size: int) -> None:
        """So many bytes were read."""
        if self._shown and time.monotonic() >= self._next:
            self._show(translate("{number} MiB read").format(number=size >> 20))

    def recorded(self, tally: Tally) -> None:
        """So much was recorded."""
        if self._shown and time.monotonic() >= self._next:
            self._show(translate("{number} machines recorded").format(number=tally.hosts))

    def _show(self, line: str) -> None:
        self._next = time.monotonic() + _TELL_EVERY
        sys.stderr.write(f"\r\x1b[K{cut(line, line_width() - 1)}")
        sys.stderr.flush()

    def clear(self) -> None:
        """Nothing more comes."""
        if self._shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
