"""Which asset a host is: one that is known, several that turn out to be one, or a new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from scanner.inventory.identity.guests import guest_of
from scanner.inventory.identity.known import was_twice
from scanner.inventory.identity.partners import also_it, doubles_of
from scanner.inventory.identity.replaced import replaced_since
from scanner.inventory.identity.traits import ADDRESS, CARD, REMEMBERED, rules, settles, weight_of
from scanner.inventory.identity.weighing import Likeness, differ, has_stayed, likeness

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from scanner.inventory.identity.known import Known, Part
    from scanner.inventory.identity.question import Question
    from scanner.inventory.identity.traits import Traits


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of a host."""

    asset: int | None = None
    """None: a machine that nobody knew."""
    how: str = ""
    """What it was known again by, as it is stored."""
    also: tuple[tuple[int, str], ...] = ()
    """Assets that are the same machine as well, each with what shows it."""
    part: Part | None = None
    """What of the asset turns out to be another machine."""


def choose(question: Question) -> Choice:
    """Decide which asset a host is, and whether that was another machine for a while."""
    found = _chosen(question)
    if found.asset is None:
        return found
    return replace(found, part=guest_of(question, found.asset) or replaced_since(question, found.asset))


def _chosen(question: Question) -> Choice:
    alike = sorted(map(_likeness_in(question), _akin(question)), key=_rank(question), reverse=True)
    best = alike[0] if alike and alike[0].enough else None
    is_new = best is not None and _is_new_there(best)
    may_be_dock = is_new or (best is not None and not question.known[best.asset].says_more)
    kin = _by_kin(question, alike, {CARD} if is_new else ()) if best is None or may_be_dock else None
    if best is not None and kin is None:
        return Choice(best.asset, best.how, also_it(question, best, alike[1:]))
    found = _by_address(question, alike) if best is None else Choice()
    if found.asset is None and kin is not None:
        found = Choice(kin.asset, kin.how)
    return found if found.asset is None else replace(found, also=doubles_of(question, found.asset, alike))


def _is_new_there(best: Likeness) -> bool:
    """Whether a host has an asset's card and nothing else of it: a new system, or a guest of its dock."""
    return bool(best.other) and not {*best.same} - {CARD, ADDRESS}


def _akin(question: Question) -> list[Known]:
    """The assets that have any of its traits but its address."""
    holders = question.holders
    akin = {asset for kind, value in question.traits if kind != ADDRESS for asset in holders.of(kind, value)}
    return [question.known[asset] for asset in sorted(akin) if asset in question.known]


def _likeness_in(question: Question) -> Callable[[Known], Likeness]:
    """How alike the host and an asset are, where it was met included."""

    def measured(known: Known) -> Likeness:
        found = likeness(question.traits, known, question.holders, question.scan)
        if CARD in found.other and not _has_its_models(found) and not question.agrees(known.id):
            return replace(found, score=found.score + rules().elsewhere)  # it has the name, and nothing else
        sure = "name" in found.same and not _two_certificates(question, known)
        sure = sure or _is_also_here(question, known)
        if known.is_elsewhere(question.address, question.scan) and not _is_twice_again(
            question, known, found
        ):
            if not _shows_one(found, question.traits):
                return replace(found, score=0)
            if not sure:
                return replace(found, score=found.score + rules().elsewhere)
        return found

    return measured


def _shows_one(found: Likeness, traits: Traits) -> bool:
    """Whether two addresses that one scan met are shown to be one machine's.

    By what is its own; or by a name that its domain has once, with what was made when its system was
    installed, and nothing against it: only whoever copies a machine, domain and all, has both twice.
    """
    kinds = rules().kinds
    if any(kinds[kind].own for kind in found.same):
        return True
    installed = any(kinds[kind].group == "installed" for kind in found.same)
    named = any(kind == "fqdn" and weight_of(kind, value) >= rules().enough for kind, value in traits)
    return installed and named and "fqdn" in found.same and {*found.other} <= {CARD}


def _is_twice_again(question: Question, known: Known, found: Likeness) -> bool:
    """Whether an asset that was at several addresses at once before is all that the host tells."""
    told = {kind for kind, _ in question.traits if kind != ADDRESS}
    return told <= {*found.same} and was_twice(known, question.scan)


def _is_also_here(question: Question, known: Known) -> bool:
    """Whether a host, of which a card alone is told, is an asset that had it alone, at one more address."""
    kinds = {kind for kind, _ in question.traits}
    tenures = known.kinds.get(CARD, {})
    return (
        kinds == {CARD, ADDRESS}
        and known.met_at(question.scan) < rules().addresses
        and all(
            value in tenures
            and settles(value)
            and tenures[value].before
            and len(question.holders.of(CARD, value)) == 1
            for kind, value in question.traits
            if kind == CARD
        )
    )


def _two_certificates(question: Question, known: Known) -> bool:
    """Whether one scan heard another certificate of it."""
    mine = {value for kind, value in question.traits if kind == "certificate"}
    theirs = known.kinds.get("certificate", {})
    heard = {value for value, tenure in theirs.items() if tenure.scan == question.scan}
    return bool(mine and heard) and not mine & theirs.keys()


