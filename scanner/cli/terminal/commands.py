"""Commands: found by being there, imported when they run, explained in two languages."""

from __future__ import annotations

import importlib
import pkgutil
from inspect import cleandoc
from typing import TYPE_CHECKING, Any, TypeAlias

import click

from scanner.cli.terminal.switches import EVERYWHERE, Switches
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from click.shell_completion import CompletionItem

Examples: TypeAlias = "Sequence[tuple[str, str]]"
"""What each is for (a catalogue key), and the command lines, one a line."""


class _Formatter(click.HelpFormatter):
    """Headings with the colon of the reader's language."""

    def write_heading(self, heading: str) -> None:
        """The heading of a section."""
        self.write(f"{'':>{self.current_indent}}{translate('{heading}:').format(heading=heading)}\n")


class _Context(click.Context):
    formatter_class = _Formatter


class _Explained(click.Command):
    """What commands and groups have in common: a help that is translated when it is read."""

    context_class = _Context
    examples: Examples = ()

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """The command's own options, then those of every command."""
        return [*super().get_params(ctx), *EVERYWHERE]

    def get_short_help_str(self, limit: int = 45) -> str:
        """The first line of the help, in the language of this process."""
        first = paragraphs(self.help)[0]
        return first if len(first) <= limit else f"{first[: limit - 1]}…"

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The help's paragraphs."""
        english, self.help = self.help, "\n\n".join(paragraphs(self.help))
        try:
            super().format_help_text(ctx, formatter)
        finally:
            self.help = english

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Own options in full; those of every command in full at the top, by name elsewhere."""
        own = [self._record(option, ctx) for option in click.Command.get_params(self, ctx)]
        with formatter.section(translate("Options")):
            formatter.write_dl([record for record in own if record])
        if ctx.parent is None:
            with formatter.section(translate("Options of every command")):
                formatter.write_dl(
                    [record for option in EVERYWHERE if (record := option.get_help_record(ctx))]
                )
        else:
            names = " ".join(max(option.opts, key=len) for option in EVERYWHERE)
            with formatter.section(translate("Options of every command")):
                formatter.write_text(names)

    @staticmethod
    def _record(option: click.Parameter, ctx: click.Context) -> tuple[str, str] | None:
        if isinstance(option, click.Argument):
            return None
        record = option.get_help_record(ctx)
        if record and "help" in (option.name or ""):
            return record[0], translate("Show this message and exit.")
        return record

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - as click has it
        """The examples."""
        if not self.examples:
            return
        with formatter.section(translate("Examples")):
            for purpose, line in self.examples:
                formatter.write_text(translate(purpose))
                for part in line.splitlines():
                    formatter.write(f"{'':>{formatter.current_indent + 2}}{part}\n")

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Completions with their explanations in the language of this process."""
        items = super().shell_complete(ctx, incomplete)
        for item in items:
            item.help = translate(item.help or "")
        return items

    def invoke(self, ctx: click.Context) -> Any:  # noqa: ANN401 - as click has it
        """Set up the log as asked, then run."""
        kept = ctx.ensure_object(Switches)
        kept.set_up_log()
        if ctx.parent is not None:
            kept.command = ctx.command_path.partition(" ")[2]
        if kept.log_json and not isinstance(self, click.Group):
            from scanner.cli.terminal.logs import event  # noqa: PLC0415 - only where it is asked for

            event("command_begun", command=kept.command)
        return super().invoke(ctx)


class Command(_Explained):
    """One command."""


class CommandGroup(_Explained, click.Group):
    """A command of several verbs, in one file."""

    command_class = Command

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands, then the options."""
        self.format_commands(ctx, formatter)
        _Explained.format_options(self, ctx, formatter)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Each command and its summary."""
        with formatter.section(translate("Commands")):
            formatter.write_dl([(name, self.summary(name)) for name in self.list_commands(ctx)])

    def summary(self, name: str) -> str:
        """What a command of the group does, in the language of this process."""
        return self.commands[name].get_short_help_str(200)


class Application(CommandGroup):
    """Every command of a package, imported only when it runs.

    Help and completion read the first line of each file instead: they import nothing.
    """

    def __init__(self, package: str, folder: Path, **attributes: Any) -> None:  # noqa: ANN401 - as click has it
        super().__init__(**attributes)
        self._package, self._folder = package, folder

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - as click has it
        """The modules of the package, as commands are written."""
        modules = pkgutil.iter_modules([str(self._folder)])
        return sorted(module.name.rstrip("_").replace("_", "-") for module in modules if not module.ispkg)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of that name, imported now."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(f"{self._package}.{self._module(cmd_name)}")
        found = module.command
        return found if isinstance(found, click.Command) else None

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """The commands that begin so; options where a dash was typed."""
        from click.shell_completion import CompletionItem  # noqa: PLC0415 - only completion needs it

        if incomplete.startswith("-"):
            return super().shell_complete(ctx, incomplete)
        names = [name for name in self.list_commands(ctx) if name.startswith(incomplete)]
        return [CompletionItem(name, help=self.summary(name)) for name in names]

    def summary(self, name: str) -> str:
        """What a command does, in the language of this process, from the first line of its file."""
        with (self._folder / f"{self._module(name)}.py").open(encoding="utf-8") as source:
            return translate(source.readline().strip().strip('"'))

    def _module(self, name: str) -> str:
        module = name.replace("-", "_")
        return module if (self._folder / f"{module}.py").exists() else f"{module}_"


def command(
    help: str | None,  # noqa: A002 - click's own word
    examples: Examples = (),
    *,
    name: str | None = None,
) -> Callable[[Callable[..., Any]], Command]:
    """Make a function a command.

    Args:
        help: its help, a catalogue key: the module's docstring, whose first line is the summary.
        examples: command lines, each with what it is for.
        name: how it is called, where the module's name is not it.
    """

    def made(function: Callable[..., Any]) -> Command:
        called = name or function.__module__.rpartition(".")[2].rstrip("_").replace("_", "-")
        made_of = click.command(called, Command, help=help)(function)
        made_of.examples = examples
        return made_of

    return made


def paragraphs(help_text: str | None) -> list[str]:
    """The paragraphs of a help, each a catalogue key on one line, in the language of this process."""
    return [translate(" ".join(part.split())) for part in cleandoc(help_text or "").split("\n\n")]
