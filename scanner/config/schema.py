"""What a site file may say: one class a table, one field a key (documented in ``docs/site-file.md``).

Validators raise an error *type* and values; what people read stands in ``complaints.py``.
"""

from __future__ import annotations

import unicodedata
from datetime import date
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import Field, model_validator

from scanner.addresses import AddressSet, number_of
from scanner.config.alerting import Alert, Notify, alerts_astray
from scanner.config.canary import Canary
from scanner.config.fields import (
    APART,
    DISTINCT,
    SOME,
    AeTitle,
    CanaryText,
    DatabaseURL,
    Filled,
    Line,
    Network,
    Ports,
    ProbeNames,
    ProfileName,
    RoleName,
    RouterText,
    Subnet,
    Table,
    Variable,
    WindowText,
    matching,
    wrong,
)
from scanner.config.window import Window

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from pydantic_core import PydanticCustomError

__all__ = [
    "Alert",
    "Canary",
    "Dicom",
    "Esu",
    "Health",
    "Notify",
    "Policy",
    "Signing",
    "Site",
    "SiteFile",
    "Snmp",
    "Ward",
    "Window",
]

_PRIVATE: Final = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
"""Where a canary or a router outside the site's subnets may stand (RFC 1918, RFC 4193)."""


class Site(Table):
    """``[site]``: who this inventory is about."""

    name: Filled
    finess: Annotated[str, matching(r"(?:[0-9][0-9AB][0-9]{7})?", "no_finess")] = ""
    """The establishment's number in the national register FINESS: nine characters."""
    group: Line = ""
    """The group of hospitals (GHT) that it belongs to."""
    establishment: Line = ""
    """The establishment, where a site is one of several of it; empty: the site itself."""
    language: Literal["fr", "en"] = "fr"
    """The language of reports and exports."""
    horizon_months: Annotated[int, Field(ge=0, le=120)] = 12
    """An end of support within so many months is ``ending``."""
    signed: bool = False
    """Whether nothing may be sent before every role of ``[signing]`` has signed this file."""


class Policy(Table):
    """``[policy]``: how carefully, when and where not."""

    profile: ProfileName = "clinical"
    probes: ProbeNames | None = None
    """Names of the probes that may be held at all; without it, all that the profile has."""
    window: WindowText | None = None
    """When anything may be sent; without it, always."""
    exclude: tuple[Network, ...] = ()
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
    subnets: Annotated[tuple[Subnet, ...], SOME, APART]
    """IPv4 and IPv6 networks, in canonical notation."""
    passive_only: bool = False
    """Nothing is ever sent here."""
    lab: bool = False
    """No patient depends on anything here: the ``lab`` profile is allowed."""
    profile: ProfileName | None = None
    """Instead of the policy's."""
    probes: ProbeNames | None = None
    """Instead of the policy's."""
    window: WindowText | None = None
    """Instead of the policy's."""
    ports: Ports = Field(default_factory=dict)
    """Instead of the site's, by probe."""
    canaries: Annotated[tuple[CanaryText, ...], DISTINCT] = ()
    """Hosts that are asked between probes: when they fall silent, the ward's scan stops."""
    criticality: Literal["low", "normal", "high", "vital"] = "normal"
    """What an outage here would mean; it orders what is to be done first."""

    @model_validator(mode="after")
    def _careful(self) -> Ward:
        if self.profile == "lab" and not self.lab:
            raise wrong("no_lab", at=("profile",))
        return self


class Esu(Table):
    """``[[esu]]``: a paid extension of support that the site holds."""

    release: Annotated[str, matching(r"[a-z0-9][a-z0-9.]*(?:-[a-z0-9.]+)+", "no_release")]
    until: date
    """The last day that is paid for."""
    wards: tuple[Line, ...] = ()
    """The wards that it is held for; empty: all."""


class Snmp(Table):
    """``[snmp]``: where community strings come from, and which routers are asked whom they know."""

    community_env: tuple[Variable, ...] = ()
    """Names of environment variables, never the secrets themselves."""
    routers: Annotated[tuple[RouterText, ...], DISTINCT] = ()
    """Those whose tables of neighbours are read at the beginning of a scan."""


class Dicom(Table):
    """``[dicom]``: by which names an association is asked for."""

    ae_title: AeTitle | None = None
    """The title that the site's systems are called by; without it none is asked."""
    calling_ae_title: AeTitle = "VETUSTE"
    """Ours, as the called system knows it."""


class Signing(Table):
    """``[signing]``: who signs this file."""

    roles: Annotated[tuple[RoleName, ...], DISTINCT] = ()
    """Each signs in a file of its own: ``site.toml.ROLE.sig``."""
    allowed_signers: Filled = "allowed_signers"
    """The file, beside this one, that says whose keys sign for which role (ssh-keygen(1))."""


