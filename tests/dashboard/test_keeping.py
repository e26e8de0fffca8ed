from __future__ import annotations

import threading

import pytest

from scanner.dashboard.keeping import Keeper


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_the_same_stamp_is_worked_out_once() -> None:
    keeper, made = Keeper(), iter(range(9))
    assert [keeper.get("key", stamp, lambda: next(made)) for stamp in "aabb"] == [0, 0, 1, 1]
    keeper.close()


def test_what_took_long_rests_ten_times_as_long() -> None:
    clock = Clock()
    keeper, made = Keeper(clock), iter(range(9))

    def make() -> int:
        clock.now += 2
        return next(made)

    assert keeper.get("key", "a", make) == 0
    clock.now += 19
    assert keeper.get("key", "b", make) == 0
    clock.now += 2
    assert keeper.get("key", "b", make) == 1
    keeper.close()


def test_nobody_waits_longer_than_they_want_to() -> None:
    keeper, go = Keeper(), threading.Event()

    def make() -> str:
        go.wait(60)
        return "done"

    assert keeper.get("key", "a", make, 0) is None
    # What a page begins with does not wait for what is dear.
    assert keeper.get("other", "a", lambda: "first") == "first"
    go.set()
    assert keeper.get("key", "a", make) == "done"
    keeper.close()


def test_a_failure_is_told_and_tried_again() -> None:
    keeper = Keeper()

    def fail() -> str:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        keeper.get("key", "a", fail)
    assert keeper.get("key", "a", lambda: "yes") == "yes"
    keeper.close()


def test_what_was_asked_for_longest_ago_goes() -> None:
    keeper = Keeper()
    for number in range(200):
        keeper.get(number, "a", lambda: "x")
    assert len(keeper._kept) == 64
    assert keeper.get(0, "a", lambda: "again") == "again"
    assert keeper.get(199, "a", lambda: "again") == "x"
    keeper.close()
