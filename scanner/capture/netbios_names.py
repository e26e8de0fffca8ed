"""Names of NetBIOS as they are heard ([RFC 1001] 14.1, [RFC 1002] 4.1): 15 characters and a purpose."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.probes import netbios
from scanner.probes.netbios import Entry, Status

if TYPE_CHECKING:
    from scanner.wire import Reader

LENGTH: Final = 16
_ENCODED: Final = 32
_LABEL: Final = 63
_MOST_LABELS: Final = 16
_LETTERS: Final = frozenset(b"ABCDEFGHIJKLMNOP")
_OF_MACHINES: Final = frozenset({0x00, 0x20})
"""Suffixes of a machine's own names: its redirector's and its file service's."""


def encoded(reader: Reader) -> bytes:
    """The next name in first-level encoding, as 16 bytes; its scope is passed over.

    Raises:
        ProtocolError: it is none, or not whole.
    """
    if reader.u8() != _ENCODED:
        raise ProtocolError("not a NetBIOS name")
    letters = reader.bytes(_ENCODED)
    if not _LETTERS.issuperset(letters):
        raise ProtocolError(f"not a NetBIOS name: {letters.hex()}")
    for _ in range(_MOST_LABELS):
        length = reader.u8()
        if not length:
            return bytes(
                (a - 0x41) << 4 | (b - 0x41) for a, b in zip(letters[::2], letters[1::2], strict=True)
            )
        if length > _LABEL:
            break
        reader.skip(length)
    raise ProtocolError("a NetBIOS name with a scope of no end")


def decoded(name: bytes) -> tuple[str, int]:
    """The text of a name of 16 bytes, without its padding, and its suffix."""
    return Entry(name[: LENGTH - 1], (name[-1], False), 0).text, name[-1]


def of_sender(name: bytes) -> dict[str, str]:
    """What the name tells that a datagram comes from; nothing where it may be a person's."""
    text, suffix = decoded(name)
    is_own = suffix in _OF_MACHINES and text and not text.startswith("*")  # "*SMBSERVER" is anybody's
    return {"netbios.name": text} if is_own else {}


def registered(name: bytes, *, group: bool) -> dict[str, str | tuple[str, ...]]:
    """What one name of a machine tells of it, as a node status would; nothing where it may be a person's."""
    entry = Entry(name[: LENGTH - 1], (name[-1], group), 0)
    return netbios.facts(Status((entry,), b"", 0))
