"""The traits of a host: what it is known by, made alike whoever said it."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeAlias

from scanner.classify.makers import maker_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from scanner.model import Evidence, Observation

_FILE: Final = Path(__file__).with_name("traits.toml")
_LOCAL: Final = 0b10
"""Of a card address's first byte: it was made up, no maker assigned it ([IEEE 802] 8.2.2)."""
_NETBIOS: Final = 15
"""Characters of a NetBIOS name (RFC 1001, section 14.1): a longer name is cut."""
_DOMAINS: Final = {"ntlm.netbios_name": "ntlm.netbios_domain", "netbios.name": "netbios.domain"}
_ENGINE: Final = re.compile(r"[89a-f][0-9a-f]{7}03" + "([0-9a-f]{2})" * 6)
"""An engine's id that is made of its card's address (RFC 3411, section 5, SnmpEngineID, format 3)."""
_COMMON_NAME: Final = re.compile(r"(?:^|,)CN=((?:[^,+*\\]|\\.){1,64})(?=[,+]|$)")
"""A common name in a certificate's subject that is no pattern (RFC 4514, section 3; RFC 5280, A.1)."""
_CARD: Final = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")
ADDRESS: Final = "address"
CARD: Final = "card"
ENGINE: Final = "engine"
REMEMBERED: Final = "mac.address"
"""The evidence key of a card that somebody else's table has."""

Words: TypeAlias = tuple[str, str]
"""A trait's kind and its value."""


class Kind(NamedTuple):
    """A kind of traits, as ``traits.toml`` has it."""

    name: str
    keys: tuple[str, ...]
    """The evidence keys that tell it, the best source first."""
    weight: int
    differs: int
    group: str
    """Kinds of one group are one voice: the loudest counts."""
    own: bool
    """Whether it shows that two addresses which one scan met are one machine's."""
    volatile: bool
    """Whether only the newest value is kept."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What machines are known by."""

    enough: int
    elsewhere: int
    kinds: Mapping[str, Kind]
    passing: tuple[str, ...]
    """Beginnings of the names of makers whose cards go from machine to machine."""
    virtual: tuple[str, ...]
    """Beginnings of the names of makers whose cards are no hardware."""
    hypervisors: tuple[str, ...]
    """Beginnings of card addresses that hypervisors hand out."""
    everyones: tuple[str, ...]
    """Beginnings of card addresses that many machines have at the same time."""
    passing_weight: int
    settled_days: int
    settled_weight: int
    settled_differs: int
    addresses: int
    """Of one card in one scan, before it is a router's that answers for others."""
    nowhere: frozenset[str]
    common_weight: int
    by_key: Mapping[str, tuple[str, ...]]
    """The kinds that an evidence key tells."""


@cache
def rules() -> Rules:
    """The rules, which ship with the product; a test holds them to their form."""
    table: dict[str, Any] = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    kinds = {
        each["kind"]: Kind(
            each["kind"],
            tuple(each["keys"]),
            each["weight"],
            each["differs"],
            each.get("group", each["kind"]),
            each.get("own", False),
            each.get("volatile", False),
        )
        for each in table["trait"]
    }
    cards, names = table["cards"], table["names"]
    return Rules(
        table["enough"],
        table["elsewhere"],
        kinds,
        tuple(cards["passing"]),
        tuple(cards["virtual"]),
        tuple(cards["hypervisors"]),
        tuple(cards["everyones"]),
        cards["weight"],
        cards["settled"]["days"],
        cards["settled"]["weight"],
        cards["settled"]["differs"],
        cards["addresses"],
        frozenset(names["nowhere"]),
        names["weight"],
        {
            key: tuple(each.name for each in kinds.values() if key in each.keys)
            for kind in kinds.values()
            for key in kind.keys
        },
    )


Traits: TypeAlias = "Mapping[Words, str]"
"""The traits of one host, each with the evidence key that told it."""


