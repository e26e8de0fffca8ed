"""Reading a bundle that a stranger may have made: verified whole, in little memory, before anything is taken.

Nothing is unpacked to disk, and no name in the file is ever used: at each place few names may stand, and each
has one header only. What a file becomes is bounded by its own size.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import zlib
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, BinaryIO

from scanner.audit.bundle import BLOCK, END, filling, header
from scanner.audit.verifying import is_whole
from scanner.bundles.form import (
    FREE,
    HEAD,
    LONGEST,
    RATIO,
    ROWS,
    SIGNATURE,
    SIZE,
    SUMS,
    TABLES,
    line_of,
    member_name,
    sum_line,
)
from scanner.bundles.heads import read_head
from scanner.bundles.lines import READERS, place_of
from scanner.errors import ConfigError, DataError
from scanner.jsonl import parsed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.config import SiteFile
    from scanner.inventory.carried import Item
    from scanner.inventory.giving import Head


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle of which every byte was verified; its stream stays open for as long as it is used."""

    stream: BinaryIO = field(repr=False)
    head: Head
    file: SiteFile | None
    """Its site, as it was for the scan."""
    sums: bytes = field(repr=False)
    """The list of digests: what is signed."""
    signature: bytes | None = field(repr=False)
    rows: dict[str, int]
    """By table."""

    @property
    def digest(self) -> str:
        """What stands for all of it."""
        return hashlib.sha256(self.sums).hexdigest()

    def items(self) -> Iterator[Item]:
        """What the scan brought, in order.

        Raises:
            DataError: the file was changed since it was verified.
        """
        reading = _Reading(self.stream)
        yield from reading.items()
        if reading.sums != self.sums:
            raise DataError("the bundle was changed while it was read")


def read_bundle(stream: BinaryIO) -> Bundle:
    """Verify a bundle to its last byte; a signature in it is not looked at.

    Args:
        stream: one that can seek.

    Raises:
        DataError: it is damaged, cut, of another format, or an attack.
    """
    if not is_whole(stream):
        raise DataError("this is no bundle, or it was changed or cut")
    reading = _Reading(stream)
    rows = dict.fromkeys(TABLES, 0)
    for _ in reading.items():
        rows[reading.table] += 1
    head, file = reading.head
    return Bundle(stream, head, file, reading.sums, reading.signature, rows)


class _Reading:
    """One run through a bundle."""

    def __init__(self, stream: BinaryIO) -> None:
        self._left = RATIO * stream.seek(0, os.SEEK_END) + FREE
        stream.seek(0)
        self._stream = stream
        self._unpacked: gzip.GzipFile
        self.sums = b""
        self.signature: bytes | None = None
        self.table = ""
        self._before: tuple[int | bytes, ...] = ()
        self.head: tuple[Head, SiteFile | None]

    def items(self) -> Iterator[Item]:
        """Everything that stands in lines; the rest is known when these have come to their end."""
        try:
            with closing(gzip.GzipFile(fileobj=self._stream, mode="rb")) as self._unpacked:
                yield from self._items()
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError("the bundle is damaged, and cannot be unpacked to its end") from error

    def _items(self) -> Iterator[Item]:
        self.head = read_head(_value(self._member(self._block(), (HEAD,))[1], HEAD))
        number = 0
        tables: tuple[str, ...] = TABLES
        while True:
            names = [member_name(tables[0], number + 1), *(member_name(name, 1) for name in tables[1:])]
            sums = self.sums
            name, content = self._member(self._block(), (*names, SUMS))
            if name == SUMS:
                break
            place = names.index(name)
            number, tables = 1 if place else number + 1, tables[place:]
            self.table = tables[0]
            yield from self._ordered(_items_of(self.table, content), anew=number == 1)
        if content != sums:
            raise DataError("the bundle's list of digests is not that of what stands in it")
        self.sums = content
        self._end()

    def _ordered(self, items: Iterator[Item], *, anew: bool) -> Iterator[Item]:
        """The same, where each stands behind the one before, also of the member before."""
        before = () if anew else self._before
        for item in items:
            place = place_of(item)
            if place and place <= before:
                raise DataError(
                    "lines of {name} are not in their order, or one stands twice", name=self.table
                )
            before = self._before = place
            yield item

    def _end(self) -> None:
        block = self._block()
        if block != END[:BLOCK]:
            sums = self.sums
            self.signature = self._member(block, (SIGNATURE,))[1]
            self.sums, block = sums, self._block()
        if block + self._read(BLOCK) != END or self._unpacked.read(1):
            raise DataError("something stands behind the end of the bundle")

    def _block(self) -> bytes:
        return self._read(BLOCK)

    def _member(self, block: bytes, names: tuple[str, ...]) -> tuple[str, bytes]:
        """The next member, which has one of these names."""
        try:
            size = tarfile.TarInfo.frombuf(block, "utf-8", "replace").size
        except tarfile.HeaderError as error:
            raise DataError("the bundle is damaged, and cannot be unpacked to its end") from error
        name = next(
            (name for name in names if 0 <= size <= SIZE + LONGEST and header(name, size) == block), None
        )
        if name is None:
            raise DataError("the bundle has something else where {name} is to stand", name=names[0])
        content = self._read(size)
        if self._read(len(filling(size))) != filling(size):
            raise DataError("something was written behind {name}", name=name)
        self.sums += sum_line(hashlib.sha256(content).hexdigest(), name)
        return name, content

    def _read(self, size: int) -> bytes:
        self._left -= size
        if self._left < 0:
            raise DataError("the bundle becomes far larger than scans do when it is unpacked: it is refused")
        content = self._unpacked.read(size)
        if len(content) != size:
            raise DataError("the bundle is damaged, and cannot be unpacked to its end")
        return content


def _value(line: bytes, name: str) -> Any:  # noqa: ANN401 - JSON is anything
    """What a line says, which has one way to be written."""
    try:
        value = parsed(line)
        same = line_of(value) == line
    except (ConfigError, ValueError, RecursionError) as error:
        raise DataError("a line of {name} is damaged", name=name) from error
    if not same:
        raise DataError("a line of {name} is not written as ours are", name=name)
    return value


def _items_of(table: str, content: bytes) -> Iterator[Item]:
    """What the lines of a member stand for."""
    lines = content.split(b"\n")
    if lines.pop() or not lines or len(lines) > ROWS or max(map(len, lines)) > LONGEST:
        raise DataError("a line of {name} is damaged", name=table)
    reads = READERS[table]
    for line in lines:
        yield reads(_value(line + b"\n", table))
