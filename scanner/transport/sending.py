"""Which processes of this machine send: they bear a name by which ``vetuste stop`` finds them."""

from __future__ import annotations

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


def held_up(processes: set[int]) -> set[int]:
    """Those of some processes that are stopped or traced (proc(5)): they obey no signal but the last one."""
    found = set()
    for process in processes:
        with suppress(OSError):
            state = Path(f"/proc/{process}/stat").read_bytes().rpartition(b")")[2].split()[0]
            if state in {b"T", b"t"}:
                found.add(process)
    return found
