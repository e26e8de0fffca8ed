"""Many values in few statements: looked up, changed, and copied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from scanner.inventory.interning import KeyIds, Numbers
from scanner.inventory.lookups import looked_up
from scanner.inventory.statements import insert_rows, update_rows
from scanner.inventory.tables import EVIDENCE_KEYS, IDENTITIES
from scanner.inventory.transactions import writing

if TYPE_CHECKING:
    from scanner.inventory import Inventory

ASKED = "SELECT id, key FROM evidence_keys WHERE key"
ODD = ["", "'", '"', "%s", "?", "a,b", "{x}", "\\", "é", "NULL", "\n", "1"]


@pytest.mark.parametrize("number", [0, 1, 2, 3, 511, 512, 513, 1025])
def test_each_value_is_found_once_however_many_there_are(inventory: Inventory, number: int) -> None:
    keys = [f"key.{count}" for count in range(number)]
    with writing(inventory) as connection:
        before = set(connection.scalars(select(EVIDENCE_KEYS.c.key)))
        insert_rows(connection, EVIDENCE_KEYS, [each for pair in enumerate(keys, 100_000) for each in pair])
        found = [key for _, key in looked_up(connection, ASKED, keys)]
        connection.rollback()
    assert not before & set(keys)
    assert sorted(found) == sorted(keys)


def test_values_are_values_whatever_they_look_like(inventory: Inventory) -> None:
    with writing(inventory) as connection:
        connection.execute(insert(EVIDENCE_KEYS), [{"key": word} for word in ODD])
        assert {key for _, key in looked_up(connection, ASKED, ODD)} == set(ODD)
        assert not list(looked_up(connection, ASKED, ["') OR 1 = 1 --", "key\0", "e"]))
        ids = {number for number, _ in looked_up(connection, ASKED, ODD[:3])}
        by_number = looked_up(connection, "SELECT key FROM evidence_keys WHERE id", sorted(ids))
        assert {key for (key,) in by_number} == set(ODD[:3])


def test_only_the_columns_that_are_named_change_and_only_in_these_rows(inventory: Inventory) -> None:
    names = IDENTITIES.c.keys()
    rows = [(number, bytes([number, 0, 255]), "[]", "hint", "x", "{}", "d") for number in range(1, 9)]
    with writing(inventory) as connection:
        insert_rows(connection, IDENTITIES, [value for row in rows for value in row])
        update_rows(connection, IDENTITIES, ("reasons", "data_version"), [3, "a\\N", "e", 5, "b", "f"])
        update_rows(connection, IDENTITIES, ("reasons",), [])
        stored = [tuple(row) for row in connection.execute(select(IDENTITIES).order_by(IDENTITIES.c.id))]
    changed = {3: {"reasons": "a\\N", "data_version": "e"}, 5: {"reasons": "b", "data_version": "f"}}
    expected = [dict(zip(names, row, strict=True)) | changed.get(row[0], {}) for row in rows]
    assert stored == [tuple(each.values()) for each in expected]


def test_a_key_is_asked_for_once_and_made_where_it_is_new(inventory: Inventory) -> None:
    numbers = Numbers(0, "", {})
    with writing(inventory) as connection:
        ids = KeyIds(connection, numbers)
        assert "a.new" not in ids
        assert ids["a.new"] == ids["a.new"] == numbers.key(connection, "a.new") != ids["another.new"]
        assert {key for _, key in looked_up(connection, ASKED, ["a.new", "another.new"])} == set(ids)
