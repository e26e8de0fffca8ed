"""Looking up many values in few statements, past SQLAlchemy's work on each of them."""

from __future__ import annotations

from contextlib import closing
from functools import cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy.engine import Connection

_MOST: Final = 512
"""Values a statement of SQLite's, a power of two: few different statements, so that they stay prepared."""


def looked_up(connection: Connection, asked: str, values: Sequence[object]) -> Iterator[tuple[Any, ...]]:
    """The rows in which a column is one of some values, as the driver gives them: times as text.

    Args:
        connection: in a transaction.
        asked: the statement up to the name of that column, where a comparison would follow; no other value
            stands in it.
        values: what is looked up, none of them twice.
    """
    with closing(connection.connection.cursor()) as cursor:
        if connection.dialect.name == "sqlite":
            for part in _parts(values):
                cursor.execute(f"{asked} IN ({_marks(len(part))})", part)
                yield from cursor.fetchall()
        elif values:
            cursor.execute(f"{asked} = ANY(%s)", (list(values),))
            yield from cursor.fetchall()


def _parts(values: Sequence[object]) -> Iterator[tuple[object, ...]]:
    for start in range(0, len(values), _MOST):
        part = tuple(values[start : start + _MOST])
        size = 1 << (len(part) - 1).bit_length()
        yield part + part[-1:] * (size - len(part))


@cache
def _marks(number: int) -> str:
    return ", ".join("?" * number)
