"""``inventory.db.example`` is what today's code and data build."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.example import build

EXAMPLE = Path(__file__).parents[1] / "inventory.db.example"


def rows(file: Path) -> dict[str, list[tuple[object, ...]]]:
    with closing(sqlite3.connect(f"file:{file}?mode=ro&immutable=1", uri=True)) as connection:
        names = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")
        tables = [name for (name,) in names]
        return {name: sorted(connection.execute(f'SELECT * FROM "{name}"'), key=repr) for name in tables}  # noqa: S608 - names of the file's own tables


def test_the_example_is_up_to_date(tmp_path: Path) -> None:
    build(tmp_path / "inventory.db")
    fresh, kept = rows(tmp_path / "inventory.db"), rows(EXAMPLE)
    assert fresh.keys() == kept.keys()
    for table, expected in fresh.items():
        assert kept[table] == expected, f"{table} differs: make example"
    assert len(kept["assets"]) > 40
