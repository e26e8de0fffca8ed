"""Which assets of a ward are wanted, found by the database: no asset is read that cannot be one.

Status, system and certainty are the same for all assets of one identity in one ward: identities are asked
about first, each once, and assets are then looked up by them.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from functools import reduce
from operator import add
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from sqlalchemy import Integer, func, or_, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement

from scanner.inventory.called import ids_called
from scanner.inventory.identities import from_columns
from scanner.inventory.lookups import looked_up
from scanner.inventory.tables import ASSETS, IDENTITIES

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection
    from sqlalchemy.sql.compiler import SQLCompiler

    from scanner.inventory.findings.standing import InState
    from scanner.inventory.rows import Filters
    from scanner.inventory.verdicts import Verdicts
    from scanner.inventory.wards import Ward
    from scanner.model import Identity

_Called: TypeAlias = "tuple[int, bytes, int, int]"
"""Of an asset: the length of its address, the address, its id, its identity's. They sort by address."""
_ByWard: TypeAlias = "dict[tuple[int, int | None], list[_Called]]"
"""Assets by site and ward."""

_AT_ONCE: Final = 5000
"""Identities that are named in one statement; of more, assets are sorted out here."""
_FEW: Final = 200
"""So many identities are looked for in every ward; of more, those first that are there."""
_ALL: Final = 20_000
"""So many identities are all asked about at once."""
_TOLD: Final = [ASSETS.c[name] + "\n" for name in ("address", "name", "fqdn", "domain", "mac")]
"""The columns that a text is looked for in."""


@dataclass(slots=True)
class Sieve:
    """What is wanted, and what was found out about identities so far."""

    filters: Filters
    meant: frozenset[str] | None
    """Ids of the releases that the OS pattern means; None: any."""
    verdicts: Verdicts
    state: InState | None = None
    """Which findings are wanted; None: any, or none."""
    _identities: dict[int, Identity] = field(default_factory=dict)
    _alike: dict[tuple[str, str], Identity] = field(default_factory=dict)
    _answers: dict[tuple[object, ...], bool] = field(default_factory=dict)
    _wanted: dict[object, set[int] | None] = field(default_factory=dict)
    _missed: bool = False
    """Whether a ward had nothing: then it is worth it to ask about identities of other wards too."""
    _holding: list[_ByWard | None] = field(default_factory=list)
    """The assets that may hold the text, once they were looked for; None in it: each is to be looked at."""

    def ids(self, connection: Connection, ward: Ward, *beyond: ColumnElement[bool]) -> array[int]:
        """The ids of the assets of a ward that may be wanted, by address.

        Where a text is looked for, some may be among them that do not hold it.

        Args:
            connection: in a read transaction.
            ward: the ward.
            *beyond: what must hold of them as well.
        """
        conditions = [*here(ward), *beyond]
        if self.state is not None:
            conditions.append(self.state.of(connection, ward.key))
        if self.filters.text:
            called = self._called(connection)
            if called is None:
                conditions.append(_may_hold(self.filters.text.casefold()))
            elif self.state is None and not beyond:
                known = sorted(called.get(ward.key, []))
                wanted = self._chosen(connection, {identity for *_, identity in known}, ward)
                return array("q", (asset for *_, asset, identity in known if identity in wanted))
            else:
                conditions.append(ASSETS.c.id.in_([asset for *_, asset, _ in called.get(ward.key, [])]))
        chosen: set[int] | None = None
        if self._asks_of_identities:
            chosen = self._hits(connection, ward) if self._missed else None
            if chosen is None or len(chosen) > _FEW:
                present = set(connection.scalars(select(ASSETS.c.identity_id).where(*here(ward)).distinct()))
                chosen = self._chosen(connection, present, ward) if chosen is None else chosen & present
            if not chosen:
                self._missed = True
                return array("q")
            if len(chosen) <= _AT_ONCE:
                conditions.append(ASSETS.c.identity_id.in_(chosen))
        by_address = select(ASSETS.c.id, ASSETS.c.identity_id).where(*conditions).order_by(*BY_ADDRESS)
        rows = connection.execute(by_address)
        return array("q", (asset for asset, identity in rows if chosen is None or identity in chosen))

    def looks_at_each(self, connection: Connection) -> bool:
        """Whether no index finds the text, and each asset of a ward must be looked at."""
        return bool(self.filters.text) and self._called(connection) is None

    def wants(self, identity: Identity, ward: Ward) -> bool:
        """Whether assets of an identity are wanted in a ward."""
        asked = (identity.candidates, identity.certainty, ward.settings, ward.name)
        found = self._answers.get(asked)
        if found is None:
            self._answers[asked] = found = all(_conditions(self, identity, ward))
        return found

    def _called(self, connection: Connection) -> _ByWard | None:
        if not self._holding:
            found = ids_called(connection, self.filters.text.casefold())
            self._holding.append(None if found is None else _by_ward(connection, sorted(found)))
        return self._holding[0]

    @property
    def _asks_of_identities(self) -> bool:
        asked = (self.meant, self.filters.status, self.filters.certainty)
        return any(each is not None for each in asked)

    def _hits(self, connection: Connection, ward: Ward) -> set[int] | None:
        """All identities that are wanted in wards of the same policy; None where they are too many to ask."""
        policy = self.verdicts.policy(ward.settings, ward.name)
        terms = (policy.horizon_months, tuple(sorted(policy.extensions.items())))
        if terms not in self._wanted:
            found: set[int] | None = None
            if (connection.scalar(select(func.max(IDENTITIES.c.id))) or 0) <= _ALL:
                found = self._chosen(connection, set(connection.scalars(select(IDENTITIES.c.id))), ward)
            self._wanted[terms] = found
        return self._wanted[terms]

    def _chosen(self, connection: Connection, present: set[int], ward: Ward) -> set[int]:
        new = sorted(present - self._identities.keys())
        columns = (IDENTITIES.c.id, IDENTITIES.c.candidates, IDENTITIES.c.certainty)
        for start in range(0, len(new), _AT_ONCE):
            some = select(*columns).where(IDENTITIES.c.id.in_(new[start : start + _AT_ONCE]))
            for number, candidates, certainty in connection.execute(some):
                known = self._alike.get((candidates, certainty))
                if known is None:
                    known = from_columns(candidates, certainty, "[]", "{}")
                    self._alike[candidates, certainty] = known
                self._identities[number] = known
        return {number for number in present if self.wants(self._identities[number], ward)}


