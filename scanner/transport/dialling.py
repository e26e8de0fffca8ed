"""Opening one TCP connection with one SYN."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import socket
import struct
import termios
from functools import cache, partial
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.model import Outcome
from scanner.transport.switchboard import WRITABLE, Switchboard

if TYPE_CHECKING:
    from scanner.model import Endpoint

_OUTCOMES: Final = {
    errno.ECONNREFUSED: Outcome.REFUSED,
    errno.ECONNRESET: Outcome.RESET,
    errno.EPIPE: Outcome.RESET,
    errno.ENOTCONN: Outcome.RESET,
    errno.EHOSTUNREACH: Outcome.UNREACHABLE,
    errno.ENETUNREACH: Outcome.UNREACHABLE,
    errno.EHOSTDOWN: Outcome.UNREACHABLE,
    errno.ENOPROTOOPT: Outcome.UNREACHABLE,  # ICMP "protocol unreachable"
    errno.EACCES: Outcome.UNREACHABLE,  # ICMP "prohibited", and a broadcast address
    errno.EPERM: Outcome.UNREACHABLE,  # this machine's own firewall
    errno.ETIMEDOUT: Outcome.SILENT,
    errno.EALREADY: Outcome.SILENT,  # still connecting when its time was over
}

_FROM_THE_NETWORK: Final = frozenset(
    {0, errno.EINPROGRESS, errno.ECONNREFUSED, errno.ECONNRESET, errno.EACCES, errno.EPERM}
)
"""What a connect may return at once without this machine's own network being at fault."""

_TOTAL_RETRANS: Final = struct.Struct("=I")
_FAREWELL_MS: Final = 800
"""Milliseconds for which a FIN may be sent again: when a scan is stopped, nothing leaves a second later."""


class Ended(NamedTuple):
    """How an attempt to connect failed: a value, since most attempts of a sweep do."""

    outcome: Outcome
    detail: str
    local: bool = False
    """Whether this machine, not the network, is the cause: no route, no descriptor, no port."""
    repeats: int = 0
    """SYNs that the kernel sent again, because this process was held up beyond the timeout."""


@cache
def _ended(code: int, *, local: bool) -> Ended:
    outcome = Outcome.FAILED if local else _OUTCOMES.get(code, Outcome.FAILED)
    return Ended(outcome, os.strerror(code), local)


def outcome_of(error: OSError) -> Outcome:
    """What an error of a connected socket means for the conversation."""
    return _OUTCOMES.get(error.errno or 0, Outcome.FAILED)


async def dial(endpoint: Endpoint, switchboard: Switchboard) -> socket.socket | Ended:
    """Connect with one SYN, or tell why not: nobody answered, the port is closed, there is no way."""
    try:
        raw = _socket_for(endpoint.address)
    except OSError as error:
        return _ended(error.errno or 0, local=True)
    dialled: socket.socket | Ended | None = None
    try:
        dialled = await _connect(raw, (endpoint.address, endpoint.port), switchboard) or raw
    finally:  # the scan may be stopped while this waits
        if dialled is not raw:
            switchboard.drop(raw.fileno())
            raw.close()
    return dialled


def _socket_for(address: str) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    raw = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_NONBLOCK)
    # Should this process be held up beyond the timeout, the kernel repeats the SYN once, not six times.
    raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_SYNCNT, 1)
    return raw


async def _connect(raw: socket.socket, address: tuple[str, int], switchboard: Switchboard) -> Ended | None:
    code = raw.connect_ex(address)
    local = code not in _FROM_THE_NETWORK
    if code == errno.EINPROGRESS:
        waiter: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        switchboard.watch(raw.fileno(), WRITABLE, partial(_settle, waiter))
        switchboard.connecting.start(waiter)
        await waiter
        code = raw.connect_ex(address)  # the socket itself knows best whether it is connected
    if code in {0, errno.EISCONN}:
        return None
    ended, repeats = _ended(code, local=local), repeats_of(raw)
    return ended._replace(repeats=repeats) if repeats else ended


def repeats_of(raw: socket.socket) -> int:
    """How many segments the kernel has sent again so far (tcp(7), TCP_INFO: tcpi_total_retrans)."""
    found: int = _TOTAL_RETRANS.unpack_from(raw.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 104), 100)[0]
    return found


def _settle(waiter: asyncio.Future[bytes]) -> None:
    if not waiter.done():
        waiter.set_result(b"")


def hang_up(connected: socket.socket) -> None:
    """Close a connection with a FIN; with one reset where the peer takes nothing any more.

    A kernel would go on sending what is not acknowledged for minutes after the scan, to a host that fell.
    """
    with connected, contextlib.suppress(OSError):  # broken already
        unsent = fcntl.ioctl(connected, termios.TIOCOUTQ, b"\0" * 4)  # tcp(7): SIOCOUTQ
        if any(unsent):
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        else:
            connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _FAREWELL_MS)
