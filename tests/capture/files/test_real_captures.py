"""Real captures, read as Wireshark reads them, and the same after conversions by its tools."""

from __future__ import annotations

import gzip
import subprocess
from typing import TYPE_CHECKING

import pytest
import zstandard

from scanner.capture.files import captures
from tests.corpus import CORPUS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scanner.capture.telling import Frame

_FILES = sorted((CORPUS / "pcap").glob("*.pcap")) if CORPUS else []
_SMALL = [path for path in _FILES if path.stat().st_size < 100_000][::12]
small = pytest.mark.parametrize("path", _SMALL, ids=lambda path: path.name[:40])


def _frames(path: Path) -> list[Frame]:
    (capture,) = captures([path]).each
    frames = list(capture.frames())
    assert capture.complaint is None
    return frames


def _output(*command: object) -> list[list[str]]:
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=True)
    return [line.split("\t") for line in done.stdout.splitlines()]


def _agrees(path: Path, frames: list[Frame]) -> None:
    """Number, time, length and first bytes of every packet are those that tshark says."""
    fields = ("frame.number", "frame.time_epoch", "frame.cap_len")
    rows = _output("tshark", "-r", path, "-T", "fields", *(part for name in fields for part in ("-e", name)))
    assert [int(row[0]) for row in rows] == list(range(1, len(frames) + 1))
    assert [frame.at for frame in frames] == pytest.approx([float(row[1]) for row in rows], abs=1e-6)
    assert [len(frame.data) for frame in frames] == [int(row[2]) for row in rows]


@pytest.mark.parametrize("folder", [CORPUS / "pcap"] if CORPUS else [])
def test_every_capture_has_as_many_packets_as_capinfos_counts(folder: Path) -> None:
    found = captures([folder])
    counted = {row[0]: int(row[1]) for row in _output("capinfos", "-T", "-r", "-c", *_FILES)}
    read = {capture.name: sum(1 for _ in capture.frames()) for capture in found.each}
    assert read == counted
    assert [capture.complaint for capture in found.each] == [None] * len(_FILES)
    assert {name.rsplit("/", 1)[-1] for name in found.foreign} == {"README.md", "truth.csv"}


@small
def test_packets_are_those_that_tshark_reads(path: Path) -> None:
    _agrees(path, _frames(path))


@small
@pytest.mark.parametrize("kind", ["pcapng", "nsecpcap", "modpcap"])
def test_conversions_say_the_same(path: Path, kind: str, tmp_path: Path) -> None:
    converted = tmp_path / "converted"
    subprocess.run(["editcap", "-F", kind, path, converted], check=True, capture_output=True)
    assert converted.read_bytes()[:4] != path.read_bytes()[:4]
    assert _rounded(_frames(converted)) == _rounded(_frames(path))


def _rounded(frames: list[Frame]) -> list[tuple[int, int, bytes]]:
    return [(frame.link, round(frame.at * 1e6), frame.data) for frame in frames]


@pytest.mark.parametrize("kind", ["pcapng", "nsecpcap"])
@pytest.mark.parametrize("path", _SMALL[:1], ids=lambda path: path.name[:40])
def test_conversions_are_what_tshark_reads(path: Path, kind: str, tmp_path: Path) -> None:
    converted = tmp_path / "converted"
    subprocess.run(
        ["editcap", "-F", kind, "-t", "0.000000123", path, converted], check=True, capture_output=True
    )
    _agrees(converted, _frames(converted))


@pytest.mark.parametrize("names", [_SMALL] if CORPUS else [])
def test_several_interfaces_of_several_links(names: list[Path], tmp_path: Path) -> None:
    merged = tmp_path / "merged"
    subprocess.run(["mergecap", "-w", merged, *names], check=True, capture_output=True)
    frames = _frames(merged)
    _agrees(merged, frames)
    assert sorted(_rounded(frames)) == sorted(each for path in names for each in _rounded(_frames(path)))


@small
@pytest.mark.parametrize("packed", [gzip.compress, zstandard.compress])
def test_packed_they_are_the_same(path: Path, packed: Callable[[bytes], bytes], tmp_path: Path) -> None:
    (tmp_path / "packed").write_bytes(packed(path.read_bytes()))
    assert _frames(tmp_path / "packed") == _frames(path)
