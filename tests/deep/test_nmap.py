"""nmap's opinions, with the real one and with others that do what it never should."""

from __future__ import annotations

import asyncio
import os
import tempfile
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest
import uvloop

from scanner.deep import nmap
from scanner.deep.report import scripts_in
from scanner.errors import ProtocolError
from scanner.model import Endpoint, Observation, Outcome
from scanner.nmap_scripts import Script
from scanner.transport.relay import LOOPBACK
from scanner.transport.switchboard import Switchboard
from tests.deep.processes import wait_for
from tests.transport.test_conversation import door_to, peer, reset, silent
from tests.transport.test_relay import limited

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scanner.transport.gate import HostDoor
    from tests.transport.test_conversation import Peer

SERVER = "Microsoft-IIS/6.0"

FAKE = """#!/bin/sh
if [ "$1" = -V ]; then echo 'Nmap version 7.93 ( https://nmap.org )'; exit; fi
{body}
"""
REPORT = (
    '<nmaprun><host><status state="up" reason="user-set"/><address addr="127.0.0.1" addrtype="ipv4"/><ports>'
    '<port protocol="tcp" portid="1"><state state="open" reason="syn-ack"/>{scripts}</port></ports></host>'
    '<runstats><finished timestr="" elapsed="0"/><hosts up="1" down="0" total="1"/></runstats></nmaprun>'
)


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other scans of this machine may run nmap too: those of this test are known by their folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def wait_for_nmap(number: int) -> dict[int, str]:
    """Wait until so many of them live: their ids and command lines."""
    return wait_for(f"--datadir {tempfile.gettempdir()}/", number)


async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(f"HTTP/1.1 200 OK\r\nServer: {SERVER}\r\nContent-Length: 0\r\n\r\n".encode())
    await writer.drain()


async def asked(hosts: Mapping[int, Peer], door: HostDoor) -> list[Observation]:
    """Ask about one host that has these servers, by their registered port."""
    async with AsyncExitStack() as stack:
        ports = {service: await stack.enter_async_context(peer(host)) for service, host in hosts.items()}
        endpoints = [Endpoint(LOOPBACK, port, service=service) for service, port in ports.items()]
        board = await stack.enter_async_context(
            Switchboard(4, connect_seconds=0.9, answer_seconds=1.0, datagram_seconds=1.0)
        )
        return await nmap.ask(door, endpoints, board)


def ask(hosts: Mapping[int, Peer], door: HostDoor | None = None) -> list[Observation]:
    seen = uvloop.run(asked(hosts, door or door_to()))
    wait_for_nmap(0)
    return seen


def fake(folder: Path, monkeypatch: pytest.MonkeyPatch, body: str) -> None:
    """Another program in the place of nmap, for the next call."""
    file = folder / "bin" / "nmap"
    file.parent.mkdir()
    file.write_text(FAKE.format(body=body), encoding="utf-8")
    file.chmod(0o755)
    monkeypatch.setenv("PATH", f"{file.parent}:{os.environ['PATH']}")
    monkeypatch.setattr(nmap, "SECONDS", 4.0)


def test_what_it_heard_is_evidence() -> None:
    door = door_to()
    (seen,) = ask({80: web}, door)
    assert (seen.probe, seen.outcome, seen.evidence) == (
        "deep.nmap",
        Outcome.ANSWERED,
        {"http.server": (SERVER,)},
    )
    assert seen.connections == door.connections == len(door.gate.ledger) == 3
    assert {attempt.probe for attempt in door.gate.ledger} == {"deep.nmap"}
    assert seen.endpoint.service == 80


def test_ports_for_which_there_is_no_script_are_left_alone() -> None:
    door = door_to()
    assert ask({22: web, 135: web}, door) == []
    assert door.connections == 0


@pytest.mark.parametrize(
    ("host", "outcome"), [(silent, Outcome.STALLED), (reset, Outcome.RESET)], ids=["silent", "reset"]
)
def test_a_host_that_does_not_answer_is_asked_once(host: Peer, outcome: Outcome) -> None:
    """Each script would try again, and TLS after that."""
    door = door_to()
    (seen,) = ask({80: host}, door)
    assert (seen.outcome, seen.evidence, seen.connections) == (outcome, {}, 1)
    assert [attempt.outcome for attempt in door.gate.ledger] == [outcome]


