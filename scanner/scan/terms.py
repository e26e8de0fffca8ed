"""On which terms addresses are visited: the ward's, the policy's, the operator's; the gentlest holds."""

from __future__ import annotations

import os
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

from scanner.addresses import AddressMap, AddressSet, address_of, number_of
from scanner.errors import ConfigError
from scanner.probes import snmp
from scanner.probes.snmp_tables import TABLES
from scanner.targets import LOOPBACK
from scanner.transport.limits import PROFILES, Station, Terms

if TYPE_CHECKING:
    from scanner.config import SiteFile, Ward
    from scanner.transport.limits import Limits


def shares_of(
    chosen: AddressSet, site: SiteFile | None, profile: str | None, rate: float | None
) -> tuple[tuple[AddressSet, Terms], ...]:
    """The addresses to visit, by the terms that hold for them.

    Args:
        chosen: every address to visit.
        site: the site file, where there is one.
        profile: what the operator asked for.
        rate: the same.

    Raises:
        ConfigError: a profile is not allowed there.
    """
    if site is None:
        limits = _limits(profile or "clinical", rate)
        _demand_lab(limits, chosen, LOOPBACK)
        return ((chosen, Terms(limits)),)
    wards = AddressMap((AddressSet.of([net]), ward) for ward in site.wards for net in ward.subnets)
    return tuple(
        (addresses, _terms(ward, site, profile, rate, addresses)) for addresses, ward in wards.divide(chosen)
    )


def router_terms(
    chosen: AddressSet, site: SiteFile, profile: str | None, rate: float | None
) -> tuple[tuple[AddressSet, Terms], ...]:
    """On which terms the routers of a site are asked that are not among the addresses to visit.

    They are those of the router's ward; outside every ward those of the policy. A router for which the
    profile that is asked for is not allowed has none: the gentlest hold there.

    Args:
        chosen: every address to visit.
        site: the site file.
        profile: what the operator asked for.
        rate: the same.
    """
    wards = AddressMap((AddressSet.of([net]), ward) for ward in site.wards for net in ward.subnets)
    found = []
    for number in map(number_of, site.snmp.routers):
        where, ward = AddressSet([(number, number)]), wards.get(number)
        if number in chosen:
            continue
        with suppress(ConfigError):
            terms = _terms(ward, site, profile, rate, where) if ward else _policy(site, profile, rate, where)
            found.append((where, terms))
    return tuple(found)


def _policy(site: SiteFile, profile: str | None, rate: float | None, addresses: AddressSet) -> Terms:
    limits = _gentlest(site, profile, None, rate)
    _demand_lab(limits, addresses, LOOPBACK)
    held = site.policy.probes
    only = None if held is None else frozenset(held)
    return Terms(limits, "", site.ports, site.policy.window, (), only, _given(site))


def _gentlest(site: SiteFile, profile: str | None, ward: str | None, rate: float | None) -> Limits:
    """What the ward demands and what the operator asks for: the gentler of the two holds."""
    asked = profile or site.policy.profile
    names = [asked] if ward is None else [asked, ward]
    if site.site.signed:
        names.append(site.policy.profile)  # nobody may ask for more than was signed
    return min((_limits(name, rate) for name in names), key=lambda limits: limits.rate or float("inf"))


def _terms(
    ward: Ward, site: SiteFile, profile: str | None, rate: float | None, addresses: AddressSet
) -> Terms:
    limits = _gentlest(site, profile, ward.profile, rate)
    _demand_lab(limits, addresses, addresses if ward.lab else LOOPBACK)
    ports = {**site.ports, **ward.ports}
    held = ward.probes or site.policy.probes
    return Terms(
        limits,
        ward.name,
        ports,
        ward.window or site.policy.window,
        _stations(ward),
        None if held is None else frozenset(held),
        _given(site),
    )


def _given(site: SiteFile) -> dict[str, dict[str, tuple[str, ...]]]:
    """What the site file gives to probes; secrets come from the environment (design, section 9)."""
    communities = tuple(filter(None, (os.environ.get(name) for name in site.snmp.community_env)))
    titles = {"ae_title": site.dicom.ae_title, "calling_ae_title": site.dicom.calling_ae_title}
    dicom: dict[str, tuple[str, ...]] = {name: (title,) for name, title in titles.items() if title}
    own = {"community": communities}
    return {snmp.PROBE.name: own, TABLES.name: own, "dicom": dicom}


def _stations(ward: Ward) -> tuple[Station, ...]:
    """The canaries of a ward, each with the subnet that it sits in."""
    return tuple(
        Station(number_of(canary.address), canary.port, _home(canary.address, ward))
        for canary in ward.canaries
    )


def _home(address: str, ward: Ward) -> str | None:
    return next((net for net in ward.subnets if ip_address(address) in ip_network(net)), None)


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
