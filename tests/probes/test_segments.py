"""The form of a connection's first segments: of packets that real systems sent, and of damaged ones."""

from __future__ import annotations

import struct
import subprocess
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import ProtocolError
from scanner.fingerprints import load_fingerprints
from scanner.probes.segments import form_of
from tests.corpus import CORPUS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def packet(ttl: int, window: int, options: bytes, *, df: bool = True, words: int = 0) -> bytes:
    """SYN and ACK as bytes ([RFC 791] 3.1, [RFC 9293] 3.1), by hand."""
    offset = (20 + len(options)) // 4
    flags = 0x4000 if df else 0
    header = struct.pack("!BBHHHBBH8x", 0x45 + words, 0, 40 + len(options) + words * 4, 1, flags, ttl, 6, 0)
    segment = struct.pack("!HHIIBBHHH", 445, 40000, 1, 2, offset << 4, 0x12, window, 0, 0)
    return header + b"\x01" * (words * 4) + segment + options


MSS = bytes([2, 4, 5, 180])
SEVEN = MSS + bytes([1, 3, 3, 8, 1, 1, 4, 2])
LINUX = MSS + bytes([4, 2, 8, 10, 0, 0, 0, 9, 0, 0, 0, 1, 1, 3, 3, 7])
XP = MSS + bytes([1, 3, 3, 0, 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 4, 2])


@pytest.mark.parametrize(
    ("sent", "form"),
    [
        (packet(127, 8192, SEVEN), "ttl=128 win=8192 opts=mss,nop,ws8,nop,nop,sok df=1"),
        (packet(63, 65160, LINUX), "ttl=64 win=65160/45 opts=mss,sok,ts,nop,ws7 df=1"),
        (packet(120, 65535, XP), "ttl=128 win=65535 opts=mss,nop,ws0,nop,nop,ts0,nop,nop,sok df=1"),
        (packet(250, 4096, MSS, df=False), "ttl=255 win=4096 opts=mss df=0"),
        (packet(30, 5840, MSS + b"\0\0\0\0"), "ttl=32 win=5840/4 opts=mss,eol df=1"),
        (packet(64, 14600, MSS, words=2), "ttl=64 win=14600/10 opts=mss df=1"),
        (packet(64, 0, bytes([30, 4, 1, 2])), "ttl=64 win=0 opts=30 df=1"),
    ],
)
def test_forms(sent: bytes, form: str) -> None:
    assert form_of(sent) == form


def test_the_fingerprints_read_them() -> None:
    known = load_fingerprints()
    for options, window in ((SEVEN, 8192), (XP, 65535)):
        assert known.match("tcp.synack", form_of(packet(128, window, options))) is not None


@pytest.mark.parametrize("place", [0x2000, 0x0001, 0x3FFF])
def test_a_fragment_has_no_form(place: int) -> None:
    whole = packet(128, 65535, XP)
    with pytest.raises(ProtocolError, match="a fragment"):
        form_of(whole[:6] + place.to_bytes(2) + whole[8:])


@given(st.binary(max_size=80))
def test_anything_is_a_form_or_no_such_packet(data: bytes) -> None:
    with suppress(ProtocolError):
        assert form_of(data).startswith("ttl=")


@given(st.data())
def test_what_is_cut_or_damaged_is_refused_or_read(data: st.DataObject) -> None:
    whole = packet(128, 65535, XP)
    cut = whole[: data.draw(st.integers(0, len(whole) - 1))]
    with pytest.raises(ProtocolError):
        form_of(cut)
    damaged = bytearray(whole)
    damaged[data.draw(st.integers(0, len(whole) - 1))] = data.draw(st.integers(0, 255))
    with suppress(ProtocolError):
        assert " opts=" in form_of(bytes(damaged))


if CORPUS is not None:
    CAPTURES = sorted((CORPUS / "pcap").glob("*.pcap*"))[::4]

    def test_real_systems_have_forms(tmp_path: Path) -> None:
        """The first segments of real captures are read, and tshark sees the same options in them."""
        read = 0
        for capture in CAPTURES:
            chosen = tmp_path / "chosen.pcap"
            words = ("tcpdump", "-r", capture, "-w", chosen, "ip and tcp[tcpflags] & tcp-syn != 0")
            if subprocess.run(words, capture_output=True, check=False, timeout=60).returncode:
                continue
            frames = list(ethernet(chosen.read_bytes()))
            if not frames:
                continue
            told = ("tshark", "-n", "-r", chosen, "-T", "fields", "-e", "tcp.option_kind")
            shown = subprocess.run(told, capture_output=True, text=True, check=True, timeout=60).stdout
            for frame, kinds in zip(frames, shown.splitlines(), strict=True):
                form = form_of(frame)
                ours, theirs = list(map(kind_of, options(form))), options(f"opts={kinds} df=")
                assert ours == theirs[: len(ours)], form
                assert set(theirs[len(ours) :]) <= {"0"}, form
                read += 1
        assert read > 30


def ethernet(pcap: bytes) -> Iterator[bytes]:
    """The packets of a capture over Ethernet, without what the cable padded them with."""
    order = "<" if pcap[:4] in {b"\xd4\xc3\xb2\xa1", b"\x4d\x3c\xb2\xa1"} else ">"
    place = 24
    while struct.unpack_from(order + "I", pcap, 20)[0] == 1 and place < len(pcap):
        (size,) = struct.unpack_from(order + "I", pcap, place + 8)
        frame = pcap[place + 16 : place + 16 + size]
        start = 18 if frame[12:14] == b"\x81\x00" else 14
        yield frame[start : start + int.from_bytes(frame[start + 2 : start + 4])]
        place += 16 + size


def options(form: str) -> list[str]:
    found = form.partition("opts=")[2].partition(" df=")[0]
    return found.split(",") if found else []


def kind_of(name: str) -> str:
    known = {"mss": "2", "nop": "1", "sok": "4", "eol": "0", "ts": "8", "ts0": "8"}
    return "3" if name.startswith("ws") else known.get(name, name)
