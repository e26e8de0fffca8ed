"""The raw part: it opens its sockets, drops everything, then sends what it is told and tells what it hears.

``python -I raw.py PROGRAM REQUEST``: PROGRAM is a file beside this one; the request is JSON with the
``parent``. The program's ``open_sockets`` runs with the rights that this process was given; after that no
process here has any right, may open a socket or a file, or start anything. Two processes remain: one sends
what comes on standard input, one hears. Both write records to standard output, each in one piece (pipe(7): up
to 4,096 bytes are). Neither decides anything: whom, when and how often is the parent's business.
"""

from __future__ import annotations

import json
import os
import runpy
import struct
import sys
import time
from pathlib import Path
from typing import Any, Final

ORDER: Final = struct.Struct("!IH")
"""What is to be sent: to which address, to which port."""
RECORD: Final = struct.Struct("!BBHI")
"""What is told: its kind, how many bytes follow, port, address."""
SENT, FAILED, READY = 0, 1, 2
"""Kinds of records that every program tells: so many orders were carried out; one could not be (its errno
follows); the sockets are open and everything is dropped. Higher ones are the program's own."""
_BATCH: Final = 512 * ORDER.size
_UNHEARD_ADDRESS: Final = 0
_STALE_SECONDS: Final = 4.0
"""What was ordered longer ago does not leave any more: this process, or the machine, was asleep meanwhile."""
_CONFINEMENT: Final = Path(__file__).parents[2] / "confinement.py"


def tell(kind: int, port: int = 0, address: int = 0, more: bytes = b"") -> None:
    """Write one record."""
    os.write(1, RECORD.pack(kind, len(more), port, address) + more)


def _carry_out(program: Any) -> None:  # noqa: ANN401 - a program's module, as a namespace
    """Send what comes on standard input, until it ends."""
    waiting = b""
    while said := os.read(0, _BATCH):
        waiting += said
        whole = len(waiting) - len(waiting) % ORDER.size
        done, awake_until = 0, time.clock_gettime(time.CLOCK_BOOTTIME) + _STALE_SECONDS
        for address, port in ORDER.iter_unpack(waiting[:whole]):
            if time.clock_gettime(time.CLOCK_BOOTTIME) > awake_until:
                return  # what else was ordered before it slept goes with it
            code = program["send"](address, port)
            if code:
                tell(FAILED, port, address, bytes([code]))
            done += 1
        waiting = waiting[whole:]
        tell(SENT, 0, done)


def main(name: str, request: str) -> None:
    """Open, drop, divide into two, and go on until standard input ends."""
    asked = json.loads(request)
    os.closerange(3, 1 + max(map(int, os.listdir("/proc/self/fd"))))  # noqa: PTH208 - uvloop leaves them open
    program = runpy.run_path(str(Path(__file__).with_name(name)), init_globals={"tell": tell})
    confinement = runpy.run_path(str(_CONFINEMENT))
    program["open_sockets"](asked)
    sending = os.getpid()
    if os.fork():
        confinement["drop_everything"]()
        confinement["die_with"](asked["parent"])
        tell(READY)
        _carry_out(program)  # the hearing part ends with this one
    else:
        confinement["drop_everything"]()
        confinement["die_with"](sending)
        program["hear"]()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as error:
        tell(FAILED, 0, _UNHEARD_ADDRESS, bytes([error.errno or 255]))
