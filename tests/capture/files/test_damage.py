"""Cut anywhere, damaged anywhere: what stood before is kept, and one line says the rest."""

from __future__ import annotations

import gzip

import pytest
import zstandard

from tests.capture.files.written import SENT, pcap, pcapng, read

_WHOLE = {
    "pcap": pcap(SENT),
    "pcap of the other order": pcap(SENT, ">"),
    "pcapng": pcapng(SENT),
    "pcapng of the other order": pcapng(SENT, ">"),
    "gzip": gzip.compress(pcap(SENT[:3])) + gzip.compress(pcap(SENT)[24 + 36 + 37 + 38 :]),
    "zstd": zstandard.ZstdCompressor(write_checksum=True).compress(pcapng(SENT)),
}
kinds = pytest.mark.parametrize("kind", _WHOLE)


@kinds
def test_whole_it_has_every_frame(kind: str) -> None:
    found = read(_WHOLE[kind])
    assert [frame.data for frame in found.frames] == [each.data for each in SENT]
    assert found.complaint == ""


@kinds
def test_cut_anywhere_it_has_what_stood_before(kind: str) -> None:
    whole = read(_WHOLE[kind]).frames
    for end in range(len(_WHOLE[kind])):
        found = read(_WHOLE[kind][:end])
        assert found.frames == whole[: len(found.frames)]
        if not found.complaint:  # it was cut between two packets
            assert read(_WHOLE[kind][:end] + _WHOLE[kind][:1]).complaint
        else:
            assert found.complaint.startswith("made: ")
            assert "\n" not in found.complaint


@pytest.mark.parametrize("kind", ["pcap", "pcapng"])
def test_a_cut_in_the_midst_of_a_packet_is_said(kind: str) -> None:
    found = read(_WHOLE[kind][:-1])
    assert len(found.frames) == len(SENT) - 1
    assert found.complaint == f"made: is cut short at byte {len(_WHOLE[kind]) - 1}; packets read: 5"


@kinds
@pytest.mark.parametrize("change", [0x01, 0x80, 0xFF])
def test_damaged_anywhere_nothing_but_a_complaint_comes(kind: str, change: int) -> None:
    for place in range(len(_WHOLE[kind])):
        content = bytearray(_WHOLE[kind])
        content[place] ^= change
        found = read(bytes(content))
        assert len(found.frames) <= len(SENT)
        assert "\n" not in found.complaint


@kinds
def test_damage_of_the_lengths_anywhere(kind: str) -> None:
    for place in range(len(_WHOLE[kind]) - 3):
        for spoilt in (b"\xff\xff\xff\xff", bytes(4), b"\x00\x00\xff\xff"):
            content = _WHOLE[kind][:place] + spoilt + _WHOLE[kind][place + 4 :]
            assert "\n" not in read(content).complaint


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "made: is empty"),
        (b"\xd4", "made: is no capture: neither pcap nor pcapng"),
        (b"hello, this is a text", "made: is no capture: neither pcap nor pcapng"),
        (gzip.compress(b"hello, this is a text"), "made: is no capture: neither pcap nor pcapng"),
        (gzip.compress(b""), "made: is empty"),
        (pcap(())[:23], "made: is cut short at byte 23; packets read: 0"),
    ],
)
def test_what_is_no_capture_is_said(content: bytes, complaint: str) -> None:
    assert read(content) == ([], complaint)
