"""Verifying a bundle: on any machine, without an inventory, in constant memory.

Nothing is unpacked to disk, and no name in the file is ever used: what must stand where follows from the
manifest. Whatever is compressed in it is read a line at a time.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import hashlib
import os
import tarfile
import zlib
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, BinaryIO, Final

from scanner.audit.bundle import BLOCK, END, TRAILER, filling, header, raw_name, trailer
from scanner.audit.chain import LARGE, LONGEST, ROWS, Segment, raw_digest, sound
from scanner.audit.manifest import LARGEST, Manifest, read_manifest
from scanner.errors import ConfigError, VetusteError
from scanner.jsonl import parsed

if TYPE_CHECKING:
    from pathlib import Path

_PIECE: Final = 1 << 20
_MOST_RAW: Final = 1 << 32
"""Most bytes of the answers of a segment."""
_HEAD: Final = 65


@dataclass(frozen=True, slots=True)
class Verified:
    """A bundle in which every byte is as it was sealed, or made anew as a whole: only its head tells."""

    manifest: Manifest
    head: str
    rows: int
    raw: bool
    """Whether the answers of machines are in it."""


def verify_bundle(file: Path) -> Verified:
    """Verify a bundle against its own manifest.

    Raises:
        ConfigError: there is no such file.
        VetusteError: it is not as it was sealed; says where.
    """
    try:
        with file.open("rb") as stream:
            return examine(stream)
    except OSError as error:
        raise ConfigError("cannot be read: {why}", file=file, why=error.strerror or error) from error
    except VetusteError as error:
        error.file = error.file or file
        raise


def examine(stream: BinaryIO) -> Verified:
    """The same, of an open file."""
    whole = is_whole(stream)
    stream.seek(0)
    try:
        with closing(gzip.GzipFile(fileobj=stream, mode="rb")) as unpacked:
            found = _Reading(unpacked).verified()
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise VetusteError("the bundle is damaged, and cannot be unpacked to its end") from error
    if not whole:
        raise VetusteError("the bundle was changed, cut or added to outside of what is sealed")
    return found


def is_whole(stream: BinaryIO) -> bool:
    """Whether the file's last member is the digest of all before it."""
    size = stream.seek(0, os.SEEK_END)
    left, sha256 = size - TRAILER, hashlib.sha256()
    stream.seek(0)
    while left > 0:
        piece = stream.read(min(left, _PIECE))
        if not piece:
            return False
        sha256.update(piece)
        left -= len(piece)
    return stream.read(TRAILER + 1) == trailer(sha256.hexdigest())


class _Reading:
    """The members of a bundle, one after the other."""

    def __init__(self, stream: gzip.GzipFile) -> None:
        self._stream = stream
        self._ahead = b""
        self._raw = False

    def verified(self) -> Verified:
        """Read all of it."""
        self._demand_member("HEAD", _HEAD)
        head = self._stream.read(_HEAD).decode("ascii", "replace").rstrip("\n")
        self._demand_filling(_HEAD, "HEAD")
        manifest = self._manifest()
        if manifest.head != head:
            raise VetusteError("the manifest is not that of the head: one of them was changed")
        for segment in manifest.segments:
            self._segment(segment)
        if self._header() + self._stream.read(BLOCK + 1) != END:
            raise VetusteError("something stands behind the last segment that was never sealed")
        rows = sum(segment.rows for segment in manifest.segments)
        return Verified(manifest, head, rows, self._raw)

    def _manifest(self) -> Manifest:
        size = _size(self._header(ahead=True))
        if size > LARGEST:
            raise VetusteError("the manifest is too large: this is no bundle of ours")
        self._demand_member("manifest.json", size)
        content = self._stream.read(size)
        self._demand_filling(size, "manifest.json")
        return read_manifest(content)

    def _segment(self, segment: Segment) -> None:
        if segment.rows > ROWS or segment.size > LARGE + LONGEST:
            raise VetusteError("{segment} is larger than a segment may be", segment=segment.name)
        self._demand_member(segment.name, segment.size)
        lines, sha256, left = [], hashlib.sha256(), segment.size
        for number in range(1, segment.rows + 1):
            line = self._stream.readline(min(left, LONGEST))
            if not sound(line):
                raise _changed(segment, number)
            sha256.update(line)
            left -= len(line)
            lines.append(line)
        if left or sha256.hexdigest() != segment.sha256:
            raise VetusteError(
                "rows of {segment} were dropped, added, reordered or rewritten: their digest is another",
                segment=segment.name,
            )
        self._demand_filling(segment.size, segment.name)
        self._answers(segment, lines)

    def _answers(self, segment: Segment, lines: list[bytes]) -> None:
        """The answers of a segment's rows, where they are in the bundle."""
        name, block = raw_name(segment.name), self._header(ahead=True)
        if not block.startswith(name.encode() + b"\0"):
            return
        self._raw, size = True, min(_size(block), _MOST_RAW)
        self._demand_member(name, size)
        left = size
        for number, line in enumerate(lines, start=1):
            raw = self._stream.readline(min(left, LONGEST))
            left -= len(raw)
            if _stated(line) != _of_answers(raw):
                raise VetusteError(
                    "the answers of row {row} of {segment} are not those that were sealed",
                    segment=segment.name,
                    row=number,
                )
        if left:
            raise VetusteError("something stands behind the last segment that was never sealed")
        self._demand_filling(size, name)

    def _header(self, *, ahead: bool = False) -> bytes:
        """The next header; ``ahead``: it is read again next time."""
        block, self._ahead = self._ahead or self._stream.read(BLOCK), b""
        if ahead:
            self._ahead = block
        return block

    def _demand_member(self, name: str, size: int) -> None:
        if self._header() != header(name, size):
            raise VetusteError("{segment} is missing, or stands elsewhere in the bundle", segment=name)

    def _demand_filling(self, size: int, name: str) -> None:
        expected = filling(size)
        if self._stream.read(len(expected)) != expected:
            raise VetusteError("something was written behind {segment}", segment=name)


def _changed(segment: Segment, number: int) -> VetusteError:
    return VetusteError("row {row} of {segment} was changed", row=number, segment=segment.name)


def _size(block: bytes) -> int:
    """What a header says of its member's size."""
    try:
        return max(0, tarfile.TarInfo.frombuf(block, "utf-8", "replace").size)
    except tarfile.HeaderError as error:
        raise VetusteError("the bundle is damaged, and cannot be unpacked to its end") from error


def _stated(line: bytes) -> object:
    """The digest of its answers that a row states."""
    try:
        value = parsed(line)[1]
    except (ConfigError, IndexError, KeyError, TypeError):
        return ""
    return value.get("raw") if isinstance(value, dict) else ""


def _of_answers(line: bytes) -> str | None:
    try:
        answers = [base64.b64decode(answer, validate=True) for answer in parsed(line)]
    except (ConfigError, TypeError, ValueError, binascii.Error):
        return ""
    return raw_digest(tuple(answers))
