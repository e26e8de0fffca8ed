"""Every address is given to one visitor, once, however long some wait for their subnets."""

from __future__ import annotations

import asyncio
import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.sweep.feed import Feed


async def visit_all(numbers: int, visitors: int, seed: int, lots: int) -> Counter[int]:
    """Visitors that park addresses at random, and release lots at random."""
    feed, visits, chance = Feed(iter(range(numbers))), Counter[int](), random.Random(seed)
    busy: set[int] = set()

    async def visitor() -> None:
        while (number := await feed.next()) is not None:
            lot = number % lots
            if lot in busy:
                feed.park(lot, number)
                feed.done()
                continue
            busy.add(lot)
            await asyncio.sleep(0 if chance.random() < 0.9 else 0.001)
            busy.discard(lot)
            visits[number] += 1
            feed.release(lot)
            feed.done()

    await asyncio.wait_for(asyncio.gather(*(visitor() for _ in range(visitors))), 60)
    return visits


@given(st.integers(0, 300), st.integers(1, 40), st.integers(), st.integers(1, 5))
def test_each_address_is_visited_once(numbers: int, visitors: int, seed: int, lots: int) -> None:
    visits = asyncio.run(visit_all(numbers, visitors, seed, lots))
    assert visits == Counter(range(numbers))


def test_what_is_given_again_is_visited_again() -> None:
    async def visit() -> list[int]:
        feed, visits = Feed(iter(range(3))), []
        while (number := await feed.next()) is not None:
            visits.append(number)
            if visits == [0, 1, 2]:
                feed.again([1])
            feed.done()
        return visits

    assert asyncio.run(visit()) == [0, 1, 2, 1]


@pytest.mark.parametrize("numbers", [5000, 20_000])
def test_no_more_is_drawn_than_a_subnet_lets_wait(numbers: int) -> None:
    """All of one subnet, which is being looked at for long: the rest stays where it comes from."""
    drawn = 0

    def draw() -> object:
        nonlocal drawn
        for number in range(numbers):
            drawn += 1
            yield number

    async def park_all() -> None:
        feed = Feed(draw())  # type: ignore[arg-type]  # a generator of numbers
        looker = await feed.next()
        assert looker == 0

        async def parker() -> None:
            while (number := await feed.next()) is not None:
                feed.park("lot", number)
                feed.done()

        tasks = [asyncio.create_task(parker()) for _ in range(8)]
        await asyncio.sleep(0)
        await asyncio.sleep(0.05)
        assert drawn <= 4096 + 2
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    asyncio.run(park_all())
