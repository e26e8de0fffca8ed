"""What a site file may say: one class a table, one field a key (documented in ``docs/site-file.md``).

Validators raise an error *type* and values; what people read stands in ``complaints.py``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from datetime import date
from ipaddress import ip_network
from typing import TYPE_CHECKING, Annotated, Final, Literal, TypeAlias, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from scanner.config.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEVER: Final = tuple(ip_network(text) for text in ("0.0.0.0/8", "224.0.0.0/3", "ff00::/8", "::/128"))
"""Addresses that no host can have: this network, multicast, reserved and broadcast (RFC 6890, RFC 4291)."""


_Sized = TypeVar("_Sized", str, tuple[object, ...])


def _wrong(kind: str, at: tuple[str | int, ...] = (), **values: object) -> PydanticCustomError:
    return PydanticCustomError(kind, "see complaints.py", {"at": at, **values})


def _text(text: str) -> str:
    text = text.strip()
    if not text.isprintable():
        raise _wrong("unprintable")
    return text


def _filled(value: _Sized) -> _Sized:
    if not value:
        raise _wrong("blank")
    return value


def _network(text: str) -> str:
    try:
        return str(ip_network(text.strip()))
    except ValueError:
        pass
    try:
        meant = ip_network(text.strip(), strict=False)
    except ValueError:
        raise _wrong("no_network", given=text) from None
    raise _wrong("host_bits", given=text, meant=str(meant))


def _reachable(text: str) -> str:
    network = ip_network(text)
    if any(network.version == never.version and network.overlaps(never) for never in _NEVER):
        raise _wrong("no_hosts", given=text)
    return text


def _apart(networks: tuple[str, ...]) -> tuple[str, ...]:
    parsed = [ip_network(text) for text in networks]
    order = sorted(range(len(parsed)), key=lambda index: (parsed[index].version, int(parsed[index][0])))
    widest = order[0]
    for index in order[1:]:
        one, other = parsed[widest], parsed[index]
        if one.version == other.version and int(other[0]) <= int(one[-1]):
            first, second = sorted((widest, index))
            raise _wrong("overlap", at=(second,), given=networks[second], other=networks[first])
        widest = index
    return networks


def _distinct(values: tuple[int, ...]) -> tuple[int, ...]:
    seen: set[int] = set()
    for index, value in enumerate(values):
        if value in seen:
            raise _wrong("twice", at=(index,), given=value)
        seen.add(value)
    return values


def _matching(pattern: str, kind: str) -> AfterValidator:
    whole = re.compile(pattern)

    def check(text: str) -> str:
        if not whole.fullmatch(text):
            raise _wrong(kind, given=text)
        return text

    return AfterValidator(check)


def _window(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return Window.parse(value)
    except ValueError:
        raise _wrong("no_window", given=value) from None


def _secretless(url: str) -> str:
    if re.match(r"[^/]*//[^/@]*:[^/@]*@", url):
        raise _wrong("secret")
    return url


_SOME: Final = AfterValidator(_filled)

Line: TypeAlias = Annotated[str, Field(max_length=200), AfterValidator(_text)]
"""Text on one line; surrounding spaces do not count."""
Filled: TypeAlias = Annotated[Line, _SOME]
Subnet: TypeAlias = Annotated[str, AfterValidator(_network), AfterValidator(_reachable)]
PortNumber: TypeAlias = Annotated[int, Field(ge=1, le=65535)]
ProbeName: TypeAlias = Annotated[str, _matching(r"[a-z][a-z0-9_]{0,30}", "no_probe")]
Ports: TypeAlias = Mapping[ProbeName, Annotated[tuple[PortNumber, ...], _SOME, AfterValidator(_distinct)]]
"""By probe: the port that stands for the probe's first port, for its second, …"""
ProfileName: TypeAlias = Literal["clinical", "office", "lab"]
WindowText: TypeAlias = Annotated[Window, BeforeValidator(_window)]


class Table(BaseModel):
    """A table of the file: immutable, and nothing in it that is not known."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)


class Site(Table):
    """``[site]``: who this inventory is about."""

    name: Filled
    finess: Annotated[str, _matching(r"(?:[0-9][0-9AB][0-9]{7})?", "no_finess")] = ""
    """The establishment's number in the national register FINESS: nine characters."""
    group: Line = ""
    """The group of hospitals (GHT) that it belongs to."""
    establishment: Line = ""
    """The establishment, where a site is one of several of it; empty: the site itself."""
    language: Literal["fr", "en"] = "fr"
    """The language of reports and exports."""
    horizon_months: Annotated[int, Field(ge=0, le=120)] = 12
    """An end of support within so many months is ``ending``."""
    signed: Literal[False] = False
    """Whether scans demand a signed scope."""


