"""The application: its pages, its static files, and what stands before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from scanner.dashboard.access import Access
from scanner.dashboard.access.answers import Answers
from scanner.dashboard.access.gate import Gate
from scanner.dashboard.access.guard import guarded
from scanner.dashboard.access.refusal import refusal
from scanner.dashboard.pages import pages
from scanner.dashboard.static_files import answer_static

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from scanner.dashboard.house import House


class Dashboard(Starlette):
    """Starlette, with our headers outside of all that may fail."""

    def build_middleware_stack(self) -> ASGIApp:
        """Everything that a request goes through."""
        return Answers(super().build_middleware_stack(), tls=self.state.access.tls)


def make_app(house: House, access: Access | None = None) -> Starlette:
    """The dashboard of an inventory.

    Args:
        house: what is shown.
        access: who is let in; nobody, if it is not told.
    """
    told = access or Access()
    app = Dashboard(
        routes=[
            *(Route(page.path, guarded(page), methods=list(page.methods)) for page in pages()),
            Route("/static/{name}", answer_static),
        ],
        middleware=[Middleware(Gate, access=told)],
        exception_handlers={HTTPException: refusal, Exception: refusal},
    )
    app.router.redirect_slashes = False
    app.state.house, app.state.access = house, told
    return app
