"""``make example``: a small inventory that is the same wherever and whenever it is built.

No socket: the probe's conversations are held with the simulator's dialogues, on a fixed day.
``python -m tests.example FILE`` builds it there.
"""

from __future__ import annotations

import random
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from scanner.addresses import number_of
from scanner.classify import default_classifier
from scanner.config import load_site
from scanner.errors import LimitError, PeerClosedError, ProbeError
from scanner.inventory import Recorder, open_inventory
from scanner.model import Attempt, Endpoint, HostRecord, Observation, Outcome
from scanner.probes import Learnt, Peer, Reconnect, Secure, Send, probes
from scanner.simulator import Hospital
from scanner.simulator.answers import End
from scanner.simulator.dialogue import Dialogue
from scanner.simulator.files import site_file
from scanner.simulator.machine import filetime

if TYPE_CHECKING:
    from scanner.simulator.machine import Machine
    from scanner.simulator.plan import Place

WHEN = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
HOSTS, WARDS = 60, 4


def observe(machine: Machine, endpoint: Endpoint) -> Observation:
    """One conversation of the SMB probe with a simulated machine."""
    (probe,) = (known for known in probes() if known.name == "smb")
    dice = random.Random(endpoint.address)

    def connect() -> Dialogue:
        return Dialogue(machine, endpoint.service, lambda: filetime(WHEN.timestamp()), dice.randbytes)

    dialogue, evidence, raw, connections = connect(), {}, [], 1
    conversation = probe.converse(Peer(endpoint))
    outcome, answer = Outcome.ANSWERED, b""
    try:
        step = next(conversation)
        while True:
            failure: ProbeError | None = None
            if isinstance(step, Learnt):
                told = step.evidence.items()
                evidence.update({key: (value,) if isinstance(value, str) else value for key, value in told})
            elif isinstance(step, Reconnect):
                dialogue, connections, answer = connect(), connections + 1, b""
            elif isinstance(step, Secure):
                raise TypeError("SMB begins no TLS")
            else:
                answer = say(dialogue, step)
                failure = None if answer else PeerClosedError()
                raw += [answer] if answer else []
            step = conversation.throw(failure) if failure else conversation.send(answer)
    except StopIteration:
        pass
    except (PeerClosedError, LimitError):
        outcome = Outcome.RESET
    answers = probe.redact(tuple(raw))
    return Observation(endpoint, probe.name, WHEN, outcome, evidence, "", connections, answers)


def say(dialogue: Dialogue, step: Send) -> bytes:
    """What the machine answers to one message; nothing where it hangs up."""
    if dialogue.end is not End.OPEN:
        return b""
    answer = dialogue.answer(step.data)
    length = step.until(answer) if answer else None
    return answer[:length] if length else b""


def visit(hospital: Hospital, place: Place) -> HostRecord | None:
    """What a scan would record of a machine; nothing of one that cannot be talked with."""
    machine = hospital.machine(place.address)
    if machine is None or place.personality.behaviour:
        return None
    seen = [observe(machine, Endpoint(place.address, 445))]
    if not seen[0].evidence:
        seen.append(observe(machine, Endpoint(place.address, 139)))
    identity = default_classifier().classify(seen[-1].evidence)
    return HostRecord(place.address, place.ward.name, tuple(seen), identity)


def attempts(address: str, record: HostRecord | None) -> list[Attempt]:
    """What a scan would have sent to an address."""
    if record is None:
        silent = (Endpoint(address, port) for port in (445, 139, 445))
        return [Attempt(endpoint, "smb", WHEN, Outcome.SILENT) for endpoint in silent]
    return [
        Attempt(
            seen.endpoint, seen.probe, WHEN, seen.outcome, 300 * seen.connections, sum(map(len, seen.raw))
        )
        for seen in record.observations
    ]


def build(file: Path) -> None:
    """Build the example."""
    hospital = Hospital(HOSTS, WARDS, seed=1)
    with tempfile.TemporaryDirectory() as folder:
        site = Path(folder) / "site.toml"
        site.write_text(site_file(hospital, (445, 139)), encoding="utf-8")
        loaded = load_site(site)
    with open_inventory(f"sqlite:///{file}", create=True) as inventory:
        recorder = Recorder(
            inventory,
            loaded,
            profile="lab",
            scope=loaded.site.name,
            versions={"data": default_classifier().version},
            started=WHEN,
        )
        seen = 0
        for address in (str(each) for ward in hospital.wards for each in ward.subnet):
            place = hospital.places.get(address)
            record = visit(hospital, place) if place else None
            if record:
                seen += 1
                recorder.record(record)
            recorder.sent(attempts(address, record))
            recorder.visited(number_of(address))
        recorder.finish("done", {"addresses": 256 * WARDS, "seen": seen}, ended=WHEN)


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.unlink(missing_ok=True)
    build(target)
