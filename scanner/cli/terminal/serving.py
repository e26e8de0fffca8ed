"""What ``serve`` and ``serve token`` have in common: roles, the file of tokens, what must be installed."""

from __future__ import annotations

import os
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from scanner.cli.terminal.switches import Option
from scanner.errors import ConfigError
from scanner.language import translate

if TYPE_CHECKING:
    from scanner.cli.terminal.options import Where

ROLES: Final = ("reader", "remediator", "operator")
_PACKAGES: Final = ("jinja2", "starlette", "uvicorn")
_SQLITE: Final = "sqlite:///"

tokens_option = click.option(
    "--tokens",
    cls=Option,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file of tokens (otherwise beside the inventory; of a database by URL, in ~/.config/vetuste).",
)


def needs_dashboard() -> None:
    """Say how to install what the dashboard needs.

    Raises:
        ConfigError: it is not installed.
    """
    if not all(find_spec(package) for package in _PACKAGES):
        raise ConfigError('the dashboard needs packages of its own: pip install "vetuste[dashboard]"')


def tokens_file(where: Where, asked: Path | None) -> Path:
    """The file of tokens: as asked, or that of the inventory."""
    if asked is not None:
        return asked
    url = where.url()
    if url.startswith(_SQLITE):
        inventory = Path(url.removeprefix(_SQLITE))
        return inventory.with_name(f"{inventory.name}.tokens.json")
    home = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    if not home.is_absolute():  # any other is to be ignored, says the specification
        home = Path.home() / ".config"
    return home / "vetuste" / "tokens.json"


class Network(click.ParamType[IPv4Network | IPv6Network]):
    """An address or a network."""

    name = "network"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> IPv4Network | IPv6Network:
        """The network; of one address that address alone."""
        try:
            return ip_network(str(value))
        except ValueError:
            self.fail(translate("{value} is no address and no network").format(value=repr(value)), param, ctx)
