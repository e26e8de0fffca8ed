"""Which findings somebody asks for: what stands in the address of the list."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

from scanner.inventory import Filters, Question, State, Wanted, causes
from scanner.inventory.findings.states import SETTLED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.dashboard.visitor import Visitor
    from scanner.inventory.findings.paging import Place

LONGEST: Final = 2000
"""Characters of a text that somebody types."""
_ALL: Final = "all"
_DAY: Final = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_AFTER: Final = re.compile(r"([01])\.(\d{4}-\d{2}-\d{2})?\.(\d{1,9})", re.ASCII)
_ORDERS: Final = ("due", "risk")


def day_of(text: str) -> date | None:
    """A day as forms send it; None where it is none.

    Raises:
        ValueError: it is something else.
    """
    if not text.strip():
        return None
    if not _DAY.fullmatch(text.strip()):
        raise ValueError(text)
    return date.fromisoformat(text.strip())


@dataclass(frozen=True, slots=True)
class Asking:
    """The filters of the list, as they were given."""

    state: str = ""
    """A state; empty: all but closed ones; ``all``."""
    cause: str = ""
    site: str = ""
    ward: str = ""
    owner: str = ""
    before: str = ""
    """Due before this day."""
    overdue: str = ""
    order: str = "due"

    @property
    def wrong_day(self) -> bool:
        """Whether the day is none; then it does not count."""
        try:
            day_of(self.before)
        except ValueError:
            return True
        return False

    def question(self, visitor: Visitor, today: date) -> Question:
        """What the inventory is asked, for somebody."""
        before = None if self.wrong_day else day_of(self.before)
        limits = [day for day in (before, today if self.overdue else None) if day]
        states = (
            frozenset(State) if self.state == _ALL else frozenset({State(self.state)} if self.state else ())
        )
        if self.overdue:
            states = states or frozenset(State) - SETTLED
        named = frozenset({self.cause} if self.cause else ())
        wanted = Wanted(states, named, self.owner, min(limits, default=None))
        return Question(Filters(site=self.site, ward=self.ward), wanted, visitor.sees)


def asking_of(query: Mapping[str, str]) -> Asking:
    """The filters in an address.

    Raises:
        HTTPException: 400: no form of ours sends that.
    """
    given = {name: query.get(name, "").strip() for name in Asking.__slots__}
    given["order"] = given["order"] or "due"
    right = (
        (not given["state"] or given["state"] == _ALL or given["state"] in set(State))
        and (not given["cause"] or given["cause"] in causes())
        and given["order"] in _ORDERS
        and all(len(text) <= LONGEST for text in given.values())
    )
    if not right:
        raise HTTPException(400)
    return Asking(**given)


def place_in(text: str) -> Place | None:
    """Where a page begins, as the link to it says.

    Raises:
        HTTPException: 400: it says nothing of the kind.
    """
    if not text:
        return None
    found = _AFTER.fullmatch(text)
    try:
        due = day_of(found[2] or "") if found else None
    except ValueError:
        found = None
    if found is None:
        raise HTTPException(400)
    return found[1] == "1", due is None, due, int(found[3])


def place_text(place: Place) -> str:
    """The same, for the link."""
    settled, _, due, number = place
    return f"{settled:d}.{due or ''}.{number}"
