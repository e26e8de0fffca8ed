"""Listening to what is damaged, by the million: evidence of declared keys, or nothing; never an error.

``make prove`` runs it. ``VETUSTE_PROVE_PACKETS`` damaged packets (a million), ``VETUSTE_PROVE_CAPTURES``
damaged captures (ten thousand); ``VETUSTE_SEED`` makes others.
"""

from __future__ import annotations

import gzip
import os
import random
from itertools import islice
from typing import TYPE_CHECKING

from scanner.capture.ear import Ear
from scanner.capture.files import captures
from scanner.capture.sources import sources
from scanner.capture.telling import Frame
from tests.capture.captures import frames_of
from tests.corpus import CORPUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from scanner.model import Observation

__test__ = CORPUS is not None

PACKETS = int(os.environ.get("VETUSTE_PROVE_PACKETS", "1000000"))
CAPTURES = int(os.environ.get("VETUSTE_PROVE_CAPTURES", "10000"))
SEED = os.environ.get("VETUSTE_SEED", "1")
AT_ONCE = 20_000
"""Packets that one ear hears."""
_EXTREMES = (0, 1, 0x7F, 0x80, 0xFE, 0xFF)
_HEADERS = 54
"""Where most payloads begin: damage goes behind it more often than not, or few would be understood."""


def files() -> list[Path]:
    """All captures of the corpus."""
    assert CORPUS is not None
    return sorted((CORPUS / "pcap").glob("*.pcap"))


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Some bytes changed, at their limits or at random; cut, doubled or shifted."""
    spoilt = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 8))):
        first = _HEADERS if len(spoilt) > _HEADERS and chance.random() < 0.8 else 0
        if first >= len(spoilt):
            break
        place = chance.randrange(first, len(spoilt))
        how = chance.randrange(6)
        if how == 0:
            spoilt[place] = chance.randrange(256)
        elif how == 1:
            width = chance.choice((1, 2, 4))
            spoilt[place : place + width] = bytes([chance.choice(_EXTREMES)]) * width
        elif how == 2:
            del spoilt[place:]
        elif how == 3:
            del spoilt[place : place + chance.randrange(1, 9)]
        elif how == 4:
            spoilt[place:place] = chance.randbytes(chance.randrange(1, 9))
        else:
            spoilt[place] ^= 1 << chance.randrange(8)
    return bytes(spoilt)


def packets(said: Sequence[Frame], chance: random.Random) -> Iterator[Frame]:
    """The frames of the corpus in their order, over and over, one in three damaged."""
    while True:
        for frame in said:
            data = damaged(frame.data, chance) if chance.randrange(3) else frame.data
            yield Frame(frame.link, frame.at, data)


def checked(heard: Iterable[Observation], keys: dict[str, frozenset[str]]) -> int:
    """How many observations there were; each says what its source declares, in words safe to print."""
    number = 0
    for seen in heard:
        number += 1
        assert seen.evidence.keys() <= keys[seen.probe], (seen.probe, seen.evidence)
        for values in seen.evidence.values():
            assert all(value and value.isprintable() and len(value) <= 256 for value in values)
    return number


def declared() -> dict[str, frozenset[str]]:
    """The keys of each source, by its name; what is below all words is the ear's own."""
    keys: dict[str, frozenset[str]] = {
        "syn": frozenset({"tcp.syn", "tcp.synack"}),
        "ttl": frozenset({"ip.ttl"}),
    }
    for source in sources():
        keys[source.name] = keys.get(source.name, frozenset()) | frozenset(source.keys)
    return keys


def test_a_million_damaged_packets() -> None:
    said = [frame for file in files() for frame in frames_of(file)]
    keys, chance = declared(), random.Random(SEED)
    everything, number = packets(said, chance), 0
    for _ in range(0, PACKETS * 3 // 2, AT_ONCE):
        number += checked(Ear().hear(islice(everything, AT_ONCE)), keys)
    assert number > PACKETS // 1000


def test_ten_thousand_damaged_captures(tmp_path: Path) -> None:
    whole = [file.read_bytes() for file in files()]
    chance, keys = random.Random(SEED), declared()
    target, complaints, heard = tmp_path / "damaged", 0, 0
    for number in range(CAPTURES):
        data = damaged(whole[number % len(whole)], chance)
        if number % 4 == 0:
            data = damaged(gzip.compress(data, 1), chance)
        target.write_bytes(data)
        for capture in captures([target]).each:
            heard += checked(Ear().hear(capture.frames()), keys)
            complaints += capture.complaint is not None
    assert complaints > CAPTURES // 20
    assert heard > CAPTURES
