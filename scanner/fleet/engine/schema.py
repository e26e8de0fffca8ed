"""Procrastinate's tables, in the schema ``jobs`` that is there already."""

from __future__ import annotations

import re
from importlib.metadata import version
from typing import TYPE_CHECKING, Final

import psycopg
from procrastinate.schema import SchemaManager, migrations_path
from psycopg import sql

from scanner.fleet.engine.jobs import SEARCH_PATH, translated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_NAME: Final = re.compile(r"(\d+)\.(\d+)\.(\d+)_\d+_.*\.sql")


def apply_schema(dsn: str) -> None:
    """Make the tables, or bring them to the version that is installed; twice changes nothing.

    Which version made them stands in the comment of the schema.

    Raises:
        FleetError: nothing was changed.
    """
    with translated(), psycopg.connect(dsn, options=SEARCH_PATH) as connection:
        asked = "SELECT to_regclass('jobs.procrastinate_jobs')::text, obj_description('jobs'::regnamespace)"
        made, said = connection.execute(asked).fetchone() or ("", "")
        if made is None:
            connection.execute(SchemaManager.get_schema())
        for script in _since(_numbers(said or "")) if made else ():
            connection.execute(script.read_bytes())
        comment = sql.SQL("COMMENT ON SCHEMA jobs IS {}")
        connection.execute(comment.format(f"procrastinate {version('procrastinate')}"))


def _since(before: tuple[int, ...]) -> Iterator[Path]:
    """What brings the tables of a version to this one, in order."""
    for script in sorted(migrations_path.iterdir(), key=lambda file: file.name):
        found = _NAME.fullmatch(script.name)
        if found and tuple(map(int, found.groups())) > before:
            yield script


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text))
