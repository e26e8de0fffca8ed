"""What a visit hears of a machine of the simulated year: seldom all that it says."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

from scanner.model import Endpoint, HostRecord, Observation, Outcome, Transport
from tests.inventory.hospital import NOTHING
from tests.inventory.year_machines import DATAGRAMS, PORTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from random import Random

    from scanner.model import Evidence
    from tests.inventory.year_machines import Machine

_FAILED, _ONLY_ONE, _CUT = 0.08, 0.05, 0.02
"""How often a probe fails, only one of them is held, SMB ends half-way."""


def heard(machine: Machine, shown: str, random: Random) -> Iterator[tuple[str, Outcome, Evidence]]:
    voice = machine.voice(shown)
    only = random.choice(tuple(voice)) if voice and random.random() < _ONLY_ONE else ""
    met = False
    for probe, evidence in voice.items():
        chance = random.random()
        if only not in {"", probe} or chance < _FAILED:
            continue
        met = True
        if probe == "smb" and chance > 1 - _CUT:
            cut = {key: values for key, values in evidence.items() if key.startswith("smb.")}
            yield probe, Outcome.CLOSED, cut
        else:
            yield probe, Outcome.ANSWERED, evidence
    if not met:
        yield "smb", Outcome.REFUSED, {}


def endpoint_of(address: str, probe: str) -> Endpoint:
    datagram = probe in DATAGRAMS
    return Endpoint(address, PORTS[probe], Transport.UDP if datagram else Transport.TCP)


def known_to_router(ward: str, number: int, mac: str, at: datetime) -> HostRecord:
    address = str(ip_address(number))
    seen = Observation(
        Endpoint(address, 0, Transport.ICMP), "snmp-arp", at, Outcome.ANSWERED, {"mac.address": (mac,)}
    )
    return HostRecord(address, ward, (seen,), NOTHING)
