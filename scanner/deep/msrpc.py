"""What impacket makes of the endpoint mapper and the object exporter on port 135, without a logon."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from scanner.deep import child
from scanner.deep.opinion import Opinion
from scanner.errors import ProtocolError
from scanner.transport.relay import Relay
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scanner.model import Endpoint, Observation
    from scanner.transport.gate import HostDoor
    from scanner.transport.switchboard import Switchboard

PROBE: Final = "deep.msrpc"
"""The name in the ledger and in observations."""
SERVICE: Final = 135
CONNECTIONS: Final = 2
"""Most that the program makes: one to the mapper, one to the exporter."""
PACKETS: Final = 400
"""Most packets to the host: handshakes, farewells, messages, an ACK a segment of what the relay carries."""
SIZE: Final = 512
"""Most bytes of payload in one connection: 328 were seen, a bind and four lookups."""
SECONDS: Final = 40.0
_MOST: Final = 128
"""Most values of one key."""

_SHAPES: Final = {
    "interfaces": (
        "msrpc.endpoints",
        re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12} v\d{1,5}\.\d{1,5}"),
    ),
    "addresses": ("msrpc.addresses", re.compile(r"[^\s\x00-\x1f]{1,255}")),
    "version": ("msrpc.com_version", re.compile(r"\d{1,5}\.\d{1,5}")),
}
"""What the program may say, the evidence key that it is, and the form of each value."""


async def ask(door: HostDoor, endpoints: Sequence[Endpoint], switchboard: Switchboard) -> list[Observation]:
    """Ask impacket about a host's port 135; whatever happens ends in an observation.

    Args:
        door: the host's, whose line is held.
        endpoints: those that answered.
        switchboard: what all connections share.

    Returns:
        One, where that port is among them, and enough connections are left.

    Raises:
        ClockError: the hours of the ward cannot be told any more.
    """
    endpoint = next((each for each in endpoints if each.service == SERVICE), None)
    if endpoint is None or door.left < CONNECTIONS:
        return []
    async with Relay(PROBE, endpoint, door, switchboard, CONNECTIONS, SIZE) as relay:
        opinion = Opinion(relay)
        why = await child.run(
            "msrpc_child.py", {"port": relay.port}, SECONDS, lambda said: opinion.learn(evidence_in(said))
        )
    return [opinion.observation(why)]


def evidence_in(said: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """The evidence in a line of the program.

    Raises:
        ProtocolError: something in it has not its form.
    """
    found = {}
    for name, (key, shape) in _SHAPES.items():
        values = said.get(name, [])
        several = values if isinstance(values, list) else [values]
        if not all(isinstance(value, str) and shape.fullmatch(value) for value in several):
            raise ProtocolError(f"its {name} are none")
        if several:
            found[key] = tuple(dict.fromkeys(map(printable, several)))[:_MOST]
    return found