def traits_of(address: str, observations: Sequence[Observation]) -> dict[Words, str]:
    """What a host is known by, and by which evidence key; of several that tell the same, the best."""
    found: dict[Words, str] = {}
    for kind in rules().kinds.values():
        for key in kind.keys:
            for seen in observations:
                if key in seen.evidence:
                    for value in _values(kind.name, key, seen.evidence):
                        found.setdefault((kind.name, value), key)
    found[ADDRESS, address] = ADDRESS
    return found


def _values(kind: str, key: str, evidence: Evidence) -> Iterator[str]:
    words = evidence[key]
    if kind == CARD and key == "snmp.engine_id":
        cards = (":".join(match.groups()) for match in map(_ENGINE.fullmatch, words) if match)
        return (card for card in cards if card.strip("0:"))
    if key == "snmp.engine_id":
        return (word.casefold() for word in words if word and not _CARD.fullmatch(word.casefold()))
    if key == "tls.subject":
        return (name.casefold() for word in words for name in _COMMON_NAME.findall(word))
    if key in _DOMAINS:
        domains = evidence.get(_DOMAINS[key], ())
        return _names(words, domains[0] if domains else "")
    if kind == CARD:
        cards = (word.lower() for word in words if word.strip("0:-."))
        return (card for card in cards if not card.startswith(rules().everyones))
    return (word.casefold() for word in words if word)


def _names(words: Iterable[str], domain: str) -> Iterator[str]:
    r"""Names in Windows' own notation: DOMAIN\NAME; NAME alone where a machine is in no domain."""
    for word in words:
        name, domain = word.upper()[:_NETBIOS], domain.upper()[:_NETBIOS]
        if name:
            at_home = domain in {"", name} or domain in rules().nowhere
            yield name if at_home else f"{domain}\\{name}"


@lru_cache(maxsize=1 << 13)
def weight_of(kind: str, value: str) -> int:
    """What a trait says for two observations that both have it, while no other asset has it."""
    its = rules()
    weight = its.kinds[kind].weight
    if kind == CARD and passes(value):
        return its.passing_weight
    if (kind == "name" and "\\" not in value) or (kind == "fqdn" and "." not in value):
        return its.common_weight
    return weight


def passes(card: str) -> bool:
    """Whether a card need not stay with one machine: a dock's, a virtual machine's, one made up."""
    its = rules()
    lent = card.startswith(its.hypervisors) or _is_made_up(card)
    return lent or maker_of(card).startswith((*its.passing, *its.virtual))


def settles(card: str) -> bool:
    """Whether a card that one machine alone has for days is that machine's: no dock's, nor made up."""
    its = rules()
    if maker_of(card).startswith(its.passing):
        return False
    return card.startswith(its.hypervisors) or not _is_made_up(card)


def _is_made_up(card: str) -> bool:
    try:
        return bool(int(card[:2], 16) & _LOCAL)
    except ValueError:
        return True


def bare(kind: str, value: str) -> str:
    """A name without its domain: a machine that changes its domain keeps it; other values as they are."""
    if kind == "name":
        return value.rpartition("\\")[2]
    return value.partition(".")[0] if kind == "fqdn" else value


def kind_of(key: str, value: str) -> str:
    """The kind of a trait that is stored with the evidence key that told it: an engine tells its card too."""
    kinds = rules().by_key[key]
    is_card = bool(_CARD.fullmatch(value))
    return kinds[0] if len(kinds) == 1 or (kinds[0] == CARD) == is_card else kinds[1]


def beginning(kind: str, value: str) -> str:
    """What NetBIOS leaves of a name, without its domain."""
    return bare(kind, value)[:_NETBIOS].upper()


def is_cut(name: str) -> bool:
    """Whether a NetBIOS name may be the beginning of a longer one, which other machines have as well."""
    return len(bare("name", name)) >= _NETBIOS


def is_long(fqdn: str) -> bool:
    """Whether NetBIOS cuts the name of this host."""
    return len(bare("fqdn", fqdn)) > _NETBIOS
