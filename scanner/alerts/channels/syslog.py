"""Syslog with CEF inside: RFC 5424 in datagrams, or octet-counted over TCP (RFC 6587, 3.4.1).

CEF is as "ArcSight Common Event Format, Implementation Standard", version 26, has it: one event an alarm.
"""

from __future__ import annotations

import os
import re
import socket
from contextlib import closing
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from scanner.alerts.channels import PATIENCE, reason
from scanner.alerts.model import Channel, DeliveryError
from scanner.errors import ConfigError
from scanner.version import installed_version

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.alerts.model import Event, Letter
    from scanner.config import Notify

_FACILITY: Final = 16
"""local0"""
_HIGH: Final = 7
"""From this severity of CEF on it is an error of syslog's, below a warning."""
_PAUSE: Final = 0.2
"""Seconds in which another host tells that nobody hears at a UDP port, where it does."""


def _send(notify: Notify, letter: Letter) -> None:
    address = notify.address or ""
    lines = [_line(event, letter) for event in letter.events]
    try:
        if address.startswith("unix:"):
            _to_unix(address.removeprefix("unix:"), lines)
        elif address.startswith("udp:"):
            _by_datagrams(address, lines)
        else:
            _by_stream(address, lines)
    except TimeoutError:
        raise DeliveryError("the receiver took nothing for {seconds} s", seconds=int(PATIENCE)) from None
    except OSError as error:
        raise DeliveryError("the receiver cannot be reached: {why}", why=reason(error)) from None


def _place(address: str) -> tuple[str, int]:
    parts = urlsplit(address)
    return parts.hostname or "", parts.port or 0


def _to_unix(path: str, lines: Iterable[bytes]) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as sender:
        sender.settimeout(PATIENCE)
        sender.connect(path)
        for line in lines:
            sender.send(line)


def _by_datagrams(address: str, lines: Iterable[bytes]) -> None:
    host, port = _place(address)
    family, kind, protocol, _, target = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)[0]
    with closing(socket.socket(family, kind, protocol)) as sender:
        sender.connect(target)
        for line in lines:
            sender.send(line)
        sender.settimeout(_PAUSE)
        try:
            sender.recv(1)  # nothing is ever said here: only a refusal comes
        except TimeoutError:
            return


def _by_stream(address: str, lines: Iterable[bytes]) -> None:
    """All lines in one connection; whoever read them to the end closes it, and only that tells so."""
    with closing(socket.create_connection(_place(address), timeout=PATIENCE)) as sender:
        for line in lines:
            sender.sendall(b"%d %s" % (len(line), line))
        sender.shutdown(socket.SHUT_WR)
        while sender.recv(4096):
            pass


def _line(event: Event, letter: Letter) -> bytes:
    severity = 3 if event.severity >= _HIGH else 4
    moment = letter.at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    host = re.sub(r"[^!-~]", "", socket.gethostname())[:255] or "-"
    head = f"<{_FACILITY * 8 + severity}>1 {moment} {host} vetuste {os.getpid()} {event.kind[:32]} - "
    return (head + _cef(event, letter)).encode()


def _cef(event: Event, letter: Letter) -> str:
    head = ("vetuste", "vetuste", installed_version() or "-", event.kind, event.title)
    fields = {
        "rt": str(int(event.raised.timestamp() * 1000)),
        "externalId": event.id,
        "cs1Label": "site",
        "cs1": letter.site,
        **({"cs2Label": "ward", "cs2": event.ward} if event.ward else {}),
        **_address(event.address),
        "msg": event.told,
    }
    extension = " ".join(f"{name}={_value(value)}" for name, value in fields.items())
    return f"CEF:0|{'|'.join(map(_header, head))}|{event.severity}|{extension}"


def _address(address: str) -> dict[str, str]:
    """``dst`` is of IPv4 alone; of IPv6 there is one of the custom fields."""
    if not address:
        return {}
    if ip_address(address).version == 4:  # noqa: PLR2004 - of IP
        return {"dst": address}
    return {"c6a3Label": "Destination IPv6 Address", "c6a3": address}


def _header(text: str) -> str:
    return _plain(text).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    return _plain(text).replace("\\", "\\\\").replace("=", "\\=")


def _plain(text: str) -> str:
    """Without line ends, which would begin another event."""
    return re.sub(r"[\r\n\0]+", " ", text)


def _check(notify: Notify) -> None:
    address = notify.address or ""
    if not address.startswith("unix:"):
        port = int(address.rpartition(":")[2])
        if not 1 <= port <= 65535:  # noqa: PLR2004 - 16 bits
            raise ConfigError("ends in no port: 1 to 65535", key="address")


CHANNEL: Final = Channel("syslog", needs=frozenset({"address"}), may=frozenset(), send=_send, check=_check)
