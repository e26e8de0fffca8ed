"""Say what this machine can and cannot do, and how to fix it.

Nothing is sent. Exit code 3 when something will not work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import click

from scanner.cli.checkup import Finding, State, installation, machine, rights
from scanner.cli.checkup.opinions import opinions
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.exits import FAILED
from scanner.cli.terminal.options import Where, formats, today, where
from scanner.cli.terminal.output import say, write_json_list, write_lines
from scanner.cli.terminal.switches import coloured
from scanner.cli.terminal.text import padded, safe
from scanner.language import Message, translate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

_WORDS: Final = {State.OK: Message("ok"), State.WARN: Message("warning"), State.FAIL: Message("problem")}
_COLOURS: Final = {State.OK: "green", State.WARN: "yellow", State.FAIL: "red"}


def findings(where: Where, today: date) -> Iterator[Finding]:
    """Every check, in the order of what must hold first."""
    yield machine.python()
    yield machine.uvloop()
    yield machine.descriptors()
    yield machine.ports()
    yield machine.neighbours()
    yield machine.retransmissions()
    yield machine.interface()
    yield machine.echo()
    yield rights.raw()
    yield rights.interpreter()
    yield rights.rights()
    yield machine.disk(installation.folder_of(where))
    yield machine.clock()
    yield machine.zones()
    yield machine.terminal()
    yield opinions()
    yield installation.languages()
    yield installation.data(today)
    yield installation.site(where)
    yield from installation.alerts(where)
    yield installation.inventory(where)


@command_of(
    __doc__,
    examples=(
        ("Before the first scan:", "vetuste doctor --site site.toml"),
        ("For a script:", "vetuste doctor --json"),
    ),
)
@where
@formats("table", "json")
@today
def command(*, where: Where, form: str, today: date) -> None:
    """Look at everything, then print."""
    found = list(findings(where, today))
    if form == "json":
        write_json_list(_object(finding) for finding in found)
    else:
        for finding in found:
            write_lines(_lines(finding))
        say()
        failed = sum(finding.state is State.FAIL for finding in found)
        say("Problems: {number}.", number=failed)
    if any(finding.state is State.FAIL for finding in found):
        raise click.exceptions.Exit(FAILED)


def _lines(finding: Finding) -> Iterator[str]:
    word = padded(_WORDS[finding.state].render(), 13)
    shown = click.style(word, fg=_COLOURS[finding.state]) if coloured() else word
    yield f"{shown}{finding.name}: {safe(finding.says.render())}"
    if finding.fix:
        yield f"{'':13}{safe(translate('to fix it: {fix}').format(fix=finding.fix.render()))}"


def _object(finding: Finding) -> dict[str, str | None]:
    return {
        "check": finding.name,
        "state": finding.state.value,
        "says": finding.says.render(),
        "fix": finding.fix.render() if finding.fix else None,
    }
