"""Streams that grow: every packet is told when it is there, however long the next one takes."""

from __future__ import annotations

import os
import threading
import zlib
from typing import TYPE_CHECKING

import pytest
import zstandard

from scanner.capture.files import captures
from tests.capture.files.written import SENT, pcap, pcapng

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def _gzip() -> Callable[[bytes], bytes]:
    packer = zlib.compressobj(wbits=31)
    return lambda data: packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH)


def _zstd() -> Callable[[bytes], bytes]:
    packer = zstandard.ZstdCompressor().compressobj()
    return lambda data: packer.compress(data) + packer.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)


_GROWING = {
    "pcap": [pcap(SENT[:count]) for count in range(len(SENT) + 1)],
    "pcapng": [pcapng(SENT[:count]) for count in range(len(SENT) + 1)],
}
"""With so many packets."""


@pytest.mark.parametrize("kind", _GROWING)
@pytest.mark.parametrize("packing", [lambda: bytes, _gzip, _zstd], ids=["plain", "gzip", "zstd"])
def test_a_packet_is_told_before_the_next_one_comes(
    kind: str, packing: Callable[[], Callable[[bytes], bytes]]
) -> None:
    reading, writing = os.pipe()
    packed, grown = packing(), _GROWING[kind]
    with os.fdopen(reading, "rb") as stream, os.fdopen(writing, "wb", buffering=0) as sender:
        (capture,) = captures(["-"], stream).each
        frames = capture.frames()
        sender.write(packed(grown[0]))
        for each, before, after in zip(SENT, grown, grown[1:], strict=False):
            sender.write(packed(after[len(before) :]))
            assert next(frames).data == each.data  # it would wait for ever
        frames.close()


def test_standard_input_is_left_open() -> None:
    reading, writing = os.pipe()
    os.write(writing, pcap(SENT))
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        (capture,) = captures(["-"], stream).each
        assert (len(list(capture.frames())), capture.size) == (len(SENT), None)
        assert not stream.closed


def test_a_fifo_is_read_as_its_writer_writes(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    (capture,) = captures([fifo]).each  # which waits for nobody
    content = pcap(SENT)

    def write() -> None:
        with fifo.open("wb", buffering=0) as sender:
            for at in range(0, len(content), 17):
                sender.write(content[at : at + 17])

    writer = threading.Thread(target=write)
    writer.start()
    assert [frame.data for frame in capture.frames()] == [each.data for each in SENT]
    writer.join()
    assert capture.complaint is None
