"""Say whether somebody still looks: red, exit code 1, where a site's next whole scan is late.

A scan is late when the last one that came to its end is longer ago than the site file allows ([health]
late_after_hours, 192 otherwise). A site that was never scanned as a whole is red too. Of other sites than
that of --site the inventory knows what their files said at their last scan. What cannot be read is exit
code 3.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.exits import DONE, FINDINGS
from scanner.cli.terminal.options import Where, formats, where
from scanner.cli.terminal.output import say, say_under, write_json_list
from scanner.cli.terminal.switches import Option
from scanner.inventory import open_inventory
from scanner.language import Message, translate

if TYPE_CHECKING:
    from scanner.inventory.lateness import Lateness

_SAID = {
    "ok": Message("{site}: in time; the last whole scan ended on {ended}, the next is late from {late} on"),
    "late": Message("{site}: late since {late}; the last whole scan ended on {ended}"),
    "never": Message("{site}: never scanned as a whole"),
}
_NEWEST = {
    "running": Message("scan {scan} is running since {began}"),
    "interrupted": Message("scan {scan}, begun on {began}, was interrupted: vetuste scan --resume goes on"),
    "failed": Message("scan {scan}, begun on {began}, failed: vetuste scan --resume goes on"),
    "killed": Message("scan {scan}, begun on {began}, was killed: vetuste scan --resume goes on"),
}


@command_of(
    __doc__,
    examples=(
        ("For a watchdog, of every site:", "vetuste health --db sqlite:////var/lib/vetuste/inventory.db"),
        ("One site, for a program:", "vetuste health --only-site CHU --format json"),
    ),
)
@where
@click.option("--only-site", cls=Option, default="", metavar="SITE", help="Only the site of this name.")
@formats("table", "json")
def command(*, where: Where, only_site: str, form: str) -> None:
    """Judge each site and print."""
    from scanner.inventory.lateness import Lateness, lateness_rows  # noqa: PLC0415 - SQLAlchemy, not for help

    file = where.site()
    with open_inventory(where.url()) as inventory:
        rows = lateness_rows(inventory, datetime.now(UTC), file)
    if only_site:
        rows = tuple(row for row in rows if row.site.casefold() == only_site.casefold())
        rows = rows or (Lateness.of_nobody(only_site),)
    if form == "json":
        write_json_list(map(_object, rows))
    else:
        for row in rows:
            _print(row)
    sys.exit(DONE if all(row.state == "ok" for row in rows) else FINDINGS)


def _print(row: Lateness) -> None:
    ended = row.whole and _moment(row.whole)
    late = row.whole and _moment(row.whole + row.after)
    say(_SAID[row.state].text, site=row.site or translate("(not known)"), ended=ended, late=late)
    newest = row.newest
    if newest is not None and newest.state in _NEWEST:
        say_under(_NEWEST[newest.state].text, scan=newest.id, began=_moment(newest.started))


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _object(row: Lateness) -> dict[str, object]:
    newest = row.newest
    return {
        "site": row.site,
        "establishment": row.establishment,
        "group": row.group,
        "state": row.state,
        "last_whole_scan": row.whole and row.whole.isoformat(),
        "late_after_hours": int(row.after.total_seconds()) // 3600,
        "late_since": row.since and row.since.isoformat(),
        "newest_scan": None
        if newest is None
        else {
            "id": newest.id,
            "state": newest.state,
            "started": newest.started.isoformat(),
            "ended": newest.ended and newest.ended.isoformat(),
        },
    }
