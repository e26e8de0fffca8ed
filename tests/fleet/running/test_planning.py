"""How a run is cut, and when a plan makes one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from scanner.addresses import IPV6, AddressSet
from scanner.fleet.model import RunState
from scanner.fleet.planning import CHUNK, cut, due_plans, start_due
from scanner.inventory import open_inventory
from scanner.scan import Request

if TYPE_CHECKING:
    from tests.fleet.running.hospitals import Fleet

spans = st.tuples(st.integers(0, 1 << 14), st.integers(0, 600), st.booleans()).map(
    lambda drawn: (drawn[0] + IPV6 * drawn[2], drawn[0] + IPV6 * drawn[2] + drawn[1])
)


@given(st.lists(spans, max_size=20))
def test_every_address_is_in_one_chunk(drawn: list[tuple[int, int]]) -> None:
    addresses = AddressSet(drawn)
    chunks = cut(addresses)
    sizes = [AddressSet(chunk).size for chunk in chunks]
    assert AddressSet(span for chunk in chunks for span in chunk).spans == addresses.spans
    assert sum(sizes) == addresses.size
    assert all(0 < size <= CHUNK for size in sizes)


@given(st.lists(spans, max_size=20))
def test_a_block_is_never_divided(drawn: list[tuple[int, int]]) -> None:
    homes: dict[int, int] = {}
    for place, chunk in enumerate(cut(AddressSet(drawn))):
        for first, last in chunk:
            for block in range(first // CHUNK, last // CHUNK + 1):
                assert homes.setdefault(block, place) == place


def test_half_empty_chunks_are_filled() -> None:
    small = [(number * 256, number * 256 + 63) for number in range(8)]
    assert [len(chunk) for chunk in cut(AddressSet(small))] == [4, 4]


def test_a_plan_that_was_missed_is_caught_up_once(one_site: Fleet) -> None:
    store, now = one_site.store, datetime.now(UTC) + timedelta(days=3)
    plan = store.plans.add("nord", "daily 22:00", "Europe/Paris", Request().options())
    with open_inventory(one_site.url) as inventory:
        assert list(due_plans(store, datetime.now(UTC) - timedelta(seconds=1))) == []
        for _ in range(2):
            start_due(store, inventory, now)
        (run,) = store.runs.all()
        assert (run.plan, run.site, run.state) == (plan.id, "nord", RunState.QUEUED)
        start_due(store, inventory, now + timedelta(days=1))
        assert len(store.runs.all()) == 1, "the site is being scanned: it is left out"
        store.runs.set_state(run.id, RunState.DONE)
        start_due(store, inventory, now + timedelta(days=1, minutes=1))
        assert len(store.runs.all()) == 1, "what was left out is not caught up"
        start_due(store, inventory, now + timedelta(days=2))
        assert len(store.runs.all()) == 2


def test_a_paused_site_waits_for_its_plan(one_site: Fleet) -> None:
    store, now = one_site.store, datetime.now(UTC) + timedelta(days=3)
    store.plans.add("nord", "daily 22:00", "Europe/Paris", Request().options())
    with open_inventory(one_site.url) as inventory:
        store.sites.set_paused("nord", paused=True)
        start_due(store, inventory, now)
        assert store.runs.all() == ()
        store.sites.set_paused("nord", paused=False)
        start_due(store, inventory, now)
        assert len(store.runs.all()) == 1


def test_a_plan_that_cannot_be_carried_out_harms_no_other(one_site: Fleet) -> None:
    store, now = one_site.store, datetime.now(UTC) + timedelta(days=3)
    store.plans.add("nord", "daily 21:00", "Europe/Paris", Request(targets=("Nowhere",)).options())
    store.plans.add("nord", "daily 22:00", "Europe/Paris", Request().options())
    with open_inventory(one_site.url) as inventory:
        start_due(store, inventory, now)
    assert [run.request["targets"] for run in store.runs.all()] == [[]]