def test_scripts_for_which_too_few_connections_are_left_are_not_run() -> None:
    door = limited(4)
    door.connections = 3
    (seen,) = ask({80: web}, door)
    assert (seen.connections, door.left) == (1, 0)
    assert ask({80: web}, door) == []


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("sleep 600", "nmap_child.py was not done after 4 s"),
        ("exec >&-; exec 2>&-; sleep 600", "nmap_child.py was not done after 4 s"),
        ("kill -SEGV $$", "nmap_child.py ended with 1"),
        ("echo garbage", "nmap_child.py ended with 1"),
        ("echo '<nmaprun>'", "nmap_child.py ended with 1"),
        ("exit 1", "nmap_child.py ended with 1"),
        ("yes garbage", "nmap_child.py ended with 1"),
        ("head -c 1000000000 /dev/zero | tail", "nmap_child.py ended with 1"),
        (f"echo '{REPORT.format(scripts='')}'", "the program called nobody"),
        (
            'echo \'<!DOCTYPE x [<!ENTITY a "a">]>' + REPORT.format(scripts="") + "'",
            "nmap_child.py: no report of nmap's",
        ),
    ],
    ids=[
        "hangs",
        "hangs, deaf",
        "crashes",
        "garbage",
        "cut",
        "exit",
        "endless",
        "memory",
        "mute",
        "entities",
    ],
)
def test_whatever_nmap_does_is_one_outcome(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, why: str
) -> None:
    fake(tmp_path, monkeypatch, body)
    door = door_to()
    (seen,) = ask({80: web}, door)
    assert (seen.outcome, seen.detail, seen.evidence) == (Outcome.FAILED, why, {})
    assert door.connections == 0
    wait_for(str(tmp_path), 0)


def test_what_one_endpoint_told_stands_when_the_next_one_hangs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = 'for word; do [ "$last" = --datadir ] && data=$word; last=$word; done\n'
    fake(
        tmp_path,
        monkeypatch,
        body + 'grep -q https "$data/nmap-services" && sleep 600\nexec /usr/bin/nmap "$@"',
    )
    first, second = ask({80: web, 443: web})
    assert (first.outcome, first.evidence) == (Outcome.ANSWERED, {"http.server": (SERVER,)})
    assert (second.outcome, second.detail) == (Outcome.FAILED, "nmap_child.py was not done after 8 s")


def test_scripts_that_were_not_asked_are_not_heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scripts = (
        '<script id="smb-os-discovery" output=""><elem key="os">Windows 5.1</elem></script>'
        '<script id="http-server-header" output=""><elem>Apache</elem></script>'
    )
    fake(tmp_path, monkeypatch, f"echo '{REPORT.format(scripts=scripts)}'")
    (seen,) = ask({80: web})
    assert seen.evidence == {"http.server": ("Apache",)}


def test_without_nmap_there_is_no_opinion(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    (seen,) = ask({80: web})
    assert (seen.outcome, seen.detail) == (Outcome.FAILED, "nmap_child.py ended with 1")


def test_its_own_scripts_are_run_whatever_lies_in_the_home_folder() -> None:
    """The command line, as the kernel has it: one port of this machine, and nothing but what was measured."""

    async def run() -> str:
        task = asyncio.create_task(asked({3389: silent}, door_to()))
        loop = asyncio.get_running_loop()
        (command,) = (await loop.run_in_executor(None, wait_for_nmap, 1)).values()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return command

    words = uvloop.run(run()).split()
    wait_for_nmap(0)
    port, data = words[words.index("-p") + 1], words[words.index("--datadir") + 1]
    wanted = ["--script", "rdp-ntlm-info", "--script-args", f"smbport={port}", "--datadir", data]
    options = ["-oX", "-", LOOPBACK, "-p", port, *nmap.OPTIONS, *wanted]
    assert sorted(words[1:]) == sorted(options)
    assert "-Pn -n -sT --unprivileged" in " ".join(words)
    assert not {"-A", "-O", "-sV", "-sC", "-sS", "-sU"} & set(words)


def test_a_report_is_read_within_bounds() -> None:
    deep = "<table>" * 50 + "<elem>x</elem>" + "</table>" * 50
    wide = "<table key='a'>" + "<elem>x</elem>" * 1000 + "</table>"
    scripts = (
        f"<script id='a' output='o'>{deep}</script><script id='b'>{wide}</script>" + "<script id='c'/>" * 99
    )
    found = scripts_in(REPORT.format(scripts=scripts))
    assert found[0] == Script("a", "o", {})
    assert len(found[1].elements["a"]) == 512
    assert len(found) == 64


@pytest.mark.parametrize(
    "text",
    [
        "",
        "garbage",
        "<x/>",
        "<nmaprun>",
        "<!DOCTYPE x [<!ENTITY a 'a'>]><nmaprun>&a;</nmaprun>",
        "<nmaprun>" + " " * (1 << 18) + "</nmaprun>",
        "\0",
        "<nmaprun>&undeclared;</nmaprun>",
    ],
)
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(ProtocolError):
        scripts_in(text)
