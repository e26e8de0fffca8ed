"""Bringing together what a file says of each host, however it is strewn over the file, in little memory.

What is heard is kept in a run; a run that is large enough is sorted by address and put on disk; at the end
all runs are merged. A file that fits into one run touches no disk.
"""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from heapq import merge
from itertools import groupby, islice
from operator import itemgetter
from tempfile import TemporaryFile
from typing import IO, TYPE_CHECKING, Final, Self

from scanner.addresses import address_of, number_of
from scanner.imports.heard import VALUES
from scanner.model import Endpoint, Observation, Outcome, Transport

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from types import TracebackType

    from scanner.model import Evidence

RUN: Final = 24 << 20
"""Bytes of a run in memory."""
MOST: Final = 512
"""Observations of one host that are looked at: no honest file has more."""
_PIECE: Final = 1 << 16
"""Bytes of a run that are read at once when runs are merged."""
_KEY: Final = 34
"""Characters of an address's place on the number line, in hexadecimal, and a space."""
_OVERHEAD: Final = 80
"""Bytes that Python adds to a line."""


class Gathered:
    """What is heard of many hosts, host by host at last; a context manager that leaves no file behind."""

    def __init__(self, run: int = RUN) -> None:
        self._run, self._size = run, 0
        self._lines: list[bytes] = []
        self._file: IO[bytes] | None = None
        self._runs: list[tuple[int, int]] = []

    def add(self, seen: Observation) -> None:
        """Keep an observation.

        Raises:
            OSError: the disk for temporary files (TMPDIR) is full.
        """
        line = b"%033x %s\n" % (number_of(seen.endpoint.address), _packed(seen))
        self._lines.append(line)
        self._size += len(line) + _OVERHEAD
        if self._size >= self._run:
            self._put_away()

    def hosts(self) -> Iterator[tuple[str, tuple[Observation, ...]]]:
        """Every host's address with what was heard of it, in the order of addresses; once, at the end."""
        self._lines.sort(key=_address)
        runs = [self._stored(*place) for place in self._runs]
        for key, lines in groupby(merge(*runs, self._lines, key=_address), key=_address):
            address = address_of(int(key, 16))
            heard = [_unpacked(address, line[_KEY:]) for line in islice(lines, MOST)]
            yield address, tuple(_one_each(heard))

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
        rest = b""
        while start < end:
            piece = os.pread(descriptor, min(_PIECE, end - start), start)
            start += len(piece)
            *whole, rest = (rest + piece).split(b"\n")
            yield from whole

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._file is not None:
            self._file.close()


_address = itemgetter(slice(_KEY))


def _packed(seen: Observation) -> bytes:
    end = seen.endpoint
    parts = [end.port, end.transport, end.service, seen.probe, seen.at.timestamp(), seen.evidence]
    return json.dumps(parts).encode()


def _unpacked(address: str, line: bytes) -> Observation:
    port, transport, service, probe, at, evidence = json.loads(line)
    words = {key: tuple(values) for key, values in evidence.items()}
    endpoint = Endpoint(address, port, Transport(transport), service)
    return Observation(endpoint, probe, datetime.fromtimestamp(at, UTC), Outcome.ANSWERED, words)


def _one_each(heard: Sequence[Observation]) -> Iterator[Observation]:
    """One observation a probe and endpoint; those without evidence only where nothing else is known of it."""
    by_probe: dict[tuple[Endpoint, str], list[Observation]] = {}
    for seen in heard:
        by_probe.setdefault((seen.endpoint, seen.probe), []).append(seen)
    telling = {(seen.endpoint.transport, seen.endpoint.port) for seen in heard if seen.evidence}
    for (endpoint, probe), same in by_probe.items():
        evidence = united(same)
        if evidence or (endpoint.transport, endpoint.port) not in telling:
            yield Observation(endpoint, probe, max(seen.at for seen in same), Outcome.ANSWERED, evidence)


def united(observations: Iterable[Observation]) -> Evidence:
    """The evidence of all observations; different values of one key stand side by side, each once."""
    found: dict[str, tuple[str, ...]] = {}
    for seen in observations:
        for key, values in seen.evidence.items():
            found[key] = tuple(dict.fromkeys((*found.get(key, ()), *values)))[:VALUES]
    return found
