"""``echo``: one ICMP echo request to each host, by a socket that needs no right where the kernel is told so.

Who replies is there, and its ports are asked as those of a host that answers: also where a firewall is silent
on the first of them. Who does not reply is visited as ever: many hosts are told not to.
"""

from __future__ import annotations

from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scanner.addresses import IPV6
from scanner.language import Message
from scanner.model import Endpoint, Outcome, Transport
from scanner.sweep.methods import Method
from scanner.sweep.packets import Packet
from scanner.sweep.plan import packets_of
from scanner.transport.pinging import SIZE, Echoes, NoEchoError, echoes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from scanner.model import Observation
    from scanner.sweep.mass import Listener
    from scanner.transport.gate import Gate, HostDoor
    from scanner.transport.switchboard import Switchboard


@dataclass(slots=True)
class EchoLook:
    """Looks by echo, under way."""

    asking: dict[int, Echoes] = field(default_factory=dict)
    """By IP version."""

    async def ahead(self, numbers: Iterator[int], _: Listener) -> AsyncIterator[Iterable[int]]:
        """Every address: each is looked at when it is visited."""
        yield numbers

    async def look(self, door: HostDoor) -> Sequence[Observation]:
        """One request; nothing where this machine cannot send it there."""
        asking = self.asking.get(4 if door.number < IPV6 else 6)
        if asking is None:
            return ()
        packet = Packet(door, Endpoint(door.address, 0, Transport.ICMP), "echo")
        withheld = await packet.withheld()
        if withheld is not None:
            return (withheld,)
        try:
            answered = await packet.heard(asking.ask(door.address))
        except OSError:  # a broadcast address, this machine's firewall, no route: a connection will tell
            packet.unsent()
            return ()
        return (packet.ended(Outcome.ANSWERED if answered else Outcome.SILENT, size=SIZE),)


@asynccontextmanager
async def _opened(_: Gate, switchboard: Switchboard) -> AsyncIterator[EchoLook]:
    """One socket for each version of IP that this machine knows.

    Raises:
        NoEchoError: it may not send ICMP echo.
    """
    with ExitStack() as stack:
        look = EchoLook()
        for version in (4, 6):
            with suppress(OSError):
                look.asking[version] = stack.enter_context(echoes(version, switchboard))
        if not look.asking:
            raise NoEchoError
        yield look


METHOD = Method(
    "echo",
    Message("an ICMP echo request before the first connection: finds hosts whose firewall is silent"),
    frozenset({"clinical", "office", "lab"}),
    conclusive=False,
    open=_opened,
    most=packets_of(1),
)
