"""Protocols of text lines: where a message ends, and its words as evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.wire import printable

if TYPE_CHECKING:
    from scanner.probes import Framing

_CODE: Final = 3
"""Digits of a reply's code ([RFC 5321] 4.2.1, [RFC 959] 4.2)."""


def line(longest: int = 512) -> Framing:
    """The framing of one line, its end included ([RFC 5321] 4.5.3.1.5 has 512 bytes of reply)."""

    def framing(received: bytes) -> int | None:
        end = received.find(b"\n")
        if end >= 0:
            return end + 1
        if len(received) > longest:
            raise ProtocolError(f"a line of more than {longest} bytes")
        return None

    return framing


def reply(longest: int = 512) -> Framing:
    """The framing of a reply: lines that begin with its code, the last one without a hyphen after it.

    Lines between that begin otherwise are text of the reply ([RFC 959] 4.2).
    """
    next_line = line(longest)

    def framing(received: bytes) -> int | None:
        if received and not received[:_CODE].isdigit():
            raise ProtocolError(f"not a reply: {received[:16].hex()}")
        start, code = 0, received[:_CODE]
        while length := next_line(received[start:]):
            said = received[start : start + length]
            start += length
            if said[:_CODE] == code and said[_CODE : _CODE + 1] != b"-":
                return start
        return None

    return framing


def text(raw: bytes) -> str:
    """Words of the peer, made safe to keep: UTF-8 or else Latin-1, without spaces around them."""
    try:
        decoded = raw.decode("utf-8")
    except UnicodeDecodeError:
        decoded = raw.decode("latin-1")
    return printable(decoded.strip(" \t\r\n\0"))
