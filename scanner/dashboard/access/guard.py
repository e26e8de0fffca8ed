"""The second look, once it is known which page is asked for: may they, and do they mean it?"""

from __future__ import annotations

import re
import tempfile
from contextlib import nullcontext
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote

import anyio
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import ImmutableMultiDict
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from scanner.dashboard.access.audit_log import note
from scanner.dashboard.access.forgery import from_elsewhere, same
from scanner.dashboard.access.gate import stands_outside
from scanner.dashboard.access.refusal import STALE, refusal
from scanner.dashboard.plain import render_plain
from scanner.errors import InventoryError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.access.rules import Access
    from scanner.dashboard.pages import Page

LARGEST_BODY: Final = 64 << 10
MOST_FIELDS: Final = 1000
PATIENCE: Final = 30.0
"""Seconds for the whole of a form to arrive."""
NO_FORM: Final = ImmutableMultiDict[str, str]()
SAFE: Final = frozenset({"GET", "HEAD"})
_NO: Final = 400
"""The first status that says no."""
_FORM: Final = "application/x-www-form-urlencoded"
_OURS: Final = re.compile(r"/(?![/\\])[A-Za-z0-9/_.~?=&%+*:,;@!()$-]{0,500}")


def guarded(page: Page) -> Callable[[Request], Awaitable[Response]]:
    """What answers for a page: the page itself, for those who may."""

    async def answer(request: Request) -> Response:
        changes = request.method not in SAFE
        if stands_outside(request) and not changes:
            return render_plain(request, "outside.html", 401, here=path_of_ours(_here(request)))
        refused = _refused(request, page)
        if refused is not None:
            return refused
        with tempfile.TemporaryFile() if page.takes else nullcontext() as request.state.file:
            if changes:
                request.state.form = NO_FORM if page.takes else await _form(request)
                await run_in_threadpool(_demand_meant, request, program=bool(page.takes))
                if page.takes:
                    await _receive(request, page.takes)
            try:
                response = await run_in_threadpool(page.answer, request)
            except InventoryError as error:
                return refusal(request, error)
        if changes and page.needs and response.status_code < _NO:
            await run_in_threadpool(note, request, "change", f"{request.method} {request.scope['path']}")
        return response

    return answer


def path_of_ours(path: str) -> str:
    """A path of this dashboard that may be gone on to; anything else is the first page."""
    return path if _OURS.fullmatch(path) else "/"


def _here(request: Request) -> str:
    query = request.scope["query_string"].decode("latin-1")
    return f"{quote(request.scope['path'], safe='/')}{'?' if query else ''}{query}"


def _refused(request: Request, page: Page) -> Response | None:
    """None: they may. Otherwise browsers are sent to sign in.

    Raises:
        HTTPException: they may not.
    """
    visitor, access = request.state.visitor, request.app.state.access
    if visitor.role >= page.needs:
        return None
    if visitor.name or access.register is None:
        raise HTTPException(403)
    login = f"/login?next={quote(path_of_ours(_here(request)), safe='')}"
    if request.headers.get("hx-request") == "true":
        raise HTTPException(401, headers={"HX-Redirect": "/login"})
    if request.method in SAFE and "text/html" in request.headers.get("accept", ""):
        return RedirectResponse(login, 303)
    raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})


async def _form(request: Request) -> ImmutableMultiDict[str, str]:
    """What a form holds.

    Raises:
        HTTPException: it is too large, too slow, or none.
    """
    body = bytearray()
    try:
        with anyio.fail_after(PATIENCE):
            async for part in request.stream():
                body += part
                if len(body) > LARGEST_BODY:
                    raise HTTPException(413)
    except TimeoutError as error:
        raise HTTPException(408) from error
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != _FORM:
        raise HTTPException(415)
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError as error:
        raise HTTPException(400) from error
    return ImmutableMultiDict(fields)


async def _receive(request: Request, most: int) -> None:
    """Put a file that is sent where the page reads it.

    Raises:
        HTTPException: it is too large, too slow, or there is no room for it.
    """
    file, size, parts = request.state.file, 0, aiter(request.stream())
    try:
        while True:
            with anyio.fail_after(PATIENCE):
                part = await anext(parts, b"")
            size += len(part)
            if size > most:
                raise HTTPException(413)
            if not part:
                return
            await run_in_threadpool(file.write, part)
    except TimeoutError as error:
        raise HTTPException(408) from error
    except OSError as error:
        raise HTTPException(503) from error


def _demand_meant(request: Request, *, program: bool) -> None:
    """Let nothing through that another page makes in the visitor's name.

    A program that sends its token with every request is no browser: no page can make it send one. Some pages
    are for programs alone: nobody comes there with a cookie.

    Raises:
        HTTPException: it is not known to be meant.
    """
    access: Access = request.app.state.access
    state, headers = request.state, request.headers
    given = headers.get("x-csrf") or state.form.get("csrf", "")
    elsewhere = from_elsewhere(headers, access.hosts, secure=access.secure)
    meant = state.bearer and "cookie" not in headers if program else state.bearer or same(given, state.csrf)
    if meant and not elsewhere:
        return
    note(request, "forged", f"{request.method} {request.scope['path']}")
    raise HTTPException(403, STALE)
