"""Making observations of what a file says: addresses, ports, moments and words, none of them trusted."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.errors import ConfigError
from scanner.model import Endpoint, Observation, Outcome, Transport
from scanner.probes import probes
from scanner.wire import safe

if TYPE_CHECKING:
    from collections.abc import Mapping

Words: TypeAlias = "Mapping[str, str | tuple[str, ...]]"
"""Evidence as it comes: not yet safe to keep."""
Where: TypeAlias = tuple[str, int, Transport]
"""Address, port and transport."""

OWN_KEYS: Final = (
    "mac.address",
    "mac.vendor",
    "dhcp.mac",
    "dhcp.hostname",
    "dhcp.domain",
    "dhcp.vendor_class",
    "ad.system",
    "ad.version",
    "glpi.system",
    "glpi.version",
)
"""The evidence keys that no probe declares, because no conversation of ours tells them: a neighbour saw them,
a DHCP server was told them, or a register has them."""

_PORTS: Final = 1 << 16
_VERSION: Final = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,5}")
_MOMENT: Final = 64
"""Characters that a moment takes at most."""
_OLDEST: Final = datetime(1997, 9, 1, tzinfo=UTC)
"""The first nmap: no scan is older."""


def address_of(value: object) -> str | None:
    """An address in its usual form; None of what is none, or holds on one link only (``fe80::1%eth0``)."""
    if not isinstance(value, str) or "%" in value:
        return None
    try:
        return str(ip_address(value))
    except ValueError:
        return None


def demand_address(value: object, key: str) -> str:
    """The address that stands under a key, in its usual form.

    Raises:
        ConfigError: it is none.
    """
    address = address_of(value)
    if address is None:
        raise ConfigError("is no address", key=key)
    return address


def port_of(value: object) -> int | None:
    """A port; None of what is none."""
    if isinstance(value, str) and value.isascii() and value.isdecimal() and len(value) <= len("65535"):
        value = int(value)
    return value if isinstance(value, int) and 0 < value < _PORTS else None


def transport_of(value: object) -> Transport | None:
    """The transport of that name; None of those that no probe of ours is held over."""
    return {"tcp": Transport.TCP, "udp": Transport.UDP}.get(value) if isinstance(value, str) else None


def one_line(text: str) -> str:
    """Words that go over several lines, as the SNMP probe keeps them."""
    return text.replace("\r\n", " ").replace("\n", " ")


def version_of(text: str) -> str:
    """The version in an NTLM challenge ([MS-NLMP] 2.2.2.10), ``5.1.2600``; empty where it is none."""
    return text if _VERSION.fullmatch(text) else ""


def moment_of(value: object, now: datetime) -> datetime:
    """A moment in seconds since 1970 or in ISO 8601; ``now`` where it says none that can be.

    Moments without a zone are in UTC.
    """
    try:
        if isinstance(value, str) and not value.isdecimal():
            moment = datetime.fromisoformat(value[:_MOMENT])
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        else:
            moment = datetime.fromtimestamp(int(value), UTC)  # type: ignore[call-overload]  # any other type is caught
        moment = moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError, TypeError):
        return now
    return moment if _OLDEST <= moment <= now else now


def observation(where: Where, probe: str, at: datetime, words: Words) -> Observation:
    """One observation: of the probe whose evidence it is, at the service that it is meant for."""
    endpoint = Endpoint(*where, _service(probe, where[1]))
    return Observation(endpoint, probe, at, Outcome.ANSWERED, safe(words))


@lru_cache(maxsize=1 << 12)
def _service(probe: str, port: int) -> int:
    """The registered port that a port stands for, where a probe's protocol was met elsewhere."""
    ports = next((each.ports for each in probes() if each.name == probe), ())
    return port if port in ports or not ports else ports[0]
