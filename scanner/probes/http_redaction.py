"""What is kept of raw HTTP answers: header blocks without what names people or sessions, and titles.

The names of all headers stay, in their order, which tells servers apart; of values only those that evidence
is made of. Addresses lose their queries, NTLM challenges their eight bytes. Of a body only the title is kept.
"""

from __future__ import annotations

import re
from base64 import b64decode, b64encode
from typing import Final

from scanner.probes import tls
from scanner.probes.http1 import TITLE

_KEPT: Final = frozenset(
    b"connection content-encoding content-length content-type date server transfer-encoding "
    b"x-aspnet-version x-powered-by".split()
)
_STATUS: Final = re.compile(rb"HTTP/1\.\d \d{3}")
_NAME: Final = re.compile(rb"[A-Za-z0-9-]{1,64}")
_TOKEN: Final = re.compile(rb"[A-Za-z0-9+/]{32,}={0,2}")
_CHALLENGE: Final = b"NTLMSSP\0\2\0\0\0"


def redact(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Answers without what is named above; any bytes are an answer here."""
    return tuple(_one(answer) for answer in raw)


def _one(answer: bytes) -> bytes:
    if answer.startswith(b"HTTP/1."):
        return b"\n".join(_line(line) for line in answer.split(b"\n"))
    title = TITLE.search(answer)
    return title[0] if title else tls.redacted(answer)


def _line(line: bytes) -> bytes:
    name, colon, value = line.partition(b":")
    if not colon or not _NAME.fullmatch(name):
        status = _STATUS.match(line)
        return status[0] if status else b""
    kind = name.lower()
    if kind in _KEPT:
        return line
    if kind == b"location":
        return line.partition(b"?")[0]
    if kind == b"www-authenticate":
        return name + colon + _TOKEN.sub(lambda found: _blanked(found[0]), value)
    return name + colon


def _blanked(token: bytes) -> bytes:
    """A token without the challenge of an NTLM message in it ([MS-NLMP] 2.2.1.2)."""
    try:
        blob = b64decode(token, validate=True)
    except ValueError:
        return b""
    before, found, after = blob.partition(_CHALLENGE)
    return b64encode(before + found + after[:12] + bytes(len(after[12:20])) + after[20:]) if found else b""
