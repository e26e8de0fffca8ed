"""Hearing for a command: files to their end, an interface a portion at a time."""

from __future__ import annotations

import time
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from scanner.capture.ear import Ear
from scanner.capture.files import captures
from scanner.capture.live import Live
from scanner.cli.terminal.output import complain
from scanner.cli.terminal.renewing import Report
from scanner.errors import VetusteError
from scanner.imports.listening import Listening, Places
from scanner.language import translate
from scanner.process import signalled

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence

    from scanner.capture.files import Capture
    from scanner.capture.telling import Frame
    from scanner.model import Observation

_LOOK_EVERY: Final = 4096
"""Frames between two looks at the clock."""


@dataclass(slots=True)
class Heard:
    """How much was heard so far."""

    packets: int = 0
    lost: int = 0
    """Packets of an interface that the kernel had no room for."""
    damaged: int = 0
    """Files of which not all could be read."""
    interrupted: bool = False
    ear: Ear = field(default_factory=Ear)

    def counts(self) -> dict[str, int]:
        """The numbers that are kept with the run."""
        return {"packets": self.packets, "lost": self.lost, "damaged": self.damaged}


def hear_files(names: Sequence[str], heard: Heard) -> Generator[Listening, None, None]:
    """What files tell, all together. The first Ctrl-C ends the reading, and what was read stands.

    Raises:
        VetusteError: nothing could be read.
    """
    found = captures(names)
    if not found.each and not found.complaint:
        raise VetusteError("there is no capture in it", file=names[0])
    complaints = [found.complaint] if found.complaint else []
    with Listening(datetime.now(UTC)) as listening, closing(Report()) as report:
        try:
            for capture in found.each:
                _take(heard.ear.hear(_passing(capture, report)), heard, listening)
                if capture.complaint:
                    complaints.append(capture.complaint)
        except KeyboardInterrupt:
            heard.interrupted = True
            _take(heard.ear.notes.take(), heard, listening)
        heard.packets, heard.damaged = (
            sum(each.packets for each in found.each),
            sum(1 for each in found.each if each.complaint),
        )
        if complaints and not heard.packets and not heard.interrupted:
            last = complaints.pop()
            _complain(complaints)
            raise last
        _complain(complaints)
        yield listening


def _complain(errors: Sequence[VetusteError]) -> None:
    for error in errors:
        complain(error)


def hear_interface(
    interface: str, seconds: float, every: float, heard: Heard
) -> Generator[Listening, None, None]:
    """What an interface tells, in portions of so many seconds. The first Ctrl-C ends it, and loses nothing.

    Raises:
        VetusteError: it cannot be heard, or vanished; what was heard before was given.
    """
    places, end = Places(), time.monotonic() + seconds
    with Live(interface) as live, signalled(partial(_stop, live, heard)):
        while not live.over and (left := end - time.monotonic()) > 0:
            with Listening(datetime.now(UTC), places) as listening:
                gone = _hear_portion(live, min(every, left), heard, listening)
                heard.packets, heard.lost = live.heard, live.lost
                yield listening
            if gone:
                raise gone
    heard.packets, heard.lost = live.heard, live.lost


def _stop(live: Live, heard: Heard, *_: object) -> None:
    heard.interrupted = True
    live.stop()


def _hear_portion(live: Live, seconds: float, heard: Heard, listening: Listening) -> VetusteError | None:
    """Hear for so long; the error that ended it, after all that was heard before."""
    try:
        _take(heard.ear.hear(live.frames(seconds)), heard, listening)
    except VetusteError as error:
        _take(heard.ear.notes.take(), heard, listening)
        return error
    return None


def _take(observations: Iterator[Observation], heard: Heard, listening: Listening) -> None:
    notes = heard.ear.notes
    for seen in observations:
        listening.add(seen, notes.since(seen.endpoint.address))


def _passing(capture: Capture, report: Report) -> Iterator[Frame]:
    """The frames of a file, and a look at the clock now and then."""
    return _looking(capture, report) if report.is_shown else capture.frames()


def _looking(capture: Capture, report: Report) -> Iterator[Frame]:
    for count, frame in enumerate(capture.frames()):
        if not count % _LOOK_EVERY and report.is_due():
            text = translate("{file}: {number} MiB read")
            report.show(text.format(file=capture.name, number=capture.consumed >> 20))
        yield frame
