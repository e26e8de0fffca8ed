"""Raw answers as they are stored: each after its length, together in one zlib stream."""

from __future__ import annotations

import struct
import zlib
from typing import Final

_LENGTH: Final = struct.Struct(">I")
_SETTINGS: Final = (1, zlib.DEFLATED, 12, 5)
"""Level 1, a window of 4 KiB, little memory: answers are short, and such a stream is made much faster."""


def pack(answers: tuple[bytes, ...]) -> bytes | None:
    """Answers for the database; None where there are none."""
    if not answers:
        return None
    stream = zlib.compressobj(*_SETTINGS)
    whole = b"".join([_LENGTH.pack(len(answer)) + answer for answer in answers])
    return stream.compress(whole) + stream.flush()


def unpack(stored: bytes | None) -> tuple[bytes, ...]:
    """Answers from the database."""
    if stored is None:
        return ()
    data, found, position = zlib.decompress(stored), [], 0
    while position < len(data):
        start = position + _LENGTH.size
        position = start + _LENGTH.unpack_from(data, position)[0]
        found.append(data[start:position])
    return tuple(found)
