"""What readers of the inventory get: plain values, no database behind them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from scanner.inventory.findings.rows import Finding
    from scanner.language import Message
    from scanner.model import Attempt, Certainty, Evidence, Identity, Outcome, Release, Status, Verdict


@dataclass(frozen=True, slots=True)
class Place:
    """Where an asset stands: its ward and site, as the site file of the last scan says."""

    site: str = ""
    finess: str = ""
    group: str = ""
    establishment: str = ""
    """The site itself, where its file names none."""
    ward: str = ""
    building: str = ""
    floor: str = ""
    unit: str = ""
    owner: str = ""
    vlan: str = ""
    criticality: str = "normal"
    subnet: str = ""
    """The narrowest subnet of the ward that holds the asset's address; empty without one."""


@dataclass(frozen=True, slots=True)
class Asset:
    """One machine as it stands today: what it is, what the dates say of it."""

    id: int
    place: Place
    address: str
    identity: Identity
    verdict: Verdict
    candidates: tuple[Release, ...]
    """The releases of the identity that today's data knows, in the identity's order."""
    first_seen: datetime
    last_seen: datetime
    name: str = ""
    """Its NetBIOS name, or the first label of its DNS name."""
    fqdn: str = ""
    domain: str = ""
    mac: str = ""
    addresses: tuple[str, ...] = ()
    """Its other addresses."""
    evidence: Evidence = field(default_factory=dict)
    """What the identity rests on; empty unless it was asked for."""
    asked: frozenset[str] = frozenset()
    """The probes that were held with it for this evidence; empty unless evidence was asked for."""
    data_version: str = ""
    """Version of the fingerprints and dates that made the identity."""
    scan: int = 0
    """Id of the last scan that saw it."""
    managed: bool = False
    """Whether a register has it from an agent on the machine itself; False unless evidence was asked for."""
    findings: tuple[Finding, ...] = ()
    """What somebody must act on; empty unless it was asked for."""

    def with_findings(self, findings: tuple[Finding, ...]) -> Asset:
        """The same asset, with its findings."""
        return replace(self, findings=findings)

    @property
    def os(self) -> str:
        """The products of the candidates, ``/`` between them; else what the evidence names; else empty."""
        return os_of(self.candidates, self.identity)


def os_of(candidates: Iterable[Release], identity: Identity) -> str:
    """What :attr:`Asset.os` says."""
    products = dict.fromkeys(release.product for release in candidates)
    named = identity.attributes
    return " / ".join(products) or named.get("product", "") or named.get("family", "")


@dataclass(frozen=True, slots=True)
class Heard:
    """One observation as it was stored."""

    id: int
    scan: int
    endpoint: str
    """Address, port and transport: ``10.20.0.5:445/tcp``."""
    probe: str
    at: datetime
    outcome: Outcome
    detail: str
    connections: int
    """Connection attempts that were made for it."""
    evidence: Evidence
    raw: tuple[bytes, ...]
    """The peer's answers after redaction, one an exchange."""


@dataclass(frozen=True, slots=True)
class AssetDetail:
    """Everything that is kept of one asset, for ``explain``."""

    asset: Asset
    """With its evidence."""
    observations: tuple[Heard, ...]
    """All of them, oldest first: what was ever sent to it, and what came back."""
    asked_by: int | None = None
    """Id of the last scan that sent it anything, heard or not."""
    unasked: Mapping[str, Message] = field(default_factory=dict)
    """By probe: why the last scan did not hold it."""
    ledger: tuple[LedgerRow, ...] = ()
    """Every connection and datagram to its address, oldest first."""
    displaced: datetime | None = None  # since when it counts nowhere


@dataclass(frozen=True, slots=True)
class Filters:
    """Which assets are wanted; an empty one wants all. Conditions are joined by *and*."""

    site: str = ""
    ward: str = ""
    """A ward's name, whatever the case; ``*`` and ``?`` as in a shell."""
    os: str = ""
    """A pattern over products and release names, as ``count --os`` takes it; some candidate must match."""
    status: Status | None = None
    certainty: Certainty | None = None
    text: str = ""
    """Found anywhere in address, name, fully qualified name, domain or MAC, whatever the case."""
    sites: frozenset[str] | None = None
    """The names of the sites; None: all."""

    def of_place(self, site: str, ward: str) -> bool:
        """Whether what is in a ward of a site (outside every ward: empty) is wanted."""
        here = self.sites is None or site in self.sites
        here = here and self.site.casefold() in ("", site.casefold())
        return here and (not self.ward or fnmatch(ward.casefold(), self.ward.casefold()))


@dataclass(frozen=True, slots=True)
class CountRow:
    """One line of ``count``."""

    keys: Mapping[str, str]
    """The ``--by`` keys in the order asked for, with their values; an empty value is "not known"."""
    certain: int = 0
    probable: int = 0
    to_verify: int = 0
    seen: int = 0
    """Machines of the row's place that ever gave a sign of life, whatever they are."""
    scope: int = 0
    """Addresses of the row's place: its subnets, excluded ones included."""
    never_scanned: int = 0
    """Addresses of the scope that nobody ever asked."""

    def as_dict(self) -> dict[str, str | int]:
        """The row as ``--format json`` prints it: the keys, then the figures."""
        figures = ("certain", "probable", "to_verify", "seen", "scope", "never_scanned")
        return {**self.keys, **{name: getattr(self, name) for name in figures}}


