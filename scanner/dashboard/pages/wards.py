"""Wards: where machines have no support, worst first; and each ward by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from starlette.exceptions import HTTPException

from scanner.dashboard.counted import coverage_of, products_of, wards_of
from scanner.dashboard.pages import Page
from scanner.dashboard.rendering import render
from scanner.dashboard.rolling import roll_up, total_of
from scanner.inventory import ROLL_UP, places_rows
from scanner.inventory.order import natural
from scanner.language import Message
from scanner.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.counted import WardCount
    from scanner.dashboard.house import House
    from scanner.dashboard.visitor import Visitor
    from scanner.inventory import CoverageRow
    from scanner.inventory.rows import Place

_OF_PLACES: Final = (*ROLL_UP, "building")
_AT_ONCE: Final = 60
"""Wards of one page."""
_STEPS: Final = 9
_PRODUCTS: Final = 30
_SORTS: Final[dict[str, Callable[[WardCount], object]]] = {
    "share": lambda ward: ward.share,
    "unsupported": lambda ward: ward.unsupported,
    "depends": lambda ward: ward.machines(Status.DEPENDS),
    "seen": lambda ward: ward.seen,
    "scope": lambda ward: ward.scope,
    "never_scanned": lambda ward: ward.never_scanned,
    "ward": lambda ward: natural(ward.ward),
    "site": lambda ward: natural(ward.site),
    "building": lambda ward: natural(ward.building),
    "owner": lambda ward: natural(ward.owner),
}
_TOLD: Final = {
    "site": Message("site"),
    "establishment": Message("establishment"),
    "building": Message("building"),
    "floor": Message("floor"),
    "unit": Message("unit"),
    "owner": Message("owner"),
    "vlan": Message("VLAN"),
}
"""What a site file says of a ward, as people read it."""
_CRITICALITY: Final = {
    "low": Message("low"),
    "normal": Message("normal"),
    "high": Message("high"),
    "vital": Message("vital"),
}
_WORST: Final = "-share"


class Choice(NamedTuple):
    """What somebody wants to see of the wards."""

    places: dict[str, str]
    """By what wards are chosen by: the name; empty: all."""
    text: str
    sort: str
    page: int


def wards(request: Request) -> Response:
    """The wards, as a heat map and as a table."""
    house: House = request.app.state.house
    visitor: Visitor = request.state.visitor
    counted = wards_of(house)
    mine = counted.seen_by(visitor)
    choice = _choice(request)
    found = in_order([ward for ward in mine if _wanted(ward, choice)], choice.sort)
    last = max(-(-len(found) // _AT_ONCE), 1)
    page = min(choice.page, last)
    return render(
        request,
        "wards.html",
        at=counted.at,
        choice=choice,
        rows=found[(page - 1) * _AT_ONCE : page * _AT_ONCE],
        heat=heat,
        worst=max(found, key=lambda ward: ward.share, default=None),
        number_of_wards=len(found),
        page=page,
        last=last,
        total=total_of(found),
        rolled=roll_up(found),
        choices={name: _names(mine, name) for name in _OF_PLACES},
    )


def one_ward(request: Request) -> Response:
    """One ward."""
    house: House = request.app.state.house
    visitor: Visitor = request.state.visitor
    site, name = (request.query_params.get(key, "") for key in ("site", "ward"))
    counted = wards_of(house)
    found = next((row for row in counted.seen_by(visitor) if (row.site, row.ward) == (site, name)), None)
    if found is None:
        raise HTTPException(404)
    place, networks = next(
        each for each in places_rows(house.inventory) if (each[0].site, each[0].ward) == (site, name)
    )
    return render(
        request,
        "ward.html",
        at=counted.at,
        ward=found,
        total=total_of([found]),
        place=_told(place),
        networks=networks,
        covered=_covered(house, site, name),
        products=_products(house, site, name),
        most=_PRODUCTS,
        statuses=tuple(Status),
    )


def in_order(wards: Sequence[WardCount], sort: str) -> list[WardCount]:
    """Wards sorted; among equals the worst first, then by site and name."""
    by_name = sorted(wards, key=lambda ward: (natural(ward.site), natural(ward.ward)))
    worst = sorted(by_name, key=lambda ward: (-ward.share, -ward.unsupported))
    return sorted(worst, key=_SORTS[sort.removeprefix("-")], reverse=sort.startswith("-"))  # type: ignore[arg-type]


def heat(ward: WardCount, worst: WardCount) -> str:
    """The step of the heat map: 0 for none, 9 for the worst; ``none`` where nothing was seen."""
    if not ward.seen:
        return "none"
    return str(max(round(_STEPS * ward.share / worst.share), 1) if ward.unsupported else 0)


def _choice(request: Request) -> Choice:
    asked = request.query_params
    sort, page = asked.get("sort", _WORST), asked.get("page", "1")
    return Choice(
        {name: asked.get(name, "") for name in _OF_PLACES},
        asked.get("text", "").strip(),
        sort if sort.removeprefix("-") in _SORTS else _WORST,
        int(page) if page.isascii() and page.isdecimal() and len(page) <= len("99999") else 1,
    )


def _wanted(ward: WardCount, choice: Choice) -> bool:
    return (
        all(value in ("", getattr(ward, name)) for name, value in choice.places.items())
        and choice.text.casefold() in ward.ward.casefold()
    )


def _names(wards: Sequence[WardCount], name: str) -> list[str]:
    return sorted({value for ward in wards if (value := getattr(ward, name))}, key=natural)


def _told(place: Place) -> list[tuple[Message, str | Message]]:
    """What the site file says of a ward."""
    found: list[tuple[Message, str | Message]] = [
        (words, value)
        for name, words in _TOLD.items()
        if (value := getattr(place, name)) and (name != "establishment" or value != place.site)
    ]
    pressing = _CRITICALITY.get(place.criticality)
    return [*found, (Message("criticality"), pressing)] if pressing and place.ward else found


def _covered(house: House, site: str, name: str) -> list[CoverageRow] | None:
    rows = coverage_of(house)
    if rows is None:
        return None
    return [row for row in rows if (row.keys["site"], row.keys["ward"]) == (site, name)]


def _products(house: House, site: str, name: str) -> list[tuple[str, tuple[int, ...], int]]:
    """By product, in the order of ``count``: its numbers; and how many may have no support."""
    place = (site, name)
    found = products_of(house, None).wards.get(place, {})
    without = products_of(house, Status.UNSUPPORTED).wards.get(place, {})
    in_order = sorted(found.items(), key=lambda each: (*(-number for number in each[1]), each[0]))
    return [(product, numbers, sum(without.get(product, (0,)))) for product, numbers in in_order]


PAGES: Final = (
    Page("/wards", wards, title=Message("Wards"), rank=2),
    Page("/wards/ward", one_ward),
)
