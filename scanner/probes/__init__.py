"""Probes: one protocol a file, pure, found by being there.

A module of this package that has a ``PROBE`` is a probe. Its conversation says bytes and hears bytes; it
cannot open a socket, sleep, retry or log, nor exceed the exchanges and connections that it declares.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from scanner.model import Endpoint, Evidence, Transport

Framing: TypeAlias = Callable[[bytes], int | None]
"""Given what has arrived so far: the length of the first whole message, or None while more is needed.

It raises :class:`~scanner.errors.ProtocolError` as soon as no continuation could make a message. Of
datagrams it sees one at a time: None means that this one answers something else, and the next is awaited.
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """Whom a conversation is held with, and what it may build on."""

    endpoint: Endpoint
    evidence: Evidence = field(default_factory=dict)
    """What the host has said in this visit so far, to whatever probe."""
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict, repr=False)
    """What the site file gives to this probe; secrets may be among it."""

    @property
    def service(self) -> int:
        """The registered port that is spoken to: sites may move it, so a probe decides by this alone."""
        return self.endpoint.service


@dataclass(frozen=True, slots=True)
class Send:
    """Say ``data`` (nothing, where the peer speaks first) and hear one message, delimited by ``until``."""

    data: bytes
    until: Framing
    limit: int = 1 << 16
    """The longest message that is listened to, in bytes."""


@dataclass(frozen=True, slots=True)
class Reconnect:
    """Close this connection and go on over a new one.

    :class:`~scanner.errors.LimitError` comes back where the host's limits allow no other connection.
    """


@dataclass(frozen=True, slots=True)
class Secure:
    """Begin TLS on this connection, as a client that trusts anybody; what follows goes through it.

    What comes back is the protocol's version, two bytes as on the wire ([RFC 8446] 4.1.2), then the peer's
    certificate in DER, nothing where it has none. It counts as one exchange.

    Raises (into the conversation):
        ProtocolError: no TLS came about; an old system may speak one that this machine no longer does.
    """

    server_name: str = ""
    """The name that is asked for ([RFC 6066] section 3); empty: none."""


@dataclass(frozen=True, slots=True)
class Learnt:
    """Evidence that stands whatever becomes of the rest of the conversation."""

    evidence: Mapping[str, str | tuple[str, ...]]


Step: TypeAlias = Send | Reconnect | Secure | Learnt
Conversation: TypeAlias = Generator[Step, bytes, None]


def keep_all(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The ``redact`` of a protocol whose answers name no person."""
    return raw


@dataclass(frozen=True, slots=True)
class Probe:
    """One protocol's conversation, and what it may cost a host."""

    name: str
    transport: Transport
    ports: tuple[int, ...]
    """Where it lives, the likeliest port first; the next is tried only where those before told nothing."""
    keys: tuple[str, ...]
    """The evidence keys that it may yield."""
    converse: Callable[[Peer], Conversation]
    rank: int
    """Its place in a visit: what is cheap, safe and telling has a low one and comes early."""
    reveals: int = 0
    """So many of its ports are asked even of addresses where nothing has answered yet."""
    exchanges: int = 1
    """Most messages that it sends."""
    connections: int = 1
    """Most connections that it opens on one port."""
    size: int = 1 << 10
    """Most bytes of payload that it sends in one conversation; the transport refuses to send more."""
    hears: int = 1 << 13
    """Most bytes of one answer, or of one TLS handshake, that are listened to; the rest is not heard."""
    needs: tuple[str, ...] = ()
    """What the site file must give (:attr:`Peer.given`) before it is held at all."""
    wants: tuple[str, ...] = ()
    """Evidence of other probes that it can make use of: where it told nothing, it is held again with them."""
    logs: str = ""
    """What a target may log of it, and where that is documented; a key of the catalogue."""
    trouble: str = ""
    """What trouble with such a conversation is known, and from where; a key of the catalogue."""
    redact: Callable[[tuple[bytes, ...]], tuple[bytes, ...]] = keep_all
    """Takes what names people out of raw answers; runs before they are kept."""


@cache
def probes() -> tuple[Probe, ...]:
    """Every probe of this package, in the order of a visit."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        probe = getattr(importlib.import_module(f"{__name__}.{module.name}"), "PROBE", None)
        if isinstance(probe, Probe):
            found.append(probe)
    return tuple(sorted(found, key=lambda probe: (probe.rank, probe.name)))
