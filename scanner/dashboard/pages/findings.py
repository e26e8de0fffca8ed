"""What somebody must act on: what is overdue first, or the most pressing."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException

from scanner.dashboard.asking import Asking, asking_of, place_in, place_text
from scanner.dashboard.numbered import whole_number
from scanner.dashboard.pages import Page
from scanner.dashboard.ranking import ranking_of
from scanner.dashboard.rendering import render
from scanner.dashboard.words import cause_of, causes_by_name
from scanner.exports.remediation import STATES
from scanner.inventory import COUNTED, findings_in_order, findings_page, risk_of, settled_on
from scanner.language import Message

if TYPE_CHECKING:
    from datetime import date

    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.house import House
    from scanner.dashboard.visitor import Visitor
    from scanner.inventory import Asset, Finding


def findings(request: Request) -> Response:
    """The list, a page of it."""
    house: House = request.app.state.house
    visitor: Visitor = request.state.visitor
    asking, after = asking_of(request.query_params), request.query_params.get("after", "")
    listed = _by_risk if asking.order == "risk" else _by_due
    values = listed(request, house, asking, after)
    settled = settled_on(house.inventory)
    return render(
        request,
        "findings.html",
        asking=asking,
        given=asdict(asking),
        states={state.value: words for state, words in STATES.items()},
        causes=causes_by_name(visitor.language),
        counted=COUNTED,
        settled=settled if settled != house.today else None,
        never_settled=settled is None,
        paged=bool(after),
        **values,
    )


def _by_due(request: Request, house: House, asking: Asking, after: str) -> dict[str, Any]:
    question = asking.question(request.state.visitor, house.today)
    page = findings_page(house.inventory, question, today=house.today, after=place_in(after))
    return {
        "rows": _rows(request, page.rows, house.today, ranked=False),
        "page": page,
        "following": "" if page.after is None else place_text(page.after),
        "waiting": False,
        "ranked_at": None,
    }


def _by_risk(request: Request, house: House, asking: Asking, after: str) -> dict[str, Any]:
    ranking = ranking_of(request)
    ids = ranking.ids()
    if ids is None:
        return {"rows": [], "page": None, "following": "", "waiting": True, "ranked_at": None}
    question = asking.question(request.state.visitor, house.today)
    start = _start(after, ids)
    page, following = findings_in_order(house.inventory, question, ids, today=house.today, start=start)
    return {
        "rows": _rows(request, page.rows, house.today, ranked=True),
        "page": page,
        "following": "" if following is None else str(ids[following]),
        "waiting": False,
        "ranked_at": ranking.at,
    }


def _start(after: str, ids: Any) -> int:  # noqa: ANN401 - an array of integers
    """Where a page begins that begins with a machine; the first page, where it is no more in the order."""
    if not after:
        return 0
    machine = whole_number(after)
    if machine is None:
        raise HTTPException(400)
    try:
        return int(ids.index(machine))
    except ValueError:
        return 0


def _rows(
    request: Request, rows: tuple[tuple[Asset, Finding], ...], today: date, *, ranked: bool
) -> list[dict[str, Any]]:
    language = request.state.visitor.language
    return [
        {
            "asset": asset,
            "finding": finding,
            "cause": cause_of(finding, language),
            "state": STATES[finding.standing.state],
            "overdue": finding.is_overdue(today),
            "risk": _risk(asset, today) if ranked else None,
        }
        for asset, finding in rows
    ]


def _risk(asset: Asset, today: date) -> Any:  # noqa: ANN401 - a score with its parts
    return risk_of(asset.verdict, asset.identity.certainty, asset.evidence, asset.place.criticality, today)


PAGES: Final = (Page("/findings", findings, title=Message("Findings"), rank=40),)
