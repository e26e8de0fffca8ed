"""The dashboard as some visitor is shown it, with nothing before its pages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from scanner.dashboard.pages import pages
from scanner.dashboard.visitor import Role, Visitor

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from scanner.dashboard.house import House

EVERYBODY = Visitor("somebody", Role.OPERATOR)


class _As:
    def __init__(self, app: ASGIApp, visitor: Visitor) -> None:
        self._app, self._visitor = app, visitor

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["state"] = {**scope.get("state", {}), "visitor": self._visitor, "csrf": ""}
        await self._app(scope, receive, send)


def shown(house: House, visitor: Visitor = EVERYBODY) -> TestClient:
    app = Starlette(routes=[Route(page.path, page.answer, methods=list(page.methods)) for page in pages()])
    app.state.house = house
    return TestClient(_As(app, visitor))
