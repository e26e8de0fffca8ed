"""The options that every command has and that mean the same everywhere."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from typing import IO, Any

import click

from scanner.language import LANGUAGES, language_of, translate, use_language


@dataclass
class Switches:
    """What was switched for this run, before or after the command's name."""

    language: str = ""
    """As asked by ``--lang``; empty where nobody asked."""
    spoken: str = LANGUAGES[0]
    """What this process speaks, asked or not."""
    verbosity: int = 0
    log_json: bool = False
    colour: bool = True
    debug: bool = False
    command: str = ""
    """The command that was called, without its arguments; empty until it is known."""

    def set_up_log(self) -> None:
        """Let the log be as it was asked for."""
        from scanner.cli.terminal.logs import set_up  # noqa: PLC0415 - help and completion log nothing

        set_up(self.verbosity, as_json=self.log_json)

    def may_colour(self, stream: IO[str]) -> bool:
        """Whether colours may be written: a terminal, and nobody said no (https://no-color.org)."""
        refused = bool(os.environ.get("NO_COLOR")) or os.environ.get("TERM") == "dumb"
        return self.colour and not refused and stream.isatty()


def switches() -> Switches:
    """Those of the command that is running."""
    context = click.get_current_context(silent=True)
    return Switches() if context is None else context.ensure_object(Switches)


def coloured() -> bool:
    """Whether standard output may be coloured."""
    return switches().may_colour(sys.stdout)


def asked_language(arguments: list[str]) -> str:
    """The language of a command line, known before it is parsed so that help and errors are in it."""
    for position, argument in enumerate(arguments):
        if argument == "--":
            break
        name, _, value = argument.partition("=")
        if name == "--lang":
            wanted = value or "".join(arguments[position + 1 : position + 2])
            if wanted in LANGUAGES:
                return wanted
    return language_of(os.environ)


class Option(click.Option):
    """An option whose help is a catalogue key, translated when it is read."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        """The two columns of the help, in the language of this process."""
        english = self.help
        self.help = translate(english or "")
        try:
            return super().get_help_record(ctx)
        finally:
            self.help = english


class Argument(click.Argument):
    """An argument whose help is a catalogue key, translated when it is read."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str]:
        """The two columns of the help, in the language of this process."""
        return self.make_metavar(ctx), translate(self.help or "")


class _Switch(Option):
    """One of the options of every command: kept in :class:`Switches`, not handed to the command."""

    def __init__(self, *declarations: str, **attributes: Any) -> None:  # noqa: ANN401 - as click has it
        super().__init__(list(declarations), expose_value=False, callback=_switch, **attributes)


def _switch(context: click.Context, option: click.Parameter, value: object) -> None:
    if not value:
        return
    kept = context.ensure_object(Switches)
    match option.name, value:
        case "lang", str(language):
            kept.language = kept.spoken = language
            use_language(language)
        case "verbose", int(count):
            kept.verbosity = count
        case "quiet", _:
            kept.verbosity = -1
        case "log_json", _:
            kept.log_json = True
        case "no_color", _:
            kept.colour = False
        case _:
            kept.debug = True


EVERYWHERE: tuple[click.Option, ...] = (
    _Switch(
        "--lang", type=click.Choice(LANGUAGES), help="Language of what is printed (otherwise that of LANG)."
    ),
    _Switch("-v", "--verbose", count=True, help="Say more on standard error; twice for every detail."),
    _Switch("-q", "--quiet", is_flag=True, help="Say errors only, and show no progress."),
    _Switch("--log-json", is_flag=True, help="Log as JSON lines, for a SIEM."),
    _Switch("--no-color", is_flag=True, help="Never colour; NO_COLOR says the same."),
    _Switch("--debug", is_flag=True, help="Show the traceback of an unexpected error."),
)
