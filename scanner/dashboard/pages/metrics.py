"""The figures for Prometheus: those of ``export prometheus``, of what the bearer of a token may see."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import PlainTextResponse

from scanner.dashboard.counted import kept
from scanner.dashboard.pages import Page
from scanner.dashboard.pages.machines import sight_of
from scanner.dashboard.pages.machines_export import OfWards
from scanner.exports import Options
from scanner.exports.operation import operation_of
from scanner.exports.prometheus import FORMAT
from scanner.exports.whole import whole_of
from scanner.inventory.listing import wards_seen

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.house import House

_KEPT: Final = 15
"""Seconds that it is kept how the nightly work goes; figures are kept until the inventory changes."""
_PATIENCE: Final = 8.0
"""Seconds; Prometheus waits for ten, unless it is told otherwise."""
_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"


def metrics(request: Request) -> Response:
    """The text; 503 as long as it is being worked out for the first time."""
    house: House = request.app.state.house
    seen = wards_seen(house.inventory, sight_of(request.state.visitor))
    wards = frozenset((ward.where.site, ward.name) for ward in seen)
    wanted, sites = OfWards(wards=wards), frozenset(site for site, _ in wards)
    figures = kept(
        house,
        ("metrics", wards),
        lambda house: whole_of(house.inventory, wanted, today=house.today),
        _PATIENCE,
    )
    operation = house.keeper.get(
        ("operation", wards),
        house.beat(_KEPT),
        lambda: operation_of(house.inventory, wanted, sites, house.now(), house.site),
        _PATIENCE,
    )
    if figures is None or operation is None:
        raise HTTPException(503)
    scans = {site: at for site, at in figures.scans.items() if site in sites}
    whole = replace(figures, scans=scans, operation=operation)
    text = io.StringIO()
    FORMAT.write((), text, Options(house.today, request.state.visitor.language, whole=whole))
    return PlainTextResponse(text.getvalue(), media_type=_TYPE)


PAGES: Final = (Page("/metrics", metrics),)
