"""``import wards``: wards and their subnets from a table that people keep, made into tables of a site file.

A site file is the scope of every scan, so nothing of the table goes anywhere by itself, and a single mistake
keeps back all of it: half of the wards would hardly be noticed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, Final

from scanner.errors import ConfigError
from scanner.imports import CutShortError
from scanner.imports.registers import cell, demand_headings
from scanner.imports.sheets import Headings, plain, sheet_rows

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scanner.config import SiteFile, Ward
    from scanner.imports import Source

_HEADINGS: Final = {
    "name": ("ward", "wards", "service", "services", "nom", "name", "nom du service", "unite de soins"),
    "building": ("building", "batiment", "bat"),
    "floor": ("floor", "etage", "niveau", "level"),
    "unit": ("unit", "functional unit", "unite fonctionnelle", "uf", "code uf", "numero uf"),
    "owner": ("owner", "proprietaire", "responsable", "gestionnaire"),
    "vlan": ("vlan", "vlan id", "id vlan", "numero de vlan", "numero vlan"),
    "subnets": (
        "subnets", "subnet", "sous reseaux", "sous reseau", "sous reseau x", "subnet s", "network",
        "networks",
        "reseau", "reseaux", "cidr", "plage", "plages", "adresse reseau",
    ),
    "mask": ("mask", "netmask", "masque", "masque de sous reseau", "subnet mask", "prefix", "prefixe"),
    "criticality": ("criticality", "criticite", "criticite du service"),
}  # fmt: skip
_KNOWN: Final = {heading: meaning for meaning, headings in _HEADINGS.items() for heading in headings}
_CRITICALITY: Final = {
    **dict.fromkeys(("low", "basse", "bas", "faible"), "low"),
    **dict.fromkeys(("", "normal", "normale", "moyenne", "moyen", "medium"), "normal"),
    **dict.fromkeys(("high", "haute", "haut", "elevee", "eleve", "forte", "fort"), "high"),
    **dict.fromkeys(("vital", "vitale", "critique", "critical", "tres haute", "tres elevee"), "vital"),
}
_APART: Final = re.compile(r"[\s,;|]+")
_MASK: Final = re.compile(r"/?(\d{1,2}|\d{1,3}(?:\.\d{1,3}){3})")
_VLAN: Final = re.compile(r"(?i)(?:vlan\s*)?(\d{1,4})")
_NETWORKS: Final = 4096
"""Networks of a table: a hospital has some hundred."""


@dataclass(slots=True)
class WardTables:
    """The wards of a table, and where each of their subnets stands."""

    source: Source
    public: bool
    """Whether subnets of public addresses may stand."""
    lines: dict[str, int] = field(default_factory=dict)
    """By a ward's name without its case: the line that named it first."""
    values: dict[str, dict[str, Any]] = field(default_factory=dict)
    """By the same: what its table says."""
    networks: list[tuple[Any, str, int]] = field(default_factory=list)
    """Each subnet with its ward and its line; line 0: of the site file."""

    def wards(self) -> tuple[Ward, ...]:
        """All of them, in the order in which they came.

        Raises:
            ConfigError: what several rows say of one together is wrong.
        """
        return tuple(_ward(values) for values in self.values.values())

    def take(self, row: Mapping[str, str], line: int) -> Iterator[ConfigError]:
        """A row: a ward, or more subnets of one; gives what is wrong with it."""
        try:
            values = _values(row)
            ward = _ward(values)
        except ConfigError as error:
            yield error.at(self.source.name, line)
            return
        key = plain(ward.name) or ward.name
        known = self.values.get(key)
        if known is not None and {**known, "subnets": ()} != {**values, "subnets": ()}:
            yield ConfigError(
                "{ward} is the name of the ward in line {first}, which is described otherwise",
                ward=repr(ward.name),
                first=self.lines[key],
            ).at(self.source.name, line)
            return
        for subnet in ward.subnets:
            for mistake in self._place(subnet, ward.name, line):
                yield mistake.at(self.source.name, line)
        before = known["subnets"] if known else ()
        self.values[key] = {**values, "subnets": (*before, *values["subnets"])}
        self.lines.setdefault(key, line)

    def know(self, site: SiteFile) -> None:
        """Take note of the wards that a site file has: their ground is not to be given again."""
        for ward in site.wards:
            self.networks += [(ip_network(subnet), ward.name, 0) for subnet in ward.subnets]

    def _place(self, subnet: str, ward: str, line: int) -> Iterator[ConfigError]:
        """A subnet's place beside the others; gives what is wrong with it."""
        network = ip_network(subnet)
        if not self.public and not network.is_private:
            yield ConfigError("{subnet} has public addresses: with --public they may stand", subnet=subnet)
        for other, owner, where in self.networks:
            if network.version == other.version and network.overlaps(other):
                yield ConfigError(
                    "{subnet} overlaps {other} of the ward {ward} in line {first}"
                    if where
                    else "{subnet} overlaps {other} of the ward {ward}, which the site file has",
                    subnet=subnet,
                    other=str(other),
                    ward=repr(owner),
                    first=where,
                )
                break
        if len(self.networks) >= _NETWORKS:
            raise ConfigError("has more than {most} subnets: this is no table of wards", most=_NETWORKS)
        self.networks.append((network, ward, line))


