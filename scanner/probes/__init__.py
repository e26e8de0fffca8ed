"""Probes: one protocol a file, pure, found by being there.

A module of this package that has a ``PROBE`` is a probe. Its conversation says bytes and hears bytes; it
cannot open a socket, sleep, retry or log, nor exceed the exchanges and connections that it declares.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from scanner.model import Endpoint, Transport

Framing: TypeAlias = Callable[[bytes], int | None]
"""Given what has arrived so far: the length of the first whole message, or None while more is needed.

It raises :class:`~scanner.errors.ProtocolError` as soon as no continuation could make a message.
"""


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
class Learnt:
    """Evidence that stands whatever becomes of the rest of the conversation."""

    evidence: Mapping[str, str | tuple[str, ...]]


Step: TypeAlias = Send | Reconnect | Learnt
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
    """Where the protocol lives; the next is tried only when the one before gave no evidence."""
    keys: tuple[str, ...]
    """The evidence keys that it may yield."""
    converse: Callable[[Endpoint], Conversation]
    exchanges: int = 1
    """Most messages that it sends."""
    connections: int = 1
    """Most connections that it opens on one port."""
    size: int = 1 << 10
    """Most bytes of payload that it sends in one conversation; the transport refuses to send more."""
    logs: str = ""
    """What a target may log of it, and where that is documented; a key of the catalogue."""
    trouble: str = ""
    """What trouble with such a conversation is known, and from where; a key of the catalogue."""
    redact: Callable[[tuple[bytes, ...]], tuple[bytes, ...]] = keep_all
    """Takes what names people out of raw answers; runs before they are kept."""


@cache
def probes() -> tuple[Probe, ...]:
    """Every probe of this package, by name."""
    found = []
    for module in pkgutil.iter_modules(__path__):
        probe = getattr(importlib.import_module(f"{__name__}.{module.name}"), "PROBE", None)
        if isinstance(probe, Probe):
            found.append(probe)
    return tuple(sorted(found, key=lambda probe: probe.name))
