"""Runs one of the programs beside it: bound to its parent, within limits, and without datagrams.

``python -I tethered.py PROGRAM REQUEST``: the request is JSON; its ``parent`` and ``memory`` are used here.
Whoever kills the parent, in whatever way, ends this process and all that it started. None of them can send a
datagram or a packet of its own making: nmap's SMB scripts would ask UDP port 137 too, whatever ports they are
given.
"""

from __future__ import annotations

import ctypes
import json
import os
import platform
import resource
import runpy
import signal
import socket
import struct
import subprocess
import sys
from errno import EPERM
from functools import partial
from pathlib import Path
from typing import Final

_SET_PDEATHSIG, _SET_SECCOMP, _SET_NO_NEW_PRIVS = 1, 22, 38
"""prctl(2)."""
_SECONDS: Final = 60
"""Of processor time."""
_FILE: Final = 1 << 16
"""Bytes of a file that is written."""
_libc: Final = ctypes.CDLL(None)

_SOCKET: Final = {"x86_64": 41, "aarch64": 198}
"""The number of socket(2)."""
_LOAD, _EQUAL, _AND, _RETURN = 0x20, 0x15, 0x54, 0x06
"""Instructions of a packet filter, of 32 bits."""
_FILTER_MODE, _ALLOW, _FAIL = 2, 0x7FFF0000, 0x00050000
"""seccomp(2)."""
_NUMBER, _FIRST, _SECOND = 0, 16, 24
"""Where the number and the arguments of a call stand."""


class _Program(ctypes.Structure):
    """struct sock_fprog, seccomp(2)."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def _forbid_datagrams() -> None:
    """From here on, sockets over IP are for streams alone: here, and in whatever is started.

    Raises:
        SystemExit: this machine cannot promise that.
    """
    steps = (
        (_LOAD, 0, 0, _NUMBER),
        (_EQUAL, 0, 7, _SOCKET.get(platform.machine(), -1) & 0xFFFFFFFF),
        (_LOAD, 0, 0, _FIRST),
        (_EQUAL, 1, 0, socket.AF_INET),
        (_EQUAL, 0, 4, socket.AF_INET6),
        (_LOAD, 0, 0, _SECOND),
        (_AND, 0, 0, 0xF),  # without SOCK_CLOEXEC and SOCK_NONBLOCK
        (_EQUAL, 1, 0, socket.SOCK_STREAM),
        (_RETURN, 0, 0, _FAIL | EPERM),
        (_RETURN, 0, 0, _ALLOW),
    )
    code = b"".join(struct.pack("=HBBI", *step) for step in steps)
    kept = ctypes.create_string_buffer(code)
    program = _Program(len(steps), ctypes.addressof(kept))
    unprivileged = _libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    filtered = _libc.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program), 0, 0)
    if unprivileged or filtered or platform.machine() not in _SOCKET:
        raise SystemExit("this machine cannot keep a program from sending datagrams")


def _die_with_parent() -> None:
    _libc.prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _keep_within(memory: int) -> None:
    wanted = {
        resource.RLIMIT_AS: memory,
        resource.RLIMIT_CPU: _SECONDS,
        resource.RLIMIT_FSIZE: _FILE,
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in wanted.items():
        hard = resource.getrlimit(kind)[1]
        limit = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.setrlimit(kind, (limit, limit))


def main(program: str, request: str) -> None:
    """Take the limits, and become the program."""
    asked = json.loads(request)
    os.closerange(3, 1 + max(map(int, os.listdir("/proc/self/fd"))))  # noqa: PTH208 - uvloop leaves them open
    _die_with_parent()
    if os.getppid() != asked["parent"]:  # it ended before that
        raise SystemExit(1)
    _keep_within(asked["memory"])
    _forbid_datagrams()
    # What the program starts ends with it; there are no threads yet that this could hold up.
    subprocess.Popen = partial(subprocess.Popen, preexec_fn=_die_with_parent)  # type: ignore[assignment, misc]
    sys.argv = [program, request]
    runpy.run_path(str(Path(__file__).with_name(program)), run_name="__main__")
    sys.stdout.write(json.dumps({"done": True}) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
