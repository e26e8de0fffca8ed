"""Which machines have a finding in a state, ward by ward."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import exists, false, select

from scanner.inventory.tables import ASSETS, FINDINGS

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

    from scanner.inventory.findings.states import State

_Key: TypeAlias = "tuple[int, int | None]"
"""Ids of the site and of the ward."""

_FEW: Final = 5000
"""So many machines are looked for at once; where there are more, each machine of a ward is asked about."""

_STATE: Final = FINDINGS.c.state.concat("")
"""As no index has it: SQLite would read all findings of the state for each machine, and not the machine's."""


@dataclass(slots=True)
class InState:
    """The machines that have a finding in a state."""

    state: State
    _few: list[dict[_Key, list[int]] | None] = field(default_factory=list)
    """Those machines by ward, once they were looked for; None in it: they are many."""

    def of(self, connection: Connection, ward: _Key) -> ColumnElement[bool]:
        """That an asset of this ward is one of them."""
        if not self._few:
            self._few.append(self._found(connection))
        few = self._few[0]
        if few is None:
            return exists().where(
                FINDINGS.c.asset_id == ASSETS.c.id, _STATE.is_not_distinct_from(self.state.value)
            )
        return ASSETS.c.id.in_(few[ward]) if ward in few else false()

    def _found(self, connection: Connection) -> dict[_Key, list[int]] | None:
        wanted = select(FINDINGS.c.asset_id).where(FINDINGS.c.state == self.state.value).limit(_FEW + 1)
        ids = list(connection.scalars(wanted))
        if len(ids) > _FEW:
            return None
        found: dict[_Key, list[int]] = {}
        columns = (ASSETS.c.id, ASSETS.c.site_id, ASSETS.c.ward_id)
        for asset, *ward in connection.execute(select(*columns).where(ASSETS.c.id.in_(set(ids)))):
            found.setdefault((ward[0], ward[1]), []).append(asset)
        return found
