"""The application: its pages, its static files, and what stands before them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from scanner.dashboard.pages import pages
from scanner.dashboard.visitor import Role, Visitor

if TYPE_CHECKING:
    from starlette.middleware.base import RequestResponseEndpoint
    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.house import House

STATIC = Path(__file__).parent / "static"


class _Everybody(BaseHTTPMiddleware):
    async def dispatch(self, request: Request, call_next: RequestResponseEndpoint) -> Response:
        request.state.visitor = Visitor(
            "local", Role.OPERATOR, language=request.query_params.get("lang", "en")
        )
        return await call_next(request)


def make_app(house: House) -> Starlette:
    """The dashboard of an inventory."""
    routes = [Route(page.path, page.answer, methods=list(page.methods)) for page in pages()]
    app = Starlette(
        routes=[*routes, Mount("/static", StaticFiles(directory=STATIC), name="static")],
        middleware=[Middleware(_Everybody)],
    )
    app.state.house = house
    return app
