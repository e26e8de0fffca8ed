"""Sockets that listen on many addresses of 127.0.0.0/8 and leave the others dark. No root is needed.

All sockets of a port share it (``SO_REUSEPORT``) on every address of the loopback interface and of no other
(``SO_BINDTODEVICE``). A classic BPF program (``SO_ATTACH_REUSEPORT_CBPF``, socket(7)) reads the destination
of each SYN and says which socket of the group gets it. The last one has room for one connection, which the
simulator itself holds: the kernel drops every further SYN, before it would send a SYN cookie, and nothing
comes back. (Linux 4.5 or newer; 5.7 or newer for an ordinary user.)
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.errors import ConfigError
from scanner.simulator.plan import FIRST_NETWORK, PLACES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.simulator.plan import Scatter

LISTENERS: Final = 4
"""How many sockets share the SYNs of a port: their queues add up."""
BACKLOG: Final = 4096
_ATTACH_REUSEPORT_CBPF: Final = 51
_BINDTODEVICE: Final = 25
_INSTRUCTION: Final = struct.Struct("=HBBI")
_DESTINATION: Final = 0x100000000 - 0x100000 + 16
"""SKF_NET_OFF and the offset of the destination in an IPv4 header ([RFC 791] 3.1)."""

Instruction: TypeAlias = tuple[int, int, int, int]
"""A classic BPF instruction (linux/filter.h): code, jump if true, jump if false, operand."""

_Line: TypeAlias = tuple[int, int, str]
"""An instruction before its jumps are known: code, operand and, for a jump, where to; or a label."""

_LABEL: Final = -1
_LOAD: Final = 0x20
_LOAD_M: Final = 0x60
_STORE: Final = 0x02
_LOAD_X: Final = 0x61
_ADD: Final = 0x04
_ADD_X: Final = 0x0C
_SUBTRACT: Final = 0x14
_MULTIPLY: Final = 0x24
_AND: Final = 0x54
_SHIFT: Final = 0x74
_MODULO: Final = 0x94
_JUMP_IF_AT_LEAST: Final = 0x35
_RETURN: Final = 0x06
_RETURN_A: Final = 0x16
_WARD, _PLACE, _SLOT = range(3)
"""Cells of the program's memory."""


def steering(scatter: Scatter, listeners: int) -> tuple[Instruction, ...]:
    """The program that gives a SYN to one of ``listeners`` sockets, or to the one after them.

    It computes :meth:`Scatter.slot` and compares it with :meth:`Scatter.listening`; numbers are unsigned, so
    what lies before the first ward or place is large.
    """
    lines: list[_Line] = [
        (_LOAD, _DESTINATION, ""),
        (_AND, 0xFF, ""),
        (_SUBTRACT, 1, ""),
        (_JUMP_IF_AT_LEAST, PLACES, "dark"),
        (_STORE, _PLACE, ""),
        (_MULTIPLY, scatter.step, ""),
        (_STORE, _SLOT, ""),
        (_LOAD, _DESTINATION, ""),
        (_SHIFT, 8, ""),
        (_SUBTRACT, FIRST_NETWORK, ""),
        (_JUMP_IF_AT_LEAST, scatter.wards, "dark"),
        (_STORE, _WARD, ""),
        *_compared(scatter),
        (_LABEL, 0, "heard"),
        (_LOAD_M, _PLACE, ""),
        (_MODULO, listeners, ""),
        (_RETURN_A, 0, ""),
        (_LABEL, 0, "dark"),
        (_RETURN, listeners, ""),
    ]
    return tuple(_assembled(lines))


def _compared(scatter: Scatter) -> list[_Line]:
    """The part that computes the slot and goes on to "heard" or jumps to "dark"."""
    return [
        (_MULTIPLY, scatter.stride, ""),
        (_LOAD_X, _SLOT, ""),
        (_ADD_X, 0, ""),
        (_ADD, scatter.offset, ""),
        (_MODULO, PLACES, ""),
        (_STORE, _SLOT, ""),
        (_LOAD_M, _WARD, ""),
        (_JUMP_IF_AT_LEAST, scatter.odd, "even"),
        (_LOAD_M, _SLOT, ""),
        (_JUMP_IF_AT_LEAST, scatter.even + 1, "dark"),
        (_JUMP_IF_AT_LEAST, 0, "heard"),
        (_LABEL, 0, "even"),
        (_LOAD_M, _SLOT, ""),
        (_JUMP_IF_AT_LEAST, scatter.even, "dark"),
    ]


def _assembled(lines: list[_Line]) -> Iterator[Instruction]:
    labels: dict[str, int] = {}
    instructions: list[_Line] = []
    for code, operand, target in lines:
        if code == _LABEL:
            labels[target] = len(instructions)
        else:
            instructions.append((code, operand, target))
    for index, (code, operand, target) in enumerate(instructions):
        yield code, labels[target] - index - 1 if target else 0, 0, operand


def _attach(first: socket.socket, program: tuple[Instruction, ...]) -> None:
    text = b"".join(_INSTRUCTION.pack(*instruction) for instruction in program)
    buffer = ctypes.create_string_buffer(text, len(text))
    option = struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer))
    first.setsockopt(socket.SOL_SOCKET, _ATTACH_REUSEPORT_CBPF, option)


def on_loopback(kind: int) -> socket.socket:
    """A socket that only this machine reaches, and that nothing waits for."""
    made = socket.socket(socket.AF_INET, kind | socket.SOCK_NONBLOCK)
    made.setsockopt(socket.SOL_SOCKET, _BINDTODEVICE, b"lo\0")
    return made


def cannot(port: int, error: OSError) -> ConfigError:
    """The complaint about a port that is taken or forbidden."""
    reason = errno.errorcode.get(error.errno or 0, "")
    return ConfigError("port {port} cannot be used: {reason}", port=port, reason=reason)


def _member() -> socket.socket:
    made = on_loopback(socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    return made


def _demand_free(port: int) -> None:
    """Two simulators of one user could share a port, and each would get half of the SYNs."""
    with socket.socket() as alone:
        alone.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            alone.bind(("0.0.0.0", port))  # noqa: S104 - every address of the loopback interface, as the members
        except OSError as error:
            raise cannot(port, error) from error


@dataclass(frozen=True, slots=True)
class Group:
    """The sockets of one port."""

    port: int
    listeners: tuple[socket.socket, ...]
    unheard: tuple[socket.socket, socket.socket]
    """The socket of the dark addresses, and the one connection that fills its queue."""

    def close(self) -> None:
        """Give the port back."""
        for member in (*self.listeners, *self.unheard):
            member.close()


def listen(scatter: Scatter, port: int) -> Group:
    """Listen on ``port`` of every address that listens; 0 takes a free one.

    Raises:
        ConfigError: the port is taken or forbidden.
    """
    _demand_free(port)
    members: list[socket.socket] = []
    for index in range(LISTENERS + 1):
        member = _member()
        if not members:
            _attach(member, steering(scatter, LISTENERS))
        member.bind(("0.0.0.0", port))  # noqa: S104 - SO_BINDTODEVICE keeps it on the loopback interface
        port = member.getsockname()[1]
        # The kernel numbers the members in the order in which they begin to listen.
        member.listen(BACKLOG if index < LISTENERS else 0)
        members.append(member)
    filler = socket.create_connection((str(IPv4Address(FIRST_NETWORK << 8)), port), timeout=5)
    return Group(port, tuple(members[:-1]), (members[-1], filler))
