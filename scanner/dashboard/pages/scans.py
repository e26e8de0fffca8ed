"""Scans: those that are going on, those that were, and what the circuit breaker stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException

from scanner.dashboard.numbered import whole_number
from scanner.dashboard.pace import Pace, watch_of
from scanner.dashboard.pages import Page
from scanner.dashboard.rendering import render
from scanner.dashboard.visitor import Role
from scanner.dashboard.words import SCAN_STATES
from scanner.inventory import breakers_rows, scans_rows
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.house import House
    from scanner.dashboard.visitor import Visitor
    from scanner.inventory import BreakerRow, ScanRow

_MOST: Final = 50
_PLAIN: Final = ("addresses", "visited", "seen", "identified", "attempts")
"""The counts that have words of their own; the others are outcomes."""


def scans(request: Request) -> Response:
    """The whole page."""
    house: House = request.app.state.house
    before = whole_number(request.query_params.get("before", "0") or "0")
    if before is None:
        raise HTTPException(400)
    visitor: Visitor = request.state.visitor
    going = _paces(request)
    mine = [each for each in scans_rows(house.inventory) if of_site(visitor, each.site)]
    older = [each for each in mine if not before or each.id < before]
    alive = {pace.scan.id for pace in going}
    return render(
        request,
        "scans.html",
        **_now(request, going),
        runs=[_run(each, alive=each.id in alive) for each in older[:_MOST]],
        following=older[_MOST - 1].id if len(older) > _MOST else None,
        before=before,
        number_of_runs=len(mine),
        stopped=request.query_params.get("stopped", "") == "1",
        cleared=request.query_params.get("cleared", "") == "1",
    )


def going(request: Request) -> Response:
    """What of it changes while one looks: a part of the page."""
    return render(request, "scans_going.html", **_now(request, _paces(request)))


def of_site(visitor: Visitor, site: str) -> bool:
    """Whether a visitor sees anything of a site."""
    return not visitor.sites or site in visitor.sites


def breakers_of(request: Request) -> list[BreakerRow]:
    """The breakers of wards that the visitor sees, oldest first."""
    house: House = request.app.state.house
    visitor: Visitor = request.state.visitor
    return [each for each in breakers_rows(house.inventory) if visitor.sees(each.site, each.ward)]


def _paces(request: Request) -> list[Pace]:
    visitor: Visitor = request.state.visitor
    return [each for each in watch_of(request).paces() if of_site(visitor, each.scan.site)]


def _now(request: Request, going: list[Pace]) -> dict[str, Any]:
    house: House = request.app.state.house
    visitor: Visitor = request.state.visitor
    return {
        "going": [(pace, _span(pace.seconds_left)) for pace in going],
        "breakers": breakers_of(request),
        "whole": not visitor.wards,
        "may_operate": visitor.role >= Role.OPERATOR,
        "now": house.now(),
    }


def _span(seconds: float | None) -> str:
    """So long, as people say it: ``42 s``, ``7 min``, ``3 h 05``; empty where it is not known."""
    if seconds is None:
        return ""
    if seconds < 90:  # noqa: PLR2004 - up to here seconds are what people count
        return f"{seconds:.0f} s"
    minutes = round(seconds / 60)
    return f"{minutes} min" if minutes < 90 else f"{minutes // 60} h {minutes % 60:02}"  # noqa: PLR2004 - as above


def _run(scan: ScanRow, *, alive: bool) -> dict[str, Any]:
    state = "killed" if scan.state == "running" and not alive else scan.state
    return {
        "scan": scan,
        "state": SCAN_STATES.get(state, Message(state)),
        "bad": state in {"failed", "killed"},
        "counts": [scan.counts.get(name) for name in _PLAIN],
        "others": list(_others(scan)),
    }


def _others(scan: ScanRow) -> Iterator[tuple[str, int]]:
    """What else a scan counted: phantoms, and outcomes that were errors."""
    for name, number in scan.counts.items():
        if name not in _PLAIN and isinstance(number, int) and number:
            yield name, number


PAGES: Final = (
    Page("/scans", scans, title=Message("Scans"), rank=50),
    Page("/scans/going", going),
)
