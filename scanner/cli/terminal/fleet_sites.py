"""``vetuste fleet site``: the sites of a centre."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.audit import demand_signed
from scanner.audit.signatures import signature_file
from scanner.cli.terminal.commands import CommandGroup
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.fleet_centre import centre, checked_request
from scanner.cli.terminal.fleet_lines import print_sites, site_object
from scanner.cli.terminal.options import formats, together
from scanner.cli.terminal.output import say, tell, write_json_list, write_line
from scanner.cli.terminal.switches import Argument, Option
from scanner.config import read_site
from scanner.errors import ConfigError
from scanner.fleet.model import FleetSite
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.config import SiteSource
    from scanner.fleet.centre_store import CentreStore

_key: Callable[[Any], Any] = click.argument("key", cls=Argument)


_credentials = together(
    click.argument("file", cls=Argument, type=click.Path(path_type=Path)),
    click.option("--key", cls=Option, required=True, help="The site's key: a-z, 0-9 and _, a letter first."),
    click.option(
        "--password",
        "generated",
        cls=Option,
        is_flag=True,
        help="Let it log in with a password that is made now, and printed once, alone.",
    ),
    click.option(
        "--password-env",
        cls=Option,
        metavar="NAME",
        help="Let it log in with the password in this variable.",
    ),
)
"""``FILE``, ``--key``, ``--password`` and ``--password-env``."""


@command_of(
    """Add a site: its site file, checked as a scan would, and a role of its own in PostgreSQL.

    Without a password it logs in with a certificate whose common name is the key, or as pg_hba.conf says.
    """,
    name="add",
    examples=(
        ("A site that logs in with a certificate:", "vetuste fleet site add nord.toml --key nord"),
        (
            "One that logs in with a password, kept in a file:",
            "vetuste fleet site add sud.toml --key sud --password > sud.password",
        ),
    ),
)
@_credentials
@centre
def add(*, store: CentreStore, file: Path, key: str, generated: bool, password_env: str | None) -> None:
    """Check everything, then make the role and keep the site, both or neither."""
    from scanner.fleet.roles import demand_key, make_role  # noqa: PLC0415 - psycopg, an extra

    demand_key(key)
    password = _password(password_env, generated=generated)
    source = read_site(file)
    site = _site(source, key)
    with store.transaction():
        store.sites.add(site, source.file.site.name)
        make_role(store.link, key, password)
    tell("The site {site} was added: its worker logs in as {role}.", site=source.file.site.name, role=key)
    if generated:
        write_line(password or "")


@command_of(
    """Replace the site file of a site, or its password.

    Runs that are under way were cut by the file as it was: another file ends them.
    """,
    name="update",
    examples=(
        ("Its wards changed:", "vetuste fleet site update nord.toml --key nord"),
        ("Another password:", "vetuste fleet site update sud.toml --key sud --password > sud.password"),
    ),
)
@_credentials
@centre
def update(*, store: CentreStore, file: Path, key: str, generated: bool, password_env: str | None) -> None:
    """Check everything, then keep it."""
    from scanner.fleet.roles import set_password  # noqa: PLC0415 - psycopg, an extra
    from scanner.fleet.runs import OPEN  # noqa: PLC0415 - the same

    password = _password(password_env, generated=generated)
    source = read_site(file)
    site = _site(source, key)
    with store.transaction():
        replaced = store.sites.one(key).digest != site.digest
        ending = store.runs.all(states=OPEN, site=key) if replaced else ()
        store.sites.update(site, source.file.site.name)
        if password is not None:
            set_password(store.link, key, password)
    tell("The site {site} was updated.", site=source.file.site.name)
    if ending:
        runs = ", ".join(str(run.id) for run in ending)
        tell("These runs end now, since they were cut by the file as it was: {runs}", runs=runs)
    if generated:
        write_line(password or "")


@command_of(
    """List the sites, and when a worker of each last gave a sign of life.""",
    name="list",
    examples=(("All of them:", "vetuste fleet site list"),),
)
@centre
@formats("table", "json")
def list_(*, store: CentreStore, form: str) -> None:
    """Print them by key."""
    from scanner.fleet.status import sites_seen  # noqa: PLC0415 - psycopg, an extra

    found = sites_seen(store.link)
    if form == "json":
        write_json_list(map(site_object, found))
    else:
        print_sites(found)


@command_of(
    """Forget a site, its plans and its runs; what they learnt stays in the inventory.

    Its role is dropped: nobody logs in as that site any more.
    """,
    name="remove",
    examples=(("A site that closed:", "vetuste fleet site remove nord"),),
)
@_key
@centre
def remove(*, store: CentreStore, key: str) -> None:
    """Forget it, unless something of it is under way."""
    from scanner.fleet.roles import drop_role  # noqa: PLC0415 - psycopg, an extra

    with store.transaction():
        store.sites.remove(key)
        dropped = drop_role(store.link, key)
    say("The site {site} was removed.", site=key)
    if not dropped:
        tell(
            'the owner of this database may not drop its role: an administrator runs DROP ROLE "{role}"',
            role=key,
        )


@command_of(
    """Let nothing be sent at a site, whatever is planned or under way there, until it is resumed.""",
    name="pause",
    examples=(("While a theatre is opened:", "vetuste fleet site pause nord"),),
)
@_key
@centre
def pause(*, store: CentreStore, key: str) -> None:
    """Pause it."""
    store.sites.set_paused(key, paused=True)
    say("The site {site} is paused: nothing is sent there from a few seconds on.", site=key)


@command_of(
    """Let a site that was paused go on.""",
    name="resume",
    examples=(("Once it is closed:", "vetuste fleet site resume nord"),),
)
@_key
@centre
def resume(*, store: CentreStore, key: str) -> None:
    """Let it go on."""
    store.sites.set_paused(key, paused=False)
    say("The site {site} goes on.", site=key)


def _site(source: SiteSource, key: str) -> FleetSite:
    """A site of its file, checked whole: as it is understood, signed, and can be scanned."""
    roles = demand_signed(source)
    signatures = {role: signature_file(source, role).read_bytes() for role in roles}
    checked_request(source.file, (), (), None, None)
    return FleetSite(key, source.content, source.digest, signatures)


def _password(variable: str | None, *, generated: bool) -> str | None:
    if variable is None:
        from scanner.fleet.roles import new_password  # noqa: PLC0415 - psycopg, an extra

        return new_password() if generated else None
    if generated:
        raise click.UsageError(translate("--password and --password-env say different things"))
    password = os.environ.get(variable, "")
    if len(password) < _SHORTEST:
        raise ConfigError(
            "the variable holds no password of {length} characters or more", key=variable, length=_SHORTEST
        )
    return password


_SHORTEST = 16

command = CommandGroup(
    "site",
    {made.name: made for made in (add, update, list_, pause, resume, remove) if made.name},
    help="""Look after the sites of a centre: add, update, list, pause, resume, remove.

    A site is known by its key, which is the name of its role in PostgreSQL too. That role may do nothing but
    take and finish its own site's jobs (docs/fleet.md).
    """,
)
command.examples = (("Which are there, and do their workers live?", "vetuste fleet site list"),)
