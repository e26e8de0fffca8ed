"""The first look at a request: is it one of ours, who asks, in which language?"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request

from scanner.dashboard.access.proxy import client_of, plain_address
from scanner.dashboard.access.refusal import refusal
from scanner.dashboard.access.rules import LOOPBACK_NAMES
from scanner.dashboard.access.sessions import LIFE, is_id, new_id
from scanner.dashboard.access.tongue import COOKIE, language_for
from scanner.dashboard.access.who import bearer_of, visitor_of
from scanner.dashboard.visitor import Visitor
from scanner.language import LANGUAGES

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from scanner.dashboard.access.rules import Access

LARGEST_HEADERS: Final = 32 << 10
STATIC: Final = "/static/"
_YEAR: Final = 365 * 24 * 3600
_HOST: Final = re.compile(r"(?:\[(?P<six>[0-9a-f:.]+)\]|(?P<name>[a-z0-9._-]+))(?::\d{1,5})?")


class Gate:
    """Stands before the router; what it finds out is in ``request.state``."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            _enter(request, self._access)
        except HTTPException as error:
            await refusal(request, error)(scope, receive, send)
            return
        cookies = _Cookies(request, self._access, send)
        await self._app(scope, receive, cookies.send)


def _enter(request: Request, access: Access) -> None:
    """Find out who asks.

    Raises:
        HTTPException: the request is none of ours, or its token is none.
    """
    state, connection = request.state, plain_address(request.client)
    state.visitor, state.csrf = Visitor(), ""
    state.address = client_of(access.proxy, connection, request.headers)
    if sum(len(name) + len(value) for name, value in request.headers.raw) > LARGEST_HEADERS:
        raise HTTPException(431)
    if host_of(request) not in access.hosts:
        raise HTTPException(400)
    state.visitor = Visitor(language=language_for(request))
    if access.proxy_only and not _comes_by_proxy(access, connection):
        raise HTTPException(403)
    if str(request.scope["path"]).startswith(STATIC):
        return
    given = request.cookies.get(cookie_name(access), "")
    state.identity = given if is_id(given) else new_id()
    state.visitor = visitor_of(request, access)
    state.bearer = bearer_of(request) is not None
    state.csrf = access.forgery.token(state.identity, state.visitor.name)


def host_of(request: Request) -> str:
    """The name that we are asked for as, without its port; empty: none, several, or no name at all."""
    given = request.headers.getlist("host")
    found = _HOST.fullmatch(given[0].lower()) if len(given) == 1 else None
    return (found["six"] or found["name"]) if found else ""


def _comes_by_proxy(access: Access, connection: str) -> bool:
    return connection in LOOPBACK_NAMES or (access.proxy is not None and access.proxy.is_at(connection))


def cookie_name(access: Access) -> str:
    """What the cookie is called; the prefix lets nobody but this very server set it."""
    return "__Host-vetuste" if access.secure else "vetuste"


def stands_outside(request: Request) -> bool:
    """Whether somebody who is not known comes by a link of another site.

    Their browser keeps our cookie back then, and one that we set would end the session that it belongs to.
    """
    site = request.headers.get("sec-fetch-site", "")
    return site in {"cross-site", "same-site"} and not request.state.visitor.name


class _Cookies:
    """Adds our cookies to an answer: the visitor's, if it is new, and the language, if it was asked for."""

    def __init__(self, request: Request, access: Access, send: Send) -> None:
        self._request, self._access, self._send = request, access, send

    async def send(self, message: Message) -> None:
        """Pass a message on."""
        if message["type"] == "http.response.start" and not str(self._request.scope["path"]).startswith(
            STATIC
        ):
            headers = MutableHeaders(scope=message)
            for cookie in self._cookies():
                headers.append("set-cookie", cookie)
        await self._send(message)

    def _cookies(self) -> list[str]:
        request, made, state = self._request, [], self._request.state
        asked, name = request.query_params.get("lang", ""), cookie_name(self._access)
        if asked in LANGUAGES and request.cookies.get(COOKIE) != asked:
            made.append(self._cookie(COOKIE, asked, _YEAR))
        if request.cookies.get(name) != state.identity and not state.bearer and not stands_outside(request):
            made.append(self._cookie(name, state.identity, int(LIFE)))
        return made

    def _cookie(self, name: str, value: str, seconds: int) -> str:
        end = "; Secure" if self._access.secure else ""
        return f"{name}={value}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Strict{end}"
