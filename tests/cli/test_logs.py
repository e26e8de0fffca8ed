from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from scanner.cli.terminal.logs import LOGGER, set_up
from scanner.cli.terminal.switches import Switches, asked_language

if TYPE_CHECKING:
    from collections.abc import Iterator


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
