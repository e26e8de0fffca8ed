"""The lease: a pure matter of what the centre said, and of this machine's clock."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from scanner.fleet import lease as lease_module
from scanner.fleet.errors import FleetError, LinkError
from scanner.fleet.lease import HoldLostError, Lease
from scanner.fleet.model import RunState, Standing
from scanner.fleet.port import HEARTBEAT, LEASE, STALE

HELD = Standing(held=True, silent=0.0, run=RunState.RUNNING, site_paused=False)


@dataclass
class Clock:
    """The clock that goes on while the machine sleeps."""

    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Centre:
    """What the centre answers, and how long that takes."""

    clock: Clock
    answer: Standing | Exception = HELD
    takes: float = 0.0
    told: list[float] = field(default_factory=list)

    def standing(self) -> Standing:
        self.clock.now += self.takes
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer

    def tell(self) -> None:
        self.told.append(self.clock.now)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(lease_module, "_now", made)
    return made


def asked(centre: Centre) -> Lease:
    """A lease after one question, asked in this thread."""
    lease = Lease(centre.standing, centre.tell)
    lease.ask_once()
    return lease


def test_nothing_is_sent_before_the_first_answer(clock: Clock) -> None:
    assert Lease(Centre(clock).standing, lambda: None).held_back


@pytest.mark.parametrize("silent", [0.0, 4.9, 13.9])
@pytest.mark.parametrize("takes", [0.0, 3.0])
def test_it_is_worth_so_long_since_the_last_sign_of_life(clock: Clock, silent: float, takes: float) -> None:
    """Counted from before the question: whatever the link took, the centre re-queues later."""
    begun = clock.now
    lease = asked(Centre(clock, replace(HELD, silent=silent), takes))
    clock.now = begun + LEASE - silent - 0.01
    assert not lease.held_back
    clock.now = begun + LEASE - silent
    assert lease.held_back
    assert clock.now - (begun - silent) < STALE - HEARTBEAT, "the centre takes it for dead later"


@pytest.mark.parametrize(
    "standing",
    [
        replace(HELD, held=False),
        replace(HELD, site_paused=True),
        replace(HELD, silent=LEASE),
        replace(HELD, silent=float("inf")),
        *(replace(HELD, run=state) for state in RunState if state not in {RunState.QUEUED, RunState.RUNNING}),
    ],
)
def test_nothing_is_sent_otherwise(clock: Clock, standing: Standing) -> None:
    assert asked(Centre(clock, standing)).held_back


def test_who_lost_the_job_knows_it(clock: Clock) -> None:
    centre = Centre(clock)
    lease = asked(centre)
    lease.demand_held()
    centre.answer = replace(HELD, held=False)
    lease.ask_once()
    with pytest.raises(HoldLostError):
        lease.demand_held()


def test_a_centre_that_is_away_changes_nothing_that_was_promised(clock: Clock) -> None:
    centre = Centre(clock)
    lease = asked(centre)
    centre.answer = LinkError()
    clock.now += LEASE - 1
    lease.ask_once()
    lease.demand_held()
    assert not lease.held_back
    clock.now += 1
    assert lease.held_back
    centre.answer = HELD
    lease.ask_once()
    assert not lease.held_back, "it was away, and nobody took the job meanwhile"
    assert len(centre.told) == 2, "only where it answers is it told anything"


def test_a_centre_that_refuses_ends_it(clock: Clock) -> None:
    centre = Centre(clock)
    lease = asked(centre)
    centre.answer = FleetError("no rights")
    assert not lease.ask_once()
    assert lease.held_back
    with pytest.raises(FleetError, match="no rights"):
        lease.demand_held()


def test_it_asks_by_itself_as_long_as_it_is_entered(clock: Clock) -> None:
    centre = Centre(clock)
    with Lease(centre.standing, centre.tell) as lease:
        while lease.held_back:
            lease.wait(1.0)
    asked_by_then = len(centre.told)
    assert asked_by_then >= 1
    lease.wait(0.0)
    assert len(centre.told) == asked_by_then
