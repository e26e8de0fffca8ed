"""How much speaks for a host's being an asset, and what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.inventory.identity.holders import stays_with
from scanner.inventory.identity.traits import (
    ADDRESS,
    CARD,
    REMEMBERED,
    bare,
    is_cut,
    is_long,
    rules,
    settles,
)
from scanner.inventory.utc import moment

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from scanner.inventory.identity.holders import Holders
    from scanner.inventory.identity.known import Known, Tenure
    from scanner.inventory.identity.traits import Traits

_TWO_STARTS: Final = -20
"""What it says that one scan heard two start times: a machine does not start while it answers."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike a host and an asset are."""

    asset: int
    score: int
    same: tuple[str, ...] = ()
    """Kinds of traits that both have, in the order of the rules."""
    other: tuple[str, ...] = ()
    """Kinds of which both have values, and none in common."""

    @property
    def enough(self) -> bool:
        """Whether they are one machine."""
        return self.score >= rules().enough

    @property
    def how(self) -> str:
        """What it was known again by, as it is stored: ``card name -guid``."""
        words = [kind.replace(" ", "_") for kind in self.same if kind != ADDRESS or len(self.same) == 1]
        return " ".join(words + [f"-{kind.replace(' ', '_')}" for kind in self.other])


def likeness(host: Traits, known: Known, holders: Holders, scan: int) -> Likeness:
    """Compare a host with an asset.

    Args:
        host: what is known of it now.
        known: what was known of the asset.
        holders: who else has its traits.
        scan: the scan that hears the host.
    """
    mine: dict[str, list[str]] = {}
    for kind, value in host:
        mine.setdefault(kind, []).append(value)
    met = any(tenure.scan == scan for tenure in known.kinds.get(ADDRESS, {}).values())
    said: dict[str, list[int]] = {}
    same: list[str] = []
    other: list[str] = []
    for name, values in mine.items():
        weight = _said(name, values, known, holders, scan, met=met)
        if name == "name" and weight is not None and _is_cut_off(mine, known):
            weight = min(weight, rules().common_weight)
        if weight is not None:
            (same if weight >= 0 else other).append(name)
            said.setdefault(rules().kinds[name].group, []).append(weight)
    score = sum(max(0, *each, 0) + min(0, *each, 0) for each in said.values())
    return Likeness(known.id, score, tuple(same), tuple(other))


def _is_cut_off(mine: Mapping[str, Sequence[str]], known: Known) -> bool:
    """Whether the names are the beginning of a longer one that one of both tells: others begin alike."""
    names = (*mine.get("fqdn", ()), *known.kinds.get("fqdn", ()))
    return any(map(is_cut, mine["name"])) and any(map(is_long, names))


def _said(  # noqa: PLR0913 - what one kind says depends on all of it
    kind: str, mine: Sequence[str], known: Known, holders: Holders, scan: int, *, met: bool
) -> int | None:
    """What a kind of traits says for an asset, or against it; None where it says nothing."""
    theirs = known.kinds.get(kind, {})
    common = [value for value in mine if value in theirs]
    if common:
        return max(_common(kind, value, known, holders) for value in common)
    if not theirs:
        return None
    if rules().kinds[kind].volatile and any(tenure.scan == scan for tenure in theirs.values()):
        return _TWO_STARTS
    if {bare(kind, value) for value in mine} & {bare(kind, value) for value in theirs}:
        return rules().common_weight
    if kind == CARD:
        several = met or len(theirs) > 1 or holders.go_round([*mine, *theirs])
        return None if several else _other_card(known)
    return rules().kinds[kind].differs or None


def _common(kind: str, value: str, known: Known, holders: Holders) -> int:
    """What a trait says that both have."""
    soldered = kind == CARD and _is_soldered(value, known, holders)
    return rules().settled_weight if soldered else holders.weight(kind, value, known.id)


def _other_card(known: Known) -> int:
    """What another card than an asset's only one says against it."""
    stayed = known.says_more and all(map(has_stayed, known.kinds[CARD].values()))
    return rules().settled_differs if stayed else rules().kinds[CARD].differs


def alike(one: Known, other: Known, holders: Holders) -> bool:
    """Whether two assets may be one machine: nothing differs, or what they have in common weighs more."""
    said: dict[str, list[int]] = {}
    differs = False
    for kind, rule in rules().kinds.items():
        mine, theirs = one.kinds.get(kind, {}), other.kinds.get(kind, {})
        common = [holders.weight_of(kind, value) for value in mine if value in theirs]
        if not common and {bare(kind, value) for value in mine} & {bare(kind, value) for value in theirs}:
            common = [rules().common_weight]
        weight = max(common, default=rule.differs if mine and theirs else 0)
        differs |= weight < 0
        said.setdefault(rule.group, []).append(weight)
    score = sum(max(0, *each, 0) + min(0, *each, 0) for each in said.values())
    return not differs or score >= rules().enough


