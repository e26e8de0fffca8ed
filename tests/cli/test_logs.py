from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any

import pytest

from scanner.cli.terminal.logs import LOGGER, set_up
from scanner.cli.terminal.switches import Switches, asked_language
from tests.cli.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    logger = logging.getLogger(LOGGER)
    kept = logger.handlers, logger.propagate, logger.level
    yield
    logger.handlers, logger.propagate, logger.level = kept


LEVELS = ["error", "warning", "info", "debug"]


@pytest.mark.parametrize(("verbosity", "said"), [(-1, 1), (0, 2), (1, 3), (2, 4), (9, 4)])
def test_how_much_is_said(verbosity: int, said: int, capsys: pytest.CaptureFixture[str]) -> None:
    set_up(verbosity, as_json=True)
    logger = logging.getLogger(LOGGER)
    for level in LEVELS:
        getattr(logger, level)("said by %s", "a peer\n\x1b[2J", extra={"address": "10.0.0.1"})
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.err.splitlines()]
    assert captured.out == ""
    assert [line["level"] for line in lines] == LEVELS[:said]
    assert all(
        line["address"] == "10.0.0.1" and line["message"] == "said by a peer\n\x1b[2J" for line in lines
    )
    assert "\x1b" not in captured.err


def test_words_are_one_safe_line(capsys: pytest.CaptureFixture[str]) -> None:
    set_up(0, as_json=False)
    logging.getLogger(LOGGER).warning("a peer said %s", "\x1b[2J\nvetuste: all is well")
    assert capsys.readouterr().err == "vetuste: a peer said \ufffd[2J vetuste: all is well\n"


def test_setting_up_twice_says_things_once(capsys: pytest.CaptureFixture[str]) -> None:
    Switches().set_up_log()
    Switches(log_json=True).set_up_log()
    logging.getLogger(LOGGER).error("once")
    assert json.loads(capsys.readouterr().err)["message"] == "once"


@pytest.mark.parametrize(
    ("arguments", "language"),
    [
        ([], "en"),
        (["--lang", "fr"], "fr"),
        (["count", "--lang=fr"], "fr"),
        (["--lang"], "en"),
        (["--lang", "de"], "en"),
        (["--", "--lang", "fr"], "en"),
        (["--language=fr"], "en"),
    ],
)
def test_the_language_of_a_command_line(
    arguments: list[str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert asked_language(arguments) == language


def events(told: str) -> list[dict[str, Any]]:
    """Everything that stands on standard error: JSON lines, and nothing else."""
    return [json.loads(line) for line in told.splitlines()]


def test_a_scan_logs_its_beginning_and_its_end_with_its_counts(tmp_path: Path) -> None:
    asked = ("scan", "127.0.0.9", "--ports", "445", "--profile", "lab", "--log-json")
    code, out, err = run(*asked, cwd=tmp_path)
    assert (code, out) == (0, "")
    told = events(err)
    assert all({"time", "level", "message", "event"} <= line.keys() for line in told)
    kinds = [line["event"] for line in told]
    assert [kind for kind in kinds if kind != "told"] == [
        *("command_begun", "scan_begun", "scan_ended", "command_ended"),
    ]
    begun, ended = (line for line in told if str(line["event"]).startswith("scan_"))
    assert {name: begun[name] for name in ("scan", "site", "profile", "resumed", "level")} == {
        "scan": 1,
        "site": "",
        "profile": "lab",
        "resumed": False,
        "level": "info",
    }
    assert (ended["scan"], ended["state"]) == (1, "done")
    counts = ended["counts"]
    assert (counts["addresses"], counts["visited"], counts["seen"], counts["breakers"]) == (1, 1, 1, 0)
    assert counts["attempts"] >= 1
    last = told[-1]
    assert (last["command"], last["exit_code"]) == ("scan", 0)
    assert last["seconds"] >= ended["seconds"] >= 0


SECRET = "s3cr3t-of-nobody"  # noqa: S105 - it must be seen nowhere


@pytest.mark.parametrize(
    ("asked", "command", "code", "kind"),
    [
        (("count", "--db", "nowhere.db"), "count", 2, "ConfigError"),
        (("scan", "--db", f"nonsense://user:{SECRET}@host/x", "10.0.0.1"), "scan", 2, "ConfigError"),
        (
            ("health", "--db", f"postgresql://user:{SECRET}@127.0.0.1:9/x?connect_timeout=1"),
            *("health", 3, "InventoryError"),
        ),
        (("findings", "set", "--all", "1", "--state", "open"), "findings set", 2, "UsageError"),
    ],
)
def test_an_error_is_one_line_that_says_of_what(
    asked: tuple[str, ...], command: str, code: int, kind: str, tmp_path: Path
) -> None:
    ended, out, err = run(*asked, "--log-json", cwd=tmp_path)
    assert (ended, out) == (code, "")
    *_, failed, last = events(err)
    assert (failed["event"], failed["level"], failed["kind"]) == ("command_failed", "error", kind)
    assert (failed["command"], failed["exit_code"]) == (command, code)
    assert (last["event"], last["command"], last["exit_code"]) == ("command_ended", command, code)
    assert SECRET not in err


def test_quiet_leaves_errors_and_words_stay_words(tmp_path: Path) -> None:
    _, _, err = run("count", "--db", "nowhere.db", "--log-json", "--quiet", cwd=tmp_path)
    assert [line["event"] for line in events(err)] == ["command_failed"]
    _, _, err = run("count", "--db", "nowhere.db", "-v", cwd=tmp_path)
    assert err.startswith("vetuste: ")
    assert "command_" not in err
