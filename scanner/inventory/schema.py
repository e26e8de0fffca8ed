"""Which schemas there are, and whether an inventory has this program's."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError

if TYPE_CHECKING:
    from scanner.inventory.database import Database

VERSIONS: Final = tuple(f"{number:04}" for number in range(1, 13))
"""Every schema there was, oldest first; the last is this program's."""


def version_of(database: Database) -> str:
    """The schema's version of an inventory.

    Raises:
        ConfigError: there is none, or what is there is none; it is as it was.
        InventoryError: there is one, and it cannot be read.
    """
    version = database.version()
    if version is None:
        raise ConfigError(
            "there is no inventory here: run a scan first, or name another one with --db",
            file=database.place,
        )
    return version


def demand_known(version: str, place: object) -> None:
    """Go on only with a schema of this program or an older one.

    Raises:
        ConfigError: it is one of a newer program.
    """
    if version not in VERSIONS:
        raise ConfigError(
            "the inventory was made by a newer vetuste (schema {version}): use that one, or another --db",
            file=str(place),
            version=version,
        )


def demand_current(database: Database) -> None:
    """Go on only with an inventory of this program's schema.

    Raises:
        ConfigError: it is no inventory, or one of an older or a newer program.
        InventoryError: it cannot be read.
    """
    version = version_of(database)
    demand_known(version, database.place)
    if version != VERSIONS[-1]:
        raise ConfigError(
            "the inventory was made by an older vetuste: run vetuste db upgrade", file=database.place
        )
