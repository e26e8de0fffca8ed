"""In which order a host is asked, when that ends, and what is said of what was not asked."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from scanner.addresses import AddressSet, number_of
from scanner.language import Message
from scanner.model import Endpoint, Observation, Outcome, Transport
from scanner.probes import Probe
from scanner.sweep import visit as visiting
from scanner.sweep.visit import Asking, Visit
from scanner.targets import Scope
from scanner.transport.gate import Gate, HostDoor
from scanner.transport.limits import PROFILES, Terms
from tests.transport.clock import WHEN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scanner.model import Evidence
    from scanner.probes import Conversation, Peer

SILENT, REFUSED, ANSWERED, STALLED = Outcome.SILENT, Outcome.REFUSED, Outcome.ANSWERED, Outcome.STALLED


def never(peer: Peer) -> Conversation:
    raise AssertionError(peer)


def probe(name: str, *ports: int, rank: int = 50, reveals: int = 0, wants: tuple[str, ...] = ()) -> Probe:
    return Probe(name, Transport.TCP, ports, (), never, rank=rank, reveals=reveals, wants=wants)


FIRST = probe("first", 445, 139, reveals=2)
SECOND = probe("second", 3389, 3390)
THIRD = probe("third", 22)


class Host:
    """A host that meets each port with what the script has for it, in order; the last goes on for ever."""

    def __init__(self, script: Mapping[int, Sequence[Outcome | dict[str, str]]]) -> None:
        self.script = {port: list(answers) for port, answers in script.items()}
        self.asked: list[int] = []
        self.known: list[Evidence] = []

    async def hold(
        self, probe: Probe, endpoint: Endpoint, door: HostDoor, _: object, known: Evidence
    ) -> Observation:
        answers = self.script.get(endpoint.port, [REFUSED])
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        self.asked.append(endpoint.port)
        self.known.append(dict(known))
        door.connections += 1
        evidence = {key: (value,) for key, value in answer.items()} if isinstance(answer, dict) else {}
        outcome = answer if isinstance(answer, Outcome) else ANSWERED
        return Observation(endpoint, probe.name, WHEN, outcome, evidence)


class Judge:
    """One that is content with a system."""

    def settled(self, _: HostDoor, evidence: Evidence) -> Message | None:
        return Message("enough") if "os" in evidence else None


def visit(  # noqa: PLR0913 - what a visit meets, each by name
    monkeypatch: pytest.MonkeyPatch,
    script: Mapping[int, Sequence[Outcome | dict[str, str]]],
    *probes: Probe,
    profile: str = "lab",
    loss: float = 0,
    named: frozenset[int] | None = None,
    looked: Mapping[int, Outcome] | None = None,
) -> tuple[Visit, Host]:
    host = Host(script)
    monkeypatch.setattr(visiting, "hold", host.hold)
    gate = Gate(Scope.of(None, AddressSet()), lambda _: Terms(PROFILES[profile]), named)
    made = Visit(gate.host(number_of("10.0.0.1")))
    for port, outcome in (looked or {}).items():
        made.take(Observation(Endpoint("10.0.0.1", port), visiting.LOOK, WHEN, outcome))
    made.door.subnet.congestion.loss.before = loss
    asyncio.run(Asking(made, None, Judge()).hold_all(probes or (FIRST, SECOND, THIRD)))  # type: ignore[arg-type]  # nothing is switched
    return made, host


def why(made: Visit) -> dict[str, str]:
    return {name: reason.render() for name, reason in made.unasked.items()}


def test_a_dark_address_is_asked_where_life_shows_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    made, host = visit(monkeypatch, {445: [SILENT], 139: [SILENT]})
    assert host.asked == [445, 139, 445]
    assert why(made) == dict.fromkeys(("second", "third"), "nothing answers there")


def test_of_a_dark_address_no_more_ports_are_asked_than_reveal(monkeypatch: pytest.MonkeyPatch) -> None:
    both = (FIRST, probe("other", 3389, 3390, reveals=1))
    _, host = visit(monkeypatch, {445: [SILENT], 139: [SILENT], 3389: [SILENT], 3390: [SILENT]}, *both)
    assert host.asked == [445, 139, 445, 3389, 3389]


def test_a_port_that_refused_is_not_asked_by_another_probe(monkeypatch: pytest.MonkeyPatch) -> None:
    made, host = visit(monkeypatch, {22: [SILENT]}, FIRST, probe("other", 139, 22), probe("same", 445, 139))
    assert host.asked == [445, 139, 22]
    assert why(made) == {"same": "its ports are closed, or nothing answers there"}


def test_by_the_ports_that_are_named_a_host_reveals_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    made, host = visit(monkeypatch, {3389: [SILENT], 22: [{"os": "x"}]}, named=frozenset({3389, 22}))
    assert host.asked == [3389, 3389, 22]
    assert made.evidence == {"os": ("x",)}


def test_what_a_look_found_closed_or_silent_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    looked = {445: REFUSED, 139: SILENT, 3389: ANSWERED, 22: SILENT}
    made, host = visit(monkeypatch, {3389: [{"name": "x"}]}, looked=looked)
    assert host.asked == [3389]
    assert why(made) == dict.fromkeys(("first", "third"), "its ports are closed, or nothing answers there")


def test_a_refusal_is_a_sign_of_life(monkeypatch: pytest.MonkeyPatch) -> None:
    made, host = visit(monkeypatch, {})
    assert host.asked == [445, 139, 3389, 3390, 22]
    assert made.unasked == {}


def test_the_next_port_is_asked_only_where_the_one_before_told_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, host = visit(monkeypatch, {445: [{"a": "1"}], 3389: [ANSWERED]})
    assert host.asked == [445, 3389, 3390, 22]


def test_where_the_verdict_stands_nothing_more_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    made, host = visit(monkeypatch, {445: [{"os": "old"}]})
    assert host.asked == [445]
    assert why(made) == {"second": "enough", "third": "enough"}


def test_each_probe_knows_what_was_said_before(monkeypatch: pytest.MonkeyPatch) -> None:
    made, host = visit(monkeypatch, {445: [{"a": "1"}], 3389: [{"a": "2", "b": "3"}]})
    assert host.known == [{}, {"a": ("1",)}, {"a": ("1", "2"), "b": ("3",)}]
    assert made.evidence == {"a": ("1", "2"), "b": ("3",)}


def test_one_stall_ends_a_probe_and_two_the_visit(monkeypatch: pytest.MonkeyPatch) -> None:
    made, host = visit(monkeypatch, {445: [STALLED], 3389: [Outcome.EXCESSIVE]})
    assert host.asked == [445, 3389]
    assert why(made) == {"third": "the host stalled or flooded other conversations"}


def test_where_packets_get_lost_a_stall_is_asked_once_more(monkeypatch: pytest.MonkeyPatch) -> None:
    script: dict[int, list[Outcome | dict[str, str]]] = {445: [STALLED, {"os": "old"}]}
    made, host = visit(monkeypatch, script, profile="office", loss=0.05)
    assert host.asked == [445, 445]
    assert made.evidence == {"os": ("old",)}
    made, host = visit(monkeypatch, {445: [STALLED]}, profile="office", loss=0.05)
    assert host.asked == [445, 445], "twice is enough"
    made, host = visit(monkeypatch, script, FIRST, profile="office")
    assert host.asked == [445], "where nothing gets lost the host had better be left alone"


def test_an_address_to_which_there_is_no_way_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made, host = visit(monkeypatch, {445: [Outcome.UNREACHABLE]}, FIRST, probe("other", 3389, reveals=1))
    assert host.asked == [445]
    assert why(made) == {"other": "nothing answers there"}


def test_a_host_gets_what_its_limits_allow(monkeypatch: pytest.MonkeyPatch) -> None:
    made, host = visit(monkeypatch, {}, *(probe(f"p{port}", port, reveals=1) for port in range(1, 70)))
    assert len(host.asked) == PROFILES["lab"].connections == 64
    assert why(made) == {f"p{port}": "the host has had its 64 attempts" for port in range(65, 70)}


def test_what_the_profile_does_not_have_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    made, host = visit(monkeypatch, {}, FIRST, THIRD, probe("printer", 9100), profile="clinical")
    assert host.asked == [445, 139]
    assert why(made) == dict.fromkeys(("third", "printer"), "the profile clinical has none of its ports")
    made, _ = visit(monkeypatch, {}, FIRST, probe("printer", 9100), profile="office")
    assert why(made) == {"printer": "its ports are refused unless the site file names them"}


def test_who_told_nothing_is_asked_again_with_what_it_wants(monkeypatch: pytest.MonkeyPatch) -> None:
    wanting = probe("wanting", 139, rank=1, reveals=1, wants=("name",))
    script: dict[int, list[Outcome | dict[str, str]]] = {
        139: [Outcome.FOREIGN, {"os": "very old"}],
        137: [{"name": "WARD7"}],
    }
    made, host = visit(monkeypatch, script, wanting, probe("names", 137), THIRD)
    assert host.asked == [139, 137, 139]
    assert made.evidence == {"name": ("WARD7",), "os": ("very old",)}
    assert why(made) == {"third": "enough"}


def test_it_is_asked_again_once(monkeypatch: pytest.MonkeyPatch) -> None:
    wanting = probe("wanting", 139, rank=1, reveals=1, wants=("name",))
    _, host = visit(monkeypatch, {137: [{"name": "WARD7"}]}, wanting, probe("names", 137), THIRD)
    assert host.asked == [139, 137, 22], "where it refused it would refuse again"
    _, host = visit(
        monkeypatch, {139: [Outcome.FOREIGN], 137: [{"name": "WARD7"}]}, wanting, probe("names", 137), THIRD
    )
    assert host.asked == [139, 137, 139, 22]


@pytest.mark.parametrize(
    ("script", "outcome"),
    [
        ({445: [{"a": "1"}], 3389: [STALLED]}, ANSWERED),
        ({445: [SILENT], 139: [REFUSED], 22: [SILENT]}, REFUSED),
        ({445: [SILENT], 139: [SILENT]}, SILENT),
    ],
)
def test_the_outcome_of_a_visit_is_the_most_telling_one(
    monkeypatch: pytest.MonkeyPatch, script: dict[int, list[Outcome | dict[str, str]]], outcome: Outcome
) -> None:
    assert visit(monkeypatch, script)[0].outcome is outcome


def test_what_a_neighbour_knows_is_no_outcome_where_the_host_spoke(monkeypatch: pytest.MonkeyPatch) -> None:
    made, _ = visit(monkeypatch, {445: [SILENT], 139: [REFUSED], 22: [SILENT]})
    known = {"neighbour.mac": ("00:0c:29:00:00:01",)}
    made.take(Observation(Endpoint("10.0.0.1", 0, Transport.LINK), "neighbour", WHEN, ANSWERED, known))
    assert (made.outcome, made.closed & {0}, made.silent & {0}) == (REFUSED, set(), set())
    made.observations = made.observations[-1:]
    assert made.outcome is ANSWERED


def test_a_visit_that_held_nothing_did_not_fail() -> None:
    made = Visit(None)  # type: ignore[arg-type]  # no door is opened
    assert (made.ended, made.failed) == (None, False)
