"""Frames for these tests: made by hand, by scapy, and those of the real captures."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Final

from scanner.capture.ear import Ear
from scanner.capture.telling import Frame
from tests.corpus import CORPUS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from scapy.packet import Packet as Built

ETHERNET: Final = 1
CARD: Final = "00:1e:f6:73:59:8b"
OTHER: Final = "00:0c:29:aa:bb:cc"
_ORDERS: Final = {b"\xd4\xc3\xb2\xa1": "<", b"\xa1\xb2\xc3\xd4": ">"}


def frame(data: Built | bytes, link: int = ETHERNET, at: float = 1_000_000_000.0) -> Frame:
    """A frame of a link type."""
    return Frame(link, at, bytes(data))


def heard(frames: Iterable[Frame]) -> dict[tuple[str, int, str], dict[str, tuple[str, ...]]]:
    """What an ear learns, by address, port and source."""
    found: dict[tuple[str, int, str], dict[str, tuple[str, ...]]] = {}
    for each in Ear().hear(frames):
        if each.probe != "ttl":  # of a conversation whose beginning is not there
            where = each.endpoint.address, each.endpoint.port, each.probe
            found.setdefault(where, {}).update(each.evidence)
    return found


def captured(file: Path) -> Iterator[Frame]:
    """The frames of a capture in the old form."""
    data = file.read_bytes()
    order = _ORDERS[data[:4]]
    link, at = struct.unpack_from(order + "I", data, 20)[0], 24
    while at < len(data):
        seconds, parts, length, _ = struct.unpack_from(order + "IIII", data, at)
        at += 16 + length
        yield Frame(link, seconds + parts / 1e6, data[at - length : at])


def capture(name: str) -> list[Frame]:
    """Those of the one capture of the corpus with these letters in its name."""
    assert CORPUS is not None
    (file,) = (CORPUS / "pcap").glob(f"*{name}*.pcap")
    return list(captured(file))
