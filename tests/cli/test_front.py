from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from scanner.cli.terminal import front
from tests.cli.process import FRONT, environment, process, run, start

if TYPE_CHECKING:
    from pathlib import Path

LINE = b'{"host": "a", "evidence": {"smb.native_os": "Windows 5.1"}}\n'
HEAVY = {"pydantic", "sqlalchemy", "alembic", "rich", "uvloop", "asyncio", "sqlite3", "scanner.inventory"}


def one_line(text: str) -> bool:
    return text.startswith("vetuste: ") and text.endswith("\n") and text.count("\n") == 1


def test_nothing_asked_is_answered_with_the_help_and_code_2(tmp_path: Path) -> None:
    code, out, err = run(cwd=tmp_path)
    assert (code, out) == (2, "")
    assert "Usage: vetuste" in err
    assert "vetuste demo" in err


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["cuont"], "cuont"),
        (["count", "--bye", "ward"], "--bye"),
        (["count", "--by", "corridor"], "corridor"),
        (["count", "--today", "tomorrow"], "tomorrow"),
        (["count", "--json", "--format", "csv"], "json"),
        (["count", "surplus"], "surplus"),
        (["classify"], "FILE"),
        (["classify", "absent.jsonl"], "absent.jsonl"),
        (["export", "pdf"], "pdf"),
        (["count", "--site", "absent.toml"], "absent.toml"),
        (["count"], "inventory.db"),
        (["--lang", "de", "count"], "de"),
    ],
)
def test_what_is_wrong_is_one_line_that_names_it_and_code_2(
    arguments: list[str], named: str, tmp_path: Path
) -> None:
    code, out, err = run(*arguments, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert one_line(err), err
    assert named in err


def test_a_process_ends_with_the_same_code_and_line(tmp_path: Path) -> None:
    assert process("count", cwd=tmp_path) == run("count", cwd=tmp_path)


def test_a_wrong_command_line_sends_and_makes_nothing(tmp_path: Path) -> None:
    run("count", "--by", "corridor", cwd=tmp_path)
    run("count", cwd=tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_what_was_typed_cannot_command_the_terminal(tmp_path: Path) -> None:
    _, _, err = run("count", "--os=x", "--by", "\x1b]0;owned\x07\x1b[2J", cwd=tmp_path)
    assert "\x1b" not in err
    assert "\x07" not in err


@pytest.mark.parametrize(
    ("arguments", "changes"),
    [
        (["--lang", "fr", "count", "--by", "x"], {}),
        (["count", "--lang=fr", "--by", "x"], {}),
        (["count", "--by", "x", "--lang", "fr"], {}),
        (["count", "--by", "x"], {"LC_ALL": "", "LANG": "fr_FR.UTF-8"}),
        (["count", "--by", "x"], {"LANGUAGE": "fr:en"}),
    ],
)
def test_french_wherever_it_is_asked_for(
    arguments: list[str], changes: dict[str, Any], tmp_path: Path
) -> None:
    _, _, err = run(*arguments, cwd=tmp_path, **changes)
    assert "Valeur incorrecte pour '--by'\u202f: 'x' n'est pas l'un de ward, site" in err


def test_english_in_every_other_language(tmp_path: Path) -> None:
    _, _, err = run("count", "--by", "x", cwd=tmp_path, LC_ALL="de_DE.UTF-8")
    assert "'x' is none of ward, site" in err


def imported_by(*arguments: str, **changes: str) -> tuple[str, set[str]]:
    """What a command line prints, and every module that it imports."""
    program = (
        "import sys; from scanner.cli.terminal import front; front.run(sys.argv[1:]);"
        "print(*sys.modules, file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        cwd=FRONT.parent,
        env=environment(**changes),
        capture_output=True,
        check=True,
        text=True,
    )
    return done.stdout, set(done.stderr.split())


def test_help_imports_nothing_heavy_and_no_command() -> None:
    out, imported = imported_by("--help")
    assert "count" in out
    assert "scanner.cli.terminal.front" in imported
    assert not (HEAVY | {"scanner.cli.count", "scanner.cli.scan"}) & imported


def test_completion_imports_no_command() -> None:
    asked = {"_VETUSTE_COMPLETE": "bash_complete", "COMP_WORDS": "vetuste c", "COMP_CWORD": "1"}
    out, imported = imported_by(**asked)
    assert out.split() == [
        f"plain,{name}" for name in ("campaign", "classify", "completion", "count", "coverage")
    ]
    assert not (HEAVY | {"scanner.cli.count"}) & imported


def test_counting_imports_neither_sqlalchemy_nor_pydantic(tmp_path: Path) -> None:
    _, imported = imported_by("count", "--db", str(tmp_path / "absent.db"))
    assert "scanner.cli.count" in imported
    assert not {"sqlalchemy", "pydantic", "alembic", "asyncio", "rich"} & imported


def test_a_reader_who_leaves_is_no_error(tmp_path: Path) -> None:
    with start("classify", "-", cwd=tmp_path) as started:
        assert started.stdin is not None
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdin.write(LINE)
        started.stdin.flush()
        assert b'"host": "a"' in started.stdout.readline()
        started.stdout.close()
        started.stdin.write(LINE * 2)
        started.stdin.close()
        assert started.wait(60) == 0
        assert started.stderr.read() == b""


def test_help_into_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, str(FRONT), "--help"],
        cwd=tmp_path,
        env=environment(),
        stdout=writing,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("arguments", [["--help"], ["completion", "bash"], ["classify", "-"]])
def test_a_full_disk_is_one_line_and_code_3(arguments: list[str], tmp_path: Path) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, str(FRONT), *arguments],
            cwd=tmp_path,
            env=environment(),
            input=LINE,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 3
    assert one_line(done.stderr.decode())
    assert b"No space left" in done.stderr


def test_an_interrupt_keeps_what_is_done_and_gives_130(tmp_path: Path) -> None:
    with start("classify", "-", cwd=tmp_path) as started:
        assert started.stdin is not None
        assert started.stdout is not None
        assert started.stderr is not None
        started.stdin.write(LINE)
        started.stdin.flush()
        assert b'"host": "a"' in started.stdout.readline()
        started.send_signal(signal.SIGINT)
        assert started.wait(60) == 130
        assert started.stderr.read().decode() == "vetuste: interrupted; everything so far is kept\n"


def _broken(*_: object, **__: object) -> None:
    raise ZeroDivisionError("deep\x1b[2J inside")


def test_the_unexpected_is_one_line_and_code_3(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("scanner.cli.db.check_inventory", _broken)
    assert front.run(["db", "check"]) == 3
    err = capsys.readouterr().err
    assert one_line(err)
    assert "ZeroDivisionError: deep\ufffd[2J inside" in err
    assert "--debug" in err


@pytest.mark.parametrize("arguments", [["--debug", "db", "check"], ["db", "check", "--debug"]])
def test_debug_shows_where(
    arguments: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("scanner.cli.db.check_inventory", _broken)
    assert front.run(arguments) == 3
    err = capsys.readouterr().err
    assert "Traceback" in err
    assert "in _broken" in err
