"""What was not asked, or would not be, and why: the probes that share a reason on one line."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING

from scanner.cli.terminal.output import say

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.language import Message


def print_unasked(unasked: Mapping[str, Message]) -> None:
    """One line a reason."""

    def why(probe: str) -> str:
        return unasked[probe].render()

    for reason, probes in groupby(sorted(unasked, key=why), key=why):
        say("not asked: {probes}: {why}", probes=", ".join(probes), why=reason)
