"""Who asks: somebody whom the proxy names, who holds a token, who signed in, or who is at this machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException

from scanner.dashboard.access.proxy import plain_address
from scanner.dashboard.access.register import digest_of
from scanner.dashboard.visitor import Visitor

if TYPE_CHECKING:
    from starlette.requests import Request

    from scanner.dashboard.access.proxy import Proxy
    from scanner.dashboard.access.register import Register
    from scanner.dashboard.access.rules import Access

_BEARER = "bearer "


def bearer_of(request: Request) -> str | None:
    """The token that a program sends along; None: it sends none."""
    given = request.headers.get("authorization", "")
    return given[len(_BEARER) :].strip() if given.lower().startswith(_BEARER) else None


def visitor_of(request: Request, access: Access) -> Visitor:
    """Who asks; somebody without a name is not known.

    Raises:
        HTTPException: they send a token that is none, or have to wait before they may send another.
    """
    language = request.state.visitor.language
    found = _proxied(request, access.proxy, access.register)
    if found is None:
        bearer = bearer_of(request)
        found = _signed_in(request, access) if bearer is None else with_token(request, access, bearer)[1]
    return replace(found or access.local or Visitor(), language=language)


def _proxied(request: Request, proxy: Proxy | None, register: Register | None) -> Visitor | None:
    if proxy is None or not proxy.is_at(plain_address(request.client)):
        return None
    name = proxy.name(request.headers)
    entry = register.named(name) if register and name else None
    if entry is not None:
        return entry.visitor()
    return Visitor(name, proxy.role) if name else None


def _signed_in(request: Request, access: Access) -> Visitor | None:
    digest = access.sessions.token(request.state.identity)
    entry = access.register.holder(digest) if access.register and digest else None
    return entry.visitor() if entry else None


def with_token(request: Request, access: Access, token: str) -> tuple[str, Visitor]:
    """Who holds a token, and its digest; whoever holds none has failed once more.

    Raises:
        HTTPException: it is none (401), or they must wait (429).
    """
    address = request.state.address
    wait = access.attempts.wait(address)
    if wait:
        raise HTTPException(429, headers={"Retry-After": str(wait)})
    digest = digest_of(token)
    entry = access.register.holder(digest) if access.register else None
    if entry is None:
        access.attempts.failed(address)
        access.audit.write("refused", "", address, f"a token that is none, for {request.scope['path']}")
        raise HTTPException(401, headers={"WWW-Authenticate": "Bearer"})
    return digest, entry.visitor()