class Policy(Table):
    """``[policy]``: how carefully, when and where not."""

    profile: ProfileName = "clinical"
    window: WindowText | None = None
    """When anything may be sent; without it, always."""
    exclude: tuple[Annotated[str, AfterValidator(_network)], ...] = ()
    """Networks and addresses that are never touched, whatever is asked."""


class Ward(Table):
    """``[[ward]]``: a named set of the site's subnets."""

    name: Filled
    building: Line = ""
    floor: Line = ""
    unit: Line = ""
    """The functional unit (UF) or service number."""
    owner: Line = ""
    """Who answers for its machines: ``DSI``, ``biomedical``, …"""
    vlan: Annotated[int, Field(ge=1, le=4094)] | None = None
    subnets: Annotated[tuple[Subnet, ...], _SOME, AfterValidator(_apart)]
    """IPv4 and IPv6 networks, in canonical notation."""
    passive_only: bool = False
    """Nothing is ever sent here."""
    lab: bool = False
    """No patient depends on anything here: the ``lab`` profile is allowed."""
    profile: ProfileName | None = None
    """Instead of the policy's."""
    window: WindowText | None = None
    """Instead of the policy's."""
    ports: Ports = Field(default_factory=dict)
    """Instead of the site's, by probe."""
    criticality: Literal["low", "normal", "high", "vital"] = "normal"
    """What an outage here would mean; it orders what is to be done first."""

    @model_validator(mode="after")
    def _careful(self) -> Ward:
        if self.profile == "lab" and not self.lab:
            raise _wrong("no_lab", at=("profile",))
        return self


class Esu(Table):
    """``[[esu]]``: a paid extension of support that the site holds."""

    release: Annotated[str, _matching(r"[a-z0-9][a-z0-9.]*(?:-[a-z0-9.]+)+", "no_release")]
    until: date
    """The last day that is paid for."""
    wards: tuple[Line, ...] = ()
    """The wards that it is held for; empty: all."""


class Snmp(Table):
    """``[snmp]``: where community strings come from."""

    community_env: tuple[Annotated[str, _matching(r"[A-Z_][A-Z0-9_]*", "no_variable")], ...] = ()
    """Names of environment variables, never the secrets themselves."""


class InventoryTable(Table):
    """``[inventory]``: where what is seen is kept."""

    url: Annotated[Filled, AfterValidator(_secretless)] | None = None
    """A database's address as SQLAlchemy writes it; ``--db`` and ``VETUSTE_DB`` come first."""


class SiteFile(Table):
    """A whole site file."""

    site: Site
    policy: Policy = Policy()
    wards: Annotated[tuple[Ward, ...], _SOME, Field(alias="ward")]
    esu: tuple[Esu, ...] = ()
    snmp: Snmp = Snmp()
    ports: Ports = Field(default_factory=dict)
    """Only where the site differs from the registered ports."""
    inventory: InventoryTable = InventoryTable()

    @model_validator(mode="after")
    def _consistent(self) -> SiteFile:
        for error in (*_named_twice(self.wards), *_shared_subnets(self.wards), *_unknown_wards(self)):
            raise error
        return self

    def extensions(self, ward: str) -> dict[str, date]:
        """The paid extensions that a ward's machines have: release id to the last day paid for."""
        held: dict[str, date] = {}
        for esu in self.esu:
            if not esu.wards or ward in esu.wards:
                held[esu.release] = max(esu.until, held.get(esu.release, esu.until))
        return held


def _same(name: str) -> str:
    return unicodedata.normalize("NFC", name).casefold()


def _named_twice(wards: tuple[Ward, ...]) -> Iterator[PydanticCustomError]:
    seen: set[str] = set()
    for index, ward in enumerate(wards):
        if _same(ward.name) in seen:
            yield _wrong("ward_twice", at=("ward", index, "name"), given=ward.name)
        seen.add(_same(ward.name))


def _shared_subnets(wards: tuple[Ward, ...]) -> Iterator[PydanticCustomError]:
    owners: dict[str, str] = {}
    for index, ward in enumerate(wards):
        for place, subnet in enumerate(ward.subnets):
            if subnet in owners:
                at = ("ward", index, "subnets", place)
                yield _wrong("shared_subnet", at=at, given=subnet, other=owners[subnet])
            owners[subnet] = ward.name


def _unknown_wards(file: SiteFile) -> Iterator[PydanticCustomError]:
    known = {ward.name: None for ward in file.wards}
    for index, esu in enumerate(file.esu):
        for place, name in enumerate(esu.wards):
            if name not in known:
                yield _wrong(
                    "unknown_ward", at=("esu", index, "wards", place), given=name, known="\n".join(known)
                )
