"""Importing a register's file from a command: read whole, then recorded, all of it or nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING

from scanner.classify import default_classifier
from scanner.cli.terminal.importing import Outcome, read_all, reading_of
from scanner.cli.terminal.output import say
from scanner.imports.registering import Registering, RegisterTally, Spool
from scanner.inventory import open_inventory

if TYPE_CHECKING:
    from scanner.config import SiteSource
    from scanner.imports import RegisterFormat


@dataclass(frozen=True, slots=True)
class RegisterFile:
    """A register's file, and how it is to be taken."""

    form: RegisterFormat
    name: str
    stream: IO[bytes]
    partial: bool
    """Whether it has only a part of the register, so that nothing is missing that is not in it."""


def perform_register(file: RegisterFile, source: SiteSource | None, database: str) -> Outcome[RegisterTally]:
    """Read a register's file, record it, and match its records with the assets of the site.

    Raises:
        VetusteError: the file is something else, or the inventory cannot be written; nothing of it is kept.
    """
    classifier, reading = default_classifier(), reading_of(file.form.name, file.name, file.stream, database)
    with Spool() as spool:
        wrong, whole = read_all(file.form.read(reading.source()), spool.add)
        with (
            open_inventory(database, create=True) as inventory,
            reading.recorder(inventory, source, classifier.version, partial=file.partial) as recorder,
        ):
            registering = Registering(
                inventory, file.form.name, recorder.scan_id, reading.started, classifier
            )
            tally = registering.record(spool, whole=whole and not wrong and not file.partial)
            recorder.finish("done", {**tally.counts(), "wrong": wrong, "cut_short": int(not whole)})
    return Outcome(tally, recorder.scan_id, wrong, whole)


def print_register(outcome: Outcome[RegisterTally]) -> None:
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
