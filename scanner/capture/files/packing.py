"""What a capture is packed in: gzip (RFC 1952) or Zstandard (RFC 8878), one member after another.

A packed capture may be of any size and from anyone: it is unpacked from few bytes at a time, because the
unpackers give at once all that their input makes.
"""

from __future__ import annotations

import itertools
import zlib
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol

from scanner.capture.files.incoming import BLOCK, DamageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_WINDOW: Final = 1 << 27
"""Bytes of what was unpacked before that a member may refer to: as far as ``zstd`` itself goes unasked."""
_ZSTANDARD: Final = (b"\x28\xb5\x2f\xfd", *(bytes((0x50 | n, 0x2A, 0x4D, 0x18)) for n in range(16)))
"""A frame, and frames that are skipped, which may be the first."""
_BROKEN: Final = "cannot be unpacked to its end: {why}; packets read: {packets}"


class _Member(Protocol):
    """One gzip member or Zstandard frame."""

    def decompress(self, data: bytes, /) -> bytes: ...
    @property
    def eof(self) -> bool: ...
    @property
    def unused_data(self) -> bytes: ...


class _Packing(NamedTuple):
    member: Callable[[], _Member]
    piece: int
    """Bytes that are unpacked at a time."""
    errors: tuple[type[Exception], ...]


def unpacked(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The bytes of a capture, out of what they are packed in, where they are."""
    first = b""
    while len(first) < 4 and (block := next(blocks, b"")):  # noqa: PLR2004 - a magic number
        first += block
    packing = _packing_of(first[:4])
    whole = itertools.chain((first,) if first else (), blocks)
    return whole if packing is None else _members(packing, whole)


def _packing_of(magic: bytes) -> _Packing | None:
    if magic.startswith(b"\x1f\x8b\x08"):
        return _Packing(lambda: zlib.decompressobj(wbits=31), 1 << 13, (zlib.error,))  # at most 8 MiB
    if magic in _ZSTANDARD:
        return _zstandard()
    return None


def _zstandard() -> _Packing:
    import zstandard  # noqa: PLC0415 - only where such a capture is met

    unpacker = zstandard.ZstdDecompressor(max_window_size=_WINDOW)
    # a block of 4 bytes makes at most 128 KiB (RFC 8878, 3.1.1.2): at most 32 MiB
    return _Packing(unpacker.decompressobj, 1 << 10, (zstandard.ZstdError,))


def _members(packing: _Packing, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """What is packed in members that stand one after another, zeros between them."""
    member: _Member | None = packing.member()
    ready: list[bytes] = []
    for piece in _pieces(blocks, packing.piece):
        left = piece
        while left:
            if member is None and not (left := left.lstrip(b"\0")):
                break
            member = member or packing.member()
            try:
                ready.append(member.decompress(left))
            except packing.errors as error:
                yield from _joined(ready)
                raise DamageError(_BROKEN, why=error) from error
            left, member = (member.unused_data, None) if member.eof else (b"", member)
        if len(piece) < packing.piece or sum(map(len, ready)) > BLOCK // 4:
            yield from _joined(ready)
    yield from _joined(ready)
    if member is not None:
        raise DamageError("is cut short: what it is packed in has no end; packets read: {packets}")


def _pieces(blocks: Iterator[bytes], size: int) -> Iterator[bytes]:
    """What came, in small pieces: the last one of a block, after which it may take long, is a shorter one."""
    for block in blocks:
        for at in range(0, len(block), size):
            yield block[at : at + size]
        if len(block) % size == 0:
            yield b""


def _joined(ready: list[bytes]) -> Iterator[bytes]:
    """What was unpacked, in blocks; it is let go."""
    whole = b"".join(ready)
    ready.clear()
    if len(whole) <= BLOCK:
        if whole:
            yield whole
        return
    for at in range(0, len(whole), BLOCK):
        yield whole[at : at + BLOCK]
