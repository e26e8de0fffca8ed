"""What a child process with a raw socket gives up: every right, and the calls that it never needs again.

Such a child is a program of its own that imports the standard library only; it runs this file by its place
(runpy). Nothing here can be taken back: it holds for the process, and for all that it might start.
"""

from __future__ import annotations

import ctypes
import os
import platform
import resource
import signal
import struct
from typing import Final

_NOBODY: Final = 65534
"""The user and the group without rights (Linux Standard Base, 23.2)."""
_libc: Final = ctypes.CDLL(None, use_errno=True)
_SET_PDEATHSIG, _SET_SECCOMP, _CAPBSET_DROP, _SET_NO_NEW_PRIVS, _CAP_AMBIENT = 1, 22, 24, 38, 47
"""prctl(2)."""
_CLEAR_ALL: Final = 4
_CAPABILITIES: Final = 64
_VERSION_3: Final = 0x20080522
"""capset(2): sets of 64 bits."""
_LOAD, _EQUAL, _AT_LEAST, _RETURN = 0x20, 0x15, 0x35, 0x06
"""Instructions of a packet filter, of 32 bits."""
_FILTER_MODE, _ALLOW, _FAIL, _NOT_PERMITTED = 2, 0x7FFF0000, 0x00050000, 1
"""seccomp(2)."""
_NUMBER, _ARCHITECTURE, _FIRST = 0, 4, 16
"""Where the number of a call, the architecture that it is of, and its first argument stand."""
_OTHER_NUMBERS: Final = 0x40000000
"""From here on, calls have second numbers (x32)."""
_ARCHITECTURES: Final = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
"""audit.h."""
_FORBIDDEN: Final = {
    # socket socketpair accept bind listen clone fork vfork execve ptrace open creat openat clone3 openat2
    # accept4 execveat; what does the same in other ways: io_uring_setup io_uring_enter io_uring_register
    # process_vm_writev pidfd_getfd
    "x86_64": (
        *(41, 53, 43, 49, 50, 56, 57, 58, 59, 101, 2, 85, 257, 435, 437, 288, 322),
        *(425, 426, 427, 311, 438),
    ),
    # the same of those that there are
    "aarch64": (
        *(198, 199, 202, 200, 201, 220, 221, 117, 56, 435, 437, 242, 281),
        *(425, 426, 427, 271, 438),
    ),
}
"""The numbers of calls that are never needed again."""
_SENDING: Final = {
    # sendto sendmsg sendmmsg connect sendfile splice tee vmsplice copy_file_range io_setup io_submit; and
    # what would make a socket another descriptor: dup dup2 dup3 fcntl
    "x86_64": (44, 46, 307, 42, 40, 275, 276, 278, 326, 206, 209, 32, 33, 292, 72),
    "aarch64": (206, 211, 269, 203, 71, 76, 77, 75, 285, 0, 2, 23, 24, 25),
}
"""The numbers of calls by which something can be sent."""
_WRITING: Final = {
    # write pwrite64 writev pwritev pwritev2
    "x86_64": (1, 18, 20, 296, 328),
    "aarch64": (64, 68, 66, 70, 287),
}
"""The numbers of calls that write to the descriptor that is their first argument."""
_Step = tuple[int, int, int, int]
"""Code, jumps, value."""


class _Program(ctypes.Structure):
    """struct sock_fprog, seccomp(2)."""

    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def die_with(parent: int) -> None:
    """End when the parent ends, in whatever way; to be called after :func:`drop_everything`, which undoes it.

    Raises:
        SystemExit: it has ended.
    """
    _libc.prctl(_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:  # it ended before that
        raise SystemExit(1)


def drop_everything(*, silent: bool = False) -> None:
    """Keep no right of this process, and no way to one.

    Args:
        silent: nothing may be sent either, by whatever socket is open, nor anything be written but to
            standard output and standard error.

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
    if dropped or _libc.prctl(_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or not _forbid_calls(silent=silent):
        raise SystemExit("this machine cannot drop the rights of a process")


def _forbid_calls(*, silent: bool) -> bool:
    machine = platform.machine()
    if machine not in _ARCHITECTURES:
        return False
    steps = _steps(machine, silent=silent)
    kept = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *step) for step in steps))
    program = _Program(len(steps), ctypes.addressof(kept))
    return not _libc.prctl(_SET_SECCOMP, _FILTER_MODE, ctypes.byref(program), 0, 0)


def _steps(machine: str, *, silent: bool) -> list[_Step]:
    """The filter that every call of this process goes through."""
    forbidden = (*_FORBIDDEN[machine], *(_SENDING[machine] if silent else ()))
    writing = _WRITING[machine] if silent else ()
    allow = 4 + len(forbidden) + len(writing)
    write, forbid = allow + 1, allow + 5
    steps: list[_Step] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_EQUAL, 0, forbid - 2, _ARCHITECTURES[machine]),
        (_LOAD, 0, 0, _NUMBER),
        (_AT_LEAST, forbid - 4, 0, _OTHER_NUMBERS),
    ]
    for number in forbidden:
        steps.append((_EQUAL, forbid - len(steps) - 1, 0, number))
    for number in writing:
        steps.append((_EQUAL, write - len(steps) - 1, 0, number))
    return [
        *steps,
        (_RETURN, 0, 0, _ALLOW),
        (_LOAD, 0, 0, _FIRST),
        (_AT_LEAST, 2, 0, 3),  # standard output is 1, standard error 2
        (_EQUAL, 1, 0, 0),
        (_RETURN, 0, 0, _ALLOW),
        (_RETURN, 0, 0, _FAIL | _NOT_PERMITTED),
    ]
