"""``import glpi``: the computers of GLPI, of its lists exported as CSV, with French or English headings.

Only what stands in ``_KNOWN`` is read: users, contacts, groups and comments stand in other columns.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.imports import RegisterFormat
from scanner.imports.dhcp_leases import name_of
from scanner.imports.moments import moment_in
from scanner.imports.registers import (
    addresses_in,
    cell,
    demand_headings,
    facts_of,
    macs_in,
    records_of,
    whether,
)
from scanner.imports.sheets import Headings, sheet_rows
from scanner.inventory.records.record import Record
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from scanner.imports import Source

_REGISTER: Final = "glpi"
_HEADINGS: Final = {
    "id": ("id",),
    "name": ("nom", "name"),
    "entity": ("entite", "entity"),
    "state": ("statut", "status"),
    "manufacturer": ("fabricant", "manufacturer"),
    "serial": ("numero de serie", "serial number"),
    "type": ("type", "types"),
    "model": ("modele", "model"),
    "location": ("lieu", "location"),
    "changed": ("derniere modification", "last update", "date de derniere modification"),
    "domain": ("domaine", "domain", "domaines nom", "domains name", "domaines", "domains"),
    "system": (
        "systeme d exploitation nom", "operating system name", "systeme d exploitation", "operating system",
    ),
    "version": ("systeme d exploitation version", "operating system version"),
    "kernel": ("systeme d exploitation version du noyau", "operating system kernel version"),
    "edition": ("systeme d exploitation edition", "operating system edition"),
    "pack": ("systeme d exploitation service pack", "operating system service pack"),
    "address": (
        "adresse ip", "ip", "ip address", "reseau ip", "reseaux ip", "networking ip", "network ip",
        "adresse reseau ip",
    ),
    "mac": (
        "adresse mac", "mac", "mac address", "reseau adresse mac", "reseau mac", "networking mac address",
        "networking mac", "network ports mac address", "port reseau adresse mac", "ports reseau adresse mac",
    ),
    "managed": ("inventaire automatique", "automatic inventory"),
    "agent": ("agent", "agents", "agent nom", "agent name", "agents nom", "agents name"),
    "contact": (
        "date du dernier inventaire", "date de dernier inventaire", "dernier inventaire",
        "last inventory date", "last inventory", "dernier contact",
        "last contact", "agent dernier contact", "agent last contact",
        "agents dernier contact", "agents last contact", "fusinv dernier inventaire", "fusinv last inventory",
        "ocs inventory ng date du dernier inventaire ocsng", "date du dernier inventaire ocsng",
    ),
}  # fmt: skip
_KNOWN: Final = {heading: meaning for meaning, headings in _HEADINGS.items() for heading in headings}
_NEEDED: Final = ("id|serial|name", "name", "system|version|kernel")


def read(source: Source) -> Iterator[Record | ConfigError]:
    """What GLPI says of each computer.

    Raises:
        ConfigError: the file is something else.
    """
    headings = Headings()
    wrong = ConfigError(
        "is no list of computers of GLPI: it needs the columns Name, ID, Serial number, "
        "Operating system - Name and Operating system - Version"
    )

    def demand() -> None:
        demand_headings(source, headings.places, _NEEDED, wrong)

    return records_of(sheet_rows(source, _KNOWN, headings), source, demand, _record)


def _record(values: Mapping[str, str], now: datetime) -> Record:
    """A record of the cells of a row.

    Raises:
        ConfigError: it has nothing that it is known by.
    """
    host, behind = name_of(cell(values, "name"))
    domain = behind or cell(values, "domain").lower()
    system = " ".join(filter(None, (cell(values, name) for name in ("system", "edition", "pack"))))
    return Record(
        _REGISTER,
        _own_id(values, host),
        name=host,
        fqdn=f"{host}.{behind}" if behind else "",
        domain=domain,
        system=system,
        version=cell(values, "kernel") or cell(values, "version"),
        serial=cell(values, "serial"),
        macs=macs_in(values.get("mac", "")),
        addresses=addresses_in(values.get("address", "")),
        managed=_managed(values),
        contact=moment_in(values.get("contact", ""), now),
        facts=facts_of(values, ("entity", "state", "manufacturer", "type", "model", "location", "changed")),
    )


def _managed(values: Mapping[str, str]) -> bool:
    """Whether an agent tells it: it is said, or named, or it has a moment at which an agent spoke."""
    said = whether(values.get("managed", ""))
    if said is not None:
        return said
    return bool(cell(values, "agent") or cell(values, "contact"))


def _own_id(values: Mapping[str, str], name: str) -> str:
    """What GLPI knows a computer by; where the list leaves that out, its serial number or its name.

    Raises:
        ConfigError: it has none of these.
    """
    number = "".join(values.get("id", "").split())
    if number.isascii() and number.isdecimal():
        return str(int(number[:18]))
    if own := cell(values, "serial") or "/".join(filter(None, (cell(values, "entity"), name))):
        return own.casefold()
    raise ConfigError("has neither an ID nor a name", key="ID")


FORMAT: Final = RegisterFormat(
    _REGISTER,
    read,
    Message("Import which computers GLPI has: a list of them, exported as CSV."),
    Message(
        "Taken are the columns ID, Name, Entity, Status, Manufacturer, Serial number, Type, Model, Location, "
        "Last update, Domain, those of the operating system (Name, Version, Kernel version, Edition, Service "
        "pack), IP and MAC addresses, Automatic inventory, Agent, and Last inventory date or Last contact; "
        "with headings in French or English. What an agent told is evidence of a machine's system where its "
        "last contact is no more than 30 days older than the last sight; what somebody typed is only shown."
    ),
    "computers.csv",
)
