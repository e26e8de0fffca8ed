"""The chain over a campaign's rows: segments of lines, each linked to the one before (docs/sealing.md)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from scanner.audit.canonical import START, canonical, digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

ROWS: Final = 10_000
"""Rows of a segment; the last one of a table has fewer."""
LARGE: Final = 1 << 26
"""Bytes after which it has fewer as well."""
LONGEST: Final = 1 << 24
"""Most bytes of a line."""
_MARK: Final = 8


@dataclass(frozen=True, slots=True)
class Row:
    """One row that is sealed."""

    value: Mapping[str, object]
    raw: tuple[bytes, ...] = ()
    """Answers of a machine: only their digest is in ``value``."""


@dataclass(frozen=True, slots=True)
class Segment:
    """What is sealed of a run of rows."""

    table: str
    number: int
    """Its place among the table's segments, from 1."""
    rows: int
    size: int
    """Bytes of its lines."""
    sha256: str
    """Of its lines."""
    link: str = ""
    """The digest of this and of the link before it."""

    @property
    def name(self) -> str:
        """Its name in a bundle."""
        return f"{self.table}/{self.number:06}.jsonl"

    def plain(self) -> dict[str, str | int]:
        """As a manifest has it."""
        return {**self._body(), "link": self.link}

    def after(self, link: str) -> Segment:
        """The same, linked to what is before it."""
        linked = digest("link", bytes.fromhex(link), canonical(self._body()))
        return Segment(self.table, self.number, self.rows, self.size, self.sha256, linked)

    def _body(self) -> dict[str, str | int]:
        numbers = {"number": self.number, "rows": self.rows, "size": self.size}
        return {"table": self.table, **numbers, "sha256": self.sha256}


@dataclass(frozen=True, slots=True)
class Lines:
    """A segment with its lines, and the answers of its rows."""

    segment: Segment
    content: bytes
    raw: tuple[tuple[bytes, ...], ...] = field(default=(), repr=False)


def line_of(value: Mapping[str, object]) -> bytes:
    """A row as a line: a list of its mark and itself. The mark tells which line was changed."""
    body = canonical(value)
    return b'["%s",%s]\n' % (_mark(body), body)


def sound(line: bytes) -> bool:
    """Whether a line fits its mark, which proves nothing against somebody who makes marks as well."""
    body = line[_MARK + 4 : -2]
    return line == b'["%s",%s]\n' % (_mark(body), body)


def _mark(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest()[:_MARK].encode()


def segments_of(table: str, rows: Iterable[Row], *, most: int = ROWS) -> Iterator[Lines]:
    """Cut rows into segments, not yet linked; one of them is in memory at a time.

    Args:
        table: what they are of.
        rows: in their canonical order.
        most: rows of a segment.
    """
    left, number = iter(rows), 0
    while some := _taken(left, most):
        number += 1
        content = b"".join([line for line, _ in some])
        sha256 = hashlib.sha256(content).hexdigest()
        segment = Segment(table, number, len(some), len(content), sha256)
        yield Lines(segment, content, tuple(raw for _, raw in some))


def _taken(rows: Iterator[Row], most: int) -> list[tuple[bytes, tuple[bytes, ...]]]:
    """The lines and answers of the next segment."""
    some: list[tuple[bytes, tuple[bytes, ...]]] = []
    size = 0
    for row in islice(rows, most):
        line = line_of(row.value)
        size += len(line)
        some.append((line, row.raw))
        if size >= LARGE:
            break
    return some


def linked(segments: Iterable[Segment], before: str = START) -> Iterator[Segment]:
    """Segments as a chain, each with its link."""
    for segment in segments:
        made = segment.after(before)
        before = made.link
        yield made


def first_broken(segments: Sequence[Segment]) -> Segment | None:
    """The first segment whose link is not that of a chain; None where all are."""
    for stated, made in zip(segments, linked(segments), strict=True):
        if stated.link != made.link:
            return stated
    return None


def raw_digest(answers: tuple[bytes, ...]) -> str | None:
    """What is sealed of raw answers; None where there are none."""
    return digest("raw", *answers) if answers else None
