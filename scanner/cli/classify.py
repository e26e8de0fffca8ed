"""Judge evidence from a file of JSON lines; no network, no database.

One line a host goes in: {"host": "…", "evidence": {"key": "value", "key": ["value", "value"]}}. One JSON line
a host comes out, with its status, certainty, identity, candidates, the interval of their ends of support, and
the reasons. A line that is wrong is named on standard error and left out; the exit code is then 2.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.evidence_lines import lines_of, opened
from scanner.cli.terminal.exits import WRONG
from scanner.cli.terminal.options import own_data, today
from scanner.cli.terminal.output import complain, machine
from scanner.cli.terminal.switches import Argument
from scanner.cli.terminal.verdicts import Judge
from scanner.errors import ConfigError
from scanner.process import rare_collections

if TYPE_CHECKING:
    from datetime import date


@command_of(
    __doc__,
    examples=(
        ("A file of evidence:", "vetuste classify evidence.jsonl"),
        (
            "One machine, by hand:",
            """echo '{"host": "a", "evidence": {"smb.native_os": "Windows 5.1"}}' | vetuste classify -""",
        ),
        (
            "As it would have been judged on another day:",
            "vetuste classify --today 2020-01-01 evidence.jsonl",
        ),
    ),
)
@click.argument("file", cls=Argument, help="The file; - is standard input.")
@own_data
@today
def command(*, file: str, today: date) -> None:
    """Judge line by line."""
    judge, wrong, out = Judge(today), 0, machine()
    with opened(file) as stream, rare_collections():
        for line in lines_of(stream, file):
            if isinstance(line, ConfigError):
                complain(line)
                wrong += 1
            else:
                out.write(f"{judge.line(line.host, line.evidence)}\n")
                out.flush()
    if wrong:
        raise click.exceptions.Exit(WRONG)
