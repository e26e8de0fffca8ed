"""How alike a host and an asset are: more in common never says less; two assets are compared either way."""

from __future__ import annotations

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from scanner.inventory.identity.holders import Holders
from scanner.inventory.identity.known import Known, Tenure
from scanner.inventory.identity.traits import ADDRESS, CARD, Words, rules
from scanner.inventory.identity.weighing import alike, differ, followed, likeness

_FIRST, _LAST = "2026-01-01T22:00:00+00:00", "2026-01-02T22:00:00+00:00"
_WORDS: Final = st.sets(
    st.one_of(
        st.tuples(
            st.just("card"), st.sampled_from(["d4:81:d7:00:00:01", "d4:81:d7:00:00:02", "02:00:00:00:00:01"])
        ),
        st.tuples(st.just("name"), st.sampled_from(["CHU\\PC1", "CHU\\PC2", "PC1", "SUD\\PC1"])),
        st.tuples(st.just("fqdn"), st.sampled_from(["pc1.chu.example", "pc2.chu.example", "pc1"])),
        st.tuples(st.sampled_from(["guid", "host key", "engine", "certificate"]), st.sampled_from("ab")),
        st.tuples(st.just(ADDRESS), st.sampled_from(["10.0.0.1", "10.0.0.2"])),
    )
)


def known(number: int, words: set[Words], first: str = _FIRST, last: str = _LAST) -> Known:
    asset = Known(number)
    for kind, value in words:
        asset.kinds.setdefault(kind, {})[value] = Tenure(rules().kinds[kind].keys[0], first, last, 1)
    return asset


def held(*assets: Known) -> Holders:
    holders = Holders()
    for asset in assets:
        for kind, values in asset.kinds.items():
            for value, tenure in values.items():
                holders.add(kind, value, asset.id, tenure)
    return holders


def score(words: set[Words], asset: Known, *others: Known) -> int:
    return likeness(dict.fromkeys(words, "key"), asset, held(asset, *others), 2).score


@given(_WORDS)
def test_what_says_all_that_an_asset_was_known_by_has_nothing_against_it(words: set[Words]) -> None:
    found = likeness(dict.fromkeys(words, "key"), known(1, words), held(known(1, words)), 2)
    assert not found.other
    assert set(found.same) == {kind for kind, _ in words}
    assert found.score >= 0


@given(_WORDS, _WORDS)
def test_what_others_have_too_never_says_more(words: set[Words], others: set[Words]) -> None:
    asset = known(1, words)
    assert score(words, asset, known(2, others)) <= score(words, asset)


@given(_WORDS, _WORDS)
def test_one_more_thing_in_common_never_says_less(mine: set[Words], theirs: set[Words]) -> None:
    more = ("guid", "z")
    assert score(mine | {more}, known(1, theirs | {more})) >= score(mine, known(1, theirs))


@given(_WORDS, _WORDS)
def test_two_assets_are_alike_either_way(one: set[Words], other: set[Words]) -> None:
    assert alike(known(1, one), known(2, other), Holders()) == alike(
        known(2, other), known(1, one), Holders()
    )


@given(_WORDS)
def test_an_asset_is_like_itself(words: set[Words]) -> None:
    assert alike(known(1, words), known(2, words), Holders())
    assert not differ(dict.fromkeys(words, "key"), known(1, words))


@given(st.sampled_from(["10.0.0.1", "10.0.0.2"]), _WORDS)
def test_an_address_alone_is_never_enough(address: str, words: set[Words]) -> None:
    asset = known(1, words | {(ADDRESS, address)})
    assert not likeness({(ADDRESS, address): ADDRESS}, asset, held(asset), 2).enough


def test_the_only_card_for_weeks_is_the_machine_under_any_name() -> None:
    card = (CARD, "d4:81:d7:00:00:01")
    old = {card, ("name", "CHU\\PC1"), ("guid", "a")}
    new: set[Words] = {card, ("name", "CHU\\NEW"), ("guid", "b")}
    assert score(new, known(1, old)) < rules().enough
    assert score(new, known(1, old, last="2026-01-20T22:00:00+00:00")) >= rules().enough
    dock = known(1, {card}, last="2026-01-20T22:00:00+00:00")
    assert score(new, dock) == rules().kinds[CARD].weight, "a card that a router told is no machine's yet"


def test_a_name_that_netbios_may_have_cut_is_no_proof_beside_a_longer_one() -> None:
    cut: Words = ("name", "CHU\\SECRETARIAT-MED")
    assert score({cut}, known(1, {cut})) >= rules().enough
    assert score({cut, ("fqdn", "secretariat-med-2.chu.example")}, known(1, {cut})) < rules().enough


def test_one_system_follows_another_and_not_the_other_way() -> None:
    old = known(1, {("host key", "a")})
    new = known(2, {("host key", "b")}, "2026-02-01T22:00:00+00:00", "2026-02-02T22:00:00+00:00")
    assert followed(new, old, Holders())
    assert not followed(old, new, Holders())
    meanwhile = known(3, {("host key", "c")})
    assert not followed(meanwhile, old, Holders())


def test_a_machine_that_was_renamed_twice_came_after_what_it_was_called_in_between() -> None:
    months = {
        month: (f"2026-{month:02}-01T22:00:00+00:00", f"2026-{month:02}-09T22:00:00+00:00")
        for month in (1, 2, 3)
    }
    between = known(1, {("name", "CHU\\B")}, *months[2])
    twice = known(2, {("name", "CHU\\A")}, *months[1])
    twice.kinds["name"] |= known(2, {("name", "CHU\\C")}, *months[3]).kinds["name"]
    assert followed(twice, between, Holders())
    assert not followed(between, twice, Holders())
