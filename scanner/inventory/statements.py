"""Many rows in few statements, past SQLAlchemy's work on each value."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING, Final

from sqlalchemy import Integer, LargeBinary
from sqlalchemy.dialects.sqlite import dialect, insert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Column, Table
    from sqlalchemy.engine import Connection

_MOST: Final = 128
"""Rows a statement of SQLite's, a power of two; 15 columns of them stay far below its 32,766 parameters."""


def insert_rows(
    connection: Connection, table: Table, values: Sequence[object], *, replace: bool = False
) -> None:
    """Write rows.

    Args:
        connection: in a transaction.
        table: where to.
        values: those of all columns of the first row, then of the second…, as the driver takes them: times as
            text.
        replace: rows whose primary key is there already replace what is there; of rows with one key the last
            stands.
    """
    if not values:
        return
    if connection.dialect.name == "sqlite":
        _insert_in_file(connection, table, values, replace=replace)
    else:
        _insert_in_server(connection, table, values, replace=replace)


def update_rows(connection: Connection, table: Table, names: Sequence[str], values: Sequence[object]) -> None:
    """Change some columns of rows that are there.

    Args:
        connection: in a transaction.
        table: one whose rows have an ``id``.
        names: the columns.
        values: the id of the first row, then its columns in the order of the names, then the second row's…,
            as the driver takes them; no row twice.
    """
    if not values:
        return
    width = 1 + len(names)
    if connection.dialect.name == "sqlite":
        rows = [(*values[start + 1 : start + width], values[start]) for start in range(0, len(values), width)]
        changes = ", ".join(f'"{name}" = ?' for name in names)
        connection.exec_driver_sql(f"UPDATE {table.name} SET {changes} WHERE id = ?", rows)  # noqa: S608 - our own tables
    else:
        columns = tuple(list(values[place::width]) for place in range(width))
        connection.exec_driver_sql(_changes(table, tuple(names)), columns)


def spelt(connection: Connection, sql: str) -> str:
    """A statement with ``?`` for values, as the driver below a connection wants it."""
    return sql if connection.dialect.name == "sqlite" else sql.replace("?", "%s")


def _insert_in_file(connection: Connection, table: Table, values: Sequence[object], *, replace: bool) -> None:
    width = len(table.c)
    start, size = 0, _MOST
    while start < len(values):
        while size * width > len(values) - start:
            size //= 2
        end = start + size * width
        connection.exec_driver_sql(_rows_of_values(table, size, replace=replace), tuple(values[start:end]))
        start = end


@cache
def _rows_of_values(table: Table, rows: int, *, replace: bool) -> str:
    # The values travel past SQLAlchemy's work on each of them, as one flat tuple.
    statement = insert(table).values([dict.fromkeys(table.c.keys(), "")] * rows)
    if replace:
        keys = [column.name for column in table.primary_key]
        others = {name: statement.excluded[name] for name in list(table.c.keys()) if name not in keys}
        statement = statement.on_conflict_do_update(index_elements=keys, set_=others)
    return str(statement.compile(dialect=dialect()))


def _insert_in_server(
    connection: Connection, table: Table, values: Sequence[object], *, replace: bool
) -> None:
    """Copy rows; where they may be there already, one statement, and a value of it a column: an array."""
    width = len(table.c)
    if replace:
        values = _last_of_each(table, values)
        columns = tuple(list(values[place::width]) for place in range(width))
        connection.exec_driver_sql(_arrays(table), columns)
    else:
        with closing(connection.connection.cursor()) as cursor, cursor.copy(_copied(table)) as copy:
            for row in zip(*[iter(values)] * width, strict=True):
                copy.write_row(row)
    if "id" in table.c:  # rows that the database numbers itself come behind these
        connection.exec_driver_sql(_count_on(table.name), (max(values[::width]),))  # type: ignore[type-var]


def _last_of_each(table: Table, values: Sequence[object]) -> list[object]:
    width = len(table.c)
    keys = [place for place, column in enumerate(table.c) if column.primary_key]
    rows = (tuple(values[start : start + width]) for start in range(0, len(values), width))
    return [value for row in {tuple(row[key] for key in keys): row for row in rows}.values() for value in row]


@cache
def _copied(table: Table) -> str:
    return f"COPY {table.name} ({_names(table)}) FROM STDIN"


def _names(table: Table) -> str:
    return ", ".join(f'"{column.name}"' for column in table.c)


@cache
def _arrays(table: Table) -> str:
    arrays = ", ".join(f"%s::{_array_of(column)}" for column in table.c)
    keys = ", ".join(f'"{column.name}"' for column in table.primary_key)
    others = ", ".join(f'"{c.name}" = excluded."{c.name}"' for c in table.c if not c.primary_key)
    return (
        f"INSERT INTO {table.name} ({_names(table)}) SELECT * FROM unnest({arrays}) "  # noqa: S608 - our own tables
        f"ON CONFLICT ({keys}) DO UPDATE SET {others}"
    )


@cache
def _changes(table: Table, names: tuple[str, ...]) -> str:
    every = ("id", *names)
    listed = ", ".join(f'"{name}"' for name in every)
    arrays = ", ".join(f"%s::{_array_of(table.c[name])}" for name in every)
    changes = ", ".join(f'"{name}" = new."{name}"' for name in names)
    new = f"unnest({arrays}) AS new ({listed})"
    return f"UPDATE {table.name} SET {changes} FROM {new} WHERE {table.name}.id = new.id"  # noqa: S608 - our own tables


def _array_of(column: Column[object]) -> str:
    if isinstance(column.type, Integer):
        return "bigint[]"
    return "bytea[]" if isinstance(column.type, LargeBinary) else "text[]"


def _count_on(table: str) -> str:
    own = f"pg_get_serial_sequence('{table}', 'id')"
    return f"SELECT setval({own}, greatest(%s::bigint, nextval({own}) - 1))"
