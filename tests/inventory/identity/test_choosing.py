"""Which asset a host is: the same in whatever order it is asked, and never two that were parted."""

from __future__ import annotations

from random import Random
from typing import TYPE_CHECKING, Final

from hypothesis import given
from hypothesis import strategies as st

from scanner.inventory.identity.choosing import Choice, choose
from scanner.inventory.identity.holders import Holders
from scanner.inventory.identity.known import Known, Tenure
from scanner.inventory.identity.question import Question
from scanner.inventory.identity.traits import ADDRESS, CARD, Words, rules

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE: Final = "10.0.0.1"
_OTHERS: Final[list[Words]] = [
    *((CARD, f"d4:81:d7:00:00:0{n}") for n in range(3)),
    *(("name", name) for name in ("CHU\\PC1", "CHU\\PC2", "PC1")),
    *((kind, value) for kind in ("guid", "host key", "certificate") for value in "ab"),
]
_HOST: Final = st.sets(st.sampled_from(_OTHERS), max_size=4).map(lambda words: {*words, (ADDRESS, HERE)})
_ASSET: Final = st.sets(st.sampled_from([*_OTHERS, (ADDRESS, HERE), (ADDRESS, "10.0.0.2")]), min_size=1)
_TIMES: Final = st.tuples(st.integers(1, 9), st.integers(10, 28), st.integers(1, 3))


@st.composite
def assets(draw: st.DrawFn) -> list[Known]:
    found = []
    for number in range(1, draw(st.integers(1, 6)) + 1):
        known = Known(number)
        for kind, value in sorted(draw(_ASSET)):
            first, last, scan = draw(_TIMES)
            begin, end = (f"2026-01-{day:02}T22:00:00+00:00" for day in (first, last))
            known.kinds.setdefault(kind, {})[value] = Tenure(rules().kinds[kind].keys[0], begin, end, scan)
        found.append(known)
    return found


def ask(host: set[Words], known: Sequence[Known], apart: set[frozenset[int]] | None = None) -> Choice:
    holders = Holders()
    for asset in known:
        for kind, values in asset.kinds.items():
            for value, tenure in values.items():
                holders.add(kind, value, asset.id, tenure)
    traits = dict.fromkeys(sorted(host), "key")
    mine = {
        asset.id: asset for asset in known if any(value in asset.kinds.get(kind, {}) for kind, value in host)
    }
    return choose(Question(HERE, 3, traits, mine, holders, apart or set(), lambda _: True, lambda *_: 0))


@given(_HOST, assets(), st.integers())
def test_the_order_of_those_that_may_be_it_changes_nothing(
    host: set[Words], known: list[Known], seed: int
) -> None:
    shuffled = Random(seed).sample(known, len(known))
    one, other = ask(host, known), ask(host, shuffled)
    assert (one.asset, one.how, sorted(one.also)) == (other.asset, other.how, sorted(other.also))


@given(_HOST, assets())
def test_what_was_parted_by_hand_is_never_one_again(host: set[Words], known: list[Known]) -> None:
    choice = ask(host, known)
    apart = {frozenset({one.id, other.id}) for one in known for other in known if one is not other}
    parted = ask(host, known, apart)
    assert parted.asset == choice.asset
    assert not parted.also


@given(_HOST, assets())
def test_what_is_chosen_has_something_in_common_and_says_what(host: set[Words], known: list[Known]) -> None:
    choice = ask(host, known)
    named = {asset.id: asset for asset in known}
    assert (choice.asset is None) == (choice.how == "")
    for asset, how in ((choice.asset, choice.how), *choice.also):
        if asset is None:
            continue
        common = {kind for kind, value in host if value in named[asset].kinds.get(kind, {})}
        assert common
        assert how
        same = {word.replace("_", " ") for word in how.split() if not word.startswith("-")}
        # a bare name, and a name without its domain, are in common too
        assert same - {"name", "fqdn"} <= common | {ADDRESS}
    assert choice.asset not in dict(choice.also)


@given(assets())
def test_by_an_address_alone_nothing_is_chosen_where_several_with_names_had_it(known: list[Known]) -> None:
    choice = ask({(ADDRESS, HERE)}, known)
    here = [asset for asset in known if HERE in asset.kinds.get(ADDRESS, {}) and asset.named]
    words = [
        {(kind, value) for kind in asset.kinds.keys() - {ADDRESS} for value in asset.kinds[kind]}
        for asset in here
    ]
    apart = {frozenset(one) for one in words if not any(one < other for other in words)}
    if len(apart) > 1 and choice.asset is not None and choice.asset in {asset.id for asset in here}:
        (chosen,) = (asset for asset in here if asset.id == choice.asset)
        assert chosen.kinds[ADDRESS][HERE].scan == 3, "only what this scan has met here before"


def test_an_asset_that_was_met_nowhere_is_asked_nothing() -> None:
    """An import told of its card, and of no address."""
    first, last = (f"2026-01-{day:02}T22:00:00+00:00" for day in (1, 10))

    def known(number: int, scan: int, *words: Words) -> Known:
        kinds: dict[str, dict[str, Tenure]] = {}
        for kind, value in words:
            kinds.setdefault(kind, {})[value] = Tenure(rules().kinds[kind].keys[0], first, last, scan)
        return Known(number, kinds)

    card, other = "d4:81:d7:00:00:00", "d4:81:d7:00:00:01"
    here = known(1, 3, (ADDRESS, HERE), (CARD, other), ("name", "CHU\\PC1"))
    choice = ask(
        {(CARD, card), (ADDRESS, HERE)}, [here, known(2, 1, (CARD, card)), known(3, 1, (CARD, other))]
    )
    assert choice.asset == 2
    assert not choice.also
