"""What the operator asks for, checked against the site file: where a scan goes, and on which terms."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from scanner.addresses import AddressMap, AddressSet
from scanner.deep.opinions import GENTLE, SecondOpinions, most
from scanner.errors import ConfigError
from scanner.lifecycle import Policy
from scanner.probes import probes
from scanner.scan.lore import Lore
from scanner.scan.routers import Routers, planned, routers_of
from scanner.scan.terms import router_terms, shares_of
from scanner.sweep.methods import methods
from scanner.sweep.plan import More, plan
from scanner.targets import Scope, parse_targets, span_of, sweepable, untouchable
from scanner.transport.gate import Gate
from scanner.transport.limits import PROFILES, Terms
from scanner.transport.subnets import Subnets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from scanner.config import SiteFile
    from scanner.sweep.methods import Method
    from scanner.sweep.plan import Share


CONNECT: Final = "connect"
"""The default sweep: plain connections."""

PATIENCE: Final = 180.0
"""Seconds for which a network that is away is waited for."""


class NothingLeftError(ConfigError):
    """Nothing is left to scan of what was asked for."""


@dataclass(frozen=True, slots=True)
class Request:
    """What the operator asked for."""

    targets: tuple[str, ...] = ()
    site: SiteFile | None = None
    exclude: tuple[str, ...] = ()
    profile: str | None = None
    rate: float | None = None
    ports: frozenset[int] | None = None
    allow_public: bool = False
    patience: float = PATIENCE
    """Seconds for which a network that is away is waited for."""
    deep: bool = False
    """Whether second opinions are had of hosts whose verdict stays open."""
    sweep: str = CONNECT
    """How hosts are found: :data:`CONNECT`, or the name of a method (:mod:`scanner.sweep.methods`)."""
    passive_first: bool = False
    """Whether hosts are left alone of which listening told enough."""

    def options(self) -> dict[str, object]:
        """What is kept with the scan, for whoever goes on with it: as JSON would have it."""
        ports = None if self.ports is None else sorted(self.ports)
        asked = {"targets": list(self.targets), "exclude": list(self.exclude), "profile": self.profile}
        more = {"ports": ports, "allow_public": self.allow_public, "deep": self.deep}
        more |= {"passive_first": True} if self.passive_first else {}
        return {**asked, "rate": self.rate, "sweep": self.sweep, **more}


@dataclass(frozen=True, slots=True)
class Ground:
    """A request made sure: where the scan goes, and on which terms."""

    asked: AddressSet
    """Every address that will be visited."""
    untouched: int
    """Addresses that were asked for and will not be: exclusions and passive wards."""
    held_off: int
    """The same: fragile devices, and subnets that the circuit breaker stopped."""
    gate: Gate
    shares: tuple[tuple[AddressSet, Terms], ...]
    held_back: bool
    """Whether the limit of open files, not the profile, makes it that few."""
    profile: str
    scope: str
    """What was asked for, in words for the record."""
    patience: float
    """Seconds for which a network that is away is waited for."""
    policies: Mapping[str, Policy] = field(default_factory=dict)
    """What the site decides about verdicts, by ward."""
    opinions: SecondOpinions | None = None
    known: AddressSet = field(default_factory=AddressSet)
    """Those of them at which machines are known: they are visited first."""
    method: Method | None = None
    """How hosts are looked at before any probe is held with them; None: they are not."""
    routers: Routers = field(default_factory=Routers)
    """Who is asked for machines before the first of them is visited."""
    heard: int = 0
    """Addresses that are left alone because listening told enough of their machines."""

    def order(self, seen: AddressSet | None = None) -> Iterator[int]:
        """Every address once: first where machines are known, each half far from the one before.

        Args:
            seen: where routers know of machines.
        """
        known = AddressSet([*self.known.spans, *seen.within(self.asked).spans]) if seen else self.known
        yield from known.spread()
        yield from (number for number in self.asked.spread() if number not in known)

    def plan(self) -> tuple[Share, ...]:
        """The least and the most that this scan would send."""
        profiles = () if self.opinions is None else PROFILES.keys() - {GENTLE}
        more = dict.fromkeys(profiles, More(*most()))
        look = None if self.method is None else self.method.most
        return planned(plan(self.shares, self.gate, probes(), more, look), self.routers, self.gate)

    def opening(self, now: datetime) -> datetime | None:
        """When the next window of a ward opens; ``now`` where one is open, None where none ever is."""
        windows = {terms.window for _, terms in self.shares}
        if None in windows or any(window and now in window for window in windows):
            return now
        openings = (window.next_opening(now) for window in windows if window)
        return min((opening for opening in openings if opening), default=None)


def prepare(request: Request, descriptors: int, lore: Lore | None = None) -> Ground:
    """Check what was asked for; nothing is sent.

    Args:
        request: what was asked for.
        descriptors: how many sockets this process may hold open.
        lore: what earlier scans say.

    Raises:
        ConfigError: a target is wrong or out of scope, or a profile is not allowed there.
    """
    site = request.site
    subnets = None if site is None else AddressSet.of(net for ward in site.wards for net in ward.subnets)
    forbidden = AddressSet([span_of(text) for text in request.exclude] + _forbidden_by(site))
    lore = lore or Lore()
    held_off = AddressSet(lore.spans())
    asked = _asked(request, subnets)
    allowed = Scope.of(subnets, forbidden, allow_public=request.allow_public).select(
        asked, site=site is not None
    )
    free = allowed.without(held_off)
    chosen = free.without(lore.certain) if request.passive_first else free
    if not chosen:
        raise _nothing_left(allowed, free)
    _demand_known_probes(site)
    shares = shares_of(chosen, site, request.profile, request.rate)
    gate = _gate(request, subnets, AddressSet([*forbidden.spans, *held_off.spans]), shares)
    _demand_ports(gate, shares)
    widest = max(share.limits.in_flight for _, share in shares)
    gate.in_flight = min(widest, descriptors, chosen.size)
    return Ground(
        chosen,
        asked.size - allowed.size,
        allowed.size - free.size,
        gate,
        shares,
        descriptors < min(widest, chosen.size),
        request.profile or (site.policy.profile if site else "clinical"),
        " ".join(request.targets) or (site.site.name if site else ""),
        request.patience,
        _policies(site),
        _opinions(request, shares),
        lore.known.within(chosen),
        _method(request, shares),
        Routers() if site is None else routers_of(site, gate, _heeded(request, site, asked)),
        free.size - chosen.size,
    )


def _nothing_left(allowed: AddressSet, free: AddressSet) -> NothingLeftError:
    """Why nothing is left of what was asked for."""
    if not allowed:
        return NothingLeftError(
            "nothing is left to scan: every address asked for is excluded, passive or public"
        )
    if not free:
        return NothingLeftError(
            "nothing is left to scan: it is stopped, or fragile (vetuste breaker list, breaker fragile)"
        )
    return NothingLeftError(
        "nothing is left to scan: listening told enough of every machine that was asked for"
    )


def _heeded(request: Request, site: SiteFile, asked: AddressSet) -> AddressSet:
    """Of which addresses a router is believed: those that were asked for, passive ones included.

    Nothing is sent to a machine by being told of it. What is excluded is left out all the same.
    """
    everywhere = AddressSet.of(net for ward in site.wards for net in ward.subnets)
    excluded = [*(span_of(text) for text in request.exclude), *untouchable(site)[0].spans]
    return (asked if request.targets else everywhere).without(AddressSet(excluded))


def _method(request: Request, shares: tuple[tuple[AddressSet, Terms], ...]) -> Method | None:
    if request.sweep == CONNECT:
        return None
    method = methods()[request.sweep]
    for _, terms in shares:
        profile = terms.limits.profile
        if profile not in method.profiles:
            raise ConfigError(
                "the sweep {sweep} is not allowed under the profile {profile}: use --sweep connect",
                sweep=request.sweep,
                profile=profile,
            )
    return method


def _opinions(request: Request, shares: tuple[tuple[AddressSet, Terms], ...]) -> SecondOpinions | None:
    if request.deep and all(terms.limits.profile == GENTLE for _, terms in shares):
        raise ConfigError(
            "second opinions are never had under the clinical profile: --deep needs --profile office or lab"
        )
    return SecondOpinions() if request.deep else None


def _policies(site: SiteFile | None) -> dict[str, Policy]:
    wards = site.wards if site is not None else ()
    return {ward.name: Policy(site.site.horizon_months, site.extensions(ward.name)) for ward in wards if site}


def _gate(
    request: Request,
    subnets: AddressSet | None,
    forbidden: AddressSet,
    shares: tuple[tuple[AddressSet, Terms], ...],
) -> Gate:
    """What lets this scan's attempts pass."""
    site = request.site
    named = None
    if site is not None and subnets is not None:
        networks = tuple(dict.fromkeys(net for ward in site.wards for net in ward.subnets))
        named = AddressMap((AddressSet.of([net]), net) for net in networks)
        canaries = [(each.number,) * 2 for _, terms in shares for each in terms.canaries]
        subnets = AddressSet([*subnets.spans, *canaries, *map(span_of, site.snmp.routers)])
    scope = Scope.of(subnets, forbidden, allow_public=request.allow_public)
    chosen = AddressSet(span for addresses, _ in shares for span in addresses.spans)
    aside = () if site is None else router_terms(chosen, site, request.profile, request.rate)
    terms, fallback = AddressMap((*shares, *aside)), Terms(PROFILES["clinical"])
    rates = [share.limits.rate for _, share in shares]
    total = None if None in rates else max(rate for rate in rates if rate)
    gate = Gate(scope, lambda number: terms.get(number) or fallback, request.ports, total, Subnets(named))
    if site is not None and site.site.signed:
        gate.unsigned = frozenset(site.signing.roles)
    return gate