def read_wards(
    source: Source, site: SiteFile | None, *, public: bool = False
) -> tuple[tuple[Ward, ...], Sequence[ConfigError]]:
    """The wards of a table, and everything that is wrong with it, by line; wards only where nothing is.

    Args:
        source: the file.
        site: a site file whose wards are there already; rows that say the same of one are passed over.
        public: whether subnets of public addresses may stand.

    Raises:
        ConfigError: the file is something else.
    """
    headings, mistakes = Headings(), list[ConfigError]()
    tables = WardTables(source, public)
    if site is not None:
        tables.know(site)
    there = {(plain(ward.name), subnet) for ward in (site.wards if site else ()) for subnet in ward.subnets}
    for row in sheet_rows(source, _KNOWN, headings, by_hand=True):
        if isinstance(row, ConfigError):
            mistakes.append(row)
            if isinstance(row, CutShortError):
                break
        elif not _is_there(row.values, there):
            demand_headings(source, headings.places, ("name", "subnets"), _WRONG)
            mistakes += tables.take(row.values, row.line)
    demand_headings(source, headings.places, ("name", "subnets"), _WRONG)
    return (() if mistakes else tables.wards()), mistakes


def _ward(values: Mapping[str, Any]) -> Ward:
    from scanner.config.ward_table import ward_of  # noqa: PLC0415 - pydantic, which other imports do not need

    return ward_of(values)


_WRONG: Final = ConfigError(
    "is no table of wards: it needs a column ward (service) and a column subnets (sous-réseaux)"
)


def _is_there(row: Mapping[str, str], there: set[tuple[str, str]]) -> bool:
    """Whether the site file has this ward with these subnets."""
    try:
        subnets = _subnets(row)
    except ConfigError:
        return False
    return bool(subnets) and all((plain(row.get("name", "")), subnet) in there for subnet in subnets)


def _values(row: Mapping[str, str]) -> dict[str, Any]:
    """What a ward's table would say.

    Raises:
        ConfigError: a cell says what nothing can be made of.
    """
    texts = {name: cell(row, name) for name in ("name", "building", "floor", "unit", "owner")}
    values: dict[str, Any] = {name: text for name, text in texts.items() if text or name == "name"}
    if vlan := cell(row, "vlan"):
        found = _VLAN.fullmatch(vlan)
        if found is None:
            raise ConfigError("{given} is no VLAN: write its number", key="vlan", given=repr(vlan))
        values["vlan"] = int(found[1])
    values["subnets"] = _subnets(row)
    word = plain(row.get("criticality", ""))
    if word not in _CRITICALITY:
        known = "low, normal, high, vital"
        raise ConfigError(
            "is {given}; it must be one of: {known}", key="criticality", given=repr(word), known=known
        )
    values["criticality"] = _CRITICALITY[word]
    return values


def _subnets(row: Mapping[str, str]) -> tuple[str, ...]:
    """The networks of a cell, each with the mask that stands beside it where it has none itself.

    Raises:
        ConfigError: one has no prefix: whether a machine or a network is meant cannot be told.
    """
    mask = cell(row, "mask")
    found = []
    for text in filter(None, _APART.split(row.get("subnets", ""))):
        given = text if "/" in text else _masked(text, mask)
        try:
            found.append(str(ip_network(given)))
        except ValueError:
            found.append(given)  # what is wrong with it is said when the ward is checked
    return tuple(found)


def _masked(text: str, mask: str) -> str:
    prefix = _MASK.fullmatch(mask)
    if prefix is None:
        raise ConfigError(
            "{given} has no prefix: write {given}/24, or /32 of one machine", key="subnets", given=text[:64]
        )
    return f"{text}/{prefix[1]}"
