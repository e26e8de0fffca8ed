"""The words between packets and those who understand them."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import re

    from scanner.probes import Framing


class Frame(NamedTuple):
    """What was on the wire once, as far as it was kept."""

    link: int
    """What its first bytes are: a link type (https://www.tcpdump.org/linktypes.html)."""
    at: float
    """When, in seconds since 1970, UTC."""
    data: bytes


class Packet(NamedTuple):
    """An IP packet, whole, out of whatever was wrapped around it."""

    data: bytes
    """From the first byte of its header."""
    card: bytes
    """The card of the machine that put it on this wire (a router's, where it was routed); empty: unknown."""


class Payload(NamedTuple):
    """What a frame carries that is no IP packet, or one with ICMPv6: that is about its link."""

    kind: int
    """Its EtherType; below 1536, an IEEE 802.3 frame of that length, which begins with LLC."""
    data: bytes
    card: bytes
    """The card that sent it."""


class Side(StrEnum):
    """Which end of a conversation spoke."""

    CLIENT = "client"
    SERVER = "server"


class Told(NamedTuple):
    """What a source learnt of one host."""

    evidence: Mapping[str, str | tuple[str, ...]]
    side: Side = Side.SERVER
    """A server's words belong to its endpoint, a client's to no port."""
    address: str = ""
    """Whose it is, where it is not that of the host that spoke: an IP address, or a card's (``00:1e:…``) of a
    host that has none yet."""


class Datagram(NamedTuple):
    """One UDP datagram."""

    source: str
    """The address that it came from."""
    source_port: int
    target: str
    target_port: int
    data: bytes
    card: bytes
    """As :attr:`Packet.card`."""


class Hear(NamedTuple):
    """Wait for one message of this direction, delimited by ``until``; it is what comes back."""

    until: Framing
    limit: int = 1 << 16
    """The longest message that is waited for, in bytes."""


class Skip(NamedTuple):
    """Pass over so many bytes of this direction without keeping them; it does not matter if some are lost."""

    length: int


Hearing: TypeAlias = Generator[Hear | Skip | Told, bytes, None]
"""One direction of one connection, heard by a source; it ends as soon as nothing more is to be learnt.

A ProbeError that it raises (or its framing) ends it as well.
"""


@dataclass(slots=True)
class Direction:
    """One direction of a TCP connection, as its source sees it."""

    address: str
    """Who speaks."""
    port: int
    other: str
    """To whom."""
    other_port: int
    side: Side
    """Which end speaks: known where the beginning was seen, else guessed from the ports."""
    shared: dict[str, object] = field(default_factory=dict)
    """What the sources of both directions leave for each other."""
    begun: bool = False
    """Whether it is heard from its first byte on: later, what looks like a greeting may name anybody."""
    ttl: int = 0
    """The time to live of the first packet that was listened to; 0: unknown."""

    @property
    def service(self) -> int:
        """The server's port."""
        return self.port if self.side is Side.SERVER else self.other_port


@dataclass(frozen=True, slots=True)
class StreamSource:
    """A protocol over TCP, heard in one direction at a time."""

    name: str
    """As the probe of that protocol, where there is one."""
    keys: tuple[str, ...]
    """The evidence keys that it may yield."""
    begins: re.Pattern[bytes]
    """What the first bytes of a direction look like (``match``, on at most 64 of them), from either end.

    Where the beginning was not seen, or something of a direction was lost, any segment may be the first.
    """
    hear: Callable[[Direction], Hearing]
    ports: tuple[int, ...] = ()
    """Only where one of these is the port of either end: for protocols that look like others."""


@dataclass(frozen=True, slots=True)
class DatagramSource:
    """A protocol over UDP."""

    name: str
    keys: tuple[str, ...]
    ports: tuple[int, ...]
    """Heard where either port is one of these."""
    hear: Callable[[Datagram], Iterable[Told]]
    """A ProbeError of it: the datagram is something else."""
    begin: Callable[[], Callable[[Datagram], Iterable[Told]]] | None = None
    """Of a source that remembers datagrams: makes the ``hear`` of one capture, which no other shares."""


@dataclass(frozen=True, slots=True)
class FrameSource:
    """A protocol right on the wire."""

    name: str
    keys: tuple[str, ...]
    kinds: tuple[int, ...]
    """EtherTypes; 0 for every IEEE 802.3 frame, which begins with LLC; 0x86DD for those with ICMPv6."""
    hear: Callable[[Payload], Iterable[Told]]
    """A ProbeError of it: the frame is something else."""


Source: TypeAlias = StreamSource | DatagramSource | FrameSource
