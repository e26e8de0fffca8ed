"""Machines that stand nowhere, and how a connection with one of them goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner.simulator.answers import End
from scanner.simulator.machine import Machine
from scanner.simulator.personalities import personalities, personality
from scanner.simulator.services import SERVICES

if TYPE_CHECKING:
    from scanner.simulator.services import Service
    from scanner.simulator.speaker import Speaker

EVERY = [key for key, kind in personalities().items() if not kind.behaviour]
HONEST = [key for key in EVERY if personality(key).smb]
NOW = 132_000_000_000_000_000


def machine(key: str, *, joined: bool = True, guests: bool = False) -> Machine:
    return Machine(
        personality=personality(key),
        name="CARD-PC-0123",
        domain="CHU-DEMO" if joined else "WORKGROUP",
        dns_name="card-pc-0123.chu-demo.example" if joined else "card-pc-0123",
        dns_domain="chu-demo.example" if joined else "",
        dns_forest="chu-demo.example" if joined else "",
        guid=bytes(range(16)),
        booted=131_000_000_000_000_000,
        guests=guests,
        address="192.0.2.7",
    )


def service(probe: str) -> Service:
    return next(one for one in SERVICES if one.probe == probe)


def speaker(probe: str, host: Machine) -> Speaker:
    kind = service(probe)
    assert kind.speaker
    return kind.speaker(host, kind.port, lambda: NOW, lambda size: b"\xa5" * size)


def said(connection: Speaker, data: bytes) -> bytes:
    """What is answered to all whole messages of ``data``, as the simulator cuts them."""
    heard = b""
    while connection.end is End.OPEN and 0 < (size := connection.length(data)) <= len(data):
        heard += connection.answer(data[:size])
        data = data[size:]
    return heard


def told(probe: str, host: Machine, datagram: bytes) -> bytes:
    """What a machine says to a datagram."""
    answer = service(probe).answer
    assert answer
    return answer(host, datagram, NOW)
