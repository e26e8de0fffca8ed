"""Packed captures: members one after another, bombs, ends that are missing."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib
from itertools import islice

import pytest
import zstandard

from scanner.capture.files.packing import unpacked
from tests.capture.files.written import SENT, of, pcap, read

_CONTENT = pcap(SENT)
_ZSTD = zstandard.ZstdCompressor(write_checksum=True)
_SKIPPED = b"\x50\x2a\x4d\x18\x04\x00\x00\x00four"
"""A skippable frame (RFC 8878, 3.1.2)."""


@pytest.mark.parametrize("packed", [gzip.compress, _ZSTD.compress])
@pytest.mark.parametrize("block", [1, 10, 1 << 10, 1 << 20])
def test_members_are_read_on(packed: type[bytes], block: int) -> None:
    for cut in range(0, len(_CONTENT), 11):
        content = packed(_CONTENT[:cut]) + packed(b"") + packed(_CONTENT[cut:])
        found = read(content, block)
        assert [frame.data for frame in found.frames] == [each.data for each in SENT]
        assert found.complaint == ""


def test_zeros_behind_a_gzip_member_are_padding() -> None:
    found = read(gzip.compress(_CONTENT[:50]) + bytes(600) + gzip.compress(_CONTENT[50:]) + bytes(100))
    assert (len(found.frames), found.complaint) == (len(SENT), "")


def test_skippable_frames_are_skipped() -> None:
    found = read(
        _SKIPPED + _ZSTD.compress(_CONTENT[:50]) + _SKIPPED + _ZSTD.compress(_CONTENT[50:]) + _SKIPPED
    )
    assert (len(found.frames), found.complaint) == (len(SENT), "")


@pytest.mark.parametrize("packed", [gzip.compress, _ZSTD.compress])
def test_something_else_behind_it_is_said_and_what_stood_before_is_kept(packed: type[bytes]) -> None:
    found = read(packed(_CONTENT) + b"something else behind it")
    assert len(found.frames) == len(SENT)
    assert found.complaint.startswith("made: cannot be unpacked to its end: ")
    assert found.complaint.endswith("; packets read: 6")


@pytest.mark.parametrize("packed", [gzip.compress, _ZSTD.compress])
def test_a_member_without_its_end_is_said(packed: type[bytes]) -> None:
    found = read(packed(_CONTENT)[:-1])
    assert found.complaint == "made: is cut short: what it is packed in has no end; packets read: 6"


def test_a_wrong_sum_is_said() -> None:
    content = bytearray(gzip.compress(_CONTENT))
    content[-6] ^= 1
    assert read(bytes(content)).complaint.startswith("made: cannot be unpacked to its end: ")


def test_more_than_a_member_may_want_of_memory_is_refused() -> None:
    wide = zstandard.ZstdCompressionParameters.from_level(1, window_log=28)
    packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    found = read(packer.compress(_CONTENT) + packer.flush())
    assert found.frames == []
    assert "too much memory" in found.complaint


def _gzip_bomb(zeros: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    parts = [packer.compress(pcap(()))]
    parts += (packer.compress(bytes(1 << 20)) for _ in range(zeros >> 20))
    return b"".join((*parts, packer.flush()))


def _zstd_bomb(zeros: int) -> bytes:
    """Of blocks that say one byte very often (RFC 8878, 3.1.1.2.2): 4 bytes for 128 KiB."""
    head = b"\x28\xb5\x2f\xfd" + b"\x00" + b"\x58"
    repeated = ((1 << 17) << 3 | 1 << 1).to_bytes(3, "little") + b"\0"
    start = len(pcap(())) << 3
    return head + start.to_bytes(3, "little") + pcap(()) + repeated * (zeros >> 17)


@pytest.mark.parametrize("bomb", [_gzip_bomb(1 << 27), _zstd_bomb(1 << 32)])
def test_a_bomb_takes_little_memory(bomb: bytes) -> None:
    tracemalloc.start()
    frames = of(bomb).frames()
    assert sum(1 for _ in islice(frames, 50_000)) == 50_000
    frames.close()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 80 << 20


def test_what_came_is_unpacked_before_more_is_waited_for() -> None:
    packed = gzip.compress(random.Random(1).randbytes(40_000))
    for size in (100, 8191, 8192, 8193, 16_384):  # around the pieces in which it is unpacked
        blocks = iter((packed[:size], packed[size:]))
        first = next(unpacked(blocks))
        assert size - 100 < len(first) < size
        assert next(blocks) == packed[size:]
