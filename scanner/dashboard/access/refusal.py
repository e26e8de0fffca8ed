"""What is said to whoever is refused: no more than that."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

from scanner.dashboard.plain import render_plain
from scanner.dashboard.visitor import Visitor
from scanner.errors import InventoryError
from scanner.language import Message

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

_LOG: Final = logging.getLogger("vetuste.dashboard")
STALE: Final = "stale"
"""The detail of a 403 for a form that is not, or no longer, the visitor's own."""
_STALE: Final = Message("This form is out of date. Go back, load the page again, and try again.")
_UNCLEAR: Final = Message("This request cannot be understood.")
_TEXTS: Final = {
    401: Message("Sign in first."),
    403: Message("You may not do this."),
    404: Message("There is nothing here."),
    405: Message("This cannot be done here."),
    408: Message("This took too long."),
    413: Message("This is too large."),
    429: Message("Too many attempts. Wait a few minutes."),
    431: Message("This is too large."),
    500: Message("Something went wrong here. What it was is in the log of this machine."),
    503: Message("This cannot be had now. Try again in a minute."),
}


def refusal(request: Request, error: Exception) -> Response:
    """The page for an error, in the visitor's language; the request itself is not shown."""
    status, headers, text = 500, {}, _TEXTS[500]
    if isinstance(error, HTTPException):
        status, headers = error.status_code, dict(error.headers or {})
        text = _STALE if error.detail == STALE else _TEXTS.get(status, _UNCLEAR)
    elif isinstance(error, InventoryError):
        _LOG.error("%s", error, extra={"event": "inventory_unreadable"})
        status, text = 503, _TEXTS[503]
    if not hasattr(request.state, "visitor"):
        request.state.visitor, request.state.csrf = Visitor(), ""
    page = render_plain(request, "refusal.html", status, text=text, code=status)
    page.headers.update(headers)
    return page