def _asked(request: Request, subnets: AddressSet | None) -> AddressSet:
    if request.targets:
        return parse_targets(request.targets, request.site)
    if subnets is None:
        raise ConfigError(
            "there is no target: name addresses or wards, or a site file with --site (docs/site-file.md)"
        )
    return sweepable(subnets)


def _forbidden_by(site: SiteFile | None) -> list[tuple[int, int]]:
    if site is None:
        return []
    excluded, passive = untouchable(site)
    return [*excluded.spans, *passive.spans]


def _demand_ports(gate: Gate, shares: tuple[tuple[AddressSet, Terms], ...]) -> None:
    if not any(gate.services(probe, terms).ports for probe in probes() for _, terms in shares):
        raise ConfigError(
            "no port is left to ask: the profile, --ports and the refused ports leave none; see --plan"
        )


def _demand_known_probes(site: SiteFile | None) -> None:
    """What the site file says of probes must be said of probes that there are."""
    if site is None:
        return
    known = {probe.name for probe in probes()}
    tables = (site.policy.probes, *(ward.probes for ward in site.wards), site.ports)
    named = {name for table in (*tables, *(ward.ports for ward in site.wards)) for name in table or ()}
    for name in sorted(named - known):
        nearest = get_close_matches(name, known, n=1, cutoff=0)
        raise ConfigError(
            "the site file names a probe {name}, which there is not; the nearest is {nearest}",
            name=name,
            nearest=nearest[0],
        )
