"""A driver of conversations for tests: it replays answers instead of asking a network.

It does what the transport does with a probe's steps, and it holds the probe to what the probe declares.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from scanner.errors import LimitError, PeerClosedError, ProbeError
from scanner.probes import Learnt, Peer, Reconnect, Secure, Send

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.model import Endpoint
    from scanner.probes import Probe

Answer: TypeAlias = bytes | ProbeError
"""A message, or what the transport says of its absence."""


@dataclass
class Heard:
    """What came of a conversation."""

    evidence: dict[str, str | tuple[str, ...]] = field(default_factory=dict)
    said: list[bytes] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    error: ProbeError | None = None
    connections: int = 1
    exchanges: int = 0


@dataclass
class Replay:
    """Connections that a host accepts; each is the answers that it gives, in order, before it hangs up.

    Where TLS begins, the answer is what ``Secure`` gives back. Of datagrams, one is one answer.

    In the place of a later connection, an error is what becomes of the attempt to make it.

    Each message reaches the framing whole, with ``garbage`` behind it, or byte by byte.
    """

    connections: Sequence[Sequence[Answer] | ProbeError]
    garbage: bytes = b""
    byte_by_byte: bool = False

    def hold(self, probe: Probe, endpoint: Endpoint) -> Heard:
        """The conversation with a host of which nothing else is known."""
        return self.hold_with(probe, Peer(endpoint))

    def hold_with(self, probe: Probe, peer: Peer) -> Heard:
        heard = Heard()
        later = list(self.connections)
        first = later.pop(0)
        assert not isinstance(first, ProbeError), "a conversation begins on a connection"
        waiting = list(first)
        conversation = probe.converse(peer)
        answer: bytes | ProbeError = b""
        try:
            step = next(conversation)
            while True:
                if isinstance(step, Learnt):
                    assert step.evidence, "nothing learnt"
                    repeated = heard.evidence.keys() & step.evidence.keys()
                    assert not repeated, f"said twice: {repeated}"
                    assert step.evidence.keys() <= set(probe.keys)
                    heard.evidence |= step.evidence
                    answer = b""
                elif isinstance(step, Reconnect):
                    heard.connections += 1
                    assert heard.connections <= probe.connections
                    following = later.pop(0) if later else []
                    waiting = [] if isinstance(following, ProbeError) else list(following)
                    answer = following if isinstance(following, ProbeError) else b""
                elif isinstance(step, Secure):
                    heard.exchanges += 1
                    answer = waiting.pop(0) if waiting else PeerClosedError()
                    heard.raw += [answer] if isinstance(answer, bytes) else []
                else:
                    answer = self._answer(step, waiting, heard, probe.hears)
                    assert heard.exchanges <= probe.exchanges
                    assert sum(map(len, heard.said)) <= probe.size
                step = (
                    conversation.throw(answer)
                    if isinstance(answer, ProbeError)
                    else conversation.send(answer)
                )
        except StopIteration:
            pass
        except ProbeError as error:
            heard.error = error
        return heard

    def _answer(self, send: Send, waiting: list[Answer], heard: Heard, hears: int) -> bytes | ProbeError:
        heard.exchanges += 1
        if send.data:
            heard.said.append(send.data)
        found = waiting.pop(0) if waiting else PeerClosedError()
        if isinstance(found, ProbeError):
            return found
        most = min(send.limit, hears)
        try:
            length = self._delimit(send, found)
        except ProbeError as error:
            return error
        if length is None:
            return PeerClosedError() if len(found) <= most else LimitError()
        assert 0 < length <= most, "it must be declared how much is heard"
        heard.raw.append(found[:length])
        return found[:length]

    def _delimit(self, send: Send, whole: bytes) -> int | None:
        if not self.byte_by_byte:
            return send.until(whole + self.garbage)
        for end in range(len(whole) + 1):
            length = send.until(whole[:end])
            if length is not None:
                assert length == end == len(whole), "a message is whole with its last byte, not before"
                return length
        return None
