"""Bringing together what a file says of each host, however it is strewn over the file, in little memory."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Final, Self

from scanner.imports.sorting import Sorted
from scanner.inventory.beside import united
from scanner.model import Endpoint, Observation, Outcome, Transport

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

RUN: Final = 8 << 20
"""Bytes of a run in memory."""
MOST: Final = 512
"""Observations of one host that are looked at: no honest file has more."""


class Gathered:
    """What is heard of many hosts, host by host at last; a context manager that leaves no file behind."""

    def __init__(self, run: int = RUN) -> None:
        self._sorted = Sorted(run)

    def add(self, seen: Observation) -> None:
        """Keep an observation.

        Raises:
            OSError: the disk for temporary files (TMPDIR) is full.
        """
        self._sorted.add(seen.endpoint.address, _packed(seen))

    def hosts(self) -> Iterator[tuple[str, tuple[Observation, ...]]]:
        """Every host's address with what was heard of it, in the order of addresses; once, at the end."""
        for address, heard in self.heard():
            yield address, tuple(one_each(tuple(islice(heard, MOST))))

    def heard(self) -> Iterator[tuple[str, Iterator[Observation]]]:
        """The same with every observation as it came, in its order; each host's before the next one's."""
        for address, lines in self._sorted.addresses():
            yield address, (_unpacked(address, line) for line in lines)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._sorted.__exit__(*error)


def _packed(seen: Observation) -> bytes:
    end = seen.endpoint
    parts = [end.port, end.transport, end.service, seen.probe, seen.at.timestamp(), seen.evidence]
    return json.dumps(parts).encode()


def _unpacked(address: str, line: bytes) -> Observation:
    port, transport, service, probe, at, evidence = json.loads(line)
    words = {key: tuple(values) for key, values in evidence.items()}
    endpoint = Endpoint(address, port, Transport(transport), service)
    return Observation(endpoint, probe, datetime.fromtimestamp(at, UTC), Outcome.ANSWERED, words)


def one_each(heard: Sequence[Observation]) -> Iterator[Observation]:
    """One observation a probe and endpoint; those without evidence only where nothing else is known of it."""
    by_probe: dict[tuple[Endpoint, str], list[Observation]] = {}
    for seen in heard:
        by_probe.setdefault((seen.endpoint, seen.probe), []).append(seen)
    telling = {(seen.endpoint.transport, seen.endpoint.port) for seen in heard if seen.evidence}
    for (endpoint, probe), same in by_probe.items():
        evidence = united(same)
        if evidence or (endpoint.transport, endpoint.port) not in telling:
            yield Observation(endpoint, probe, max(seen.at for seen in same), Outcome.ANSWERED, evidence)
