"""Whether this machine's own link is up: what falls silent behind a pulled cable did not fall."""

from __future__ import annotations

import fcntl
import socket
import struct
from pathlib import Path
from typing import Final

_SIOCGIFADDR: Final = 0x8915
"""ioctl: an interface's IPv4 address (netdevice(7))."""
_NAME: Final = 16
_ADDRESS: Final = slice(20, 24)
_UP: Final = frozenset({"up", "unknown"})
"""What /sys/class/net/*/operstate says of a link that carries; loopback and tunnels are ``unknown``."""


def link_is_up(address: str) -> bool:
    """Whether there is a way to an address, over an interface that carries.

    No packet is sent: connecting a datagram socket only asks the kernel for the route.
    """
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as asking:
        try:
            asking.connect((address, 9))
        except OSError:
            return False
        source = asking.getsockname()[0]
    device = _device_of(source)
    return device is None or _state(device) in _UP


def _state(device: str) -> str:
    try:
        return Path("/sys/class/net", device, "operstate").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def _device_of(source: str) -> str | None:
    """The interface that has an address of this machine."""
    if ":" in source:
        wanted = socket.inet_pton(socket.AF_INET6, source.partition("%")[0]).hex()
        lines = Path("/proc/net/if_inet6").read_text(encoding="ascii").splitlines()
        return next((line.split()[5] for line in lines if line.startswith(wanted)), None)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[: _NAME - 1])
            try:
                answer = fcntl.ioctl(asking, _SIOCGIFADDR, request)
            except OSError:
                continue
            if socket.inet_ntoa(answer[_ADDRESS]) == source:
                return name
    return None
