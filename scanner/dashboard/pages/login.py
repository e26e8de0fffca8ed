"""Signing in with a token, and out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from scanner.dashboard.access.guard import path_of_ours
from scanner.dashboard.access.sessions import new_id
from scanner.dashboard.access.who import with_token
from scanner.dashboard.pages import Page
from scanner.dashboard.plain import render_plain
from scanner.dashboard.visitor import Role

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.access import Access

_REFUSED: Final = 401


def login(request: Request) -> Response:
    """The form, and what becomes of it."""
    if request.method != "POST":
        return _form(request, path_of_ours(request.query_params.get("next", "/")))
    access: Access = request.app.state.access
    state, ahead = request.state, path_of_ours(request.state.form.get("next", "/"))
    try:
        digest, visitor = with_token(request, access, state.form.get("token", "").strip())
    except HTTPException as error:
        if error.status_code != _REFUSED:
            raise
        return _form(request, ahead, _REFUSED)
    access.attempts.succeeded(state.address)
    access.sessions.end(state.identity)
    state.identity = access.sessions.begin(digest)
    access.audit.write("login", visitor.name, state.address)
    return RedirectResponse(ahead, 303)


def logout(request: Request) -> Response:
    """End the session; the cookie is worth nothing any more."""
    access: Access = request.app.state.access
    access.sessions.end(request.state.identity)
    request.state.identity = new_id()
    access.audit.write("logout", request.state.visitor.name, request.state.address)
    return RedirectResponse("/", 303)


def _form(request: Request, ahead: str, status: int = 200) -> Response:
    return render_plain(request, "login.html", status, ahead=ahead, wrong=status == _REFUSED)


PAGES: Final = (
    Page("/login", login, methods=("GET", "POST"), needs=Role.NOBODY),
    Page("/logout", logout, methods=("POST",), needs=Role.NOBODY),
)
