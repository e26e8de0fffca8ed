"""``vetuste serve token``: who may come into the dashboard."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import click

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.options import Where, where
from scanner.cli.terminal.output import say, tell, write_line
from scanner.cli.terminal.serving import ROLES, needs_dashboard, tokens_file, tokens_option
from scanner.cli.terminal.switches import Argument, Option
from scanner.language import translate

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.dashboard.access.register import Entry


@command_of(
    """Give somebody a token for the dashboard, list who has one, or take it back.

    The token is printed once and kept nowhere: the file has only its SHA-256. Taken back, it ends at once,
    and so do the sessions that it began.
    """,
    name="token",
    examples=(
        (
            "Somebody who looks and sets findings, for a quarter:",
            "vetuste serve token DSI --role remediator --expires 90",
        ),
        (
            "The wall screen of a ward:",
            'vetuste serve token "wall screen" --role reader --ward Cardiologie',
        ),
        ("Whom the proxy calls so may stop scans:", "vetuste serve token rssi --role operator --by-proxy"),
        ("Who may come in, and until when?", "vetuste serve token --list"),
        ("Not any more:", "vetuste serve token --revoke DSI"),
    ),
)
@click.argument("name", required=False, cls=Argument, help="How the log of the dashboard names them.")
@where
@tokens_option
@click.option(
    "--role",
    cls=Option,
    type=click.Choice(ROLES),
    help="What they may do: look; set findings, too; stop scans, too (otherwise look).",
)
@click.option(
    "--of-site", cls=Option, multiple=True, metavar="NAME", help="They see this site only; may be repeated."
)
@click.option(
    "--ward", cls=Option, multiple=True, metavar="NAME", help="They see this ward only; may be repeated."
)
@click.option(
    "--expires", cls=Option, type=click.IntRange(1, 3650), metavar="DAYS", help="It is good for so many days."
)
@click.option("--by-proxy", cls=Option, is_flag=True, help="Make no token: the proxy says who they are.")
@click.option("--list", "listed", cls=Option, is_flag=True, help="Show who may come in, and as what.")
@click.option("--revoke", cls=Option, metavar="NAME", help="Take back what this one has.")
def token(  # noqa: PLR0913 - one parameter an option
    *,
    name: str | None,
    where: Where,
    tokens: Path | None,
    role: str | None,
    of_site: tuple[str, ...],
    ward: tuple[str, ...],
    expires: int | None,
    by_proxy: bool,
    listed: bool,
    revoke: str | None,
) -> None:
    """Give, list or take back."""
    if sum((name is not None, listed, revoke is not None)) != 1:
        raise click.UsageError(translate("say a name, or --list, or --revoke with a name"))
    given = role or of_site or ward or expires or by_proxy
    if name is None and given:
        raise click.UsageError(
            translate("these say different things: {formats}").format(formats="--list --revoke")
        )
    needs_dashboard()
    file = tokens_file(where, tokens)
    if name is not None:
        until = None if expires is None else datetime.now(UTC) + timedelta(days=expires)
        _doubt_wards(where, ward)
        _give(file, name, role or "reader", (of_site, ward), until, by_proxy=by_proxy)
    elif revoke is not None:
        _take_back(file, revoke)
    else:
        _list(file)


def _doubt_wards(where: Where, wards: tuple[str, ...]) -> None:
    """Say which wards the site file does not know: whoever sees those alone sees nothing."""
    site = where.site() if wards else None
    known = set(wards) if site is None else {ward.name for ward in site.wards}
    for ward in wards:
        if ward not in known:
            tell("the site file has no ward {ward}", ward=repr(ward))


def _give(  # noqa: PLR0913 - what an entry has
    file: Path,
    name: str,
    role: str,
    places: tuple[tuple[str, ...], tuple[str, ...]],
    until: datetime | None,
    *,
    by_proxy: bool,
) -> None:
    from scanner.dashboard.access.issuing import enter, new_token  # noqa: PLC0415 - an extra's packages
    from scanner.dashboard.access.register import Entry  # noqa: PLC0415 - the same
    from scanner.dashboard.visitor import Role  # noqa: PLC0415 - the same

    made = "" if by_proxy else new_token()
    sites, wards = map(frozenset, places)
    enter(file, Entry(name, Role[role.upper()], sites, wards, until), made)
    tell("{name} may come in as {role}; kept in {file}", name=name, role=role, file=file)
    if made:
        tell("this is shown once, and can be had from nowhere else:")
        write_line(made)


def _take_back(file: Path, name: str) -> None:
    from scanner.dashboard.access.issuing import strike  # noqa: PLC0415 - an extra's packages

    strike(file, name)
    say("{name} may not come in any more.", name=name)


def _list(file: Path) -> None:
    from scanner.dashboard.access.register import read_entries  # noqa: PLC0415 - an extra's packages

    for entry in read_entries(file):
        write_line("  ".join(_cells(entry, datetime.now(UTC))))


def _cells(entry: Entry, now: datetime) -> list[str]:
    over = entry.expires is not None and entry.expires <= now
    until = translate("expired {day}") if over else translate("until {day}")
    return [
        entry.name,
        entry.role.name.lower(),
        translate("token") if entry.digest else translate("by proxy"),
        *sorted(entry.sites),
        *sorted(entry.wards),
        *([until.format(day=f"{entry.expires:%Y-%m-%d}")] if entry.expires else []),
    ]
