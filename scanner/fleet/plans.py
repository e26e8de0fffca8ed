"""When sites are to be scanned."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.fleet.link import whole
from scanner.fleet.rows import PLANS, as_json, plan_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from scanner.fleet.link import Link
    from scanner.fleet.model import Plan


_ADD: Final = "INSERT INTO fleet.plans (site, every, zone, request) VALUES (%s, %s, %s, %s) RETURNING id"


@dataclass(frozen=True, slots=True)
class Plans:
    """Rows of ``fleet.plans``."""

    link: Link

    def add(self, site: str, every: str, zone: str, request: Mapping[str, object]) -> Plan:
        """Keep a plan, judged from now on; its times were checked."""
        (made,) = self.link.rows(_ADD, (site, every, zone, as_json(dict(request))))
        return plan_of(self.link.rows(PLANS + " WHERE id = %s", made)[0])

    def all(self) -> tuple[Plan, ...]:
        """Every plan, in the order in which they were made."""
        return tuple(map(plan_of, self.link.rows(PLANS + " ORDER BY id")))

    def was_due(self, plan: int, at: datetime) -> bool:
        """Keep that it was due, so that it is not again; False where somebody else kept that already.

        To be called in the transaction that makes the run.
        """
        sql = "UPDATE fleet.plans SET since = %s WHERE id = %s AND since < %s RETURNING id"
        return bool(self.link.rows(sql, (at, plan, at)))

    def set_paused(self, plan: int, *, paused: bool) -> None:
        """Let it make no runs, or again: from now on, and not for what was missed.

        Raises:
            ConfigError: there is no such plan.
        """
        self._change(
            "UPDATE fleet.plans SET paused = %s, since = now() WHERE id = %s RETURNING id", paused, plan
        )

    def remove(self, plan: int) -> None:
        """Forget it; its runs stay.

        Raises:
            ConfigError: there is no such plan.
        """
        self._change("DELETE FROM fleet.plans WHERE id = %s RETURNING id", plan)

    def _change(self, sql: str, *values: int) -> None:
        if not self.link.rows(sql, (*values[:-1], whole(values[-1]))):
            raise ConfigError("there is no plan {number}: vetuste fleet plan list", number=values[-1])
