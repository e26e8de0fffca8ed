"""What the centre keeps of its sites, plans, runs and deliveries, as the owner of the tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from scanner.fleet.deliveries import Deliveries
from scanner.fleet.link import Link
from scanner.fleet.plans import Plans
from scanner.fleet.runs import Runs
from scanner.fleet.sites import Sites

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


class CentreStore:
    """The centre's tables: one connection, for one thread, made when it is needed.

    Every method here and of its parts raises FleetError, LinkError where the database cannot be reached: the
    next call connects again.
    """

    def __init__(self, dsn: str) -> None:
        """Know where they are.

        Args:
            dsn: what :func:`scanner.fleet.dsn.checked` gave.
        """
        self.link = Link(dsn)
        self.sites = Sites(self.link)
        self.plans = Plans(self.link)
        self.runs = Runs(self.link)
        self.deliveries = Deliveries(self.link)

    def transaction(self) -> AbstractContextManager[None]:
        """All that is asked of any part in it is done, or nothing."""
        return self.link.transaction()

    def close(self) -> None:
        """Let the connection go."""
        self.link.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
