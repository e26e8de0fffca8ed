"""What stands in an inventory, but for the numbers of its rows: these are each inventory's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from scanner.inventory.tables import METADATA
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from collections.abc import Collection

    from sqlalchemy import Table

    from scanner.inventory import Inventory

OWN = {"taken", "settlements"}
"""Tables that say what was done here."""
LOOKED_UP = {"identities", "evidence_keys", "ledger_kinds", "unasked"}
"""Tables whose rows stand where they are referred to; what nobody refers to any more is left there."""
MOMENTS = {"findings": {"opened", "changed"}, "finding_changes": {"at"}}
"""When findings were settled here."""


def rows_of(inventory: Inventory, *, but: Collection[str] = ()) -> dict[str, list[str]]:
    """By table: its rows as text, in order; a reference stands as the row that it leads to."""
    with reading(inventory) as connection:
        stored = {
            table: [dict(row._mapping) for row in connection.execute(select(table))]
            for table in METADATA.sorted_tables
        }
    by_id = {table: {row["id"]: row for row in rows} for table, rows in stored.items() if "id" in table.c}

    def told(table: Table, row: dict[str, Any]) -> dict[str, Any]:
        found = {}
        for column in table.c:
            value = row[column.name]
            if column.name == "id" or column.name in MOMENTS.get(table.name, ()):
                continue
            for key in column.foreign_keys:
                target = key.column.table
                value = None if value is None else told(target, by_id[target][value])
            found[column.name] = value
        return found

    return {
        table.name: sorted(repr(told(table, row)) for row in rows)
        for table, rows in stored.items()
        if table.name not in OWN | LOOKED_UP | set(but)
    }
