"""Which processes there are: what a test started must be gone when it says so."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

PATIENCE = 30.0


def those_with(word: str) -> dict[int, str]:
    """Ids and command lines of the living processes whose command line has a word."""
    found = {}
    for place in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended meanwhile
            words = (place / "cmdline").read_bytes().decode("utf-8", "replace").replace("\0", " ")
            if word in words and " Z " not in (place / "stat").read_text(encoding="utf-8"):
                found[int(place.name)] = words
    return found


def wait_for(word: str, number: int) -> dict[int, str]:
    """Wait until so many such processes live."""
    patience = time.monotonic() + PATIENCE
    while len(found := those_with(word)) != number:
        assert time.monotonic() < patience, found
        time.sleep(0.02)
    return found
