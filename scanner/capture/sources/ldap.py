"""LDAP: the root of a directory as its server shows it, and NTLM of both ends ([MS-ADTS] 5.1.1.1.3).

Every other entry, every name under which somebody logs on, and every password is passed over.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture import tokens
from scanner.capture.telling import Hear, StreamSource, Told
from scanner.probes import ldap
from scanner.probes.der import INTEGER, OCTETS, SEQUENCE, enter, framing, next_element
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Direction, Hearing
    from scanner.probes.ldap import Attributes

_MESSAGES: Final = 10
_BIND: Final = 0x60
_BIND_ANSWER: Final = 0x61
_SEARCH: Final = 0x63
_ENTRY: Final = 0x64
_OF_SEARCH: Final = frozenset({_SEARCH, _ENTRY, 0x65})
_CREDENTIALS: Final = frozenset({0x8A, 0x8B, 0xA3})
"""How a client logs on with NTLM: Sicily's two messages ([MS-ADTS] 5.1.1.1.3), and SASL ([RFC 4511] 4.2)."""
_KEYS: Final = tuple(key for key in ldap.KEYS if key.startswith("ldap."))
_ROOT: Final = frozenset(
    {"supportedldapversion", "namingcontexts", "supportedcapabilities", "defaultnamingcontext"}
)
"""Attributes that only the root has ([RFC 4512] 5.1, [MS-ADTS] 3.1.1.3.2)."""


def hear(_direction: Direction) -> Hearing:
    """Either end, as long as it looks at the root or logs on."""
    for _ in range(_MESSAGES):
        message = yield Hear(framing)
        operation, content = _operation(message)
        if operation == _BIND:
            yield from _logon(content)
        elif operation == _BIND_ANSWER:
            yield from tokens.told(content.rest())
        elif operation == _ENTRY:
            name, entry = ldap.parse_named_entry(message)
            if name:
                return
            yield from _root(entry)
        elif operation not in _OF_SEARCH:
            return


def _operation(message: bytes) -> tuple[int, Reader]:
    """The operation of a message ([RFC 4511] 4.1.1)."""
    parts = enter(Reader(message), SEQUENCE, "LDAP")
    enter(parts, INTEGER, "LDAP")
    return next_element(parts)


def _logon(bind: Reader) -> Iterator[Told]:
    """NTLM in a logon ([RFC 4511] 4.2); the name before it may be a person's, a simple one is a password."""
    enter(bind, INTEGER, "LDAP")
    enter(bind, OCTETS, "LDAP")
    kind, credentials = next_element(bind)
    if kind in _CREDENTIALS:
        yield from tokens.told(credentials.rest())


def _root(entry: Attributes) -> Iterator[Told]:
    found = {key: said for key, said in ldap.evidence(entry).items() if said}
    if found and entry.keys() & _ROOT:
        yield Told(found)


_BEGINS: Final = re.compile(
    rb"\x30(?:[\0-\x7f]|\x81.|\x82..|\x83.{3}|\x84.{4})\x02[\1-\4].{1,4}?[\x60\x61\x63\x64]", re.DOTALL
)
SOURCES: Final = (StreamSource("ldap", (*_KEYS, *tokens.KEYS), _BEGINS, hear, ports=(389, 3268)),)