def _conditions(sieve: Sieve, identity: Identity, ward: Ward) -> Iterator[bool]:
    yield sieve.meant is None or not sieve.meant.isdisjoint(identity.candidates)
    yield sieve.filters.certainty in (None, identity.certainty)
    if sieve.filters.status is not None:
        policy = sieve.verdicts.policy(ward.settings, ward.name)
        candidates = sieve.verdicts.candidates(identity)
        yield sieve.verdicts.of(candidates, policy).status == sieve.filters.status


def _by_ward(connection: Connection, ids: Sequence[int]) -> _ByWard:
    found: _ByWard = {}
    asked = (
        "SELECT id, site_id, ward_id, length(packed), packed, identity_id FROM assets"
        " WHERE displaced IS NULL AND id"
    )
    for asset, site, ward, length, packed, identity in looked_up(connection, asked, ids):
        found.setdefault((site, ward), []).append((length, packed, asset, identity))
    return found


BY_ADDRESS: Final = (func.length(ASSETS.c.packed), ASSETS.c.packed, ASSETS.c.id)
"""The order of assets in a ward."""


def here(ward: Ward) -> list[ColumnElement[bool]]:
    """That an asset is in a ward, and was not displaced."""
    site_id, ward_id = ward.key
    # "IS NULL" and "=" find their way into the index in every database; "IS NOT DISTINCT FROM" does not.
    inside = ASSETS.c.ward_id.is_(None) if ward_id is None else ASSETS.c.ward_id == ward_id
    return [ASSETS.c.site_id == site_id, inside, ASSETS.c.displaced.is_(None)]


class _bytes(FunctionElement[int]):  # noqa: N801 - as SQLAlchemy names its functions
    """How many bytes a text has in UTF-8."""

    inherit_cache = True
    type = Integer()


@compiles(_bytes)
def _standard(element: _bytes, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - SQLAlchemy's signature
    return f"octet_length({compiler.process(element.clauses, **options)})"


@compiles(_bytes, "sqlite")
def _before_3_43(element: _bytes, compiler: SQLCompiler, **options: Any) -> str:  # noqa: ANN401 - the same
    return f"length(CAST({compiler.process(element.clauses, **options)} AS BLOB))"


def _may_hold(text: str) -> ColumnElement[bool]:
    """That an asset may be called something that holds a casefolded text, whatever the case.

    Databases know the case of ASCII letters alone, and "STRASSE" is "straße": what has other letters is
    looked at by :meth:`Sieve.holds`.
    """
    told = reduce(add, _TOLD)
    others = _bytes(told) != func.length(told)
    return or_(told.icontains(text, autoescape=True), others) if text.isascii() else others
