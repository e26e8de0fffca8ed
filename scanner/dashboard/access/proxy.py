"""An authenticating proxy in front: it says who asks, and only it is believed."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from typing import TYPE_CHECKING, Final

from scanner.dashboard.visitor import Role

if TYPE_CHECKING:
    from collections.abc import Sequence
    from ipaddress import IPv4Address, IPv4Network, IPv6Network

    from starlette.datastructures import Headers

_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Proxy:
    """Where it is, and how it says who asks."""

    networks: tuple[IPv4Network | IPv6Network, ...]
    header: str = "Remote-User"
    role: Role = Role.NOBODY
    """Of those whom the file of tokens does not name."""

    def is_at(self, address: str) -> bool:
        """Whether this is an address of the proxy."""
        number = _number(address)
        return number is not None and any(number in network for network in self.networks)

    def name(self, headers: Headers) -> str:
        """Who asks, as the proxy says; empty: it does not, or not clearly."""
        given = headers.getlist(self.header)
        if len(given) != 1:
            return ""
        try:
            name = given[0].encode("latin-1").decode().strip()
        except UnicodeError:
            return ""
        return name if name.isprintable() and len(name) <= _LONGEST else ""

    def client(self, address: str, headers: Headers) -> str:
        """The address behind the proxy: the last that it names and that is not its own."""
        hops = ",".join(headers.getlist("x-forwarded-for")).split(",")
        for hop in reversed(hops[-20:]):
            number = _number(hop.strip())
            if number is None:
                break
            if not self.is_at(str(number)):
                return str(number)
        return address


def _number(address: str) -> IPv4Address | IPv6Address | None:
    try:
        number = ip_address(address)
    except ValueError:
        return None
    mapped = number.ipv4_mapped if isinstance(number, IPv6Address) else None
    return mapped or number


def client_of(proxy: Proxy | None, address: str, headers: Headers) -> str:
    """The address of whoever asks: that of the connection, or behind the proxy."""
    return proxy.client(address, headers) if proxy and proxy.is_at(address) else address


def plain_address(client: Sequence[object] | None) -> str:
    """The address of a connection, IPv4 as such; empty where the server does not tell."""
    told = str(client[0]) if client else ""
    return str(_number(told) or told)
