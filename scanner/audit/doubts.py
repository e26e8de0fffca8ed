"""What a site file may say, and yet may not mean."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from ipaddress import ip_network
from typing import TYPE_CHECKING, Final

from scanner.addresses import IPV6, AddressSet, Span, address_of, network_span, number_of
from scanner.language import Message
from scanner.targets import LOCAL, sweepable

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator

    from scanner.config import SiteFile, Ward

_LARGE: Final = 16
"""Prefix of the largest IPv4 network that nobody wonders about."""
_SHOWN: Final = 5
"""Addresses that are named of a longer list."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """One thing that somebody should look at again."""

    kind: str
    """A word for programs, which does not change."""
    key: str
    """Where it stands in the site file, as its errors say it; empty where it stands nowhere."""
    says: Message


@dataclass(frozen=True, slots=True)
class Known:
    """What else is known when a site file is looked at."""

    machines: Iterable[tuple[str, str]] = ()
    """Of the inventory: address, and name of the site."""
    dangerous: Collection[int] = field(default_factory=frozenset)
    """Ports where a mere connection does harm."""


def doubts(file: SiteFile, known: Known | None = None) -> list[Doubt]:
    """Everything about a site file that may not be meant."""
    known = known or Known()
    found = [*_hours(file), *_signing(file), *_exclusions(file), *_ports(file, known.dangerous)]
    nested = _nested(file.wards)
    for ward in file.wards:
        found += [*_subnets(ward, nested), *_care(ward, file), *_canaries(ward, known.dangerous)]
    return [*found, *_machines(file, known.machines)]


def _doubt(kind: str, key: str, text: Message, **values: str) -> Doubt:
    return Doubt(kind, key, Message(text.text, values))


def _key(ward: Ward, *rest: str) -> str:
    return ".".join((f'ward "{ward.name}"', *rest))


_NO_WINDOW: Final = Message("there is no window: everything may be sent by day as well")


def _hours(file: SiteFile) -> Iterator[Doubt]:
    asked = [ward for ward in file.wards if not ward.passive_only]
    if asked and not file.policy.window and not any(ward.window for ward in asked):
        yield _doubt("no-window", "policy.window", _NO_WINDOW)


_UNSIGNED: Final = Message("roles are named that sign, but signed = true is missing in [site]: nobody has to")


def _signing(file: SiteFile) -> Iterator[Doubt]:
    if file.signing.roles and not file.site.signed:
        yield _doubt("unsigned", "signing.roles", _UNSIGNED)


_NOTHING: Final = Message(
    "{exclusion} lies outside every ward and protects nothing: is it a slip of the pen?"
)
_ALL: Final = Message(
    "{exclusion} covers the whole ward {ward}: nothing is sent there; passive_only = true says so better"
)


def _exclusions(file: SiteFile) -> Iterator[Doubt]:
    wards = [(ward.name, AddressSet.of(ward.subnets)) for ward in file.wards]
    ground = AddressSet(span for _, addresses in wards for span in addresses.spans)
    for place, exclusion in enumerate(file.policy.exclude, start=1):
        key, span = f"policy.exclude[{place}]", network_span(exclusion)
        if not any(ground.overlapping(*span)):
            yield _doubt("exclusion-outside", key, _NOTHING, exclusion=exclusion)
        covered = AddressSet([span])
        for name, addresses in wards:
            if not addresses.without(covered):
                yield _doubt("exclusion-of-ward", key, _ALL, exclusion=exclusion, ward=name)


_DANGEROUS: Final = Message("port {port} prints what it receives or stops devices: is it meant to be asked?")


def _ports(file: SiteFile, dangerous: Collection[int]) -> Iterator[Doubt]:
    tables = [("ports", file.ports), *((_key(ward, "ports"), ward.ports) for ward in file.wards)]
    for key, table in tables:
        for probe, ports in table.items():
            for port in ports:
                if port in dangerous:
                    yield _doubt("dangerous-port", f"{key}.{probe}", _DANGEROUS, port=str(port))


_INSIDE: Final = Message(
    "{subnet} lies inside {outer} of the ward {ward}: for its addresses this ward decides"
)
_SILENCED: Final = Message(
    "{subnet} lies inside {outer} of the passive ward {ward}: nothing is ever sent there"
)
_PUBLIC: Final = Message("{subnet} has public addresses: they are scanned with --allow-public only")
_HUGE: Final = Message("{subnet} has {number} addresses: is it meant to be that large?")
_VAST: Final = Message("{subnet} is too large to be swept: only what is asked for by address is scanned")


def _subnets(ward: Ward, nested: dict[str, tuple[str, Ward]]) -> Iterator[Doubt]:
    for place, subnet in enumerate(ward.subnets, start=1):
        key, addresses = _key(ward, f"subnets[{place}]"), AddressSet.of([subnet])
        if subnet in nested:
            outer, other = nested[subnet]
            text = _SILENCED if other.passive_only and not ward.passive_only else _INSIDE
            yield _doubt("overlap", key, text, subnet=subnet, outer=outer, ward=other.name)
        if addresses.without(LOCAL):
            yield _doubt("public", key, _PUBLIC, subnet=subnet)
        if addresses.spans[0][0] >= IPV6 and not sweepable(addresses):
            yield _doubt("vast", key, _VAST, subnet=subnet)
        elif addresses.spans[0][0] < IPV6 and ip_network(subnet).prefixlen < _LARGE:
            yield _doubt("large", key, _HUGE, subnet=subnet, number=str(addresses.size))


def _nested(wards: Iterable[Ward]) -> dict[str, tuple[str, Ward]]:
    """Subnets that lie inside another ward's, each with that and its ward: a passive one, or the smallest."""
    found: dict[str, tuple[str, Ward]] = {}
    around: list[tuple[Span, str, Ward]] = []
    every = [(network_span(subnet), subnet, ward) for ward in wards for subnet in ward.subnets]
    for span, subnet, ward in sorted(every, key=lambda entry: (entry[0][0], -entry[0][1])):
        while around and around[-1][0][1] < span[0]:
            around.pop()
        if around:
            passive = [entry for entry in around if entry[2].passive_only]
            found[subnet] = (passive or around)[-1][1:]
        around.append((span, subnet, ward))
    return found


