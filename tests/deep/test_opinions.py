"""Whom second opinions are asked about: never under clinical, only what answered and bore it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
import uvloop

from scanner.deep import msrpc, nmap
from scanner.deep.opinions import SecondOpinions
from scanner.model import Endpoint, Observation, Outcome, Transport
from scanner.transport.switchboard import Switchboard
from tests.transport.test_conversation import ADDRESS, door_to

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.transport.gate import HostDoor


class Asked:
    """In the place of a program: what it was asked about."""

    def __init__(self) -> None:
        self.about: list[tuple[int, ...]] = []
        self.at_once = self.most_at_once = 0

    async def __call__(
        self, _: HostDoor, endpoints: Sequence[Endpoint], __: Switchboard
    ) -> list[Observation]:
        self.about.append(tuple(endpoint.port for endpoint in endpoints))
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.01)
        self.at_once -= 1
        return [seen(0, Outcome.ANSWERED)]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    made = Asked()
    monkeypatch.setattr(nmap, "ask", made)
    monkeypatch.setattr(msrpc, "ask", made)
    return made


def seen(port: int, outcome: Outcome, transport: Transport = Transport.TCP) -> Observation:
    return Observation(Endpoint(ADDRESS, port, transport), "test", datetime.now(UTC), outcome)


def opinions(profile: str, observations: Sequence[Observation], number: int = 1) -> list[list[Observation]]:
    async def run() -> list[list[Observation]]:
        second = SecondOpinions()
        async with Switchboard(4, 0.5, 0.5, 0.5) as board:
            return await asyncio.gather(
                *(second.of(door_to(profile=profile), observations, board) for _ in range(number))
            )

    return uvloop.run(run())


def test_never_under_clinical(asked: Asked) -> None:
    assert opinions("clinical", [seen(445, Outcome.ANSWERED)]) == [[]]
    assert asked.about == []


@pytest.mark.parametrize("profile", ["office", "lab"])
def test_both_programs_have_their_say(asked: Asked, profile: str) -> None:
    (told,) = opinions(profile, [seen(445, Outcome.ANSWERED)])
    assert (len(told), asked.about) == (2, [(445,), (445,)])


def test_only_what_answered_and_bore_it_is_asked_again(asked: Asked) -> None:
    observations = [
        seen(445, Outcome.REFUSED),
        seen(139, Outcome.ANSWERED),
        seen(3389, Outcome.FOREIGN),
        seen(80, Outcome.ANSWERED),
        seen(80, Outcome.STALLED),
        seen(443, Outcome.CLOSED),
        seen(443, Outcome.ANSWERED),
        seen(8443, Outcome.EXCESSIVE),
        seen(22, Outcome.SILENT),
        seen(25, Outcome.WITHHELD),
        seen(21, Outcome.FAILED),
        seen(137, Outcome.ANSWERED, Transport.UDP),
    ]
    opinions("office", observations)
    assert asked.about[0] == (139, 3389, 443)


@pytest.mark.parametrize("outcome", [Outcome.SILENT, Outcome.REFUSED, Outcome.STALLED, Outcome.WITHHELD])
def test_where_nothing_answered_nobody_is_asked(asked: Asked, outcome: Outcome) -> None:
    assert opinions("office", [seen(445, outcome)]) == [[]]
    assert asked.about == []


def test_few_programs_run_at_one_time(asked: Asked) -> None:
    opinions("office", [seen(445, Outcome.ANSWERED)], 20)
    assert len(asked.about) == 40
    assert asked.most_at_once == 4