class InventoryTable(Table):
    """``[inventory]``: where what is seen is kept."""

    url: DatabaseURL | None = None
    """A database's address as SQLAlchemy writes it; ``--db`` and ``VETUSTE_DB`` come first."""


class Retention(Table):
    """``[retention]``: how long what is kept; without it, for ever."""

    observations: Annotated[int, Field(ge=1, le=36500)] | None = None
    """Days; of scans that ended before, only what identities rest on stays (``db prune``)."""
    ledger: Annotated[int, Field(ge=1, le=36500)] | None = None
    """Days; what scans sent that ended before is no longer told."""


class Health(Table):
    """``[health]``: when somebody should be told that nothing is looked at any more."""

    late_after_hours: Annotated[int, Field(ge=1, le=8784)] = 192
    """Hours since the end of the last whole scan after which the next one is late: a week and a day."""


class OwnData(Table):
    """``[data]``: what the site knows better than the product."""

    directory: Filled | None = None
    """Fingerprints and releases that override and extend those that ship; ``--data`` comes first."""


class SiteFile(Table):
    """A whole site file."""

    site: Site
    policy: Policy = Policy()
    wards: Annotated[tuple[Ward, ...], SOME, Field(alias="ward")]
    esu: tuple[Esu, ...] = ()
    snmp: Snmp = Snmp()
    dicom: Dicom = Dicom()
    ports: Ports = Field(default_factory=dict)
    """Only where the site differs from the registered ports."""
    inventory: InventoryTable = InventoryTable()
    data: OwnData = OwnData()
    signing: Signing = Signing()
    retention: Retention = Retention()
    health: Health = Health()
    alerts: Annotated[tuple[Alert, ...], Field(alias="alert")] = ()
    channels: Annotated[tuple[Notify, ...], Field(alias="notify")] = ()

    @model_validator(mode="after")
    def _consistent(self) -> SiteFile:
        checks = (_named_twice, _shared_subnets, _unknown_wards, _canaries_astray, _routers_astray)
        for check in (*checks, _signed_by_nobody, alerts_astray):
            for error in check(self):
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


def _named_twice(file: SiteFile) -> Iterator[PydanticCustomError]:
    seen: set[str] = set()
    for index, ward in enumerate(file.wards):
        if _same(ward.name) in seen:
            yield wrong("ward_twice", at=("ward", index, "name"), given=ward.name)
        seen.add(_same(ward.name))


def _shared_subnets(file: SiteFile) -> Iterator[PydanticCustomError]:
    owners: dict[str, str] = {}
    for index, ward in enumerate(file.wards):
        for place, subnet in enumerate(ward.subnets):
            if subnet in owners:
                at = ("ward", index, "subnets", place)
                yield wrong("shared_subnet", at=at, given=subnet, other=owners[subnet])
            owners[subnet] = ward.name


def _unknown_wards(file: SiteFile) -> Iterator[PydanticCustomError]:
    known = {ward.name: None for ward in file.wards}
    for index, esu in enumerate(file.esu):
        for place, name in enumerate(esu.wards):
            if name not in known:
                yield wrong(
                    "unknown_ward", at=("esu", index, "wards", place), given=name, known="\n".join(known)
                )


def _canaries_astray(file: SiteFile) -> Iterator[PydanticCustomError]:
    astray = _astray(file, "canary_excluded")
    for index, ward in enumerate(file.wards):
        for place, canary in enumerate(ward.canaries):
            if kind := astray(canary.address):
                yield wrong(kind, at=("ward", index, "canaries", place), given=str(canary))


def _routers_astray(file: SiteFile) -> Iterator[PydanticCustomError]:
    astray = _astray(file, "router_excluded")
    for place, router in enumerate(file.snmp.routers):
        if kind := astray(router):
            yield wrong(kind, at=("snmp", "routers", place), given=router)


def _astray(file: SiteFile, excluded: str) -> Callable[[str], str | None]:
    """What is wrong with a host that is named to be asked, by its address; None where nothing is."""
    passive = (subnet for ward in file.wards if ward.passive_only for subnet in ward.subnets)
    untouched = {excluded: AddressSet.of(file.policy.exclude), "host_passive": AddressSet.of(passive)}
    ground = AddressSet.of((*_PRIVATE, *(subnet for ward in file.wards for subnet in ward.subnets)))

    def kind_of(address: str) -> str | None:
        number = number_of(address)
        kinds = (kind for kind, addresses in untouched.items() if number in addresses)
        return next(kinds, None if number in ground else "host_public")

    return kind_of


def _signed_by_nobody(file: SiteFile) -> Iterator[PydanticCustomError]:
    if file.site.signed and not file.signing.roles:
        yield wrong("no_roles", at=("site", "signed"))
