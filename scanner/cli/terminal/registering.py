"""Importing a register's file from a command: read whole, then recorded, all of it or nothing."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING

from scanner.classify import default_classifier
from scanner.cli.terminal.importing import read_all
from scanner.cli.terminal.output import say
from scanner.imports import Source
from scanner.imports.registering import Registering, RegisterTally, Spool
from scanner.imports.streams import Watched, unpacked
from scanner.inventory import Recorder, inventory_exists, open_inventory
from scanner.wire import printable

if TYPE_CHECKING:
    from scanner.config import SiteSource
    from scanner.imports import RegisterFormat


@dataclass(slots=True)
class RegisterOutcome:
    """What became of an import."""

    tally: RegisterTally
    scan: int
    """Its id among the scans."""
    wrong: int
    whole: bool
    """Whether the file has its end."""


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """A register's file, and how it is to be taken."""

    form: RegisterFormat
    name: str
    stream: IO[bytes]
    partial: bool
    """Whether it has only a part of the register, so that nothing is missing that is not in it."""


def perform_register(file: RegisterFile, source: SiteSource | None, database: str) -> RegisterOutcome:
    """Read a register's file, record it, and match its records with the assets of the site.

    Raises:
        VetusteError: the file is something else, or the inventory cannot be written; nothing of it is kept.
    """
    classifier = default_classifier()
    if inventory_exists(database):
        open_inventory(database).close()  # what is wrong with it is said before the reading, not after it
    started = datetime.now(UTC)
    shown = "stdin" if file.name == "-" else printable(file.name)
    watched = Watched(file.stream)
    with Spool() as spool:
        wrong, whole = read_all(file.form.read(Source(unpacked(watched), shown, started)), spool.add)
        with (
            open_inventory(database, create=True) as inventory,
            Recorder(
                inventory,
                source.file if source else None,
                profile="import",
                scope=f"{file.form.name} {shown}",
                versions={"data": classifier.version, "python": platform.python_version()},
                started=started,
                request={
                    "import": file.form.name,
                    "file": shown,
                    "bytes": watched.size,
                    "sha256": watched.digest,
                    "partial": file.partial,
                },
                digest=source.digest if source else "",
            ) as recorder,
        ):
            registering = Registering(inventory, file.form.name, recorder.scan_id, started, classifier)
            tally = registering.record(spool, whole=whole and not wrong and not file.partial)
            recorder.finish("done", {**tally.counts(), "wrong": wrong, "cut_short": int(not whole)})
    return RegisterOutcome(tally, recorder.scan_id, wrong, whole)


def register_object(file: RegisterFile, outcome: RegisterOutcome) -> dict[str, object]:
    """What became of it, for programs."""
    read = {"format": file.form.name, "file": file.name, "whole": outcome.whole, "wrong": outcome.wrong}
    return {**read, "scan": outcome.scan, **outcome.tally.counts()}


def print_register(outcome: RegisterOutcome) -> None:
    """The same for people."""
    tally = outcome.tally
    say("Records: {records}, of which new: {new}.", records=tally.records, new=tally.new)
    say(
        "Records of this site that are matched with an asset: {matched}. Assets seen otherwise: {changed}.",
        matched=tally.matched,
        changed=tally.changed,
    )
    if tally.gone:
        say("Marked as gone, as the file does not have them any more: {number}.", number=tally.gone)
    if tally.undated:
        say("Without a last contact, so that they narrow nothing: {number}.", number=tally.undated)
    if outcome.wrong:
        say("Mistakes in the file: {number}; what they concern is left out.", number=outcome.wrong)
