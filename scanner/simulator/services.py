"""What can be spoken with the machines: one line a service, in the order of ``--ports``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.simulator import node_status, snmp
from scanner.simulator.dialogue import DIRECT, NETBIOS, Dialogue
from scanner.simulator.msrpc import Rpc
from scanner.simulator.rdp import Rdp
from scanner.simulator.ssh import Ssh
from scanner.simulator.web import Web

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from scanner.simulator.machine import Machine
    from scanner.simulator.personalities import Personality
    from scanner.simulator.speaker import Speaker

Answer: TypeAlias = "Callable[[Machine, bytes, int], bytes]"
"""What a machine says to a datagram, at a time; nothing where it is silent."""


@dataclass(frozen=True, slots=True)
class Service:
    """One registered port, and what is behind it."""

    probe: str
    """Who of the scanner's asks here."""
    port: int
    spoken: Callable[[Personality], object]
    """Whether a kind of machine has it."""
    speaker: type[Speaker] | None = None
    """Over TCP."""
    answer: Answer | None = None
    """Over UDP."""


SERVICES: Final = (
    Service("smb", DIRECT, lambda kind: kind.smb and not kind.netbios_only, Dialogue),
    Service("smb", NETBIOS, lambda kind: kind.smb, Dialogue),
    Service("rdp", 3389, lambda kind: kind.rdp, Rdp),
    Service("netbios", 137, lambda kind: kind.netbios, answer=node_status.answer),
    Service("msrpc", 135, lambda kind: kind.rpc, Rpc),
    Service("snmp", 161, lambda kind: kind.snmp, answer=snmp.answer),
    Service("ssh", 22, lambda kind: kind.ssh, Ssh),
    Service("http", 80, lambda kind: kind.http, Web),
)


def by_probe(ports: Iterable[int]) -> Mapping[str, list[int]]:
    """The ports by the names of probes; they are in the order of the services, which may be longer."""
    found: dict[str, list[int]] = {}
    for service, port in zip(SERVICES, ports, strict=False):
        found.setdefault(service.probe, []).append(port)
    return found
