"""What the operator asks for, checked against the site file: where a scan goes, and on which terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner.addresses import AddressMap, AddressSet, address_of
from scanner.errors import ConfigError
from scanner.probes import probes
from scanner.sweep.plan import plan
from scanner.targets import LOOPBACK, Scope, parse_targets, span_of, sweepable
from scanner.transport.gate import Gate
from scanner.transport.limits import PROFILES, Terms

if TYPE_CHECKING:
    from datetime import datetime

    from scanner.config import SiteFile, Ward
    from scanner.sweep.plan import Share
    from scanner.transport.limits import Limits


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


@dataclass(frozen=True, slots=True)
class Ground:
    """A request made sure: where the scan goes, and on which terms."""

    asked: AddressSet
    """Every address that will be visited."""
    untouched: int
    """Addresses that were asked for and will not be: exclusions and passive wards."""
    gate: Gate
    shares: tuple[tuple[AddressSet, Terms], ...]
    in_flight: int
    """How many hosts are waited for at one time."""
    held_back: bool
    """Whether the limit of open files, not the profile, makes it that few."""
    profile: str
    scope: str
    """What was asked for, in words for the record."""

    def plan(self) -> tuple[Share, ...]:
        """The least and the most that this scan would send."""
        return plan(self.shares, self.gate, probes(), self.in_flight)

    def demand_open_window(self, now: datetime) -> None:
        """Check that the hours of at least one ward let anything be sent.

        Raises:
            ConfigError: the windows of all wards are closed.
        """
        windows = {terms.window for _, terms in self.shares}
        if None not in windows and not any(window and now in window for window in windows):
            raise ConfigError(
                "the window {window} is closed now: nothing may be sent; --plan works at any time",
                window=", ".join(sorted(str(window) for window in windows)),
            )


def prepare(request: Request, descriptors: int) -> Ground:
    """Check what was asked for; nothing is sent.

    Args:
        request: what was asked for.
        descriptors: how many sockets this process may hold open.

    Raises:
        ConfigError: a target is wrong or out of scope, or a profile is not allowed there.
    """
    site = request.site
    forbidden = AddressSet([span_of(text) for text in request.exclude] + _forbidden_by(site))
    subnets = None if site is None else AddressSet.of(net for ward in site.wards for net in ward.subnets)
    scope = Scope.of(subnets, forbidden, allow_public=request.allow_public)
    asked = _asked(request, subnets)
    chosen = scope.select(asked, site=site is not None)
    if not chosen:
        raise ConfigError("nothing is left to scan: every address asked for is excluded, passive or public")
    shares = _shares(chosen, request)
    terms = AddressMap(shares)
    profile = request.profile or (site.policy.profile if site else "clinical")
    fallback = Terms(PROFILES["clinical"])
    gate = Gate(scope, lambda number: terms.get(number) or fallback, request.ports)
    _demand_ports(gate, shares)
    widest = max(share.limits.in_flight for _, share in shares)
    return Ground(
        chosen,
        asked.size - chosen.size,
        gate,
        shares,
        min(widest, descriptors, chosen.size),
        descriptors < min(widest, chosen.size),
        profile,
        " ".join(request.targets) or (site.site.name if site else ""),
    )


def _asked(request: Request, subnets: AddressSet | None) -> AddressSet:
    if request.targets:
        return parse_targets(_wards_resolved(request))
    if subnets is None:
        raise ConfigError(
            "there is no target: name addresses or wards, or a site file with --site (docs/site-file.md)"
        )
    return sweepable(subnets)


def _wards_resolved(request: Request) -> tuple[str, ...]:
    """The targets, with the names of wards replaced by their subnets."""
    if request.site is None:
        return request.targets
    by_name = {ward.name.casefold(): ward.subnets for ward in request.site.wards}
    return tuple(text for word in request.targets for text in by_name.get(word.casefold(), (word,)))


def _forbidden_by(site: SiteFile | None) -> list[tuple[int, int]]:
    if site is None:
        return []
    passive = (net for ward in site.wards if ward.passive_only for net in ward.subnets)
    return [span_of(text) for text in (*site.policy.exclude, *passive)]


def _shares(chosen: AddressSet, request: Request) -> tuple[tuple[AddressSet, Terms], ...]:
    """The addresses to visit, by the terms that hold for them."""
    site = request.site
    if site is None:
        limits = _limits(request.profile or "clinical", request.rate)
        _demand_lab(limits, chosen, LOOPBACK)
        return ((chosen, Terms(limits)),)
    wards = AddressMap((AddressSet.of(ward.subnets), ward) for ward in site.wards)
    return tuple(
        (addresses, _terms(ward, site, request, addresses)) for addresses, ward in wards.divide(chosen)
    )


def _terms(ward: Ward, site: SiteFile, request: Request, addresses: AddressSet) -> Terms:
    asked = request.profile or site.policy.profile
    names = [asked] if ward.profile is None else [asked, ward.profile]
    # What the ward demands and what the operator asks for: the gentler of the two holds.
    limits = min(
        (_limits(name, request.rate) for name in names), key=lambda limits: limits.rate or float("inf")
    )
    _demand_lab(limits, addresses, addresses if ward.lab else LOOPBACK)
    return Terms(limits, ward.name, {**site.ports, **ward.ports}, ward.window or site.policy.window)


def _limits(profile: str, rate: float | None) -> Limits:
    return PROFILES[profile].slower(rate)


def _demand_lab(limits: Limits, addresses: AddressSet, allowed: AddressSet) -> None:
    outside = addresses.without(allowed)
    if limits.profile == "lab" and outside:
        raise ConfigError(
            "the lab profile has no limits: it is for loopback and for wards with `lab = true`; "
            "{address} is neither: use --profile office or clinical",
            address=address_of(outside.spans[0][0]),
        )


def _demand_ports(gate: Gate, shares: tuple[tuple[AddressSet, Terms], ...]) -> None:
    if not any(gate.services(probe, terms) for probe in probes() for _, terms in shares):
        raise ConfigError(
            "no port is left to ask: the profile, --ports and the refused ports leave none; see --plan"
        )
