"""The front door: from arguments to an exit code, whatever happens in between."""

from __future__ import annotations

import gettext
import os
import sys
import time
from io import TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Self

import click

from scanner.cli.terminal.commands import Application
from scanner.cli.terminal.exits import DONE, FAILED, INTERRUPTED, WRONG
from scanner.cli.terminal.switches import Option, Switches, asked_language
from scanner.cli.terminal.text import safe
from scanner.errors import VetusteError
from scanner.language import translate, use_language

if TYPE_CHECKING:
    from types import TracebackType

COMPLETION = "_VETUSTE_COMPLETE"
"""The variable by which a shell asks for completions."""
_FOLDER = Path(__file__).parents[1]
_HELP = """Find the machines of a hospital that nobody maintains any more.

No agent, no password, no harm: what machines say of themselves is compared with the dates of their makers.
"""


def _version(context: click.Context, _: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click calls it
    if not wanted:
        return
    from scanner.data import data_version  # noqa: PLC0415 - reads every data file
    from scanner.version import installed_version  # noqa: PLC0415 - 20 ms that only --version pays

    values = {"version": installed_version() or translate("from a checkout"), "data": data_version()}
    click.echo(translate("vetuste {version}, data {data}").format(**values))
    context.exit()


APPLICATION = Application(
    "scanner.cli",
    _FOLDER,
    name="vetuste",
    help=_HELP,
    params=[
        Option(
            ["--version"],
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_version,
            help="Show the version of the product and of its data.",
        ),
    ],
)
APPLICATION.examples = (
    ("See it work on a simulated hospital:", "vetuste demo"),
    (
        "Scan what the site file names, then count Windows XP in each ward:",
        'vetuste scan --site site.toml\nvetuste count --os "Windows XP" --by ward',
    ),
    ("What this machine can do, and how to fix what it cannot:", "vetuste doctor"),
)


class _Door:
    """Turns every way in which a command may end into one line on standard error and an exit code."""

    def __init__(self, switches: Switches) -> None:
        self.switches = switches
        self.code = DONE

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None:
            return False
        if self.switches.debug and not isinstance(
            error, BrokenPipeError | SystemExit | click.exceptions.Exit
        ):
            import traceback  # noqa: PLC0415 - only where one is shown

            traceback.print_exception(kind, error, trace)
        self.code, line = _ending(error)
        if isinstance(error, click.exceptions.NoArgsIsHelpError):
            error.show()
        elif line and self.switches.log_json:
            self._log(line, type(error).__name__)
        elif line:
            sys.stderr.write(f"vetuste: {safe(line)}\n")
        return True

    def _log(self, line: str, kind: str) -> None:
        import logging  # noqa: PLC0415 - only where it is asked for

        from scanner.cli.terminal.logs import event  # noqa: PLC0415 - the same

        self.switches.set_up_log()
        fields = {"command": self.switches.command, "exit_code": self.code, "kind": kind}
        event("command_failed", line, level=logging.ERROR, **fields)


def _ending(error: BaseException) -> tuple[int, str]:
    """The exit code, and what to say."""
    match error:
        case click.exceptions.Exit(exit_code=int(code)) | SystemExit(code=int(code)):
            return code, ""
        case SystemExit() | BrokenPipeError():
            return DONE, ""
        case click.Abort() | KeyboardInterrupt():
            return INTERRUPTED, translate("interrupted; everything so far is kept")
        case VetusteError():
            return error.exit_code, str(error)
        case click.ClickException():
            return WRONG, _usage(error)
        case _:
            return FAILED, _system(error) if isinstance(error, OSError) else _surprise(error)


def _surprise(error: BaseException) -> str:
    text = translate("unexpected {kind}: {error} (again with --debug shows where; please report it)")
    return text.format(kind=type(error).__name__, error=error)


def _system(error: OSError) -> str:
    where = "" if error.filename is None else f"{error.filename}: "
    return f"{where}{error.strerror or error}"


def _usage(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    path = context.command_path if isinstance(context, click.Context) else "vetuste"
    hint = translate("({command} --help says more)").format(command=path)
    return f"{error.format_message().rstrip()} {hint}"


def speak(language: str) -> None:
    """Let our messages and those of click be in a language."""
    use_language(language)
    os.environ["LANGUAGE"] = language
    gettext.bindtextdomain("vetuste", str(_FOLDER.parent / "locale"))
    gettext.textdomain("vetuste")


def run(arguments: list[str]) -> int:
    """Run a command line: what stands after the program's name.

    Returns:
        The exit code.
    """
    began, switches = time.monotonic(), Switches(spoken=asked_language(arguments))
    speak(switches.spoken)
    with _Door(switches) as door:
        instruction = os.environ.get(COMPLETION, "")
        if instruction:
            return _complete(instruction)
        try:
            with APPLICATION.make_context("vetuste", arguments, obj=switches) as context:
                APPLICATION.invoke(context)
        finally:
            _flush()
    if switches.log_json and switches.command:
        _tell_end(switches.command, door.code, time.monotonic() - began)
    return door.code


def _tell_end(command: str, code: int, seconds: float) -> None:
    from scanner.cli.terminal.logs import event  # noqa: PLC0415 - logging, only where it is asked for

    event("command_ended", command=command, exit_code=code, seconds=round(seconds, 3))


def _complete(instruction: str) -> int:
    from click.shell_completion import shell_complete  # noqa: PLC0415 - only a shell that completes needs it

    return FAILED if shell_complete(APPLICATION, {}, "vetuste", COMPLETION, instruction) else DONE


def _flush() -> None:
    """Write what is still buffered, while a reader who left can be told from a full disk.

    What cannot be written is forgotten, so that the interpreter does not try again when it ends.
    """
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise


def main() -> None:
    """Run the command line of this process."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")
    sys.exit(run(sys.argv[1:]))
