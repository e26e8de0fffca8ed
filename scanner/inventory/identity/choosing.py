"""Which asset a host is: one that is known, several that turn out to be one, or a new one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from scanner.inventory.identity.partners import also_it
from scanner.inventory.identity.traits import ADDRESS, CARD, rules, settles, weight_of
from scanner.inventory.identity.weighing import Likeness, differ, likeness

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from scanner.inventory.identity.known import Known
    from scanner.inventory.identity.question import Question
    from scanner.inventory.identity.traits import Traits


_REMEMBERED: Final = "mac.address"
"""The evidence key of a card that somebody else's table has."""


@dataclass(frozen=True, slots=True)
class Choice:
    """What became of a host."""

    asset: int | None = None
    """None: a machine that nobody knew."""
    how: str = ""
    """What it was known again by, as it is stored."""
    also: tuple[tuple[int, str], ...] = ()
    """Assets that are the same machine as well, each with what shows it."""


def choose(question: Question) -> Choice:
    """Decide which asset a host is."""
    alike = sorted(map(_likeness_in(question), _akin(question)), key=_rank(question), reverse=True)
    if alike and alike[0].enough:
        best = alike[0]
        return Choice(best.asset, best.how, tuple(also_it(question, best, alike[1:])))
    return _by_address(question, alike)


def _akin(question: Question) -> list[Known]:
    """The assets that have any of its traits but its address."""
    holders = question.holders
    akin = {asset for kind, value in question.traits if kind != ADDRESS for asset in holders.of(kind, value)}
    return [question.known[asset] for asset in sorted(akin) if asset in question.known]


def _likeness_in(question: Question) -> Callable[[Known], Likeness]:
    """How alike the host and an asset are, where it was met included."""

    def measured(known: Known) -> Likeness:
        found = likeness(question.traits, known, question.holders, question.scan)
        if (
            CARD in found.other
            and not any(rules().kinds[kind].group == "installed" for kind in found.same)
            and not question.agrees(known.id)
        ):
            return replace(found, score=found.score + rules().elsewhere)  # it has the name, and nothing else
        sure = "name" in found.same and not _two_certificates(question, known)
        sure = sure or _is_also_here(question, known)
        if known.is_elsewhere(question.address, question.scan):
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
    akin = {each.asset: each for each in alike}
    card_only = {kind for kind, _ in question.traits} == {CARD, ADDRESS}
    # a router remembers who had an address this afternoon; this machine's kernel asked just now
    remembered = card_only and _REMEMBERED in question.traits.values()
    here = [
        akin.get(asset, Likeness(asset, 0))
        for asset in tenures
        if not differ(question.traits, question.known[asset])
        and not question.is_elsewhere(asset)
        and (question.agrees(asset) or (asset in akin and {"name", "fqdn"} & {*akin[asset].same}))  # upgraded
        and not (remembered and asset not in akin and question.known[asset].says_more)
    ]
    named = [asset for asset in tenures if question.known[asset].named]
    silent = {kind for kind, _ in question.traits} == {ADDRESS}
    just_met = [each for each in here if tenures[each.asset].scan == question.scan]
    known_by_more = [
        each for each in here if each.score > rules().passing_weight or (card_only and CARD in each.same)
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
        here = [each for each in here if silent and not question.known[each.asset].named]
    latest = max(here, key=lambda each: tenures[each.asset].last, default=None)
    return Choice() if latest is None else Choice(latest.asset, latest.how or ADDRESS)


def _is_at_home(question: Question, asset: int) -> bool:
    """Whether an asset was nowhere else since it was here: what moves on leaves its address to others."""
    tenures = question.known[asset].kinds[ADDRESS]
    return tenures[question.address].scan >= max(each.scan for each in tenures.values())