def _rank(question: Question) -> Callable[[Likeness], tuple[object, ...]]:
    """The best first; of equals, whoever had the address last, then the oldest asset.

    Who is known by more than a card comes first: a card may be a dock's.
    """
    tenures = question.holders.of(ADDRESS, question.address)

    def rank(each: Likeness) -> tuple[object, ...]:
        by_more = each.enough and bool({*each.same} - {CARD, ADDRESS})
        return by_more, each.score, tenures[each.asset].last if each.asset in tenures else "", -each.asset

    return rank


def _by_address(question: Question, alike: Sequence[Likeness]) -> Choice:
    """Where too little tells: the machine that alone had this address, if nothing speaks against it."""
    tenures = question.holders.of(ADDRESS, question.address)
    kinds = {kind for kind, _ in question.traits}
    named, here = _named_at(question), _may_be_here(question, alike)
    here = [each for each in here if each.asset in named or not question.known[each.asset].named]
    just_met = [each for each in here if tenures[each.asset].scan == question.scan]
    known_by_more = [
        each
        for each in here
        if each.score > rules().passing_weight
        or (kinds == {CARD, ADDRESS} and CARD in each.same)
        or (bool({*each.same} - {ADDRESS, CARD}) and _is_at_home(question, each.asset))
    ]
    if just_met:
        here = just_met
    elif known_by_more:
        here = known_by_more
    elif (
        len(named) > 1
        or any(not _is_at_home(question, each.asset) for each in here if each.asset in named)
        or (named and named[0] not in {each.asset for each in here})
    ):
        # The address goes from machine to machine: what says nothing of its own stays with its like.
        here = [each for each in here if kinds == {ADDRESS} and not question.known[each.asset].named]
    latest = max(here, key=lambda each: (tenures[each.asset].last, -each.asset), default=None)
    return Choice() if latest is None else Choice(latest.asset, latest.how or ADDRESS)


def _may_be_here(question: Question, alike: Sequence[Likeness]) -> list[Likeness]:
    """The assets that had the host's address and against which nothing speaks."""
    akin = {each.asset: each for each in alike}
    # a router remembers who had an address this afternoon; this machine's kernel asked just now
    remembered = {kind for kind, _ in question.traits} == {CARD, ADDRESS}
    remembered &= REMEMBERED in question.traits.values()
    return [
        akin.get(asset, Likeness(asset, 0))
        for asset in question.holders.of(ADDRESS, question.address)
        if not differ(question.traits, question.known[asset])
        and not question.is_elsewhere(asset)
        and (question.agrees(asset) or (asset in akin and {"name", "fqdn"} & {*akin[asset].same}))  # upgraded
        and not (remembered and asset not in akin and question.known[asset].says_more)
        and not _is_another_voice(question, asset)
    ]


def _named_at(question: Question) -> list[int]:
    """The assets with more than an address that had this one, but for those of which another has it all."""
    named = [asset for asset in question.holders.of(ADDRESS, question.address) if question.known[asset].named]
    return [
        asset
        for asset in named
        if not any(_is_ghost(question, asset, other) for other in named if other != asset)
    ]


def _is_ghost(question: Question, asset: int, other: int) -> bool:
    """Whether an asset was met nowhere but here, and is less than another one, or the same and younger."""
    mine, theirs = question.known[asset], question.known[other]
    return (
        set(mine.kinds[ADDRESS]) == {question.address}
        and mine.is_less(theirs)
        and (asset > other or not theirs.is_less(mine))
    )


def _is_another_voice(question: Question, asset: int) -> bool:
    """Whether a host tells what an asset, known here for days, never told, and nothing that it told."""
    known, kinds, common = question.known[asset], rules().kinds, question.holders.common
    shared = any(
        kind != ADDRESS and value in known.kinds.get(kind, {}) and (kind, value) not in common
        for kind, value in question.traits
    )
    mine = {kind for kind, _ in question.traits if kind != CARD and kinds[kind].weight >= rules().enough}
    return (
        not shared
        and known.says_more
        and has_stayed(known.kinds[ADDRESS][question.address])
        and not all(known.kinds.get(kind) for kind in mine)
    )


def _by_kin(question: Question, alike: Sequence[Likeness], but: Collection[str] = ()) -> Likeness | None:
    """Of several that all bear a host's name, and are not told apart by anything else: who was met last."""
    kinds, holders = rules().kinds, question.holders

    def is_kin(each: Likeness) -> bool:
        groups = {kinds[kind].group for kind in each.same}
        qualified = any(
            kinds[kind].group == "names"
            and holders.weight_of(kind, value) >= rules().enough
            and value in question.known[each.asset].kinds.get(kind, {})
            for kind, value in question.traits
        )
        return "names" in groups and (qualified or "installed" in groups) and {*each.other} <= {*but}

    kin = [each for each in alike if is_kin(each) and not question.is_elsewhere(each.asset)]
    return max(kin, key=lambda each: (question.known[each.asset].last, -each.asset), default=None)


def _has_its_models(each: Likeness) -> bool:
    """Whether it was known again by what was made with a system, and may be all its model's."""
    return any(rules().kinds[kind].group == "installed" for kind in each.same)


def _is_at_home(question: Question, asset: int) -> bool:
    """Whether an asset was nowhere else since it was here: what moves on leaves its address to others.

    What has had a few addresses for long, and no other, may be met at all of them.
    """
    tenures = question.known[asset].kinds[ADDRESS]
    fixed = len(tenures) <= rules().addresses and all(map(has_stayed, tenures.values()))
    scans = [each.scan for each in tenures.values() if not (fixed and each.scan == question.scan)]
    return tenures[question.address].scan >= max(scans, default=0)
