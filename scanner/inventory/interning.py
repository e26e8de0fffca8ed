"""What is stored once and referred to by number: evidence keys, identities, wards."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import insert, select

from scanner.inventory.identities import to_columns
from scanner.inventory.places import new_ward
from scanner.inventory.tables import EVIDENCE_KEYS, IDENTITIES

if TYPE_CHECKING:
    from sqlalchemy.engine import Connection

    from scanner.model import Identity

_REMEMBERED: Final = 4096
"""Identities whose number is remembered; a hospital has some hundred."""


@dataclass(slots=True)
class Numbers:
    """The numbers that one writer has met; right for as long as its transactions succeed."""

    site_id: int
    data_version: str
    wards: dict[str, int]
    _keys: dict[str, int] = field(default_factory=dict)
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
        columns = asdict(to_columns(identity, self.data_version))
        found: int | None = connection.scalar(
            select(IDENTITIES.c.id).where(IDENTITIES.c.digest == columns["digest"])
        )
        if found is None:
            adding = insert(IDENTITIES).values(columns).returning(IDENTITIES.c.id)
            found = connection.execute(adding).scalar_one()
        self._identities[id(identity)] = (identity, found)
        return found
