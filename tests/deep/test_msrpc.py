"""impacket's opinions: of hosts as the specifications have them, and of a real domain controller."""

from __future__ import annotations

import struct
from contextlib import AsyncExitStack, ExitStack
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest
import uvloop

from scanner.deep import child, msrpc
from scanner.errors import ProtocolError
from scanner.model import Endpoint, Observation, Outcome
from scanner.probes import msrpc as probe
from scanner.transport.relay import LOOPBACK
from scanner.transport.switchboard import Switchboard
from tests.deep.asking import ask as ask_there
from tests.deep.island import OUTSIDE, island, logs_on, sent
from tests.integration.domain_controller import domain_controller
from tests.integration.driving import drive
from tests.integration.peers_microsoft import inside
from tests.probes.rpc_answers import (
    ACCEPTED,
    HANDLE,
    LAST,
    MAPPER,
    NO_INTERFACE,
    bind_ack,
    elements,
    fault,
    response,
    server_alive,
)
from tests.transport.test_conversation import door_to, endless, noise, peer, reset, silent
from tests.transport.test_relay import limited

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from scanner.transport.gate import HostDoor
    from tests.transport.test_conversation import Peer

EXPORTER = UUID("99fcfec4-5260-101b-bbcb-00aa0021347a").bytes_le
PAGES = (
    elements(HANDLE, ["12345678-1234-abcd-ef00-01234567cffb v1.0", MAPPER], b"annotation"),
    elements(LAST, ["1ff70682-0a51-30e8-076d-740be8cee98b v1.0"]),
)
ENDPOINTS = tuple(
    sorted(
        [
            "12345678-1234-abcd-ef00-01234567cffb v1.0",
            MAPPER,
            "1ff70682-0a51-30e8-076d-740be8cee98b v1.0",
        ]
    )
)
ALIVE = server_alive(
    7, (7, "10.20.0.17"), (7, "ward-pc-07"), (31, "10.20.0.17[6004]"), principal="CHU\\nobody"
)


class Host:
    """Port 135, as the specifications have it."""

    def __init__(self, *, exporter: bool = True, pages: tuple[bytes, ...] = PAGES) -> None:
        self.exporter, self.pages = exporter, pages
        self.heard: list[bytes] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asks_exporter, page = False, 0
        while head := await reader.read(16):
            kind, size, call = head[2], *struct.unpack("<H", head[8:10]), *struct.unpack("<I", head[12:16])
            body = await reader.readexactly(size - 16)
            self.heard.append(head + body)
            if kind == 11:
                asks_exporter = EXPORTER in body
                answer = bind_ack(ACCEPTED if self.exporter or not asks_exporter else NO_INTERFACE)
            elif asks_exporter:
                answer = response(call, ALIVE)
            elif page < len(self.pages):
                answer, page = response(call, self.pages[page]), page + 1
            else:
                answer = fault(call, 0x16C9A0D6)
            writer.write(answer)


async def _asked(host: Peer, door: HostDoor) -> list[Observation]:
    async with AsyncExitStack() as stack:
        port = await stack.enter_async_context(peer(host))
        board = await stack.enter_async_context(
            Switchboard(4, connect_seconds=0.9, answer_seconds=1.0, datagram_seconds=1.0)
        )
        return await msrpc.ask(door, [Endpoint(LOOPBACK, port, service=135)], board)


def ask(host: Peer, door: HostDoor | None = None) -> Observation:
    (seen,) = uvloop.run(_asked(host, door or door_to()))
    return seen


def test_everything_that_is_told_without_a_logon() -> None:
    door, host = door_to(), Host()
    seen = ask(host, door)
    assert (seen.probe, seen.outcome, seen.connections) == ("deep.msrpc", Outcome.ANSWERED, 2)
    assert seen.evidence == {
        "msrpc.endpoints": ENDPOINTS,
        "msrpc.com_version": ("5.7",),
        "msrpc.addresses": ("10.20.0.17", "ward-pc-07"),
    }
    assert seen.evidence.keys() <= set(probe.PROBE.keys)
    assert not any(b"NTLMSSP" in message for message in host.heard), "nobody offers to log on"
    assert [attempt.probe for attempt in door.gate.ledger] == ["deep.msrpc"] * 2
    assert all(attempt.sent < msrpc.SIZE for attempt in door.gate.ledger)


