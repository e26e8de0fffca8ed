"""Tell people and other systems of what the site file has rules for, once: by mail, syslog, apprise.

The rules ([[alert]]) and the channels ([[notify]]) stand in the site file; docs/alerts.md shows them.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.options import Where, formats, where
from scanner.cli.terminal.output import write_json, write_json_list
from scanner.cli.terminal.switches import Option
from scanner.errors import ConfigError, VetusteError
from scanner.inventory import alarms_rows, open_inventory

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.alerts import Summary
    from scanner.config import SiteSource


@command_of(
    "List alarms: which stand, who was told of them when, who could not be told and why.",
    name="list",
    examples=(
        ("What stands, and what is still to be told:", "vetuste alert list"),
        ("What failed, for a script:", "vetuste alert list --json"),
    ),
)
@where
@click.option("--all", "everything", cls=Option, is_flag=True, help="Those that are over as well.")
@formats("table", "json")
def show(*, where: Where, everything: bool, form: str) -> None:
    """Print them, newest first."""
    from scanner.cli.terminal.alert_lines import alarm_object, print_alarms  # noqa: PLC0415 - pydantic, 0.1 s

    with open_inventory(where.url()) as inventory:
        alarms = alarms_rows(inventory, everything=everything)
    if form == "json":
        write_json_list(map(alarm_object, alarms))
    else:
        print_alarms(alarms)


@command_of(
    """Judge every rule now, and tell each channel what it does not know yet.

    Each alarm is told once. A channel that fails is tried again at the next call; in its quiet hours nothing
    is sent to it, and all of it as one message at the first call after. Exit code 3 where a channel failed.
    """,
    name="send",
    examples=(("After a scan, and once more when the quiet hours are over:", "vetuste alert send"),),
)
@where
@formats("table", "json")
def send(*, where: Where, form: str) -> None:
    """Judge, tell, and say what became of it."""
    from scanner import alerts  # noqa: PLC0415 - pydantic, 0.1 s
    from scanner.cli.terminal.alert_lines import print_sent  # noqa: PLC0415 - the same

    source = _source(where)
    with open_inventory(where.url()) as inventory:
        summary = alerts.send(inventory, source, datetime.now(UTC))
    _end(summary, form, print_sent)


@command_of(
    """Send a message through each channel that says that it is a test, and tell what happened.

    Quiet hours do not count. Exit code 3 where a channel failed.
    """,
    name="test",
    examples=(
        ("Does everybody hear us?", "vetuste alert test"),
        ("One channel:", "vetuste alert test --to dsi-mail"),
    ),
)
@where
@click.option("--to", cls=Option, metavar="NAME", help="This channel alone.")
@formats("table", "json")
def test(*, where: Where, to: str | None, form: str) -> None:
    """Send, and say what became of it."""
    from scanner import alerts  # noqa: PLC0415 - pydantic, 0.1 s
    from scanner.cli.terminal.alert_lines import print_tested  # noqa: PLC0415 - the same

    summary = alerts.try_channels(_source(where), datetime.now(UTC), to)
    _end(summary, form, print_tested)


def _source(where: Where) -> SiteSource:
    source = where.site_source()
    if source is None:
        raise ConfigError("there is no site file: name one with --site (docs/site-file.md)")
    if not source.file.alerts:
        raise ConfigError(
            "there is no [[alert]] in this site file: docs/alerts.md shows some", file=source.path
        )
    return source


def _end(summary: Summary, form: str, shown: Callable[[Summary], None]) -> None:
    from scanner.cli.terminal.alert_lines import summary_object  # noqa: PLC0415 - as above

    if form == "json":
        write_json(summary_object(summary))
    else:
        shown(summary)
    if summary.failed:
        raise VetusteError("could not be told: {channels}", channels=", ".join(summary.failed))


command = CommandGroup("alert", {made.name: made for made in (show, send, test) if made.name}, help=__doc__)
command.examples = (
    ("Try every channel:", "vetuste alert test"),
    ("What was told, and what could not be?", "vetuste alert list"),
    ("Judge the rules now:", "vetuste alert send"),
)
