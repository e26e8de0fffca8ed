"""Which addresses a scan is about: what people ask for, and the scope that bounds it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.addresses import IPV6, IPV6_END, AddressSet, Span, address_of, network_span, number_of
from scanner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scanner.config import SiteFile

_LARGEST_IPV6: Final = 1 << 20
"""How many IPv6 addresses can be swept at a stretch: of more, hosts can only be known beforehand."""


def span_of(text: str) -> Span:
    """Addresses as people write them: one, a network, ``10.0.0.1-10.0.0.9`` or ``10.0.0.1-9``.

    Raises:
        ConfigError: it is none of these.
    """
    text = text.strip()
    try:
        if "-" in text:
            first, last = _range(*(part.strip() for part in text.split("-", 1)))
        elif "/" in text:
            first, last = network_span(text)
        else:
            first = last = number_of(text)
    except ValueError as error:
        raise ConfigError(
            "{target} is no target: write an address, a network (10.0.0.0/24) or a range (10.0.0.1-9); {why}",
            target=repr(text),
            why=str(error),
        ) from error
    return first, last


def _target(text: str) -> Span:
    """The same, to be swept.

    Raises:
        ConfigError: it is no target, or an IPv6 network too large to be swept.
    """
    first, last = span_of(text)
    if not _sweepable((first, last)):
        raise ConfigError(
            "{target} has too many IPv6 addresses to sweep: name networks of /108 or smaller, or addresses",
            target=text.strip(),
        )
    return first, last


def _sweepable(span: Span) -> bool:
    first, last = span
    return first < IPV6 or last - first < _LARGEST_IPV6


def sweepable(addresses: AddressSet) -> AddressSet:
    """What of a set can be swept: all of it but the vast subnets of IPv6."""
    return AddressSet(span for span in addresses.spans if _sweepable(span))


def _range(low: str, high: str) -> Span:
    first = number_of(low)
    if high.isdecimal() and first < IPV6 and len(high) <= len("255"):
        last = first - first % 256 + int(high)
        if int(high) > 255:  # noqa: PLR2004 - the largest octet
            raise ValueError(f"{high} is no octet")
    else:
        last = number_of(high)
    if last < first or (first < IPV6) != (last < IPV6):
        raise ValueError("the range ends before it begins")
    return first, last


def parse_targets(words: Sequence[str], site: SiteFile | None = None, *, swept: bool = True) -> AddressSet:
    """What was asked for on the command line; ``@FILE`` names a file with one target a line.

    Args:
        words: the targets.
        site: its wards may be named as well.
        swept: whether each address is to be visited; otherwise vast networks of IPv6 may be named too.

    Raises:
        ConfigError: one of them is wrong; the message names it, its file and line.
    """
    read = _target if swept else span_of
    wards = {ward.name.casefold(): ward.subnets for ward in site.wards} if site else {}
    spans: list[Span] = []
    for word in (text for asked in words for text in wards.get(asked.casefold(), (asked,))):
        if word.startswith("@"):
            spans.extend(_targets_of_file(Path(word[1:]), read))
        else:
            spans.append(read(word))
    return AddressSet(spans)


def _targets_of_file(path: Path, read: Callable[[str], Span]) -> Iterator[Span]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError("the targets cannot be read: {why}", file=path, why=str(error)) from error
    for line, text in enumerate(lines, start=1):
        target = text.partition("#")[0].strip()
        if target:
            try:
                yield read(target)
            except ConfigError as error:
                raise error.at(path, line) from error


def untouchable(site: SiteFile) -> tuple[AddressSet, AddressSet]:
    """What a site file keeps everything away from, whatever is asked: exclusions, and passive wards.

    An address in a passive ward's subnet is passive, be it in a narrower subnet of another ward too.
    """
    passive = (net for ward in site.wards if ward.passive_only for net in ward.subnets)
    return AddressSet.of(site.policy.exclude), AddressSet.of(passive)


PRIVATE: Final = AddressSet.of(
    (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16"),  # RFC 1918
        *("169.254.0.0/16", "fe80::/10"),  # RFC 3927, RFC 4291: link-local
        "fc00::/7",  # RFC 4193
    )
)
LOOPBACK: Final = AddressSet.of(("127.0.0.0/8", "::1"))
LOCAL: Final = AddressSet([*PRIVATE.spans, *LOOPBACK.spans])
"""What may be scanned without a site file."""

_NEVER: Final = AddressSet.of(("0.0.0.0/8", "224.0.0.0/3", "ff00::/8"))
"""This network, multicast, reserved and broadcast addresses (RFC 6890): nobody's, so never sent to."""


@dataclass(frozen=True)
class Scope:
    """Where anything may be sent at all. The transport asks it before every connection."""

    allowed: AddressSet
    forbidden: AddressSet
    """Exclusions and passive wards: they win over everything."""

    @classmethod
    def of(cls, subnets: AddressSet | None, forbidden: AddressSet, *, allow_public: bool = False) -> Scope:
        """The scope of a site's subnets, or of this machine's own choice where there is no site file.

        Args:
            subnets: the site's; None without a site file.
            forbidden: exclusions and passive wards.
            allow_public: whether public addresses may be scanned.
        """
        never = AddressSet([*forbidden.spans, *_NEVER.spans])
        everything = AddressSet([(0, IPV6 - 1), (IPV6, IPV6_END)])
        ground = subnets if subnets is not None else (everything if allow_public else LOCAL)
        if subnets is not None and not allow_public:
            ground = subnets.without(everything.without(LOCAL))
        return cls(ground, never)

    def permits(self, number: int) -> bool:
        """Whether anything may be sent to this address."""
        return number in self.allowed and number not in self.forbidden

    def select(self, asked: AddressSet, *, site: bool) -> AddressSet:
        """What of the targets may be scanned: all of them, less exclusions and passive wards.

        Raises:
            ConfigError: a target lies outside the scope; nothing is to be sent then.
        """
        outside = asked.without(self.allowed).without(_NEVER)
        if outside:
            first = outside.spans[0]
            raise ConfigError(
                "{first} to {last} lie outside the wards of the site file: add a ward, or ask for less"
                if site and not _public(first)
                else "{first} to {last} are public addresses: --allow-public is needed to scan them",
                first=address_of(first[0]),
                last=address_of(first[1]),
            )
        return asked.without(self.forbidden)


def _public(span: Span) -> bool:
    return not any(first <= span[0] and span[1] <= last for first, last in LOCAL.spans)
