"""Reading and writing captures for tests, without what is tested."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from scanner.capture.telling import Frame

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


def frames_of(path: Path) -> Iterator[Frame]:
    """The frames of a classic pcap file (https://www.ietf.org/archive/id/draft-ietf-opsawg-pcap)."""
    data = path.read_bytes()
    order = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">"}.get(data[:4])
    if order is None:
        return
    (link,) = struct.unpack_from(order + "I", data, 20)
    place = 24
    while place + 16 <= len(data):
        seconds, part, kept, _ = struct.unpack_from(order + "IIII", data, place)
        yield Frame(link & 0xFFFF, seconds + part / 1e6, data[place + 16 : place + 16 + kept])
        place += 16 + kept


def write_pcap(path: Path, frames: Iterable[bytes], link: int = 1) -> int:
    """Write frames, a millisecond apart; how many there were."""
    number = 0
    with path.open("wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 1 << 18, link))
        for number, frame in enumerate(frames, 1):
            seconds, rest = divmod(number, 1000)
            file.write(
                struct.pack("<IIII", 1_780_000_000 + seconds, rest * 1000, len(frame), len(frame)) + frame
            )
    return number