@dataclass(frozen=True, slots=True)
class CoverageRow:
    """One line of ``coverage``: what became of a place's addresses, each where it belongs today."""

    keys: Mapping[str, str]
    """The ``--by`` keys in the order asked for, with their values; an empty value is "not known"."""
    scope: int = 0
    """Addresses of the row's place, as :class:`CountRow` has them."""
    seen: int = 0
    """Machines at these addresses that ever gave a sign of life; outside every ward, imported ones too."""
    identified: int = 0
    """Those of them that have a candidate at least."""
    silent: int = 0
    """Addresses that were asked, where nothing answered, and no machine is known."""
    phantoms: int = 0
    """Addresses that were asked, and where something else answered, all alike: no machines."""
    excluded: int | None = None
    """Addresses not to be touched because they are excluded; None: there was no site file to say so.

    An address counts once, under the first that holds: excluded, passive, fragile, stopped.
    """
    passive: int | None = None
    """The same: of a passive ward."""
    fragile: int = 0
    """The same: of a device known as fragile."""
    stopped: int = 0
    """The same: of a subnet that the circuit breaker stopped."""
    never_scanned: int = 0
    """Addresses of the scope that nobody ever asked, touchable or not."""
    oldest_scan: date | None = None
    """Of the last scans of all addresses that were asked, the one longest ago: the day it began (UTC)."""
    newest_scan: date | None = None
    """The same: the one most lately."""

    def plus(self, other: CoverageRow) -> CoverageRow:
        """Both together, under the keys of this one; what one of them does not know is not known."""
        sums: dict[str, Any] = {
            name: _sum(getattr(self, name), getattr(other, name)) for name in COVERAGE_NUMBERS
        }
        oldest = [row.oldest_scan for row in (self, other) if row.oldest_scan]
        newest = [row.newest_scan for row in (self, other) if row.newest_scan]
        return replace(
            self, **sums, oldest_scan=min(oldest, default=None), newest_scan=max(newest, default=None)
        )

    def as_dict(self) -> dict[str, str | int | None]:
        """The row as ``--format json`` prints it: the keys, then the figures; null where it is not known."""
        scans = (self.oldest_scan, self.newest_scan)
        oldest, newest = (None if day is None else day.isoformat() for day in scans)
        numbers: dict[str, int | None] = {name: getattr(self, name) for name in COVERAGE_NUMBERS}
        return {**self.keys, **numbers, "oldest_scan": oldest, "newest_scan": newest}


COVERAGE_NUMBERS: Final = (
    *("scope", "seen", "identified", "silent", "phantoms", "excluded", "passive", "fragile", "stopped"),
    "never_scanned",
)
"""The figures of a :class:`CoverageRow` that are numbers of addresses, in their order."""

COVERAGE_FIGURES: Final = (*COVERAGE_NUMBERS, "oldest_scan", "newest_scan")
"""All of them."""


def _sum(one: int | None, other: int | None) -> int | None:
    return None if one is None or other is None else one + other


@dataclass(frozen=True, slots=True)
class Denominator:
    """What figures of an export are of."""

    scope: int = 0
    """Addresses, as :class:`CountRow` has them."""
    seen: int = 0
    """Those of them where a machine is known."""
    never_scanned: int = 0
    """Those of them that nobody ever asked."""


@dataclass(frozen=True, slots=True)
class ScanRow:
    """One scan as it was recorded."""

    id: int
    site: str
    started: datetime
    ended: datetime | None
    state: str
    """``running`` (or killed, and nobody looked since), ``done``, ``interrupted``, ``failed``, ``killed``."""
    profile: str
    scope: str
    versions: Mapping[str, str]
    counts: Mapping[str, int]
    request: Mapping[str, object]
    """What was asked for, as the scan that recorded it has it."""
    digest: str
    """SHA-256 of the site file's bytes, in hexadecimal; empty without one."""


@dataclass(frozen=True, slots=True)
class LedgerRow:
    """One line of the ledger."""

    scan: int
    site: str
    ward: str
    """The ward whose subnet holds the address today; empty outside every ward."""
    attempt: Attempt


@dataclass(frozen=True, slots=True)
class BreakerRow:
    """A subnet to which nothing is sent until somebody clears its breaker."""

    id: int
    site: str
    ward: str
    subnet: str
    at: datetime
    cause: Message
    fallen: tuple[str, ...]
    """The hosts that had answered, and fell silent: fragile until the breaker is cleared."""
    scan: int


@dataclass(frozen=True, slots=True)
class FragileRow:
    """A host that is not to be touched."""

    address: str
    why: Message
    since: datetime
