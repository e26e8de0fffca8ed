"""Sorting lines by the address that they are about, however many there are, in little memory.

A network card whose machine has no address stands for it, behind all addresses. Lines are kept in a run; a
run that is large enough is sorted by address and put on disk; at the end all runs are merged. What fits into
one run touches no disk.
"""

from __future__ import annotations

import os
import re
from heapq import merge
from itertools import groupby
from operator import itemgetter
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Final, Self

from scanner.addresses import IPV6_END, address_of, number_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_MERGING: Final = 1 << 22
"""Bytes that are read at once of all runs together when they are merged,"""
_PIECE: Final = 1 << 16
"""and of one of them at most,"""
_LEAST: Final = 1 << 12
"""and at least."""
_KEY: Final = 34
"""Characters of an address's place on the number line, in hexadecimal, and a space."""
_OVERHEAD: Final = 80
"""Bytes that Python adds to a line."""
_CARDS: Final = IPV6_END + 1
"""Where network cards begin, behind the number line."""
_CARD: Final = re.compile(r"[0-9a-f]{2}(?::[0-9a-f]{2}){5}")


def is_card(host: str) -> bool:
    """Whether this is a network card, ``00:1e:f6:73:59:8b``, and no address."""
    return _CARD.fullmatch(host) is not None


def _place(host: str) -> int:
    return _CARDS + int(host.replace(":", ""), 16) if is_card(host) else number_of(host)


def _host(place: int) -> str:
    return address_of(place) if place < _CARDS else (place - _CARDS).to_bytes(6, "big").hex(":")


class Sorted:
    """Lines about many addresses, one by one at last; a context manager that leaves no file behind."""

    def __init__(self, run: int) -> None:
        """Make an empty one, whose runs take so many bytes of memory."""
        self._run, self._size = run, 0
        self._lines: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._runs: list[tuple[int, int]] = []

    def add(self, address: str, content: bytes) -> None:
        """Keep a line, whose content has no line end.

        Raises:
            OSError: the disk for temporary files (TMPDIR) is full.
        """
        line = b"%033x %s\n" % (_place(address), content)
        self._lines.append(line)
        self._size += len(line) + _OVERHEAD
        if self._size >= self._run:
            self._put_away()

    def addresses(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """Every address with its lines in the order in which they came; once, at the end."""
        self._lines.sort(key=_address)
        runs = [self._stored(*place) for place in self._runs]
        for key, lines in groupby(merge(*runs, self._lines, key=_address), key=_address):
            yield _host(int(key, 16)), (line[_KEY:] for line in lines)

    def _put_away(self) -> None:
        if self._file is None:
            self._file = TemporaryFile()  # noqa: SIM115 - closed at the end of the context
        self._lines.sort(key=_address)
        start = self._file.seek(0, os.SEEK_END)
        self._file.writelines(self._lines)
        self._file.flush()
        self._runs.append((start, self._file.tell()))
        self._lines, self._size = [], 0

    def _stored(self, start: int, end: int) -> Iterator[bytes]:
        """The lines of a run on disk."""
        descriptor = -1 if self._file is None else self._file.fileno()
        size = max(_LEAST, min(_PIECE, _MERGING // len(self._runs)))
        rest = b""
        while start < end:
            piece = os.pread(descriptor, min(size, end - start), start)
            start += len(piece)
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._file is not None:
            self._file.close()


_address = itemgetter(slice(_KEY))
