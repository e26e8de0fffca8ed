"""The list of machines: search, filters, order, a page at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.dashboard.asked import Asked, asked, terms_of
from scanner.dashboard.pages import Page
from scanner.dashboard.rendering import render
from scanner.inventory import State
from scanner.inventory.listing import Listed, list_machines, wards_seen
from scanner.language import Message
from scanner.lifecycle import load_lifecycle
from scanner.model import Certainty, Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.house import House
    from scanner.dashboard.visitor import Visitor
    from scanner.inventory.rows import Place
    from scanner.inventory.wards import Ward

PATH: Final = "/machines"
_NOWHERE: Final = Message("No ward that you may see fits these filters.")
_LOST: Final = Message(
    "What this page was to begin behind is not in the list any more: this is the first page."
)
_UNSORTED: Final = Message(
    "So many machines cannot be sorted: filter first. They stand in the order of wards."
)
_MOST: Final = 500
"""Names that a field suggests."""


@dataclass(frozen=True, slots=True)
class _Choices:
    """What the fields of the form offer: names of what the visitor may see."""

    groups: Sequence[str]
    establishments: Sequence[str]
    sites: Sequence[str]
    wards: Sequence[str]
    buildings: Sequence[str]
    owners: Sequence[str]
    systems: Sequence[str]


def machines(request: Request) -> Response:
    """The list; where htmx asks for it, without what stands around it."""
    house: House = request.app.state.house
    told = asked(request.query_params)
    wards = wards_seen(house.inventory, sight_of(request.state.visitor))
    return page_of(request, told, wards)


def page_of(request: Request, told: Asked, wards: Sequence[Ward], status: int = 200) -> Response:
    """The page of what is asked for, or of what is wrong with it."""
    house: House = request.app.state.house
    listed, notices = Listed(), list[Message]()
    if not told.complaints:
        terms = terms_of(told, wards, house.today)
        listed = list_machines(house.inventory, terms, sort=told.sort, cursor=told.cursor)
        notices = list(_notices(told, listed, has_wards=bool(terms.wards)))
    headers = request.headers
    is_part = headers.get("hx-request") == "true" and headers.get("hx-history-restore-request") != "true"
    answer = render(
        request,
        "machines_list.html" if is_part else "machines.html",
        status,
        asked=told,
        listed=listed,
        notices=notices,
        choices=_choices(wards),
        statuses=tuple(Status),
        certainties=tuple(Certainty),
        states=tuple(State),
        shown=told.address(PATH),
        is_part=is_part,
    )
    answer.headers["Vary"] = "HX-Request"  # one address, two answers: none may stand for the other
    if is_part:
        answer.headers["HX-Push-Url"] = told.address(PATH)
    return answer


def sight_of(visitor: Visitor) -> Callable[[Place], bool]:
    """What tells whether a visitor sees what is at a place."""
    return lambda place: visitor.sees(place.site, place.ward)


def _notices(told: Asked, listed: Listed, *, has_wards: bool) -> Iterable[Message]:
    if not has_wards and told.is_filtered:
        yield _NOWHERE
    if listed.is_lost:
        yield _LOST
    if told.sort and not listed.is_sortable:
        yield _UNSORTED


def _choices(wards: Sequence[Ward]) -> _Choices:
    places = [ward.where for ward in wards]
    products = dict.fromkeys(release.product for release in load_lifecycle().releases.values())
    return _Choices(
        _names(place.group for place in places),
        _names(place.establishment for place in places),
        _names(place.site for place in places),
        _names(place.ward for place in places),
        _names(place.building for place in places),
        _names(place.owner for place in places),
        sorted(products)[:_MOST],
    )


def _names(found: Iterable[str]) -> Sequence[str]:
    """Each once, in their order; too many are none."""
    names = tuple(dict.fromkeys(filter(None, found)))
    return names if len(names) <= _MOST else ()


PAGES: Final = (Page(PATH, machines, title=Message("Machines"), rank=3),)
