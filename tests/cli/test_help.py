"""What the help says is true: summaries, examples, languages, the page made of it."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from scanner.cli.terminal.commands import paragraphs
from scanner.cli.terminal.front import APPLICATION, speak
from tests.cli import reference

COMMANDS = {context.command_path: context.command for context in reference.commands(APPLICATION)}
EXAMPLES = [
    (purpose, line)
    for command in COMMANDS.values()
    for purpose, lines in command.examples  # type: ignore[attr-defined]  # ours all have them
    for line in lines.splitlines()
]


@pytest.fixture(autouse=True)
def _english_again() -> object:
    yield
    speak("en")


def test_every_command_of_the_issue_is_there() -> None:
    wanted = {"demo", "scan", "count", "assets", "explain", "export", "classify", "rejudge", "db", "doctor"}
    assert wanted <= {path.split()[1] for path in COMMANDS if path.count(" ") == 1}
    assert {"vetuste db upgrade", "vetuste db backup", "vetuste db check"} <= set(COMMANDS)


@pytest.mark.parametrize("language", ["en", "fr"])
@pytest.mark.parametrize("path", COMMANDS)
def test_the_summary_is_the_first_line_of_the_help(path: str, language: str) -> None:
    speak(language)
    command = COMMANDS[path]
    summary = paragraphs(command.help)[0]
    assert command.get_short_help_str(500) == summary
    parent, _, name = path.rpartition(" ")
    if parent:
        assert COMMANDS[parent].summary(name) == summary  # type: ignore[attr-defined]  # a group of ours
    assert len(summary) < 110


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_has_examples_and_every_option_a_help(path: str) -> None:
    command = COMMANDS[path]
    assert command.examples  # type: ignore[attr-defined]  # ours all have them
    assert [
        option.name for option in command.params if isinstance(option, click.Option) and not option.help
    ] == []


def _lists(group: click.Group, words: list[str]) -> bool:
    """Whether a group is run itself, with options of its own."""
    return group.invoke_without_command and (not words or words[0].startswith("-"))


@pytest.mark.parametrize(("purpose", "line"), EXAMPLES)
def test_examples_are_command_lines_that_exist(purpose: str, line: str) -> None:
    assert purpose.endswith((":", "?"))
    words = shlex.split(line.replace("$(date +%F)", "today"))
    words = words[words.index("vetuste") + 1 :]
    words = words[: next((place for place, word in enumerate(words) if word in {"|", ">", ">>"}), len(words))]
    command: click.Command = APPLICATION
    while isinstance(command, click.Group) and not _lists(command, words):
        below = command.get_command(click.Context(command), words.pop(0))
        assert below is not None
        command = below
    assert command.make_context(command.name, words)


@pytest.mark.parametrize("path", COMMANDS)
def test_the_help_in_french_is_french(path: str) -> None:
    speak("fr")
    context = next(each for each in reference.commands(APPLICATION) if each.command_path == path)
    text = context.get_help()
    assert "Options\u202f:" in text
    assert "Exemples\u202f:" in text
    assert "Affiche ce message." in text
    assert not re.findall(r"\b(the|which|otherwise|Only|Show|where)\b", text)


def test_the_page_is_what_the_commands_say() -> None:
    assert reference.PAGE.read_text(encoding="utf-8") == reference.page(), "make docs"
