"""Which findings somebody asks for, as the database is asked for them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from sqlalchemy import and_, or_, select

from scanner.inventory.findings.rows import Wanted
from scanner.inventory.findings.states import State
from scanner.inventory.rows import Filters
from scanner.inventory.tables import ASSETS, FINDINGS
from scanner.inventory.wards import wards_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

    from scanner.inventory.wards import Ward

_FEW: Final = 20
"""Of so many wards one: then its machines are looked up, and not every finding's ward."""


@dataclass(frozen=True, slots=True)
class Question:
    """Which findings are wanted, for whom."""

    filters: Filters = field(default_factory=Filters)
    """Of them site and ward."""
    wanted: Wanted = field(default_factory=Wanted)
    sees: Callable[[str, str], bool] = lambda _site, _ward: True
    """Whether who asks may see a ward of a site."""


class Asked:
    """A question as the database is asked it."""

    def __init__(self, connection: Connection, question: Question) -> None:
        wards, wanted = wards_of(connection), question.wanted
        mine = [ward for ward in wards if ward.matches(question.filters) and question.sees(*_named(ward))]
        self.wards = {ward.key: ward for ward in mine}
        self.states = sorted(wanted.states or frozenset(State) - {State.CLOSED})
        self.everywhere = len(mine) == len(wards)
        self.narrow = not self.everywhere and len(mine) * _FEW <= len(wards)
        self.owners = _owners(connection, wanted.owner) if wanted.owner else []
        self.rest = [*_of_wanted(wanted, self.owners)]
        self.plain = self.everywhere and not self.rest
        self.nothing = not mine or (bool(wanted.owner) and not self.owners)
        if not self.everywhere:
            self.rest.append(_in_wards(mine, narrow=self.narrow))

    def all_machines(self, connection: Connection) -> set[int]:
        """Every machine that has one; ask where they are few."""
        wanted = select(FINDINGS.c.asset_id)
        state = FINDINGS.c.state.in_([each.value for each in self.states])
        which = any_state(self.states) if self.narrow else state
        return set(connection.scalars(wanted.where(which, *self.rest)))

    def has(self, connection: Connection, machines: Sequence[int]) -> set[int]:
        """Those of some machines that have a finding that is wanted."""
        wanted = select(FINDINGS.c.asset_id).where(
            FINDINGS.c.asset_id.in_(list(machines)), any_state(self.states), *self.rest
        )
        return set(connection.scalars(wanted))


def _named(ward: Ward) -> tuple[str, str]:
    return ward.where.site, ward.name


def _owners(connection: Connection, owner: str) -> list[str]:
    """Those of that name, whatever the case of any letter: databases know that of ASCII alone."""
    known = connection.scalars(select(FINDINGS.c.owner).distinct())
    return [each for each in known if each.casefold() == owner.casefold()]


def _of_wanted(wanted: Wanted, owners: list[str]) -> Iterator[ColumnElement[bool]]:
    columns = FINDINGS.c
    if wanted.causes:
        yield columns.cause.in_(sorted(wanted.causes))
    if wanted.due_before is not None:
        yield columns.due < wanted.due_before
    if wanted.owner:
        yield columns.owner.in_(owners)


def _in_wards(wards: Sequence[Ward], *, narrow: bool) -> ColumnElement[bool]:
    sites = dict.fromkeys(ward.key[0] for ward in wards)
    parts = []
    for site in sites:
        named = [ward.key[1] for ward in wards if ward.key[0] == site and ward.key[1] is not None]
        outside = [ASSETS.c.ward_id.is_(None)] if any(ward.key == (site, None) for ward in wards) else []
        parts.append(and_(ASSETS.c.site_id == site, or_(ASSETS.c.ward_id.in_(named), *outside)))
    if narrow:
        return FINDINGS.c.asset_id.in_(select(ASSETS.c.id).where(or_(*parts)) if parts else [])
    return select(ASSETS.c.id).where(ASSETS.c.id == FINDINGS.c.asset_id, or_(*parts)).exists()


def any_state(states: Iterable[State]) -> ColumnElement[bool]:
    """In one of the states; written so that no database walks its index of states for that."""
    return (FINDINGS.c.state + "").in_([state.value for state in states])
