from __future__ import annotations

import gc
import json
import os
import stat
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from scanner import cache, data, fingerprints, lifecycle
from scanner.cache import Form, remembered
from scanner.errors import DataError
from scanner.fingerprints import load_fingerprints, read_fingerprints
from scanner.lifecycle import load_lifecycle, read_lifecycle

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
MADE = {"a": ["é", 1]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The product's directory in a cache of this test's own; not made yet."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    return tmp_path / "xdg" / "vetuste"


class Reader:
    """Counts how often the data was read."""

    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> object:
        self.times += 1
        return MADE


def _same(value: object) -> object:
    return value


def asked(reader: Reader, version: str = "0a", *, kind: str = "things", still: bool = True) -> object:
    return remembered(Form(kind, _same, _same), version, reader, still=lambda: still)


def only(folder: Path) -> Path:
    (file,) = folder.iterdir()
    return file


def test_what_was_read_once_is_not_read_again(folder: Path) -> None:
    reader = Reader()
    assert asked(reader) == asked(reader) == MADE
    assert reader.times == 1
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(only(folder).stat().st_mode) == 0o600


@pytest.mark.parametrize("collecting", [True, False])
def test_rubbish_is_collected_afterwards_as_before(*, collecting: bool) -> None:
    seen = []

    def unpack(kept: object) -> object:
        seen.append(gc.isenabled())
        return kept

    asked(Reader())
    if not collecting:
        gc.disable()
    try:
        remembered(Form("things", _same, unpack), "0a", Reader(), still=lambda: True)
        assert gc.isenabled() is collecting
    finally:
        gc.enable()
    assert seen == [False]


def test_other_data_is_read(folder: Path) -> None:
    reader = Reader()
    asked(reader)
    asked(reader, "0b")
    asked(reader, kind="others")
    assert reader.times == len(list(folder.iterdir())) == 3


def test_other_code_reads_again(monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Reader()
    asked(reader)
    monkeypatch.setattr(cache, "_program", lambda: "other")
    asked(reader)
    assert reader.times == 2


def test_the_program_is_known_by_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = cache._program()
    (tmp_path / "rules.py").write_text("x = 1")
    monkeypatch.setattr(cache, "_CHECKERS", (*cache._CHECKERS, str(tmp_path / "rules.py")))
    cache._program.cache_clear()
    try:
        assert cache._program() != before
        (tmp_path / "rules.py").unlink()
        cache._program.cache_clear()
        reader = Reader()
        asked(reader)
        asked(reader)
        assert reader.times == 2
    finally:
        monkeypatch.undo()
        cache._program.cache_clear()
    assert cache._program() == before


def test_what_changed_while_it_was_read_is_not_kept(folder: Path) -> None:
    asked(Reader(), still=False)
    assert not folder.exists()


def test_what_is_refused_is_not_kept(folder: Path) -> None:
    def refuse() -> object:
        raise DataError("is wrong")

    for _ in range(2):
        with pytest.raises(DataError):
            remembered(Form("things", _same, _same), "0a", refuse, still=lambda: True)
    assert not folder.exists()


@pytest.mark.parametrize("cut", [0, 1, 40, -1])
def test_a_file_cut_short_is_no_file(folder: Path, cut: int) -> None:
    reader = Reader()
    asked(reader)
    file = only(folder)
    whole = file.read_bytes()
    file.write_bytes(whole[:cut])
    assert asked(reader) == MADE
    assert reader.times == 2
    assert file.read_bytes() == whole, "it was mended"


def test_every_flipped_byte_is_noticed(folder: Path) -> None:
    reader = Reader()
    asked(reader)
    file = only(folder)
    whole = file.read_bytes()
    for place in range(len(whole)):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        assert asked(reader) == MADE
        assert reader.times == place + 2


def test_a_whole_file_of_another_form_is_no_file(folder: Path) -> None:
    asked(Reader())
    content = b"[[[1]]]"
    only(folder).write_bytes(cache._sealed(only(folder).name, content) + content)

    def unpack(kept: object) -> object:
        return kept["a"]  # type: ignore[index]  # that is the point

    reader = Reader()
    found = remembered(Form("things", _same, unpack), "0a", reader, still=lambda: True)
    assert (found, reader.times) == (MADE["a"], 1)


def test_a_file_under_another_name_is_no_file(folder: Path) -> None:
    reader = Reader()
    asked(reader)
    file = only(folder)
    file.rename(file.with_name(file.name.replace("-0a-", "-0b-")))
    asked(reader, "0b")
    assert reader.times == 2


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_may_write_is_no_file(folder: Path, mode: int) -> None:
    reader = Reader()
    asked(reader)
    only(folder).chmod(mode)
    asked(reader)
    assert reader.times == 2
    assert stat.S_IMODE(only(folder).stat().st_mode) == 0o600


@pytest.mark.parametrize("mode", [0o770, 0o707, 0o1777])
def test_a_folder_that_others_may_write_is_left_alone(folder: Path, mode: int) -> None:
    reader = Reader()
    asked(reader)
    folder.chmod(mode)
    before = only(folder).stat()
    asked(reader)
    asked(reader)
    assert reader.times == 3
    assert only(folder).stat() == before


def test_what_belongs_to_another_user_is_left_alone(folder: Path) -> None:
    reader = Reader()
    asked(reader)
    before = only(folder).stat()
    with patch.object(os, "geteuid", lambda: before.st_uid + 1):
        asked(reader)
    assert reader.times == 2
    assert only(folder).stat() == before


def test_root_makes_nothing_in_the_home_of_another(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    true = Path.stat

    def owned(path: Path, **how: bool) -> os.stat_result:
        found = list(true(path, **how))
        found[stat.ST_UID] = 1234
        return os.stat_result(found)

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(Path, "stat", owned)
    asked(Reader())
    monkeypatch.undo()
    assert not folder.exists()


def test_links_are_not_followed(folder: Path, tmp_path: Path) -> None:
    reader = Reader()
    asked(reader)
    file = only(folder)
    elsewhere = file.rename(tmp_path / "elsewhere")
    kept = elsewhere.read_bytes()
    file.symlink_to(elsewhere)
    asked(reader)
    assert reader.times == 2
    assert not file.is_symlink()
    assert elsewhere.read_bytes() == kept
    folder.rename(tmp_path / "moved")
    folder.symlink_to(tmp_path / "moved")
    asked(reader)
    assert reader.times == 3


def test_a_pipe_does_not_hold_the_program_up(folder: Path) -> None:
    reader = Reader()
    asked(reader)
    file = only(folder)
    file.unlink()
    os.mkfifo(file, 0o600)
    assert asked(reader) == MADE
    assert file.is_file()


@pytest.mark.parametrize("failing", ["mkstemp", "replace", "mkdir"])
def test_where_nothing_can_be_written_all_goes_on(folder: Path, failing: str) -> None:
    where = {"mkstemp": "tempfile.mkstemp", "replace": "pathlib.Path.replace", "mkdir": "pathlib.Path.mkdir"}
    reader = Reader()
    with patch(where[failing], side_effect=OSError(28, "No space left on device")):
        assert asked(reader) == asked(reader) == MADE
    assert reader.times == 2
    assert not folder.exists() or not list(folder.iterdir())


@pytest.mark.parametrize("home", ["", "relative/cache"])
def test_without_a_directory_of_its_own_the_user_s_home_has_one(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", home)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    asked(Reader())
    assert [each.name for each in tmp_path.iterdir()] == ["home"]
    assert only(tmp_path / "home" / ".cache" / "vetuste").is_file()


def test_without_a_home_all_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME")
    with patch.object(Path, "home", side_effect=RuntimeError):
        assert asked(Reader()) == MADE


def test_a_few_files_of_a_kind_are_left(folder: Path) -> None:
    asked(Reader(), kind="others")
    (folder / "young.new").touch()
    (folder / "left.new").touch()
    os.utime(folder / "left.new", (1, 1))
    for number in range(6):
        asked(Reader(), f"{number:02x}")
        for file in folder.glob(f"things-{number:02x}-*"):
            os.utime(file, (10_000 + number, 10_000 + number))
    names = sorted(file.name.rpartition("-")[0] for file in folder.glob("*.json"))
    assert names == ["others-0a", "things-03", "things-04", "things-05"]
    assert [file.name for file in folder.glob("*.new")] == ["young.new"]


# --- what the product keeps


@pytest.fixture
def fresh() -> Iterator[None]:
    """Each load asks the cache, as a new process would."""
    _forget()
    yield
    _forget()
    data.use_own(None)


def _forget() -> None:
    for loaded in (fingerprints._loaded, lifecycle._loaded, data.content_version):
        loaded.cache_clear()


@pytest.mark.usefixtures("fresh")
def test_what_is_kept_is_what_was_read(folder: Path) -> None:
    wanted = read_fingerprints(data.data_directory()), read_lifecycle(data.data_directory())
    for _ in range(2):
        assert (load_fingerprints(), load_lifecycle()) == wanted
        assert list(load_lifecycle().releases) == list(wanted[1].releases)
        _forget()
    kinds = sorted(file.name.partition("-")[0] for file in folder.iterdir())
    assert kinds == ["fingerprints", "lifecycle"]


@pytest.mark.usefixtures("fresh")
def test_a_site_s_own_wrong_data_is_named_each_time(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "own"
    own.mkdir()
    (own / "a.key.toml").write_text('evidence = "a.key"\n[[fingerprint]]\nname = "One"\n', encoding="utf-8")
    data.use_own(lambda: own)
    for _ in range(2):
        with pytest.raises(DataError, match=r"a\.key\.toml:2: pattern \(One\): must be a text"):
            load_fingerprints()
    assert not folder.exists()


@pytest.mark.usefixtures("fresh")
def test_a_site_s_own_data_that_changes_is_read_again(tmp_path: Path) -> None:
    file = tmp_path / "own" / "a.key.toml"
    file.parent.mkdir()
    for word in ("one", "two", "one"):
        text = f"name = 'n'\npattern = '{word}'\nnames.product = 'p'\nexamples = [{{ value = '{word}' }}]"
        file.write_text(f'evidence = "a.key"\n[[fingerprint]]\n{text}\n', encoding="utf-8")
        _forget()
        data.use_own(lambda: file.parent)
        assert load_fingerprints().by_key["a.key"][0].expression == word


PROGRAM = "from scanner.classify import default_classifier; print(len(default_classifier().version))"


def test_many_processes_begin_at_once(folder: Path) -> None:
    started = [
        subprocess.Popen([sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        for _ in range(6)
    ]
    assert [process.communicate(timeout=120)[0].strip() for process in started] == ["12"] * 6
    names = sorted(file.name for file in folder.iterdir())
    assert [name.partition("-")[0] for name in names] == ["claims", "fingerprints", "lifecycle"]
    for name in names:
        assert json.loads((folder / name).read_bytes().partition(b"\n")[2])


NO_TOML = "import tomllib; tomllib.loads = None"
COMPILED = "from scanner.fingerprints import _compiled; print(_compiled.cache_info().currsize)"


def test_the_next_process_reads_no_data_file_and_compiles_no_pattern() -> None:
    def run(*programs: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "\n".join(programs)]
        return subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True)

    assert run(NO_TOML, PROGRAM).returncode
    assert run(PROGRAM).returncode == 0
    done = run(NO_TOML, PROGRAM, COMPILED)
    assert (done.stdout.split(), done.stderr) == (["12", "0"], "")
