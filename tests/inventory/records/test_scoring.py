"""Which record is which machine: what speaks for it, what against it, and what is never enough."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.inventory.records.scoring import ENOUGH, Traits, score


def traits(**values: str) -> Traits:
    return Traits(**{name: frozenset(text.split()) for name, text in values.items()})


PC = traits(names="pc-1", fqdns="pc-1.chu.example", domains="chu.example", addresses="10.0.0.1")


@pytest.mark.parametrize(
    ("record", "asset"),
    [
        (PC, PC),
        (PC, traits(names="pc-1", domains="chu")),
        (PC, traits(names="pc-1", fqdns="pc-1.chu.example", addresses="10.9.9.9")),
        (traits(names="pc-1"), traits(names="pc-1", domains="chu")),
        (traits(names="un-nom-tres-long-1", domains="chu"), traits(names="un-nom-tres-lon", domains="chu")),
        (traits(macs="00:1b:21:aa:bb:01"), traits(macs="00:1b:21:aa:bb:01 00:1b:21:aa:bb:02")),
        (traits(names="x", serials="abc"), traits(serials="abc")),
    ],
)
def test_the_same(record: Traits, asset: Traits) -> None:
    assert score(record, asset).points >= ENOUGH
    assert all(reason.render() for reason in score(record, asset).reasons)


@pytest.mark.parametrize(
    ("record", "asset"),
    [
        (traits(addresses="10.0.0.1"), traits(addresses="10.0.0.1")),
        (PC, traits(names="pc-1", addresses="10.0.0.1")),
        (PC, traits(names="pc-1", domains="autre")),
        (PC, traits(names="pc-1", domains="workgroup", addresses="10.0.0.1")),
        (traits(names="pc-1", macs="m"), traits(names="pc-2", macs="m")),
        (traits(names="pc-1", serials="a"), traits(names="pc-1", serials="b")),
        (traits(names="pc-1", macs="m", addresses="a"), traits(names="pc-2", macs="m", addresses="a")),
        (Traits(), Traits()),
    ],
)
def test_not_enough(record: Traits, asset: Traits) -> None:
    assert score(record, asset).points < ENOUGH


SETS = st.frozensets(st.sampled_from("abc"), max_size=2)


@given(SETS, SETS)
def test_an_address_alone_never_makes_the_difference_between_strangers(
    one: frozenset[str], two: frozenset[str]
) -> None:
    assert score(Traits(addresses=one), Traits(addresses=two)).points < ENOUGH