def in_turn(one: Known, other: Known, holders: Holders) -> bool:
    """Whether two assets bear a name that a domain has once, in turn, and only cards tell them apart.

    Where such a card goes from machine to machine, they need not take turns.
    """
    docks = any(
        holders.go_round([card]) and not stays_with(holders, card, each.id)
        for each in (one, other)
        for card in each.kinds.get(CARD, ())
    )
    turns = any(
        docks or _take_turns(mine, theirs)
        for name, mine, theirs in _in_common("name", one, other)
        if holders.weight_of("name", name) >= rules().enough
    )
    return turns and _share(one, other)


def system_in_turn(one: Known, other: Known, holders: Holders) -> bool:
    """Whether two assets have, in turn, what was made with one system alone, and only cards tell them apart.

    A laptop that is in no domain is met by its radio, and by its socket.
    """
    return _share(one, other) and any(
        _take_turns(mine, theirs) and holders.of(kind, value).keys() == {one.id, other.id}
        for kind, rule in rules().kinds.items()
        if rule.differs and rule.group == "installed"
        for value, mine, theirs in _in_common(kind, one, other)
    )


def _in_common(kind: str, one: Known, other: Known) -> Iterator[tuple[str, Tenure, Tenure]]:
    """The values of a kind that two assets share, and from when to when each has it."""
    mine, theirs = one.kinds.get(kind, {}), other.kinds.get(kind, {})
    for value in mine.keys() & theirs.keys():
        yield value, mine[value], theirs[value]


def _take_turns(mine: Tenure, theirs: Tenure) -> bool:
    """Whether each was heard before the other one was heard last."""
    return mine.last > theirs.first and theirs.last > mine.first


def _share(one: Known, other: Known) -> bool:
    """Whether of whatever tells two assets apart, but for cards, they have something in common."""
    return all(
        one.kinds.get(kind, {}).keys() & other.kinds.get(kind, {}).keys()
        for kind, rule in rules().kinds.items()
        if rule.differs and kind != CARD and one.kinds.get(kind) and other.kinds.get(kind)
    )


def differ(host: Traits, known: Known) -> bool:
    """Whether of any kind both have values, and none in common: of names, too, that may be given anew."""
    rule = rules().kinds
    kinds = {kind for kind, _ in host if rule[kind].differs or rule[kind].group == "names"}
    return any(
        known.kinds.get(kind) and not any((kind, value) in host for value in known.kinds[kind])
        for kind in kinds
    )


def _is_soldered(card: str, known: Known, holders: Holders) -> bool:
    """Whether an asset alone told of a card for days, and of no other but such as go from machine to machine.

    What a router told may have been a dock's: others spoke through it unheard.
    """
    theirs = known.kinds[CARD]
    return (
        known.says_more
        and theirs[card].key != REMEMBERED
        and has_stayed(theirs[card])
        and settles(card)
        and holders.weight(CARD, card, known.id) == holders.weight_of(CARD, card)
        and not any(holders.is_alone(CARD, other) for other in theirs if other != card)
    )


def cards_differ(one: Known, other: Known, holders: Holders) -> bool:
    """Whether each has a card that stays with a machine, and the two share none that nobody else has."""
    mine, theirs = one.kinds.get(CARD, {}).keys(), other.kinds.get(CARD, {}).keys()
    alone = [
        any(settles(card) and holders.is_alone(CARD, card) for card in each - both)
        for each, both in ((mine, theirs), (theirs, mine))
    ]
    pair = {one.id, other.id}
    return all(alone) and not any(holders.of(CARD, card).keys() <= pair for card in mine & theirs)


def has_stayed(tenure: Tenure) -> bool:
    """Whether an asset was known by something for days."""
    return (moment(tenure.last) - moment(tenure.first)).days >= rules().settled_days


def followed(one: Known, other: Known, holders: Holders) -> bool:
    """Whether one system came after another: what tells them apart ended here before it began there.

    It may have been told there before as well: a machine is renamed twice. Cards that go from machine to
    machine tell nothing apart.
    """
    for kind, rule in rules().kinds.items():
        mine, theirs = one.kinds.get(kind, {}), other.kinds.get(kind, {})
        if not rule.differs or not mine or not theirs or mine.keys() & theirs.keys():
            continue
        if kind == CARD and holders.go_round([*mine, *theirs]):
            continue
        if kind == CARD or not _is_after(mine.values(), theirs.values()):
            return False
    return True


def _is_after(mine: Collection[Tenure], theirs: Collection[Tenure]) -> bool:
    """Whether the newest of mine came after theirs, and none of mine was heard while they were."""
    first, last = min(each.first for each in theirs), max(each.last for each in theirs)
    return max(each.first for each in mine) > last and not any(
        each.first <= last and each.last >= first for each in mine
    )
