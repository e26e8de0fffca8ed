"""Print the script that lets a shell complete commands and options.

It goes into the shell's start-up file, or where the shell looks for completions. It calls vetuste, which must
be on the PATH.
"""

from __future__ import annotations

import click

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.output import machine
from scanner.cli.terminal.switches import Argument

_SHELLS = ("bash", "zsh", "fish")


@command_of(
    __doc__,
    examples=(
        ("bash, for this user:", "vetuste completion bash >> ~/.bashrc"),
        ("zsh, for this user:", "vetuste completion zsh >> ~/.zshrc"),
        ("fish, for this user:", "vetuste completion fish > ~/.config/fish/completions/vetuste.fish"),
    ),
)
@click.argument("shell", cls=Argument, type=click.Choice(_SHELLS), help="The shell it is for.")
def command(*, shell: str) -> None:
    """Print click's own script for the shell."""
    from click.shell_completion import get_completion_class  # noqa: PLC0415 - only here

    from scanner.cli.terminal.front import APPLICATION, COMPLETION  # noqa: PLC0415 - it finds this module

    made = get_completion_class(shell)
    if made is not None:
        machine().write(f"{made(APPLICATION, {}, 'vetuste', COMPLETION).source().strip()}\n")
