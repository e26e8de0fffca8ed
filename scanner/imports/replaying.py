"""Banners that others heard, told to our own probes: what they learn of them is evidence like any other.

A conversation is held with the answers that are there; where it wants to hear more than that, it ends.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

from scanner.errors import LimitError, ProbeError
from scanner.model import Endpoint
from scanner.probes import Learnt, Peer, Send, probes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.imports.heard import Words
    from scanner.probes import Conversation, Step

_STEPS: Final = 64
"""Steps of a conversation, more than any probe takes."""


@lru_cache(maxsize=1 << 12)  # banners come back host after host
def replayed(probe: str, *answers: bytes) -> Words:
    """What a probe learns from answers that came one after the other; nothing where there is no such probe.

    What of an answer the probe does not take with one message belongs to the next.
    """
    known = next((each for each in probes() if each.name == probe), None)
    if known is None:
        return {}
    endpoint = Endpoint("192.0.2.1", known.ports[0], known.transport)  # nobody's: it is never called
    return _held(known.converse(Peer(endpoint)), b"".join(answers[:1]), answers[1:])


def _held(conversation: Conversation, rest: bytes, answers: Sequence[bytes]) -> Words:
    learnt: dict[str, str | tuple[str, ...]] = {}
    waiting = list(answers)
    try:
        step = next(conversation)
        for _ in range(_STEPS):
            if isinstance(step, Learnt):
                learnt |= step.evidence
                step = conversation.send(b"")
                continue
            if not rest and waiting and isinstance(step, Send) and step.data:
                rest = waiting.pop(0)
            message = _message(step, rest)
            if message is None:
                step = conversation.throw(LimitError())
                rest, waiting = b"", []
            else:
                rest = rest[len(message) :]
                step = conversation.send(message)
    except (StopIteration, ProbeError):
        pass
    conversation.close()
    return learnt


def _message(step: Step, heard: bytes) -> bytes | None:
    """The message that answers a step, out of what was heard; None where nothing does.

    Raises:
        ProbeError: it answers something else.
    """
    if not isinstance(step, Send) or not heard:
        return None
    length = step.until(heard[: step.limit])
    return None if length is None else heard[:length]
