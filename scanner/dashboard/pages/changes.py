"""What the last scan of a site found otherwise: the first machines of one kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

from scanner.dashboard.pages import Page
from scanner.dashboard.past import KINDS, changes_of
from scanner.dashboard.rendering import render
from scanner.inventory import Kind

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.house import House
    from scanner.dashboard.visitor import Visitor

_MOST: Final = 200


def changes(request: Request) -> Response:
    """Machines that changed in one way."""
    house: House = request.app.state.house
    visitor: Visitor = request.state.visitor
    asked = request.query_params
    found = changes_of(house)
    kind = next((each for each in Kind if each.value == asked.get("kind")), None)
    site = next((each for each in found or () if each.site == asked.get("site")), None)
    if kind is None or (found is not None and (site is None or not site.kinds(visitor))):
        raise HTTPException(404)
    machines = [] if site is None else site.machines(visitor, kind)[:_MOST]
    return render(
        request,
        "changes.html",
        site=site,
        kind=kind,
        told=KINDS[kind],
        machines=machines,
        number_of_machines=0 if site is None else site.kinds(visitor)[kind],
    )


PAGES: Final = (Page("/changes", changes),)
