"""A line on standard error that renews itself while work goes on."""

from __future__ import annotations

import sys
import time
from typing import Final

from scanner.cli.terminal.switches import switches
from scanner.cli.terminal.table import line_width
from scanner.cli.terminal.text import cut

_EVERY: Final = 0.5
"""Seconds between two reports."""


def is_watched() -> bool:
    """Whether somebody sees such a line: on a terminal, unless nothing is to be said."""
    return switches().verbosity >= 0 and sys.stderr.isatty()


def renew(text: str) -> None:
    """Write the line anew."""
    sys.stderr.write(f"\r\x1b[K{cut(text, line_width() - 1)}")
    sys.stderr.flush()


def clear() -> None:
    """Nothing more comes."""
    sys.stderr.write("\r\x1b[K")
    sys.stderr.flush()


class Report:
    """The line for work whose summary comes soon enough: now and then on a terminal, nothing elsewhere."""

    def __init__(self) -> None:
        self.is_shown = is_watched()
        self._next = 0.0

    def is_due(self) -> bool:
        """Whether it is time for another report."""
        return self.is_shown and time.monotonic() >= self._next

    def show(self, text: str) -> None:
        """Report it."""
        self._next = time.monotonic() + _EVERY
        renew(text)

    def close(self) -> None:
        """Nothing more comes."""
        if self.is_shown:
            clear()
