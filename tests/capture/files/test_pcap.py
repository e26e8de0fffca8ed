"""The classic format: byte orders, units, links, lengths."""

from __future__ import annotations

import struct

import pytest

from tests.capture.files.written import SENT, Sent, of, pcap, read


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize(("magic", "units"), [(0xA1B2C3D4, 10**6), (0xA1B23C4D, 10**9)])
@pytest.mark.parametrize("block", [1, 7, 60, 1 << 20])
def test_frames_come_as_they_were_written_in_blocks_of_any_size(
    order: str, magic: int, units: int, block: int
) -> None:
    found = read(pcap(SENT, order, magic=magic, link=101), block)
    assert [frame.data for frame in found.frames] == [each.data for each in SENT]
    assert [frame.at for frame in found.frames] == pytest.approx(
        [each.seconds + each.fraction / units for each in SENT], abs=1e-6
    )
    assert {frame.link for frame in found.frames} == {101}
    assert found.complaint == ""


@pytest.mark.parametrize("order", ["<", ">"])
def test_the_longer_records_of_old_linux(order: str) -> None:
    content = struct.pack(f"{order}I2H4I", 0xA1B2CD34, 2, 4, 0, 0, 65535, 1)
    for each in SENT:
        length = len(each.data)
        content += (
            struct.pack(f"{order}5IHBx", each.seconds, each.fraction, length, length, 3, 8, 4) + each.data
        )
    assert [frame.data for frame in read(content).frames] == [each.data for each in SENT]


@pytest.mark.parametrize("version", [(2, 0), (2, 2), (543, 0)])
def test_the_oldest_have_the_lengths_the_other_way_round(version: tuple[int, int]) -> None:
    content = struct.pack("<I2H4I", 0xA1B2C3D4, *version, 0, 0, 65535, 1)
    content += struct.pack("<4I", 1, 2, 1500, 5) + b"first" + struct.pack("<4I", 1, 2, 6, 6) + b"second"
    assert [frame.data for frame in read(content).frames] == [b"first", b"second"]


def test_what_stands_above_the_link_is_no_part_of_it() -> None:
    found = read(pcap(SENT, link=0x2C000001))  # with checksums of 4 bytes
    assert {frame.link for frame in found.frames} == {1}


def test_a_version_that_is_not_known_is_said() -> None:
    content = bytearray(pcap(SENT))
    content[4] = 3
    assert read(bytes(content)) == (
        [],
        "made: is of a version that is not known, 3.4, from byte 0 on; packets read: 0",
    )


def test_a_packet_longer_than_anybody_captures_ends_it() -> None:
    content = pcap(SENT) + struct.pack("<4I", 1, 2, 262_145, 262_145) + bytes(300_000)
    found = read(content)
    assert len(found.frames) == len(SENT)
    assert found.complaint == (
        f"made: is damaged at byte {len(pcap(SENT))}: it has a packet of 262145 bytes; packets read: 6"
    )


@pytest.mark.parametrize("block", [1000, 1 << 20])
def test_a_frame_longer_than_is_of_use_is_passed_over_and_counted(block: int) -> None:

    sent = (SENT[0], Sent(1, 2, bytes(66_561)), Sent(1, 2, bytes(66_560)), SENT[1])
    capture = of(pcap(sent))
    assert [len(frame.data) for frame in capture.frames(block)] == [20, 66_560, 21]
    assert (capture.packets, capture.complaint) == (4, None)


def test_one_longer_than_the_file_says_that_any_is_is_kept_as_libpcap_does() -> None:
    content = bytearray(pcap(SENT))
    content[16:20] = struct.pack("<I", 4)
    assert len(read(bytes(content)).frames) == len(SENT)


def test_a_capture_without_packets_is_a_capture() -> None:
    assert read(pcap(())) == ([], "")


def test_a_packet_of_nothing_is_a_packet() -> None:
    assert [frame.data for frame in read(pcap((Sent(1, 2, b""), Sent(1, 2, b"x")))).frames] == [b"", b"x"]
