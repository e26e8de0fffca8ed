"""The words of a record that may tell machines apart, for the judge of the simulated year.

A tablet's name over mDNS is none of them: its maker gave it to all (iPad).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.model import Evidence, HostRecord

Word: TypeAlias = tuple[str, str]
NAMES: Final = frozenset({"name", "fqdn", "sysname"})
HARD: Final = ("card", "engine")
"""Sorts of words that last as long as the hardware."""
_DOMAINS: Final = {"netbios.name": "netbios.domain", "ntlm.netbios_name": "ntlm.netbios_domain"}
_SORTS: Final = {
    "netbios.mac": "card", "neighbour.mac": "card", "mac.address": "card", "smb.server_guid": "guid",
    "ssh.hostkey": "key", "tls.certificate": "certificate", "snmp.engine_id": "engine",
    "netbios.name": "name", "ntlm.netbios_name": "name", "ntlm.dns_name": "fqdn", "tls.subject": "fqdn",
    "snmp.sysname": "sysname",
}  # fmt: skip


def words_of(record: HostRecord) -> frozenset[Word]:
    """The words of a record that may tell machines apart."""
    return frozenset(
        (_SORTS[key], _within(key, values[0].removeprefix("CN=").casefold(), seen.evidence))
        for seen in record.observations
        for key, values in seen.evidence.items()
        if key in _SORTS
    )


def _within(key: str, name: str, evidence: Evidence) -> str:
    """A NetBIOS name with its domain: one name in two domains is two machines."""
    if _SORTS[key] != "name":
        return name
    domain = evidence.get(_DOMAINS[key], ("",))[0].casefold()
    return name if domain in {"", "workgroup", name} else f"{domain}\\{name}"


def are_alike(said: Sequence[set[Word]]) -> bool:
    """Whether machines that said this had a name in common, and are not told apart by cards."""
    named = any(sort in NAMES for sort, _ in set.intersection(*said))
    return named and not any(all(any(word[0] == sort for word in each) for each in said) for sort in HARD)


def unite(groups: list[set[object]], links: set[object]) -> None:
    for group in [each for each in groups if each & links]:
        links |= group
        groups.remove(group)
    groups.append(links)
