"""What becomes of an asset's row when a scan sees it (again)."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any, Final

from scanner.model import Certainty, Transport

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
_OF_OTHERS: Final = frozenset({"neighbour.mac", "mac.address"})
"""What others say of a machine that they saw."""


def pack_address(address: str) -> bytes:
    """An address as bytes, in whose order addresses are sorted."""
    return socket.inet_pton(socket.AF_INET6 if ":" in address else socket.AF_INET, address)


def names_of(observations: Sequence[Observation]) -> dict[str, str]:
    """The asset's columns name, fqdn, domain and mac; empty where these observations tell nothing."""
    said: dict[str, str] = {}
    for observation in observations:
        for key, values in observation.evidence.items():
            if values and values[0]:
                said.setdefault(key, values[0])
    names = {column: next((said[key] for key in keys if key in said), "") for column, keys in _NAMES.items()}
    leased, domain = said.get("dhcp.hostname", ""), said.get("dhcp.domain", "")
    names["name"] = names["name"] or names["fqdn"].partition(".")[0] or leased
    if leased and domain and names["name"].casefold() == leased.casefold():
        names["fqdn"] = names["fqdn"] or f"{leased}.{domain}"
    return names


def merged(
    host: HostRecord,
    before: Mapping[str, Any] | None,
    span: tuple[str, str],
    *,
    scan_id: int,
    identity_id: int,
) -> dict[str, Any]:
    """The row's columns, but for id, site and ward: what is known now, else what was known before.

    An identity stays with the scan whose evidence made it: silence today does not take back what the machine
    said of itself before, nor does what others know of it that saw it. What
    met silence alone is no sign of life: another saw it. The span is that of its observations, as stored.
    """
    told = {key for observation in host.observations for key in observation.evidence}
    names = names_of(host.observations)
    row: dict[str, Any] = {
        "address": host.address,
        "packed": pack_address(host.address),
        **names,
        "identity_id": identity_id,
        "identity_scan_id": scan_id if told else None,
        "first_seen": span[0],
        "last_seen": span[1],
        "last_scan_id": scan_id,
    }
    if before is None:
        return row
    row |= {name: names[name] or before[name] for name in _NAMES}
    if before["last_scan_id"] == scan_id and _key(before["packed"]) < _key(row["packed"]):
        # It has several addresses: the lowest of a scan is the one that it is called by.
        row |= {name: before[name] for name in ("address", "packed")}
    alive = any(observation.outcome.alive for observation in host.observations)
    for column, which in (("first_seen", min), ("last_seen", max)):
        row[column] = which(row[column], before[column]) if alive else before[column]
    if _stays(host, before, told, scan_id):
        row |= {name: before[name] for name in ("identity_id", "identity_scan_id")}
    return row


def is_older(before: Mapping[str, Any], span: tuple[str, str], scan_id: int) -> bool:
    """Whether what a scan brings of a machine is older than what another one made known of it since."""
    known = before["identity_scan_id"] is not None
    return known and before["last_scan_id"] != scan_id and span[1] < before["last_seen"]


def _key(packed: bytes) -> tuple[int, bytes]:
    return len(packed), packed


def _stays(host: HostRecord, before: Mapping[str, Any], told: set[str], scan_id: int) -> bool:
    """Whether what is known of a machine's system stays as it was."""
    if before["identity_scan_id"] is None:
        return False
    spoken = any(seen.evidence for seen in host.observations if seen.endpoint.transport is not Transport.LINK)
    if told <= _OF_OTHERS or not spoken:
        return True
    if before["identity_scan_id"] != scan_id or before["address"] == host.address:
        return False
    return _worth(before["certainty"], json.loads(before["candidates"])) >= _worth(
        host.identity.certainty, host.identity.candidates
    )  # two addresses of one machine: the one that tells more


def _worth(certainty: str, candidates: Sequence[str]) -> tuple[bool, int, int]:
    """How much is known of a system: the surer, the fewer candidates, the more."""
    return bool(candidates), -list(Certainty).index(Certainty(certainty)), -len(candidates)
