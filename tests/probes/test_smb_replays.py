"""Whole conversations with real hosts, as they were recorded."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from scanner.errors import PeerClosedError, ProtocolError
from scanner.model import Endpoint
from scanner.probes.smb import PROBE
from tests.probes.answers import stream
from tests.probes.conversation import Replay


@dataclass(frozen=True)
class Host:
    """A real system: its answers by connection, and everything that it says."""

    name: str
    endpoint: Endpoint
    connections: list[list[bytes]]
    evidence: dict[str, Any]


def _hosts() -> list[Host]:
    rows = tomllib.loads(Path(__file__).with_name("smb_hosts.toml").read_text(encoding="utf-8"))["host"]
    hosts = []
    for row in rows:
        evidence = {
            key: tuple(value) if isinstance(value, list) else value for key, value in row["evidence"].items()
        }
        connections = [stream(part)[:count] for part, count in row["connections"]]
        endpoint = Endpoint("192.0.2.1", 10_000 + row["service"], service=row["service"])
        hosts.append(Host(row["name"], endpoint, connections, evidence))
    return hosts


HOSTS = _hosts()

pytestmark = pytest.mark.parametrize("host", HOSTS, ids=lambda host: host.name)


@pytest.mark.parametrize(
    "peer", [{}, {"byte_by_byte": True}, {"garbage": b"\0\0\0\x55\xffSMB garbage \0\xff" * 9}], ids=str
)
def test_everything_that_the_host_says_is_learnt(host: Host, peer: dict[str, Any]) -> None:
    heard = Replay(host.connections, **peer).hold(PROBE, host.endpoint)
    assert heard.error is None
    assert heard.evidence == host.evidence


def test_it_costs_the_host_no_more_than_declared(host: Host) -> None:
    heard = Replay(host.connections).hold(PROBE, host.endpoint)
    smb2 = host.evidence["smb.dialect"] != "NT LM 0.12"
    assert heard.connections == (2 if smb2 else 1), "SMB 1 is asked for apart only where SMB 2 was agreed"
    assert heard.exchanges <= PROBE.exchanges


def test_what_was_learnt_before_the_host_hung_up_stands(host: Host) -> None:
    first = host.connections[0]
    for count in range(len(first)):
        heard = Replay([first[:count]]).hold(PROBE, host.endpoint)
        assert isinstance(heard.error, PeerClosedError)
        assert heard.evidence.items() <= host.evidence.items()
        opening = host.endpoint.service == 139
        assert bool(heard.evidence) == (count > opening), "a negotiation's answer is learnt at once"


def test_noise_in_the_place_of_any_answer_is_a_protocol_error(host: Host) -> None:
    first = host.connections[0]
    for count in range(len(first)):
        heard = Replay([[*first[:count], b"HTTP/1.1 400 Bad Request\r\n\r\n"]]).hold(PROBE, host.endpoint)
        assert isinstance(heard.error, ProtocolError)
        assert heard.evidence.items() <= host.evidence.items()


def test_no_request_could_log_on(host: Host) -> None:
    for request in Replay(host.connections).hold(PROBE, host.endpoint).said:
        assert b"NTLMSSP\0\x03" not in request


def test_a_kept_answer_says_the_same(host: Host) -> None:
    kept = [list(PROBE.redact(tuple(answers))) for answers in host.connections]
    for before, after in zip(host.connections, kept, strict=True):
        assert [len(answer) for answer in before] == [len(answer) for answer in after]
    assert Replay(kept).hold(PROBE, host.endpoint).evidence == host.evidence


def test_smb1_is_asked_for_where_smb2_breaks_off(host: Host) -> None:
    """What a host of both says over SMB 1 is learnt though its SMB 2 session fails."""
    first, *later = host.connections
    if not later or "smb.native_os" not in host.evidence:
        assert "smb.smb1" not in Replay([first[:-1], []]).hold(PROBE, host.endpoint).evidence or not later
        return
    heard = Replay([first[:-1], *later]).hold(PROBE, host.endpoint)
    assert isinstance(heard.error, PeerClosedError)
    assert heard.evidence["smb.native_os"] == host.evidence["smb.native_os"]
    assert heard.evidence["smb.smb1"] == "yes"
