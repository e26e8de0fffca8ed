"""A subnet that suffers is asked more slowly; one that was always so is not."""

from __future__ import annotations

import random

import pytest

from scanner.transport.congestion import Congestion
from scanner.transport.pacing import Pacer

PACE = 50.0


def fed(loss: float, seconds: float, hosts: int, congestion: Congestion | None = None) -> Congestion:
    """A subnet whose hosts answer after so long, and where this part of the attempts gets lost."""
    chance = random.Random(f"{loss} {seconds}")
    made = congestion or Congestion(Pacer(None), within=Congestion(Pacer(None), minded=False))
    begin = len(made._left) and made._left[-1]
    for number in range(hosts):
        made.left(begin + (number + 1) / PACE)
        made.answered(seconds * chance.uniform(0.9, 1.1), chance.random() < loss)
    return made


@pytest.mark.parametrize(("loss", "seconds"), [(0.0, 0.001), (0.05, 0.001), (0.1, 0.4), (0.0, 0.6)])
def test_what_was_always_so_is_no_reason_to_go_slower(loss: float, seconds: float) -> None:
    assert fed(loss, seconds, 500).pacer.rate is None


@pytest.mark.parametrize(("loss", "seconds"), [(0.9, 0.001), (0.0, 0.3), (0.6, 0.3)])
def test_what_rises_halves_the_rate_and_calm_brings_it_back(loss: float, seconds: float) -> None:
    congestion = fed(0.0, 0.001, 60)
    assert congestion.pacer.rate is None
    fed(loss, seconds, 9, congestion)
    slowed = congestion.pacer.rate
    assert slowed is not None
    assert slowed == pytest.approx(PACE / 2)
    fed(0.0, 0.001, 300, congestion)
    assert congestion.pacer.rate is None or congestion.pacer.rate > slowed


def test_it_never_gets_so_slow_that_a_scan_would_not_end() -> None:
    congestion = fed(0.0, 0.001, 60)
    for step in range(1, 60):
        fed(1.0, 0.001 * 3**step if step < 20 else 1e6, 9, congestion)
    assert congestion.pacer.rate is None or congestion.pacer.rate >= 0.5


def test_where_a_profile_has_no_limits_nothing_is_slowed() -> None:
    congestion = Congestion(Pacer(None), minded=False)
    fed(0.0, 0.001, 60, congestion)
    assert fed(1.0, 1.0, 60, congestion).pacer.rate is None
