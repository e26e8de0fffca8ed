"""The first page: what share has no support, of how many, and where."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.dashboard.pages import Page
from scanner.dashboard.rendering import render
from scanner.inventory import count_rows
from scanner.language import Message

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.house import House


def overview(request: Request) -> Response:
    """The first page."""
    house: House = request.app.state.house
    rows = count_rows(house.inventory, by=("status",), today=house.today)
    return render(request, "overview.html", rows=rows)


PAGES: Final = (Page("/", overview, title=Message("Overview"), rank=1),)
