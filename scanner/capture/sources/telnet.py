"""Telnet: what a server asks for, and its text up to the login prompt ([RFC 854]).

A server repeats what is typed, a name before all. So its text is told only where it awaits somebody, and
nobody has typed yet; of a client, nothing is told.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture.greetings import impersonal
from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.probes import ntlm, telnet

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing

_LONGEST: Final = 1 << 12
_CLIENT: Final = "telnet.client"
_TYPED: Final = "telnet.typed"
_ANSWERED: Final = re.compile(r".{0,40}[:>?#$%\])][ \t]*\S")
"""A line that may be a prompt, with something behind it."""


def hear(direction: Direction) -> Hearing:
    """Either end."""
    return _hear_server(direction) if direction.side is Side.SERVER else _hear_client(direction)


def _hear_client(direction: Direction) -> Hearing:
    """Whether somebody has typed."""
    direction.shared[_CLIENT] = True

    def typed(received: bytes) -> int | None:
        return 1 if telnet.split(received)[0].replace(telnet.PASSED, b"") else None

    yield Hear(typed, _LONGEST)
    direction.shared[_TYPED] = True


def _hear_server(direction: Direction) -> Hearing:
    if not direction.begun:
        return
    course = telnet.Course()
    for _ in range(telnet.ROUNDS):
        heard = yield Hear(telnet.Ear(), _LONGEST)
        course.take(heard)
        if course.is_over(heard):
            break
    told = dict(course.facts())
    if lines := told.pop("telnet.banner", ()):
        told["telnet.banner"] = _untyped(impersonal(lines), direction)
    if told:
        yield Told(told)
    if course.challenge:
        yield Told(ntlm.facts(course.challenge))


def _untyped(lines: tuple[str, ...], direction: Direction) -> tuple[str, ...]:
    """Lines that nobody has typed; where the client was not heard, those that surely are none."""
    if _TYPED in direction.shared:
        return ()
    if _CLIENT in direction.shared:
        return lines
    return tuple(line for line in lines if not _ANSWERED.match(line))


KEYS: Final = ("telnet.banner", "telnet.options", *ntlm.KEYS)
SOURCES: Final = (StreamSource("telnet", KEYS, re.compile(rb"[\xff\x1b\x07\r\n\0 -~]"), hear, ports=(23,)),)
