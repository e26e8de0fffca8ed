"""A campaign as one file for an auditor: a tar.gz of which every byte is known beforehand (docs/sealing.md).

Behind the compressed tar stands an empty gzip member whose comment is the SHA-256 of all bytes before it:
``tar xzf`` reads over it, and whatever was changed or cut by accident is found without unpacking anything.
"""

from __future__ import annotations

import base64
import hashlib
import tarfile
import zlib
from typing import TYPE_CHECKING, BinaryIO, Final

from scanner.audit.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.audit.chain import Lines
    from scanner.audit.manifest import Manifest

BLOCK: Final = 512
"""Bytes of a tar's header; contents are filled up to a multiple of it."""
END: Final = bytes(2 * BLOCK)
_GZIP: Final = 31
"""Of zlib: a gzip header without name and time, and a window of 32 KiB."""
_BEFORE: Final = b"\x1f\x8b\x08\x10\0\0\0\0\0\xffsha256:"
_BEHIND: Final = b"\0\x03\0" + bytes(8)
TRAILER: Final = len(_BEFORE) + 64 + len(_BEHIND)
"""Bytes of the last gzip member."""


def header(name: str, size: int) -> bytes:
    """The one header that a member of this name and size has."""
    about = tarfile.TarInfo(name)
    about.size, about.mode = size, 0o600
    return about.tobuf(tarfile.USTAR_FORMAT)


def filling(size: int) -> bytes:
    """What stands behind contents of a size."""
    return bytes(-size % BLOCK)


def trailer(sha256: str) -> bytes:
    """The last member, over bytes with this digest."""
    return _BEFORE + sha256.encode() + _BEHIND


def raw_name(name: str) -> str:
    """The member with the answers of a segment's rows."""
    return f"raw/{name}"


class Bundle:
    """A bundle being written, member by member."""

    def __init__(self, stream: BinaryIO, manifest: Manifest, *, raw: bool = False) -> None:
        """Write its beginning: the head, and the manifest.

        Args:
            stream: where to.
            manifest: of the campaign.
            raw: whether the answers of machines are handed over too.
        """
        self._stream, self._raw = stream, raw
        self._sha256 = hashlib.sha256()
        self._deflating = zlib.compressobj(6, zlib.DEFLATED, _GZIP)
        self._member("HEAD", f"{manifest.head}\n".encode())
        self._member("manifest.json", manifest.content)

    def add(self, lines: Lines) -> None:
        """Write the next segment."""
        self._member(lines.segment.name, lines.content)
        if self._raw and any(lines.raw):
            self._member(raw_name(lines.segment.name), _answers(lines.raw))

    def finish(self) -> str:
        """Write its end; gives the SHA-256 of the whole file."""
        self._put(self._deflating.compress(END) + self._deflating.flush())
        self._put(trailer(self._sha256.hexdigest()))
        return self._sha256.hexdigest()

    def _member(self, name: str, content: bytes) -> None:
        for part in (header(name, len(content)), content, filling(len(content))):
            self._put(self._deflating.compress(part))

    def _put(self, content: bytes) -> None:
        self._sha256.update(content)
        self._stream.write(content)


def _answers(rows: Iterable[tuple[bytes, ...]]) -> bytes:
    encoded = ([base64.b64encode(answer).decode() for answer in answers] for answers in rows)
    return b"".join([canonical(answers) + b"\n" for answers in encoded])
