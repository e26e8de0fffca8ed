"""Scan a site for its centre: take jobs from there, as long as nobody ends it.

It connects out to the centre's PostgreSQL as the role of its site, and to nothing but the site's machines.
Each job is some hundred addresses: they are scanned as vetuste scan would, into an inventory of this worker's
own, and delivered. Where the centre cannot be reached for 14 seconds, nothing more is sent until it is back.

Exit code 70: its job was given to somebody else meanwhile; it is to be started again. 130: somebody ended it.
"""

from __future__ import annotations

import os
import re
import sys
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import click

from scanner.audit.keygen import trusted
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.exits import INTERRUPTED
from scanner.cli.terminal.options import own_data
from scanner.cli.terminal.output import tell
from scanner.cli.terminal.switches import Option
from scanner.errors import ConfigError
from scanner.schedule.state import state_folder

_KEY: Final = re.compile(r"[a-z][a-z0-9_]{0,30}")


@command_of(
    __doc__,
    examples=(
        (
            "At the site, where VETUSTE_CENTRE names the centre:",
            "vetuste worker --site chu_nord --allowed-signers /etc/vetuste/allowed_signers",
        ),
    ),
)
@click.option("--site", "key", cls=Option, required=True, metavar="KEY", help="The site's key at the centre.")
@click.option(
    "--centre",
    cls=Option,
    metavar="URL",
    help="The centre's database, without a password (otherwise VETUSTE_CENTRE).",
)
@click.option(
    "--state",
    cls=Option,
    type=click.Path(path_type=Path, file_okay=False),
    metavar="DIR",
    help="Where it keeps what it needs (otherwise VETUSTE_STATE, /var/lib/vetuste as root).",
)
@click.option(
    "--allowed-signers",
    cls=Option,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Whose keys sign for which role, as ssh-keygen has it; then only a signed site file is obeyed.",
)
@own_data
def command(*, key: str, centre: str | None, state: Path | None, allowed_signers: Path | None) -> None:
    """Check, then work."""
    if not find_spec("procrastinate"):
        raise ConfigError('the fleet needs packages of its own: pip install "vetuste[fleet]"')
    from scanner.fleet.dsn import checked  # noqa: PLC0415 - needs the fleet's packages
    from scanner.fleet.engine import JobTaker  # noqa: PLC0415 - the same
    from scanner.fleet.home import home_of  # noqa: PLC0415 - the same
    from scanner.fleet.worker_store import WorkerStore  # noqa: PLC0415 - the same
    from scanner.fleet.working import Worker, demand_same  # noqa: PLC0415 - the same

    if not _KEY.fullmatch(key):
        raise ConfigError(
            "{site} is no key of a site: small letters, digits, underscores", key="--site", site=repr(key)
        )
    if allowed_signers is not None:
        trusted(allowed_signers)  # now, and not when the first job comes
    dsn = checked(_centre(centre), os.environ, key=_named(centre), argument=bool(centre))
    with home_of(state or state_folder(os.environ), key, allowed_signers) as home:
        store = WorkerStore(dsn)
        with closing(store.link):
            demand_same(store, key, home)
        with closing(JobTaker(dsn, key)) as taker:
            tell("the worker of {site} waits for jobs (Ctrl-C ends it)", site=key)
            Worker(dsn, home, taker).work()
    sys.exit(INTERRUPTED)


def _centre(asked: str | None) -> str:
    url = asked or os.environ.get("VETUSTE_CENTRE", "")
    if not url:
        raise ConfigError("the centre is not named: --centre or VETUSTE_CENTRE names its database")
    return url


def _named(asked: str | None) -> str:
    return "--centre" if asked else "VETUSTE_CENTRE"
