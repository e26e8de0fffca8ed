"""Finding assets by any part of what they are called, in SQLite's index of runs of three letters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

_RUN: Final = 3
_MOST: Final = 20_000
"""So many assets are looked up by their ids; where more hold a text, the first ones are found soon anyway."""
_TOLD: Final = "address || name || fqdn || domain || mac"
_HOLDING: Final = "SELECT rowid FROM called WHERE called MATCH ? LIMIT ?"
_FOREIGN: Final = f"SELECT id FROM assets WHERE length(CAST({_TOLD} AS BLOB)) <> length({_TOLD}) LIMIT ?"  # noqa: S608 - from above
_THERE: Final = "SELECT count(*) FROM sqlite_schema WHERE name IN ('called', 'ix_assets_foreign')"


def ids_called(connection: Connection, text: str) -> set[int] | None:
    """The ids of all assets that may be called something that holds a casefolded text, whatever the case.

    Some may be among them that do not; each that has letters beyond ASCII is, since "STRASSE" is "straße".

    Returns:
        None where that cannot be told, or they are too many to be worth it.
    """
    runs = {text[at : at + _RUN] for at in range(len(text) - _RUN + 1)}
    if connection.dialect.name != "sqlite" or not runs or not text.isprintable():
        return None
    if connection.exec_driver_sql(_THERE).scalar() != 2:  # noqa: PLR2004 - a table and an index
        return None
    found = set(connection.exec_driver_sql(_FOREIGN, (_MOST + 1,)).scalars())
    if text.isascii():
        phrase = " ".join('"{}"'.format(run.replace('"', '""')) for run in sorted(runs))
        found |= set(connection.exec_driver_sql(_HOLDING, (phrase, _MOST + 1)).scalars())
    return found if len(found) <= _MOST else None
