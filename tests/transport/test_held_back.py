"""Where everything is held back, not one message more leaves, whatever was going on."""

from __future__ import annotations

import os
import runpy
import threading
import time
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import uvloop

import scanner.transport
from scanner.model import Transport
from scanner.probes import Probe
from scanner.transport.gate import HeldBackError
from tests.transport.test_conversation import door_to, greet, greet_twice, meet_at, peer, polite, probe_at
from tests.transport.test_datagrams import Server, ask_twice

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Iterator

RAW = Path(scanner.transport.__file__).with_name("children") / "raw.py"


@pytest.mark.parametrize("most", [0, 1, 2])
def test_a_conversation_ends_where_it_stands(most: int) -> None:
    """Before its connection, in its midst, and before its second connection."""
    heard: list[bytes] = []

    async def listening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while question := await reader.readline():
            heard.append(question)
            writer.write({b"hello\n": b"good evening\n"}.get(question, b"PC-01\n"))

    async def meet() -> None:
        async with peer(listening) as port:
            door = door_to()
            door.gate.held_back = lambda: len(heard) >= most
            with pytest.raises(HeldBackError):
                await meet_at(probe_at(port, greet_twice, 2), door)
            assert door.gate.attempts == min(most, 1)
            assert len(door.gate.ledger) == min(most, 1), "what left is in the ledger"

    uvloop.run(meet())
    assert heard == [b"hello\n", b"name?\n"][:most]


def test_nobody_is_held_back_who_may_speak() -> None:
    async def meet() -> dict[str, tuple[str, ...]]:
        async with peer(polite) as port:
            door = door_to()
            door.gate.held_back = lambda: False
            return dict((await meet_at(probe_at(port, greet), door)).evidence)

    assert uvloop.run(meet()) == {"test.greeting": ("good evening",), "test.name": ("PC-01",)}


def test_a_datagram_is_held_back(server: Server) -> None:
    door = door_to()
    door.gate.held_back = lambda: server.heard >= 1
    with pytest.raises(HeldBackError):
        uvloop.run(meet_at(_datagrams_at(server.port), door))
    assert server.heard == 1


def _datagrams_at(port: int) -> Probe:
    return Probe("test", Transport.UDP, (port,), ("test.1", "test.2"), ask_twice, rank=1, exchanges=2)


@pytest.fixture
def server() -> Iterator[Server]:
    with Server(lambda asked: [asked[:1] + b"me"]) as made:
        yield made


def test_what_was_ordered_before_a_sleep_never_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    """The raw part, whose orders wait in a pipe: after it slept it ends, and its parent asks again."""
    program = runpy.run_path(str(RAW))
    sent: list[int] = []
    now = [1000.0]
    read, write = os.pipe()
    order = program["ORDER"]
    os.write(write, b"".join(order.pack(address, 445) for address in range(8)))

    def send(address: int, _: int) -> int:
        sent.append(address)
        now[0] += 10.0 if len(sent) == 3 else 0.0
        return 0

    monkeypatch.setattr(time, "clock_gettime", lambda _: now[0])
    monkeypatch.setattr(os, "read", partial(_read, os.read, read))
    monkeypatch.setattr(os, "write", lambda *_: 0)
    carrying = threading.Thread(target=program["_carry_out"], args=({"send": send},))
    carrying.start()
    carrying.join(10)
    os.close(read)
    os.close(write)
    assert not carrying.is_alive(), "it ended by itself"
    assert sent == [0, 1, 2]


def _read(original: object, end: int, _: int, size: int) -> bytes:
    assert callable(original)
    return bytes(original(end, size))
