"""Stopping every scan of this machine: told first, killed where they do not cease. No process is touched."""

from __future__ import annotations

import signal
from dataclasses import dataclass, field

import pytest

from scanner.transport import stopping
from scanner.transport.stopping import Stopped, stop_all


@dataclass
class Machine:
    """Scans that obey, do not, or are others'."""

    stubborn: frozenset[int] = frozenset()
    others: frozenset[int] = frozenset()
    gone: frozenset[int] = frozenset()
    held: frozenset[int] = frozenset()
    sending: set[int] = field(default_factory=set)
    sent: list[tuple[int, int]] = field(default_factory=list)

    def kill(self, process: int, number: int) -> None:
        if process in self.others:
            raise PermissionError
        if process in self.gone:
            self.sending.discard(process)
            raise ProcessLookupError
        self.sent.append((process, number))
        if number == signal.SIGKILL or process not in self.stubborn | self.held:
            self.sending.discard(process)


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    made = Machine(frozenset({2}), frozenset({3}), frozenset({4}), frozenset({5}), {1, 2, 3, 4, 5})
    monkeypatch.setattr("scanner.transport.stopping.senders", lambda: iter(set(made.sending)))
    monkeypatch.setattr("scanner.transport.stopping.held_up", lambda left: set(left) & made.held)
    monkeypatch.setattr("scanner.transport.stopping.os.kill", made.kill)
    monkeypatch.setattr(stopping, "_GRACE", 0.05)
    return made


def test_those_that_obey_are_told_the_others_killed_and_strangers_named(machine: Machine) -> None:
    assert stop_all() == Stopped(frozenset({1, 2, 4, 5}), frozenset({2, 5}), frozenset({3}))
    assert sorted(machine.sent) == [
        (1, signal.SIGTERM),
        *((each, number) for each in (2, 5) for number in (signal.SIGKILL, signal.SIGTERM)),
    ]
    assert machine.sending == {3}


def test_where_nothing_scans_nothing_is_sent(machine: Machine) -> None:
    machine.sending.clear()
    assert stop_all() == Stopped(frozenset(), frozenset(), frozenset())
    assert machine.sent == []
