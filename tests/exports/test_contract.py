"""What every export holds to, whoever named the machines."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scanner.errors import ConfigError, InventoryError
from scanner.exports import Format, Options, formats
from scanner.exports.files import write_bytes, write_file
from tests.exports.hostile import TODAY, WORDS, crowd, machine, named, whole, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.inventory.rows import Asset

ROOT = Path(__file__).parents[2]
every = pytest.mark.parametrize("form", formats(), ids=lambda form: form.name)
AGAIN = """
import sys, time
from tests.exports.hostile import crowd, whole, written
time.time = lambda: float(sys.argv[2])
sys.stdout.buffer.write(written(sys.argv[1], crowd(), whole=whole("A", "B")))
"""


@every
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_any_name_is_written_whole_and_obeyed_by_nobody(form: Format, lang: str) -> None:
    content = written(form, crowd(), lang, whole=whole(*WORDS))
    if form.binary:
        assert content.startswith(b"PK")
    else:
        text = content.decode("utf-8").removeprefix("\ufeff")
        assert all(each.isprintable() or each in "\r\n" for each in text) or form.name == "jsonl"


@every
def test_an_empty_inventory_gives_headings_alone(form: Format) -> None:
    assert written(form, []) == written(form, iter(()))


@every
def test_french_and_english_differ_in_words_alone(form: Format) -> None:
    french, english = (written(form, crowd(), lang, whole=whole("A")) for lang in ("fr", "en"))
    assert bool(french) == bool(english)
    if not form.binary:
        assert french.count(b"\n") == english.count(b"\n")


@every
def test_two_processes_and_hours_between_write_the_same_bytes(form: Format) -> None:
    """Whatever the order of sets, the clock and the time zone."""
    found = set()
    for seed, moment, zone in (("1", "1700000000", "UTC"), ("2", "1799999999", "Asia/Kolkata")):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "TZ": zone}
        command = [sys.executable, "-c", AGAIN, form.name, moment]
        found.add(subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, check=True).stdout)
    assert len(found) == 1


@every
def test_a_file_has_the_mode_of_its_format_whatever_the_umask(form: Format, tmp_path: Path) -> None:
    target = tmp_path / f"out{form.suffix}"
    before = os.umask(0o077)
    try:
        write_file(form, [machine()], target, Options(TODAY, whole=whole("A")))
    finally:
        os.umask(before)
    assert target.stat().st_mode & 0o777 == form.mode
    assert form.mode & 0o027 in (0, 0o020 & form.mode)
    assert list(tmp_path.iterdir()) == [target]


@every
def test_a_failure_on_the_way_leaves_nothing_behind(
    form: Format, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if form.counts:
        return
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))

    def cut() -> Iterator[Asset]:
        yield from crowd()
        raise InventoryError("gone")

    with pytest.raises(InventoryError, match="gone"):
        write_file(form, cut(), tmp_path / "out", Options(TODAY))
    assert list(tmp_path.iterdir()) == []


class _Full(io.RawIOBase):
    """A disk that is full after so many bytes."""

    def __init__(self, room: int) -> None:
        self.room = room

    def writable(self) -> bool:
        return True

    def write(self, content: object) -> int:
        size = len(bytes(content))  # type: ignore[call-overload]
        if size > self.room:
            raise OSError(28, "No space left on device")
        self.room -= size
        return size


def _write(form: Format, stream: io.BufferedWriter, options: Options) -> None:
    if form.binary:
        write_bytes(form, crowd(), stream, options)
        stream.flush()
    else:
        text = io.TextIOWrapper(stream, encoding="utf-8", errors="replace", write_through=True)
        form.write(crowd(), text, options)
        text.flush()


@every
@pytest.mark.parametrize("share", [0, 0.5])
def test_a_full_disk_is_an_error_of_the_system(form: Format, share: float) -> None:
    options = Options(TODAY, whole=whole(*WORDS))
    stream = _Full(int(len(written(form, crowd(), whole=options.whole)) * share))
    with pytest.raises(OSError, match="No space left"):
        _write(form, io.BufferedWriter(stream), options)


@pytest.mark.parametrize("form", [form for form in formats() if form.binary], ids=lambda form: form.name)
def test_a_full_disk_of_drafts_is_told_and_nothing_is_left(form: Format) -> None:
    with Path("/dev/full").open("w+b", buffering=0) as stream, pytest.raises(OSError, match="No space left"):
        form.write(crowd(), stream, Options(TODAY))


@every
def test_no_format_takes_a_dialect_that_it_has_not(form: Format) -> None:
    with pytest.raises(ConfigError, match="has no dialect 'odd'"):
        written(form, [named("x")], dialect="odd")
