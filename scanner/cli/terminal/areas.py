"""Which sites a command is about: ``--only-site --only-establishment --only-group``."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.terminal.options import together
from scanner.cli.terminal.switches import Option
from scanner.errors import ConfigError
from scanner.inventory import Area, open_inventory

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.cli.terminal.options import Where

_options = together(
    click.option("--only-site", cls=Option, default="", metavar="SITE", help="Only the site of this name."),
    click.option(
        "--only-establishment",
        cls=Option,
        default="",
        metavar="NAME",
        help="Only the sites of this establishment; a site that names none is one itself.",
    ),
    click.option(
        "--only-group", cls=Option, default="", metavar="NAME", help="Only the sites of this group."
    ),
)


def in_area(function: Callable[..., Any]) -> Callable[..., Any]:
    """The options, handed over as ``sites``: their names, or None for all; to stand under ``where``."""

    @wraps(function)
    def told(
        *, where: Where, only_site: str, only_establishment: str, only_group: str, **others: object
    ) -> object:
        area = Area(only_site, only_establishment, only_group)
        return function(where=where, sites=None if area == Area() else _sites(where, area), **others)

    return _options(told)


def _sites(where: Where, area: Area) -> frozenset[str]:
    with open_inventory(where.url()) as inventory:
        found = area.sites(inventory)
    if not found:
        asked = [name for name in (area.group, area.establishment, area.site) if name]
        raise ConfigError(
            "no site of the inventory is in {area}: vetuste count --by group,establishment,site names them",
            area=", ".join(map(repr, asked)),
        )
    return found
