"""What becomes of an asset's row when a scan sees it (again)."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any, Final

from scanner.inventory.utc import stamp
from scanner.model import Transport

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scanner.model import HostRecord, Observation

_NAMES: Final = {
    "name": ("ntlm.netbios_name", "netbios.name"),
    "fqdn": ("ntlm.dns_name", "ldap.host"),
    "domain": ("ntlm.dns_domain", "ldap.domain", "ntlm.netbios_domain", "netbios.domain", "dhcp.domain"),
    "mac": ("neighbour.mac", "netbios.mac", "mac.address", "dhcp.mac"),
}
"""Where an asset's names come from, the best source first; what a machine told a DHCP server comes last.

Of MAC addresses that is the neighbour's: to it the frames for this very address were sent. What a host says
over NetBIOS may be the address of another of its cards, and some make one up.
"""


def pack_address(address: str) -> bytes:
    """An address as bytes, in whose order addresses are sorted."""
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def names_of(observations: Sequence[Observation]) -> dict[str, str]:
    """The asset's columns name, fqdn, domain and mac; empty where these observations tell nothing."""
    names = {column: _first(observations, keys) for column, keys in _NAMES.items()}
    leased, domain = (_first(observations, (key,)) for key in ("dhcp.hostname", "dhcp.domain"))
    names["name"] = names["name"] or names["fqdn"].partition(".")[0] or leased
    if leased and domain and names["name"].casefold() == leased.casefold():
        names["fqdn"] = names["fqdn"] or f"{leased}.{domain}"
    return names


def _first(observations: Sequence[Observation], keys: tuple[str, ...]) -> str:
    for key in keys:
        for observation in observations:
            values = observation.evidence.get(key)
            if values and values[0]:
                return values[0]
    return ""


def merged(
    host: HostRecord, before: Mapping[str, Any] | None, *, scan_id: int, identity_id: int
) -> dict[str, Any]:
    """The row's columns, but for id, site and ward: what is known now, else what was known before.

    An identity stays with the scan whose evidence made it: silence today does not take back what the machine
    said of itself before; nor does what only its neighbours know of it.
    """
    moments = [observation.at for observation in host.observations]
    first, last = min(moments), max(moments)
    heard = any(observation.evidence for observation in host.observations)
    row: dict[str, Any] = {
        "address": host.address,
        "packed": pack_address(host.address),
        **names_of(host.observations),
        "identity_id": identity_id,
        "identity_scan_id": scan_id if heard else None,
        "first_seen": stamp(first),
        "last_seen": stamp(last),
        "last_scan_id": scan_id,
    }
    if before is None:
        return row
    row |= {name: row[name] or before[name] for name in _NAMES}
    row["first_seen"] = min(row["first_seen"], before["first_seen"])
    row["last_seen"] = max(row["last_seen"], before["last_seen"])
    spoken = any(seen.evidence for seen in host.observations if seen.endpoint.transport is not Transport.LINK)
    if not spoken and before["identity_scan_id"] is not None:
        row |= {name: before[name] for name in ("identity_id", "identity_scan_id")}
    return row
