"""The raw part: it opens its sockets, drops everything, then sends what it is told and tells what it hears.

``python -I raw.py PROGRAM REQUEST``: PROGRAM is a file beside this one; the request is JSON with the
``parent``. The program's ``open_sockets`` runs with the rights that this process was given; after that no
process here has any right, may open a socket or a file, or start anything. Two processes remain: one sends
what comes on standard input, one hears. Both write records to standard output, each in one piece (pipe(7): up
to 4,096 bytes are). Neither decides anything: whom, when and how often is the parent's business.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import runpy
import signal
import struct
import sys
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
_NOBODY: Final = 65534
"""The user and the group without rights (Linux Standard Base, 23.2)."""

_libc: Final = ctypes.CDLL(None, use_errno=True)
_SET_PDEATHSIG, _SET_SECCOMP, _CAPBSET_DROP, _SET_NO_NEW_PRIVS, _CAP_AMBIENT = 1, 22, 24, 38, 47
"""prctl(2)."""
_CLEAR_ALL: Final = 4
_CAPABILITIES: Final = 64
_VERSION_3: Final = 0x20080522
"""capset(2): sets of 64 bits."""
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06
_FILTER_MODE, _ALLOW, _FAIL, _NOT_PERMITTED = 2, 0x7FFF0000, 0x00050000, 1
"""seccomp(2)."""
_FORBIDDEN: Final = {
    # socket socketpair accept bind listen clone fork vfork execve ptrace open creat openat clone3 openat2
    # accept4 execveat
    "x86_64": (41, 53, 43, 49, 50, 56, 57, 58, 59, 101, 2, 85, 257, 435, 437, 288, 322),
    # the same of those that there are
    "aarch64": (198, 199, 202, 200, 201, 220, 221, 117, 56, 435, 437, 242, 281),
}
"""The numbers of calls that are never needed again."""


class _Program(ctypes.Structure):
    """struct sock_fprog, seccomp(2)."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def tell(kind: int, port: int = 0, address: int = 0, more: bytes = b"") -> None:
    """Write one record."""
    os.write(1, RECORD.pack(kind, len(more), port, address) + more)


def _die_with(parent: int) -> None:
    """End when the parent ends, in whatever way."""
    _libc.prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before that
        raise SystemExit(1)


def drop_everything() -> None:
    """Keep no right of this process, and no way to one.

    Raises:
        SystemExit: this machine cannot promise that.
    """
    for capability in range(_CAPABILITIES):
        _libc.prctl(_CAPBSET_DROP, capability, 0, 0, 0)
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)
    _libc.prctl(_CAP_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    header = struct.pack("=Ii", _VERSION_3, 0)
    dropped = _libc.capset(header, b"\0" * 24)
    for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_NPROC):
        resource.setrlimit(kind, (0, 0))
    if dropped or _libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or not _forbid_calls():
        raise SystemExit("this machine cannot drop the rights of a process")


def _forbid_calls() -> bool:
    numbers = _FORBIDDEN.get(platform.machine())
    if numbers is None:
        return False
    steps = [(_LOAD, 0, 0, 0)]
    for place, number in enumerate(numbers):
        steps.append((_EQUAL, len(numbers) - place, 0, number))
    steps += [(_RETURN, 0, 0, _ALLOW), (_RETURN, 0, 0, _FAIL | _NOT_PERMITTED)]
    kept = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = _Program(len(steps), ctypes.addressof(kept))
    return not _libc.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program), 0, 0)


def _carry_out(program: Any) -> None:  # noqa: ANN401 - a program's module, as a namespace
    """Send what comes on standard input, until it ends."""
    waiting = b""
    while said := os.read(0, _BATCH):
        waiting += said
        whole = len(waiting) - len(waiting) % ORDER.size
        done = 0
        for address, port in ORDER.iter_unpack(waiting[:whole]):
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
    program["open_sockets"](asked)
    sending = os.getpid()
    if os.fork():
        drop_everything()
        _die_with(asked["parent"])
        tell(READY)
        _carry_out(program)  # the hearing part ends with this one
    else:
        drop_everything()
        _die_with(sending)
        program["hear"]()


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except OSError as error:
        tell(FAILED, 0, _UNHEARD_ADDRESS, bytes([error.errno or 255]))
