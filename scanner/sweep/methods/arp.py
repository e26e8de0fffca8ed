"""``arp``: asks the segments of this machine who has an address, as any host does before its first packet.

On a segment nobody can be there and not answer ([RFC 826]): who is silent twice is not visited. It says
nothing of addresses behind a router, and none of IPv6: those are visited as ever.
"""

from __future__ import annotations

import asyncio
import errno
import os
from collections import defaultdict
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING, Final

from scanner.addresses import IPV6
from scanner.errors import ConfigError
from scanner.language import Message
from scanner.model import Endpoint, Observation, Outcome, Transport
from scanner.sweep.methods import Method
from scanner.sweep.packets import Packet
from scanner.sweep.plan import packets_of
from scanner.transport.link import link_is_up
from scanner.transport.neighbours import KEY, mac_of, macs_of_routers
from scanner.transport.raw import raw_part
from scanner.transport.routes import segment_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Sequence

    from scanner.sweep.mass import Listener
    from scanner.transport.gate import Gate, HostDoor
    from scanner.transport.raw import Heard, Raw
    from scanner.transport.switchboard import Switchboard

PROGRAM: Final = "arp_raw.py"
_FAILED, _HEARD = 1, 19
"""Kinds of records, as ``children/raw.py`` and ``children/arp_raw.py`` have them."""
_TRIES: Final = 2
_INTERFACES: Final = 1 << 16
"""Numbers of interfaces that an order has room for."""
_SPOKEN_FOR: Final = 8
"""Addresses that one MAC may answer for before it counts as a router that answers for others ([RFC 1027])."""

Asked = tuple[int, int]
"""Address and interface."""


class NoScapyError(ConfigError):
    """The sweep arp needs scapy, in a process of its own: pip install "vetuste[arp]"."""


@dataclass(slots=True)
class ArpLook:
    """Looks by ARP, under way."""

    raw: Raw
    switchboard: Switchboard
    routers: frozenset[str] = frozenset()
    """The MACs of routers."""
    waiting: dict[Asked, asyncio.Future[bytes]] = field(default_factory=dict)
    spoken_for: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    """By MAC: for which addresses it answered, as far as that is counted."""

    async def ahead(self, numbers: Iterator[int], _: Listener) -> AsyncIterator[Iterable[int]]:
        """Every address: each is looked at when it is visited."""
        yield numbers

    async def look(self, door: HostDoor) -> Sequence[Observation]:
        """Ask once, and again where nobody answers; nothing where a router is in between."""
        interface = segment_of(door.address) if door.number < IPV6 else None
        if interface is None or interface >= _INTERFACES:
            return ()
        seen: list[Observation] = []
        for _ in range(_TRIES):
            packet = Packet(door, Endpoint(door.address, 0, Transport.LINK), "arp")
            withheld = await packet.withheld()
            if withheld is not None:
                return (*seen, withheld)
            try:
                mac = mac_of(await packet.heard(self._answer((door.number, interface))))
            except OSError as error:
                packet.unsent()
                return _failed(packet, error)
            if mac and self._speaks_for_others(mac, door.number):
                packet.ended(Outcome.ANSWERED)
                return ()
            if mac:
                return [*seen, packet.ended(Outcome.ANSWERED, {KEY: (mac,)})]
            seen.append(packet.ended(Outcome.SILENT))
        return seen if link_is_up(door.address) else _failed(packet, OSError(errno.ENETDOWN, ""))

    def _speaks_for_others(self, mac: str, number: int) -> bool:
        theirs = self.spoken_for[mac]
        if len(theirs) <= _SPOKEN_FOR:
            theirs.add(number)
        return mac in self.routers or len(theirs) > _SPOKEN_FOR

    async def _answer(self, asked: Asked) -> bytes:
        """The MAC of whoever answers; empty where nobody does in time.

        Raises:
            OSError: the request did not leave.
        """
        waiter: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self.waiting[asked] = waiter
        try:
            await self.raw.send([asked])
            self.switchboard.connecting.start(waiter)
            return await waiter
        finally:
            del self.waiting[asked]

    def take(self, heard: Heard) -> None:
        """Something was heard: it counts where it was asked for, and the first of several."""
        waiter = self.waiting.get((heard.number, heard.port))
        if waiter is None or waiter.done():
            return
        if heard.kind == _HEARD and mac_of(heard.more):
            waiter.set_result(heard.more)
        elif heard.kind == _FAILED:
            code = heard.more[0] if heard.more else errno.EIO
            waiter.set_exception(OSError(code, os.strerror(code)))


def _failed(packet: Packet, error: OSError) -> Sequence[Observation]:
    """This machine itself could not ask; nothing where that interface speaks no ARP."""
    if error.errno == errno.EADDRNOTAVAIL:
        return ()
    detail = os.strerror(error.errno or errno.EIO)
    return (Observation(packet.endpoint, packet.probe, datetime.now(UTC), Outcome.FAILED, detail=detail),)


@asynccontextmanager
async def _opened(_: Gate, switchboard: Switchboard) -> AsyncIterator[ArpLook]:
    """The raw part, and who speaks with it.

    Raises:
        NoScapyError: a library is missing.
        NoRawError: this machine may not.
    """
    if find_spec("scapy") is None:
        raise NoScapyError
    async with raw_part(PROGRAM) as raw:
        look = ArpLook(raw, switchboard, macs_of_routers())
        raw.heard = look.take
        yield look


METHOD = Method(
    "arp",
    Message("asks this machine's own segments who is there: no connection to an address that nobody has"),
    frozenset({"clinical", "office", "lab"}),
    conclusive=True,
    open=_opened,
    most=packets_of(_TRIES),
)