def test_the_probe_reads_the_same() -> None:
    """Two implementations, the same answers: they agree."""
    seen, own = ask(Host()), probe.parse_server_alive(ALIVE)
    assert seen.evidence["msrpc.com_version"] == (own.version,)
    assert seen.evidence["msrpc.addresses"] == own.addresses
    interfaces = {each for page in PAGES for each in probe.parse_elements(page).interfaces}
    assert set(seen.evidence["msrpc.endpoints"]) == interfaces


@pytest.mark.parametrize(
    ("host", "keys"),
    [
        (Host(exporter=False), {"msrpc.endpoints"}),
        (Host(pages=()), {"msrpc.com_version", "msrpc.addresses"}),
        (Host(pages=PAGES[:1]), {"msrpc.endpoints", "msrpc.com_version", "msrpc.addresses"}),
        (Host(exporter=False, pages=()), set()),
    ],
    ids=["no exporter", "no mapper", "an error for a last page", "neither"],
)
def test_what_one_does_not_tell_the_other_may(host: Host, keys: set[str]) -> None:
    assert ask(host).evidence.keys() == keys


@pytest.mark.parametrize(
    ("host", "outcomes"),
    [
        (silent, {Outcome.STALLED}),
        (reset, {Outcome.STALLED}),  # it waits for a whole line, which a bind is not
        (noise, {Outcome.FOREIGN}),
        (endless, {Outcome.FOREIGN, Outcome.EXCESSIVE}),  # whoever has had enough first
    ],
    ids=["silent", "reset", "noise", "endless"],
)
def test_whatever_a_host_does_is_one_outcome(host: Peer, outcomes: set[Outcome]) -> None:
    door = door_to()
    seen = ask(host, door)
    assert seen.outcome in outcomes
    assert seen.evidence == {}
    assert seen.connections <= 2


def test_where_too_few_connections_are_left_nothing_is_asked() -> None:
    assert uvloop.run(_asked(Host(), limited(1))) == []


@pytest.mark.parametrize(
    "said",
    [
        {"interfaces": "x"},
        {"interfaces": ["12345678-1234-abcd-ef00-01234567cffb v1.0", 7]},
        {"interfaces": ["12345678-1234-ABCD-ef00-01234567cffb v1.0"]},
        {"version": 5.7},
        {"version": "5.7\n"},
        {"addresses": {"x": 1}},
        {"addresses": ["a b"]},
        {"addresses": ["\x1b[31m"]},
        {"addresses": ["x" * 300]},
    ],
    ids=str,
)
def test_what_has_not_its_form_is_refused(said: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        msrpc.evidence_in(said)


def test_other_words_are_passed_over() -> None:
    assert msrpc.evidence_in({"refused": "nca_s_op_rng_error", "interfaces": []}) == {}
    many = [f"{number:08x}-1234-abcd-ef00-01234567cffb v1.0" for number in range(200)]
    assert len(msrpc.evidence_in({"interfaces": many})["msrpc.endpoints"]) == 128


def test_without_impacket_there_is_no_opinion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "msrpc_child.py").write_text("import not_installed", encoding="utf-8")
    tethered = (child._PROGRAMS / "tethered.py").read_text(encoding="utf-8")
    (tmp_path / "tethered.py").write_text(tethered, encoding="utf-8")
    monkeypatch.setattr(child, "_PROGRAMS", tmp_path)
    seen = ask(Host())
    assert (seen.outcome, seen.detail, seen.connections) == (Outcome.FAILED, "msrpc_child.py ended with 1", 0)


@pytest.mark.namespaces
def test_a_real_domain_controller(tmp_path: Path) -> None:
    """On the wire: two connections to port 135, nothing else, and no NTLM at all."""
    with island("rpc") as namespace, ExitStack() as stack:
        controller = inside(namespace, lambda: stack.enter_context(domain_controller(tmp_path, "127.0.0.1")))
        file = tmp_path / "all.pcap"
        with namespace.recording(file, "tcp", "port", "135"):
            asked = ask_there(namespace, "msrpc", {135: 135})
        driven = inside(namespace, lambda: drive(probe.PROBE, controller.address, 135))
        counted = namespace.run("cat", f"/sys/class/net/{OUTSIDE}/statistics/tx_packets").stdout
    assert asked.evidence == {"msrpc.endpoints": driven.evidence["msrpc.endpoints"]}
    packets = sent(file)
    assert len([packet for packet in packets if packet.opens]) == asked.connections == 2
    assert sum(packet.size for packet in packets if packet.port == 135) == sum(
        attempt["sent"] for attempt in asked.attempts
    )
    assert not logs_on(file)
    assert b"NTLMSSP" not in file.read_bytes()
    assert counted.strip() == "0"
