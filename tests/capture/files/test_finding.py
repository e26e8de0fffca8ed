"""Paths: what is found under them, in which order, and what is wrong with them."""

from __future__ import annotations

import gzip
import io
import os
from typing import TYPE_CHECKING

import pytest

from scanner.capture.files import captures
from scanner.errors import ConfigError, VetusteError
from tests.capture.files.written import SENT, Sent, pcap, pcapng

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanner.capture.files import Captures


def _at(seconds: int) -> bytes:
    return pcap((Sent(seconds, 0, b"a packet"),))


def _names(found: Captures) -> list[str]:
    return [capture.name.rsplit("/", 1)[-1] for capture in found.each]


def test_files_cut_from_one_capture_come_in_the_order_of_their_packets(tmp_path: Path) -> None:
    for name, seconds in (("cap", 10), ("cap1", 20), ("cap10", 40)):
        (tmp_path / name).write_bytes(_at(seconds))
    (tmp_path / "cap2").write_bytes(gzip.compress(_at(30)))
    (tmp_path / "cap11").write_bytes(pcap(()))
    found = captures(sorted(tmp_path.iterdir()))
    assert _names(found) == ["cap", "cap1", "cap2", "cap10", "cap11"]
    assert [frame.at for capture in found.each for frame in capture.frames()] == [10, 20, 30, 40]


def test_files_of_one_moment_come_by_name(tmp_path: Path) -> None:
    for name in ("b", "c", "a"):
        (tmp_path / name).write_bytes(_at(5))
    assert _names(captures([tmp_path])) == ["a", "b", "c"]


def test_a_directory_is_every_capture_below_it_and_the_rest_is_named_in_one_line(tmp_path: Path) -> None:
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (below / "one").write_bytes(pcap(SENT))
    (tmp_path / "two.txt").write_bytes(pcapng(SENT))
    for number in range(7):
        (tmp_path / f"note{number}.pcap").write_text("no capture at all")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "nowhere").symlink_to("there is no such file")
    found = captures([str(tmp_path)])
    assert sorted(_names(found)) == ["one", "two.txt"]
    assert len(found.foreign) == 9
    names = ", ".join(str(tmp_path / name) for name in ("note0.pcap", "note1.pcap"))
    assert str(found.complaint).startswith(f"no captures, passed over: {names}")
    assert str(found.complaint).endswith(" and 4 more")


def test_where_all_are_captures_there_is_no_complaint(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(pcap(SENT))
    assert captures([tmp_path]).complaint is None
    assert captures([]).each == ()


def test_links_that_lead_in_circles_are_not_followed_and_nothing_is_read_twice(tmp_path: Path) -> None:
    inside = tmp_path / "inside"
    inside.mkdir()
    (inside / "one").write_bytes(pcap(SENT))
    (inside / "up").symlink_to(tmp_path)
    (tmp_path / "link").symlink_to(inside)
    (tmp_path / "again").hardlink_to(inside / "one")
    assert len(captures([tmp_path, inside, inside / "one"]).each) == 1


def test_a_damaged_capture_in_a_directory_is_a_capture(tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(pcap(SENT)[:30])
    (capture,) = captures([tmp_path]).each
    assert list(capture.frames()) == []
    assert str(capture.complaint) == f"{tmp_path / 'cut'}: is cut short at byte 30; packets read: 0"


def test_a_named_file_that_is_no_capture_is_in_the_list_and_complains(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no capture at all")
    (capture,) = captures([tmp_path / "text"]).each
    assert list(capture.frames()) == []
    assert isinstance(capture.complaint, VetusteError)
    assert capture.complaint.exit_code == 3
    assert str(capture.complaint) == f"{tmp_path / 'text'}: is no capture: neither pcap nor pcapng"


def test_a_path_that_is_not_there_is_an_error_of_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        captures([tmp_path / "none\n\x1b[1m"])
    assert str(caught.value).endswith(": cannot be read: No such file or directory")
    assert str(caught.value).isprintable()


def test_a_path_that_is_no_path_is_an_error() -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        captures(["a\0b"])


def test_a_file_that_vanished_since_complains(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).write_bytes(pcap(SENT))
    first, second = captures([tmp_path]).each
    (tmp_path / "one").unlink()
    assert list(first.frames()) == []
    assert str(first.complaint).endswith(
        "one: cannot be read to its end: No such file or directory; packets read: 0"
    )
    assert len(list(second.frames())) == len(SENT)


def test_standard_input_comes_last(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(_at(99))
    found = captures(["-", tmp_path], io.BytesIO(_at(1)))
    assert _names(found) == ["one", "-"]
    assert [frame.at for capture in found.each for frame in capture.frames()] == [99, 1]


def test_it_is_known_how_far_a_file_was_read(tmp_path: Path) -> None:
    content = gzip.compress(pcap(SENT))
    (tmp_path / "one").write_bytes(content)
    (capture,) = captures([tmp_path]).each
    assert (capture.size, capture.consumed) == (len(content), 0)
    assert len(list(capture.frames())) == capture.packets == len(SENT)
    assert capture.consumed == capture.size


@pytest.fixture
def unprivileged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Who runs this is not root, and where it runs is a folder of its own."""
    me = os.geteuid()
    tmp_path.chmod(0o755)
    monkeypatch.chdir(tmp_path)
    if me == 0:
        os.seteuid(65_534)
    yield
    os.seteuid(me)


@pytest.fixture
def closed(tmp_path: Path) -> Iterator[None]:
    """A file and a directory that may not be read, and a file that may be."""
    (tmp_path / "closed").mkdir()
    for name in ("one", "two", "closed/three"):
        (tmp_path / name).write_bytes(pcap(SENT))
    for name in ("one", "closed"):
        (tmp_path / name).chmod(0)
    yield
    (tmp_path / "closed").chmod(0o700)


@pytest.mark.usefixtures("closed", "unprivileged")
@pytest.mark.parametrize("name", ["one", "closed"])
def test_what_is_named_and_may_not_be_read_is_an_error(name: str) -> None:
    with pytest.raises(ConfigError, match=f"^{name}: cannot be read: Permission denied$"):
        captures([name])


@pytest.mark.usefixtures("closed", "unprivileged")
def test_what_may_not_be_read_in_a_directory_complains_and_the_others_are_read() -> None:
    found = captures(["."])
    packets = [len(list(capture.frames())) for capture in found.each]
    assert (_names(found), packets) == (["two", "closed", "one"], [len(SENT), 0, 0])
    assert found.each[0].complaint is None
    for capture in found.each[1:]:
        assert str(capture.complaint).endswith(": Permission denied; packets read: 0")
