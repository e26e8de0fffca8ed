"""Who connects here from this machine: the kernel knows whose a socket is (proc(5), ``/proc/net/tcp``)."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import Final

_TABLE: Final = Path("/proc/net/tcp")
_LOCAL, _REMOTE, _UID = 1, 2, 7
"""Columns of the table."""


def is_our_own(there: tuple[str, int] | None, here: tuple[str, int]) -> bool:
    """Whether the other end of a connection over IPv4 loopback is a process of the same user as this one.

    Args:
        there: its address and port; None where it is gone already.
        here: ours.
    """
    if there is None:
        return False
    ends = [_written(there), _written(here)]
    try:
        with _TABLE.open(encoding="ascii") as lines:
            for line in lines:
                columns = line.split()
                if columns[_LOCAL : _REMOTE + 1] == ends:
                    return columns[_UID] == str(os.geteuid())
    except OSError:
        return False
    return False  # closed again


def _written(end: tuple[str, int]) -> str:
    address, port = end
    number = int.from_bytes(socket.inet_aton(address), "little")
    return f"{number:08X}:{port:04X}"
