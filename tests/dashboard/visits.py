"""How the tests of the dashboard visit it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from scanner.dashboard.access.gate import cookie_name

if TYPE_CHECKING:
    from starlette.testclient import TestClient

    from scanner.dashboard.access import Access
    from scanner.dashboard.house import House
    from scanner.dashboard.visitor import Role

ORIGIN = "http://127.0.0.1:8642"
COOKIE = "A" * 43


class Visit(Protocol):
    """Makes a browser of a visitor."""

    def __call__(
        self,
        role: Role = ...,
        *,
        sites: tuple[str, ...] = ...,
        wards: tuple[str, ...] = ...,
        language: str = ...,
        house: House | None = ...,
    ) -> TestClient: ...


def plainly(browser: TestClient, access: Access, name: str, language: str = "en") -> TestClient:
    """Let a browser send the form's token with everything."""
    browser.cookies.set(cookie_name(access), COOKIE)
    browser.headers["X-CSRF"] = access.forgery.token(COOKIE, name)
    browser.headers["Accept-Language"] = language
    return browser
