"""What lines of an answer say: greetings, extensions and banners as evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.probes import lines

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.probes import Framing

_KEPT: Final = 24
"""Most lines of one answer that are kept."""


def opening(*words: bytes, longest: int = 512) -> Framing:
    """The framing of one line that begins with one of these words; for others nobody waits."""
    line = lines.line(longest)

    def framing(received: bytes) -> int | None:
        if not any(word.startswith(received[: len(word)]) for word in words):
            raise ProtocolError(f"not {lines.text(words[0])}: {received[:16].hex()}")
        return line(received)

    return framing


def texts(said: Iterable[bytes]) -> tuple[str, ...]:
    """Lines as evidence: the first of those that say something."""
    return tuple(text for line in said if (text := lines.text(line)))[:_KEPT]


def greeting(reply: bytes, *codes: bytes) -> tuple[str, ...]:
    """The texts of a reply, without its code ([RFC 959] 4.2, [RFC 5321] 4.2.1).

    Raises:
        ProtocolError: its code is none of these.
    """
    code = reply[:3]
    if code not in codes:
        raise ProtocolError(f"not a greeting: {lines.text(reply[:40])!r}")
    return texts(line.removeprefix(code).removeprefix(b"-") for line in reply.splitlines())
