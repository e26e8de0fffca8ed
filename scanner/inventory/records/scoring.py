"""How well a record of a register and an asset of the network go together. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

ENOUGH: Final = 50
"""From here on a record is taken for an asset."""
APART: Final = 15
"""By how much the best must be ahead of the second."""
_NETBIOS: Final = 15
"""Characters of a name that NetBIOS carries ([MS-NBTE] 2.2.1)."""

_FQDN: Final = (60, Message("the same name and domain in full: {value}"))
_SERIAL: Final = (60, Message("the same serial number: {value}"))
_NAME: Final = (50, Message("the same name in the same domain: {value}"))
_BARE_NAME: Final = (50, Message("the same name, and the register knows no domain: {value}"))
_NAME_ALONE: Final = (30, Message("the same name, while the domain is not known here: {value}"))
_MAC: Final = (50, Message("the same network card: {value}"))
_ADDRESS: Final = (10, Message("the same address: {value}"))
_OTHER_NAME: Final = (-40, Message("another name: {value}"))
_OTHER_DOMAIN: Final = (-40, Message("another domain: {value}"))
_OTHER_SERIAL: Final = (-60, Message("another serial number: {value}"))


@dataclass(frozen=True, slots=True)
class Traits:
    """What a machine is known by, on either side; all in small letters."""

    names: frozenset[str] = frozenset()
    fqdns: frozenset[str] = frozenset()
    domains: frozenset[str] = frozenset()
    macs: frozenset[str] = frozenset()
    serials: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()

    def keys(self) -> Iterator[tuple[str, str]]:
        """By what another may be found that could be the same: never by its address."""
        yield from (("fqdn", value) for value in self.fqdns)
        yield from (("name", value[:_NETBIOS]) for value in self.names)
        yield from (("mac", value) for value in self.macs)
        yield from (("serial", value) for value in self.serials)


@dataclass(frozen=True, slots=True)
class Score:
    """How well two go together, and why."""

    points: int
    reasons: tuple[Message, ...]


def score(record: Traits, asset: Traits) -> Score:
    """Compare a record with an asset: what they have in common speaks for it, what differs against it."""
    parts = [*_by_name(record, asset), *_by_serial(record, asset)]
    parts += [(*_MAC, value) for value in sorted(record.macs & asset.macs)[:1]]
    parts += [(*_ADDRESS, value) for value in sorted(record.addresses & asset.addresses)[:1]]
    reasons = tuple(Message(text.text, {"value": value}) for _, text, value in parts)
    return Score(sum(points for points, _, _ in parts), reasons)


def _by_name(record: Traits, asset: Traits) -> Iterator[tuple[int, Message, str]]:
    if same := sorted(record.fqdns & asset.fqdns):
        yield (*_FQDN, same[0])
        return
    name = next((one for one in sorted(record.names) for other in asset.names if _same(one, other)), "")
    if not name:
        if record.names and asset.names:
            yield (*_OTHER_NAME, min(asset.names))
    elif not record.domains:
        yield (*_BARE_NAME, name)
    elif not asset.domains:
        yield (*_NAME_ALONE, name)
    elif any(_related(one, other) for one in record.domains for other in asset.domains):
        yield (*_NAME, name)
    else:
        yield (*_OTHER_DOMAIN, min(asset.domains))


def _by_serial(record: Traits, asset: Traits) -> Iterator[tuple[int, Message, str]]:
    if same := sorted(record.serials & asset.serials):
        yield (*_SERIAL, same[0])
    elif record.serials and asset.serials:
        yield (*_OTHER_SERIAL, min(asset.serials))


def _same(one: str, other: str) -> bool:
    """Whether two names are one, as far as NetBIOS carries it where either was cut there."""
    shorter = min(len(one), len(other))
    return one == other or (shorter == _NETBIOS and one[:shorter] == other[:shorter])


def _related(one: str, other: str) -> bool:
    """Whether two domains are one: as DNS has it, or once by its NetBIOS name, its first label usually."""
    short, other_short = (name.partition(".")[0][:_NETBIOS] for name in (one, other))
    return other in {one, short} or other_short == one
