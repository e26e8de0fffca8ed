"""Holding a probe's conversation over sockets: whatever happens ends in one observation."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, assert_never

from scanner.errors import LimitError, PeerClosedError, ProbeError, ProtocolError
from scanner.model import Observation, Outcome, Transport
from scanner.probes import Learnt, Peer, Reconnect, Secure, Send
from scanner.transport.call import Call
from scanner.transport.dialling import outcome_of
from scanner.transport.gate import ForbiddenError, HeldBackError, HoursError
from scanner.transport.posting import Posting
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.model import Endpoint, Evidence
    from scanner.probes import Conversation, Probe, Step
    from scanner.transport.gate import HostDoor
    from scanner.transport.switchboard import Switchboard

_OUTCOMES: Final[Mapping[type[ProbeError], Outcome]] = {
    ProtocolError: Outcome.FOREIGN,
    PeerClosedError: Outcome.CLOSED,
    LimitError: Outcome.EXCESSIVE,
}

REDIALS: Final = 3
"""How often a connection after the first is tried again, at most: one in ten may get lost."""


@dataclass(slots=True)
class _Course:
    """What became of one conversation so far."""

    evidence: dict[str, tuple[str, ...]] = field(default_factory=dict)
    raw: list[bytes] = field(default_factory=list)
    exchanges: int = 0
    said: int = 0
    """Bytes of payload."""
    reconnections: int = 0
    outcome: Outcome = Outcome.ANSWERED
    detail: str = ""

    def learn(self, evidence: Mapping[str, str | tuple[str, ...]]) -> None:
        for key, value in evidence.items():
            self.evidence[key] = (value,) if isinstance(value, str) else value

    def count(self, step: Send | Secure, probe: Probe) -> LimitError | None:
        """Count a message; an error where a probe says more than it declares."""
        self.exchanges += 1
        self.said += len(step.data) if isinstance(step, Send) else 0
        if self.exchanges > probe.exchanges:
            return LimitError(f"{probe.name} declares {probe.exchanges} exchanges")
        if self.said > probe.size:
            return LimitError(f"{probe.name} declares {probe.size} bytes")
        return None

    def end(self, outcome: Outcome, detail: str) -> None:
        self.outcome, self.detail = outcome, printable(detail)


async def hold(  # noqa: PLR0913 - with whom, through what, on which terms
    probe: Probe,
    endpoint: Endpoint,
    door: HostDoor,
    switchboard: Switchboard,
    known: Evidence | None = None,
    *,
    counted: bool = True,
) -> Observation:
    """Hold one conversation, connecting first; never raises for anything that a network can do.

    Args:
        probe: whose conversation.
        endpoint: with whom.
        door: the host's door, which admits every connection.
        switchboard: what all connections share.
        known: what the host has said in this visit so far.
        counted: whether what is sent is among the connections that a host gets in a scan.

    Raises:
        HoursError: the ward's window closed before anything was sent.
        HeldBackError: nothing may be sent for the time being, were it in mid-conversation.
        ClockError: the hours cannot be told.
    """
    course = _Course()
    before = door.connections
    over = Posting if endpoint.transport is Transport.UDP else Call
    call = over(probe.name, endpoint, door, switchboard)
    call.counted = counted
    try:
        opened = await call.open()
    except HoursError:
        raise
    except (ForbiddenError, LimitError) as forbidden:
        course.end(Outcome.WITHHELD, str(forbidden))
    else:
        if opened is not None:
            course.end(opened.outcome, opened.detail)
        else:
            async with switchboard.places:
                peer = Peer(endpoint, known or {}, door.terms.given.get(probe.name, {}))
                await _Dialogue(probe, peer, course, call).run()
    return Observation(
        endpoint,
        probe.name,
        datetime.now(UTC),
        course.outcome,
        course.evidence,
        course.detail,
        door.connections - before,
        probe.redact(tuple(course.raw)),
    )


@dataclass(slots=True)
class _Dialogue:
    probe: Probe
    peer: Peer
    course: _Course
    call: Call

    async def run(self) -> None:
        conversation = self.probe.converse(self.peer)
        try:
            await self._follow(conversation)
        finally:
            conversation.close()
            self.call.end(self.course.outcome)

    async def _follow(self, conversation: Conversation) -> None:
        heard: bytes | ProbeError | None = None
        while True:
            try:
                step = _advance(conversation, heard)
            except StopIteration:
                # The probe made something of whatever happened (a refused second connection is an answer),
                # but datagrams that all met silence are no answer.
                if self.course.raw or self.call.silence is Outcome.STALLED:
                    self.course.end(Outcome.ANSWERED, "")
                return
            except ProbeError as error:
                # A failure of the connection is told by its own name, not as what the probe was told.
                if self.course.outcome is Outcome.ANSWERED:
                    self.course.end(_OUTCOMES[type(error)], str(error))
                return
            heard = await self._take(step)

    async def _take(self, step: Step) -> bytes | ProbeError:
        """Do one step; an error is an answer too: the probe may make something of it."""
        if isinstance(step, Learnt):
            self.course.learn(step.evidence)
            return b""
        if isinstance(step, Reconnect):
            return await self._reconnect()
        if isinstance(step, Send | Secure):
            return await self._exchange(step)
        assert_never(step)

    async def _exchange(self, step: Send | Secure) -> bytes | ProbeError:
        undeclared = self.course.count(step, self.probe)
        if undeclared is not None:
            return undeclared
        call = self.call
        try:
            await call.take_turn()
        except HeldBackError:
            raise
        except (ForbiddenError, LimitError) as forbidden:
            return LimitError(str(forbidden))
        try:
            answer = await _heard(self.call, step, self.probe.hears)
        except ProbeError as error:
            return self._lose(_OUTCOMES[type(error)], error)
        except TimeoutError:
            why = LimitError(f"no whole answer in {call.waited.seconds:g} s")
            return self._lose(call.silence, why)
        except OSError as error:
            return self._lose(outcome_of(error), PeerClosedError(error.strerror or ""))
        self.course.raw.append(answer)
        if call.silence is Outcome.SILENT:  # a datagram that was lost before is made good
            self.course.end(Outcome.ANSWERED, "")
        return answer

    def _lose(self, outcome: Outcome, error: ProbeError) -> ProbeError:
        self.course.end(outcome, str(error))
        self.call.door.missed |= outcome in {Outcome.STALLED, Outcome.SILENT}
        self.call.lose(outcome)
        return error

    async def _reconnect(self) -> bytes | ProbeError:
        """Open another connection; a SYN that gets lost is sent again, since the host answered before."""
        self.call.end(Outcome.ANSWERED)
        self.course.reconnections += 1
        if self.course.reconnections >= self.probe.connections:
            return LimitError(f"{self.probe.name} declares {self.probe.connections} connections")
        try:
            opened = await self.call.open()
            redials = REDIALS if self.call.door.subnet.congestion.lossy else 1
            while redials and opened is not None and opened.outcome is Outcome.SILENT:
                opened = await self.call.open()
                redials -= 1
        except HeldBackError:
            raise
        except (ForbiddenError, LimitError) as forbidden:
            return LimitError(str(forbidden))
        return b"" if opened is None else PeerClosedError(opened.detail)


async def _heard(call: Call, step: Send | Secure, most: int) -> bytes:
    """What answers a step, of no more bytes than the probe declares."""
    if isinstance(step, Secure):
        return await call.secure(step, most)
    return await call.exchange(step if step.limit <= most else replace(step, limit=most))


def _advance(conversation: Conversation, heard: bytes | ProbeError | None) -> Step:
    if heard is None:
        return next(conversation)
    if isinstance(heard, ProbeError):
        return conversation.throw(heard)
    return conversation.send(heard)
