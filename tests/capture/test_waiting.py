"""What waits between the thread that fetches and the one that takes."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from scanner.capture.waiting import Waiting


@given(st.lists(st.binary(min_size=1, max_size=50), max_size=60), st.integers(1, 60))
def test_everything_comes_in_its_order_and_never_more_waits_than_may(blocks: list[bytes], most: int) -> None:
    waiting = Waiting(most)

    def fill() -> None:
        for block in (*blocks, b""):
            waiting.put(block)

    filling = threading.Thread(target=fill)
    filling.start()
    taken = []
    while block := waiting.take(60):
        taken.append(block)
        assert waiting._bytes < most + 50
    filling.join()
    assert taken == blocks
    assert waiting._bytes == 0


def test_where_nothing_comes_nothing_is_taken() -> None:
    waiting = Waiting(1)
    assert waiting.take(0) is None
    waiting.put(b"x")
    assert waiting.take(0) == b"x"
    assert waiting.take(0.001) is None


def test_whoever_fills_goes_on_when_nobody_takes_any_more() -> None:
    waiting = Waiting(1)
    waiting.put(b"x")
    filling = threading.Thread(target=waiting.put, args=(b"y",))
    filling.start()
    waiting.close()
    filling.join()
