"""What the commands of the centre have in common: its database, and what is asked of a site, checked."""

from __future__ import annotations

import os
import tempfile
from functools import wraps
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.terminal.switches import Option
from scanner.config import read_site
from scanner.errors import ConfigError
from scanner.scan import Request, prepare
from scanner.transport.descriptors import descriptor_limit

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.config import SiteFile
    from scanner.fleet.model import FleetSite


def database(function: Callable[..., Any]) -> Callable[..., Any]:
    """``--db``: handed over as ``url``, and checked as ``dsn``, which is for psycopg alone."""

    @wraps(function)
    def told(*, db: str | None, **others: object) -> object:
        if not find_spec("procrastinate"):
            raise ConfigError('the fleet needs packages of its own: pip install "vetuste[fleet]"')
        from scanner.fleet.dsn import checked  # noqa: PLC0415 - psycopg, an extra

        url = db or os.environ.get("VETUSTE_DB", "")
        key = "--db" if db else "VETUSTE_DB"
        return function(url=url, dsn=checked(url, os.environ, key=key, argument=bool(db)), **others)

    return click.option(
        "--db",
        cls=Option,
        metavar="URL",
        help="The centre's PostgreSQL database, as its owner (otherwise VETUSTE_DB).",
    )(told)


def centre(function: Callable[..., Any]) -> Callable[..., Any]:
    """The same, opened: handed over as ``store``, a CentreStore."""

    @wraps(function)
    def told(*, url: str, dsn: str, **others: object) -> object:  # noqa: ARG001 - it is in the dsn
        from scanner.fleet.centre_store import CentreStore  # noqa: PLC0415 - psycopg, an extra

        with CentreStore(dsn) as store:
            return function(store=store, **others)

    return database(told)


def checked_request(
    file: SiteFile,
    targets: tuple[str, ...],
    exclude: tuple[str, ...],
    profile: str | None,
    rate: float | None,
) -> dict[str, object]:
    """What is asked for, as it is kept; checked as a scan is, and nothing is sent.

    Raises:
        ConfigError: a target is wrong or out of scope, or nothing is left to scan.
    """
    request = Request(targets, file, exclude, profile, rate)
    prepare(request, descriptor_limit())
    return request.options()


def file_of(site: FleetSite) -> SiteFile:
    """The site file of a site, as the centre has it.

    Raises:
        ConfigError: it is wrong for this version.
    """
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder, f"{site.key}.toml")
        written.write_bytes(site.text)
        return read_site(written).file
