"""Whether somebody still looks, for a watchdog: one word, and nothing that is anybody's business.

Whoever reaches the server may ask, so it is worked out once in some seconds, however often it is asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import JSONResponse

from scanner.dashboard.pages import Page
from scanner.dashboard.visitor import Role
from scanner.errors import VetusteError
from scanner.inventory.lateness import lateness_rows, worst_of

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.house import House

_KEPT: Final = 5
"""Seconds."""


def health(request: Request) -> Response:
    """``{"status": "ok"}``, or 503 with ``late``, ``never`` or ``unreadable``."""
    house: House = request.app.state.house
    try:
        status = house.keeper.get("health", house.beat(_KEPT), lambda: _status(house))
    except VetusteError:
        status = "unreadable"
    return JSONResponse({"status": status}, 200 if status == "ok" else 503)


def _status(house: House) -> str:
    return worst_of(lateness_rows(house.inventory, house.now(), house.site))


PAGES: Final = (Page("/health", health, needs=Role.NOBODY),)
