"""Progress of a scan on standard error: a line that renews itself on a terminal, a log line elsewhere."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from scanner.cli.terminal.logs import LOGGER
from scanner.cli.terminal.output import complain
from scanner.cli.terminal.renewing import clear, is_watched, renew
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.language import Message
    from scanner.scan import Screen, Tally

_LOG_EVERY: Final = 30.0
"""Seconds between two log lines where nobody watches."""


@contextmanager
def progress() -> Iterator[Screen]:
    """What a scan tells its progress to."""
    if is_watched():
        try:
            yield _Line()
        finally:
            clear()
    else:
        yield _Log()


class _Pace:
    """Rate and remaining time, from when the first tally came."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def describe(self, tally: Tally) -> str:
        """One sentence, in the language of this process."""
        elapsed = max(time.monotonic() - self._started, 1e-3)
        rate = tally.visited / elapsed
        remaining = duration((tally.total - tally.visited) / rate) if rate else "?"
        text = translate("{visited} of {total} addresses, {seen} machines, {rate}/s, {remaining} left")
        return text.format(
            visited=tally.visited,
            total=tally.total,
            seen=tally.seen,
            rate=f"{rate:.0f}",
            remaining=remaining,
        )


class _Line:
    def __init__(self) -> None:
        self._pace = _Pace()

    def show(self, tally: Tally) -> None:
        renew(self._pace.describe(tally))

    def told(self, message: Message) -> None:
        clear()
        complain(message.render())


class _Log:
    def __init__(self) -> None:
        self._pace = _Pace()
        self._next = time.monotonic() + _LOG_EVERY

    def show(self, tally: Tally) -> None:
        now = time.monotonic()
        if now >= self._next:
            self._next = now + _LOG_EVERY
            numbers = {
                "event": "scan_progress",
                "visited": tally.visited,
                "total": tally.total,
                "seen": tally.seen,
            }
            logging.getLogger(LOGGER).warning("%s", self._pace.describe(tally), extra=numbers)

    @staticmethod
    def told(message: Message) -> None:
        complain(message.render())


def duration(seconds: float) -> str:
    """So long, as people say it: ``42 s``, ``7 min``, ``3 h 05``."""
    if seconds < 90:  # noqa: PLR2004 - up to here seconds are what people count
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02}"  # noqa: PLR2004 - as above
