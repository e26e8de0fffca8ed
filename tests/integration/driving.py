"""A synchronous driver of conversations over real sockets: a probe against a real server."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scanner.errors import LimitError, PeerClosedError, ProbeError, ProtocolError
from scanner.model import Endpoint, Transport
from scanner.probes import Learnt, Peer, Reconnect, Secure, Send
from scanner.transport.secured import VERSIONS, context

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.probes import Conversation, Probe, Step

SECONDS = 10.0


@dataclass
class Driven:
    """What came of a conversation."""

    evidence: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    raw: list[bytes] = field(default_factory=list)
    error: ProbeError | None = None
    connections: int = 1
    exchanges: int = 0


class _Line:
    """One socket, whatever it is made of."""

    def __init__(self, transport: Transport, where: tuple[str, int]) -> None:
        kind = socket.SOCK_DGRAM if transport is Transport.UDP else socket.SOCK_STREAM
        self.socket: socket.socket = socket.socket(socket.AF_INET, kind)
        self.socket.settimeout(SECONDS)
        self.socket.connect(where)
        self.datagrams = transport is Transport.UDP
        self.heard = b""

    def exchange(self, send: Send) -> bytes:
        if send.data:
            self.socket.sendall(send.data)
        while True:
            length = send.until(self.heard) if self.heard or not self.datagrams else None
            if length is not None:
                message, self.heard = self.heard[:length], self.heard[length:]
                return message
            if len(self.heard) > send.limit:
                raise LimitError
            chunk = self.socket.recv(1 << 16)
            if not chunk and not self.datagrams:
                raise PeerClosedError
            self.heard = chunk if self.datagrams else self.heard + chunk

    def secure(self, step: Secure) -> bytes:
        try:
            secured = context().wrap_socket(self.socket, server_hostname=step.server_name or None)
        except ssl.SSLError as error:
            raise ProtocolError(error.reason or "TLS") from None
        self.socket = secured
        version = VERSIONS[secured.version() or ""]
        return version.to_bytes(2, "big") + (secured.getpeercert(binary_form=True) or b"")


@dataclass
class _Drive:
    """A conversation under way."""

    probe: Probe
    where: tuple[str, int]
    driven: Driven = field(default_factory=Driven)

    def __post_init__(self) -> None:
        self.line = _Line(self.probe.transport, self.where)

    def take(self, step: Step) -> bytes:
        if isinstance(step, Learnt):
            assert step.evidence.keys() <= set(self.probe.keys)
            assert not step.evidence.keys() & self.driven.evidence.keys()
            self.driven.evidence |= step.evidence
            return b""
        if isinstance(step, Reconnect):
            self.line.socket.close()
            self.driven.connections += 1
            self.line = _Line(self.probe.transport, self.where)
            return b""
        self.driven.exchanges += 1
        answer = self.line.secure(step) if isinstance(step, Secure) else self.line.exchange(step)
        self.driven.raw.append(answer)
        return answer

    def follow(self, conversation: Conversation) -> None:
        step = next(conversation)
        while True:
            try:
                heard = self.take(step)
            except ProbeError as error:
                step = conversation.throw(error)
            except TimeoutError:
                step = conversation.throw(LimitError())
            except OSError as error:
                step = conversation.throw(PeerClosedError(str(error)))
            else:
                step = conversation.send(heard)


def drive(  # noqa: PLR0913 - each has its default
    probe: Probe,
    address: str,
    port: int,
    *,
    service: int = 0,
    known: Mapping[str, tuple[str, ...]] | None = None,
    given: Mapping[str, tuple[str, ...]] | None = None,
) -> Driven:
    """Hold one conversation of a probe with a server."""
    endpoint = Endpoint(address, port, probe.transport, service or probe.ports[0])
    course = _Drive(probe, (address, port))
    driven = course.driven
    try:
        course.follow(probe.converse(Peer(endpoint, known or {}, given or {})))
    except StopIteration:
        pass
    except ProbeError as error:
        driven.error = error
    finally:
        course.line.socket.close()
    assert driven.exchanges <= probe.exchanges
    assert driven.connections <= probe.connections
    return driven
