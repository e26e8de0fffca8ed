"""Many rows in few statements.

Rows go in by the hundred, each hundred in one step, past SQLAlchemy's work on each value.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final

from sqlalchemy.dialects.sqlite import dialect, insert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Table
    from sqlalchemy.engine import Connection

_MOST: Final = 128
"""Rows a statement, a power of two; 15 columns of them stay far below SQLite's 32,766 parameters."""


@cache
def _statement(table: Table, rows: int, *, replace: bool) -> str:
    # The values travel past SQLAlchemy's work on each of them, as one flat tuple.
    statement = insert(table).values([dict.fromkeys(table.c.keys(), "")] * rows)
    if replace:
        keys = [column.name for column in table.primary_key]
        others = {name: statement.excluded[name] for name in list(table.c.keys()) if name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=others)
    return str(statement.compile(dialect=dialect()))


def insert_rows(
    connection: Connection, table: Table, values: Sequence[object], *, replace: bool = False
) -> None:
    """Write rows.

    Args:
        connection: in a transaction.
        table: where to.
        values: those of all columns of the first row, then of the second…, as the driver takes them: times as
            text.
        replace: rows whose primary key is there already replace what is there.
    """
    width = len(table.c)
    start, size = 0, _MOST
    while start < len(values):
        while size * width > len(values) - start:
            size //= 2
        end = start + size * width
        connection.exec_driver_sql(_statement(table, size, replace=replace), tuple(values[start:end]))
        start = end