_UNCAREFUL: Final = Message(
    'the owner is {owner}: say passive_only = true, or profile = "clinical", which no option loosens'
)
_NO_CANARY: Final = Message("an outage here is vital, and no canary watches it: name one in canaries")


def _care(ward: Ward, file: SiteFile) -> Iterator[Doubt]:
    if ward.passive_only:
        return
    if "biomed" in _plain(ward.owner) and "clinical" not in {ward.profile, file.policy.profile}:
        yield _doubt("biomedical", _key(ward, "owner"), _UNCAREFUL, owner=ward.owner)
    if ward.criticality == "vital" and not ward.canaries:
        yield _doubt("no-canary", _key(ward, "canaries"), _NO_CANARY)


def _canaries(ward: Ward, dangerous: Collection[int]) -> Iterator[Doubt]:
    for place, canary in enumerate(ward.canaries, start=1):
        if canary.port in dangerous:
            yield _doubt(
                "dangerous-port", _key(ward, f"canaries[{place}]"), _DANGEROUS, port=str(canary.port)
            )


_OUTSIDE: Final = Message("machines of the inventory lie outside every ward ({number}): {addresses}")
_ELSEWHERE: Final = Message(
    "addresses of these wards are machines of the site {site} in the inventory ({number}): {addresses}"
)


def _machines(file: SiteFile, machines: Iterable[tuple[str, str]]) -> Iterator[Doubt]:
    ground = AddressSet.of(subnet for ward in file.wards for subnet in ward.subnets)
    outside: set[int] = set()
    elsewhere: dict[str, set[int]] = {}
    for address, site in machines:
        number = number_of(address)
        ours = site in {file.site.name, ""}
        if ours and number not in ground:
            outside.add(number)
        elif not ours and number in ground:
            elsewhere.setdefault(site, set()).add(number)
    if outside:
        yield _doubt("machines-outside", "", _OUTSIDE, number=str(len(outside)), addresses=_listed(outside))
    for site, numbers in sorted(elsewhere.items()):
        shown = _listed(numbers)
        yield _doubt("two-sites", "", _ELSEWHERE, number=str(len(numbers)), site=site, addresses=shown)


def _listed(numbers: set[int]) -> str:
    shown = [address_of(number) for number in sorted(numbers)[:_SHOWN]]
    return ", ".join([*shown, "…"] if len(numbers) > _SHOWN else shown)


def _plain(text: str) -> str:
    """Lower case without accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
