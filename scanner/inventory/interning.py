"""What is stored once and referred to by number: evidence keys, identities, wards, kinds of attempts."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import insert, select

from scanner.inventory.identities import reasons_to_column, to_columns
from scanner.inventory.places import new_ward
from scanner.inventory.statements import spelt
from scanner.inventory.tables import EVIDENCE_KEYS, LEDGER_KINDS, UNASKED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.engine import Connection

    from scanner.language import Message
    from scanner.model import Identity

Kind: TypeAlias = tuple[str, str, int, int, str]
"""What most attempts have in common with many others: probe, transport, port, service, outcome."""

_KIND: Final = ("probe", "transport", "port", "service", "outcome")

_KNOWN: Final = "SELECT id FROM identities WHERE digest = ?"
_ADDED: Final = (
    "INSERT INTO identities (digest, candidates, certainty, reasons, attributes, data_version) "
    "VALUES (?, ?, ?, ?, ?, ?) RETURNING id"
)
"""Past SQLAlchemy's work on each statement: where hosts differ, these are half of what recording costs."""

_REMEMBERED: Final = 4096
"""Identities whose number is remembered; a hospital has some hundred."""


@dataclass(slots=True)
class Numbers:
    """The numbers that one writer has met; right for as long as its transactions succeed."""

    site_id: int
    data_version: str
    wards: dict[str, int]
    _kinds: dict[Kind, int] = field(default_factory=dict)
    _keys: dict[str, int] = field(default_factory=dict)
    _unasked: dict[str, int] = field(default_factory=dict)
    _identities: dict[int, tuple[Identity, int]] = field(default_factory=dict)

    def ward(self, connection: Connection, name: str) -> int | None:
        """A ward's id, None for no ward."""
        if name and name not in self.wards:
            self.wards[name] = new_ward(connection, self.site_id, name)
        return self.wards.get(name)

    def key(self, connection: Connection, key: str) -> int:
        """An evidence key's id."""
        found = self._keys.get(key)
        if found is None:
            found = connection.scalar(select(EVIDENCE_KEYS.c.id).where(EVIDENCE_KEYS.c.key == key))
            if found is None:
                adding = insert(EVIDENCE_KEYS).values(key=key).returning(EVIDENCE_KEYS.c.id)
                found = connection.execute(adding).scalar_one()
            self._keys[key] = found
        return found

    def unasked(self, connection: Connection, reasons: Mapping[str, Message]) -> int | None:
        """The id of why probes were not held, None where all were."""
        if not reasons:
            return None
        column = reasons_to_column(reasons)
        if column not in self._unasked:
            found = connection.scalar(select(UNASKED.c.id).where(UNASKED.c.reasons == column))
            if found is None:
                adding = insert(UNASKED).values(reasons=column).returning(UNASKED.c.id)
                found = connection.execute(adding).scalar_one()
            self._unasked[column] = found
        return self._unasked[column]

    def kind(self, connection: Connection, kind: Kind) -> int:
        """The id of a kind of attempts."""
        found = self._kinds.get(kind)
        if found is None:
            columns = dict(zip(_KIND, kind, strict=True))
            same = (LEDGER_KINDS.c[name] == value for name, value in columns.items())
            found = connection.scalar(select(LEDGER_KINDS.c.id).where(*same))
            if found is None:
                adding = insert(LEDGER_KINDS).values(columns).returning(LEDGER_KINDS.c.id)
                found = connection.execute(adding).scalar_one()
            self._kinds[kind] = found
        return found

    def identity(self, connection: Connection, identity: Identity) -> int:
        """An identity's id.

        Equal evidence gets the same object from the classifier, so the object's own ``id()`` finds it without
        hashing; the object is kept beside, so that no other can come to have that ``id()``.
        """
        known = self._identities.get(id(identity))
        if known is not None:
            return known[1]
        if len(self._identities) >= _REMEMBERED:
            self._identities.clear()
        columns = to_columns(identity, self.data_version)
        with closing(connection.connection.cursor()) as cursor:
            cursor.execute(spelt(connection, _KNOWN), (columns.digest,))
            rows = cursor.fetchall()
            if not rows:
                cursor.execute(spelt(connection, _ADDED), columns)
                rows = cursor.fetchall()
        found = int(rows[0][0])
        self._identities[id(identity)] = (identity, found)
        return found


class KeyIds(dict[str, int]):
    """The ids of evidence keys, for the length of one transaction: asked for once, then a plain look-up."""

    def __init__(self, connection: Connection, numbers: Numbers) -> None:
        super().__init__()
        self._connection, self._numbers = connection, numbers

    def __missing__(self, key: str) -> int:
        found = self[key] = self._numbers.key(self._connection, key)
        return found
