"""``docs/cli.md``, made from the commands: ``python -m tests.cli.reference`` (``make docs``).

``--check`` changes nothing and fails where the page is stale.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from scanner.cli.terminal.exits import __doc__ as exits
from scanner.cli.terminal.front import APPLICATION, speak

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "cli.md"
_HEAD = """# The command line

Made by `make docs` from the commands themselves: what follows is what `--help` prints.

`vetuste COMMAND`, or `python cli.py COMMAND` from a checkout. Text for people goes to standard output;
`--json` and `--jsonl` are for programs. Progress and logs go to standard error, and nothing colours a pipe.
`LANG` or `--lang` chooses English or French.

| exit code | means |
|---|---|
"""


def commands(command: click.Command, above: click.Context | None = None) -> Iterator[click.Context]:
    """A command, then what is below it, each in a context of its own."""
    context = command.context_class(command, info_name=command.name, parent=above, terminal_width=80)
    yield context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None:
                yield from commands(below, context)


def page() -> str:
    """The page, in English."""
    speak("en")
    os.environ["COLUMNS"] = "80"
    text = _HEAD
    for line in (exits or "").splitlines():
        code, _, meaning = line.partition(" ")
        if code.isdecimal():
            text += f"| {code} | {meaning.strip().replace('``', '`')} |\n"
    for context in commands(APPLICATION):
        text += f"\n## {context.command_path}\n\n```text\n{context.get_help().rstrip()}\n```\n"
    return text


def main() -> int:
    """Write the page, or compare it."""
    made = page()
    if "--check" in sys.argv[1:]:
        same = PAGE.exists() and PAGE.read_text(encoding="utf-8") == made
        sys.stderr.write("" if same else f"{PAGE.name} is stale: make docs\n")
        return 0 if same else 1
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
