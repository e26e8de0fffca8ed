"""One finding: what it is, what became of it, and the form by which people decide about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from scanner.dashboard.access import note
from scanner.dashboard.deciding import Typed, decision_of, typed_as_is, typed_in
from scanner.dashboard.numbered import number_in_path, whole_number
from scanner.dashboard.pages import Page
from scanner.dashboard.rendering import render
from scanner.dashboard.visitor import Role
from scanner.dashboard.words import cause_of, history_of, why
from scanner.errors import ConfigError
from scanner.exports.actions import action_for
from scanner.exports.medical import steps_for
from scanner.exports.remediation import STATES
from scanner.inventory import ChangedError, decide, finding_shown, next_states, risk_of
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Mapping

    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.house import House
    from scanner.dashboard.visitor import Visitor
    from scanner.inventory import Decision, FindingChange, Shown


def finding(request: Request) -> Response:
    """Show it."""
    shown = _mine(request)
    kept = request.query_params.get("kept") == "1"
    return _page(request, shown, typed_as_is(shown.finding), kept=kept)


def change(request: Request) -> Response:
    """Decide about it, as it was when the form was made."""
    house: House = request.app.state.house
    shown, form = _mine(request), request.state.form
    typed, seen = typed_in(form), _seen(form)
    if seen != shown.seen:
        return _page(request, shown, typed, status=409, since=seen)
    decision, wrong = decision_of(typed, shown.finding, house.inventory, house.today)
    if not wrong and not decision:
        wrong = {"": Message("nothing is different from what it was: nothing was written")}
    if wrong:
        return _page(request, shown, typed, status=400, wrong=wrong)
    return _decide(request, shown, typed, decision)


def _decide(request: Request, shown: Shown, typed: Typed, decision: Decision) -> Response:
    house: House = request.app.state.house
    visitor: Visitor = request.state.visitor
    number = shown.finding.id
    try:
        decide(
            house.inventory,
            [number],
            decision,
            author=visitor.name,
            today=house.today,
            at=house.now(),
            seen=shown.seen,
        )
    except ChangedError:
        return _page(request, _mine(request), typed, status=409, since=shown.seen)
    except ConfigError as error:
        cause = error.__cause__ if isinstance(error.__cause__, ConfigError) else error
        told = Message(cause.text, {name: str(value) for name, value in cause.values.items()})
        return _page(request, shown, typed, status=400, wrong={"": told})
    state = (decision.state or shown.finding.standing.state).value
    note(request, "finding", what=f"{number} {state}")
    return RedirectResponse(f"/findings/{number}?kept=1", 303)


def _mine(request: Request) -> Shown:
    """The finding of the address, if the visitor may see where its machine is."""
    house: House = request.app.state.house
    visitor: Visitor = request.state.visitor
    number = number_in_path(request)
    shown = finding_shown(house.inventory, number, today=house.today)
    if shown is None or not visitor.sees(shown.asset.place.site, shown.asset.place.ward):
        raise HTTPException(404)
    return shown


def _seen(form: Mapping[str, str]) -> int:
    seen = whole_number(form.get("seen", ""))
    if seen is None:
        raise HTTPException(400)
    return seen


def _page(  # noqa: PLR0913 - what a page is made of
    request: Request,
    shown: Shown,
    typed: Typed,
    *,
    status: int = 200,
    wrong: Mapping[str, Message] | None = None,
    since: int | None = None,
    kept: bool = False,
) -> Response:
    house: House = request.app.state.house
    visitor: Visitor = request.state.visitor
    asset, standing = shown.asset, shown.finding.standing
    lines = [_line(each, visitor.language) for each in reversed(shown.changes)]
    return render(
        request,
        "finding.html",
        status,
        shown=shown,
        asset=asset,
        finding=shown.finding,
        standing=standing,
        cause=cause_of(shown.finding, visitor.language),
        state=STATES[standing.state],
        overdue=shown.finding.is_overdue(house.today),
        action=action_for(asset, house.today),
        steps=[step for step in steps_for(asset, visitor.language).split(" | ") if step],
        risk=risk_of(
            asset.verdict, asset.identity.certainty, asset.evidence, asset.place.criticality, house.today
        ),
        history=lines,
        meanwhile=[line for line in lines if since is not None and line["id"] > since],
        conflict=since is not None,
        may_decide=visitor.role >= Role.REMEDIATOR,
        choices=[(each.value, STATES[each]) for each in next_states(standing.state)],
        typed=typed,
        wrong=wrong or {},
        kept=kept,
    )


def _line(change: FindingChange, language: str) -> dict[str, Any]:
    return {
        "id": change.id,
        "at": change.at,
        "author": change.author or "vetuste",
        "parts": history_of(change, language),
        "why": why(change, language),
        "note": change.note,
    }


PAGES: Final = (
    Page("/findings/{number}", finding),
    Page("/findings/{number}", change, methods=("POST",), needs=Role.REMEDIATOR),
)
