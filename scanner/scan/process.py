"""What a scan changes in its own process while it runs, and puts back."""

from __future__ import annotations

import gc
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator


_SENDING: Final = b"vetuste-scan"
"""The name of a process that sends, in ``/proc/pid/comm`` (proc(5): at most 15 bytes)."""


def senders() -> Iterator[int]:
    """Ids of the processes of this machine that are scanning, whoever's they are."""
    for comm in Path("/proc").glob("[0-9]*/comm"):
        with suppress(OSError):  # it ended meanwhile
            if comm.read_bytes().rstrip() == _SENDING:
                yield int(comm.parent.name)


@contextmanager
def sending() -> Iterator[None]:
    """Bear the name by which ``vetuste stop`` finds who sends, and sees who has ceased to."""
    comm = Path("/proc/self/comm")
    try:
        before = comm.read_bytes()
        comm.write_bytes(_SENDING)
    except OSError:
        yield  # no such thing here: the scan ends by Ctrl-C alone
        return
    try:
        yield
    finally:
        with suppress(OSError):
            comm.write_bytes(before)


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the garbage collector look less often while thousands of visits are under way.

    It would walk all of them, and all that was imported, for every few hundred new objects: up to a fifth
    of a scan's processor time in user space, to find next to nothing.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
