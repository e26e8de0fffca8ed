"""``import ad``: the computers of an Active Directory, as ``Get-ADComputer … | Export-Csv`` writes them.

Columns are those of the schema's attributes ([MS-ADA1] to [MS-ADA3]) and of the module's own names for them.
Only what stands in ``_KNOWN`` is read: whoever manages or uses a computer stands in other columns.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from uuid import UUID

from scanner.errors import ConfigError
from scanner.imports import RegisterFormat
from scanner.imports.dhcp_leases import name_of
from scanner.imports.moments import moment_in
from scanner.imports.registers import addresses_in, cell, demand_headings, facts_of, records_of, whether
from scanner.imports.sheets import Headings, sheet_rows
from scanner.inventory.records.record import Record
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from scanner.imports import Source

_REGISTER: Final = "ad"
_KNOWN: Final[Mapping[str, str]] = {
    "name": "name",
    "cn": "name",
    "samaccountname": "account",
    "dnshostname": "fqdn",
    "distinguishedname": "dn",
    "canonicalname": "canonical",
    "objectclass": "class",
    "objectguid": "guid",
    "sid": "sid",
    "objectsid": "sid",
    "enabled": "enabled",
    "operatingsystem": "system",
    "operatingsystemversion": "version",
    "operatingsystemservicepack": "pack",
    "lastlogondate": "logon",
    "lastlogontimestamp": "logon",
    "ipv4address": "address",
    "ipv6address": "address6",
    "whencreated": "created",
    "created": "created",
    "whenchanged": "changed",
    "modified": "changed",
}
_NEEDED: Final = ("guid|sid|dn|name", "name|fqdn|account", "fqdn|system|version")
_COMPUTER: Final = "computer"
_HEX: Final = re.compile(r"(?:X')?([0-9A-Fa-f]{32})'?")
"""A GUID as bytes, as csvde and LDAP tools print it."""
_SID: Final = re.compile(r"S-1-5-21(?:-[0-9]{1,10}){4}")
_PART: Final = re.compile(r"(?i)(?:^|,)DC=([^,=]{1,63})")


def read(source: Source) -> Iterator[Record | ConfigError]:
    """What a directory says of each computer.

    Raises:
        ConfigError: the file is something else.
    """
    headings = Headings()
    wrong = ConfigError(
        "is no export of computers of a directory: it needs the columns Name, DNSHostName, ObjectGUID, "
        "OperatingSystem, OperatingSystemVersion and LastLogonDate"
    )
    return records_of(
        sheet_rows(source, _KNOWN, headings),
        source,
        lambda: demand_headings(source, headings.places, _NEEDED, wrong),
        _record,
    )


def _record(values: Mapping[str, str], now: datetime) -> Record:
    """A record of the cells of a row.

    Raises:
        ConfigError: it is of no computer, or has nothing that it is known by.
    """
    kind = values.get("class", "").casefold()
    if kind and kind != _COMPUTER:
        raise ConfigError("is no computer", key="ObjectClass")
    host, behind = name_of(cell(values, "fqdn"))
    name = cell(values, "name") or cell(values, "account").rstrip("$") or host
    domain = behind or _domain_of(values)
    system = " ".join(filter(None, (cell(values, "system"), cell(values, "pack"))))
    return Record(
        _REGISTER,
        _own_id(values, name, domain),
        name=name,
        fqdn=f"{host}.{behind}" if behind else "",
        domain=domain,
        system=system,
        version=cell(values, "version"),
        addresses=addresses_in(f"{values.get('address', '')} {values.get('address6', '')}"),
        enabled=whether(values.get("enabled", "")),
        contact=moment_in(values.get("logon", ""), now),
        facts=facts_of(values, ("created", "changed")),
    )


def _own_id(values: Mapping[str, str], name: str, domain: str) -> str:
    """What the directory knows a computer by; where the export leaves that out, its name.

    Raises:
        ConfigError: it has none of these.
    """
    guid, sid = values.get("guid", "").strip(" {}"), values.get("sid", "").strip()
    try:
        hexadecimal = _HEX.fullmatch(guid)
        return str(UUID(bytes_le=bytes.fromhex(hexadecimal[1])) if hexadecimal else UUID(guid))
    except ValueError:
        pass
    if _SID.fullmatch(sid):
        return sid
    if not name:
        raise ConfigError("has neither an ObjectGUID nor a name", key="ObjectGUID")
    return f"{name}.{domain}".rstrip(".").casefold()


def _domain_of(values: Mapping[str, str]) -> str:
    """The domain in a distinguished or canonical name; of these nothing else is kept."""
    if parts := _PART.findall(values.get("dn", "")[:2048]):
        return cell({"domain": ".".join(parts).lower()}, "domain")
    domain, between, _ = values.get("canonical", "")[:256].partition("/")
    return cell({"domain": domain.lower()}, "domain") if between else ""


FORMAT: Final = RegisterFormat(
    _REGISTER,
    read,
    Message("Import which computers an Active Directory has: Get-ADComputer | Export-Csv."),
    Message(
        "Taken are the columns Name, DNSHostName, DistinguishedName (its domain alone), ObjectGUID, SID, "
        "Enabled, OperatingSystem, OperatingSystemVersion, OperatingSystemServicePack, LastLogonDate or "
        "lastLogonTimestamp, IPv4Address and whenCreated; in any order, with any separator. A record is "
        "evidence of its machine's system only where its last logon is no more than 30 days older than the "
        "last sight."
    ),
    "computers.csv",
)
