from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from starlette.responses import PlainTextResponse

from scanner.dashboard import app
from scanner.dashboard.access import Access, AuditLog
from scanner.dashboard.pages import Page, pages
from scanner.dashboard.visitor import Role, Visitor
from tests.dashboard.doors import Doors, sign_in

if TYPE_CHECKING:
    from pathlib import Path

    from starlette.testclient import TestClient

    from scanner.dashboard.house import House

ORIGIN = "http://127.0.0.1:8642"


@pytest.fixture
def doors(house: House, tmp_path: Path) -> Doors:
    return Doors(house, tmp_path)


@pytest.fixture
def browser(doors: Doors) -> TestClient:
    made = doors.browser()
    sign_in(made, doors.give("DSI", Role.OPERATOR))
    return made


def csrf(doors: Doors, browser: TestClient, name: str = "DSI") -> str:
    return doors.access.forgery.token(browser.cookies["vetuste"], name)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 303),
        ({"Origin": ORIGIN}, 303),
        ({"Origin": "null"}, 303),
        ({"Origin": "null", "Sec-Fetch-Site": "same-origin"}, 303),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": ORIGIN, "Sec-Fetch-Site": "cross-site"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "https://127.0.0.1:8642"}, 403),
        ({"Origin": "http://127.0.0.1:8643"}, 403),
        ({"Origin": "http://127.0.0.1.evil.example:8642"}, 403),
        ({"Origin": "http://[::1"}, 403),
        ({"Origin": ""}, 403),
    ],
)
def test_a_change_is_taken_from_our_own_pages_only(
    doors: Doors, browser: TestClient, headers: dict[str, str], status: int
) -> None:
    form = {"csrf": csrf(doors, browser)}
    assert browser.post("/logout", data=form, headers=headers).status_code == status


@pytest.mark.parametrize("given", ["", "0" * 64, "é", "x" * 10_000])
def test_a_wrong_token_changes_nothing_and_is_noted(doors: Doors, browser: TestClient, given: str) -> None:
    assert browser.post("/logout", data={"csrf": given}).status_code == 403
    assert browser.post("/logout", headers={b"X-CSRF": given.encode()}).status_code == 403
    assert doors.events()[-1] == ("forged", "DSI")
    assert browser.get("/").status_code == 200


def test_the_token_of_another_visitor_session_or_process_is_wrong(
    doors: Doors, browser: TestClient, house: House
) -> None:
    other = doors.browser()
    sign_in(other, doors.give("rssi", Role.OPERATOR))
    for given in (
        csrf(doors, other, "rssi"),
        csrf(doors, browser, "rssi"),
        csrf(doors, other),
        Doors(house, doors.folder).access.forgery.token(browser.cookies["vetuste"], "DSI"),
    ):
        assert browser.post("/logout", data={"csrf": given}).status_code == 403


def test_htmx_sends_it_in_a_header(doors: Doors, browser: TestClient) -> None:
    headers = {"X-CSRF": csrf(doors, browser), "HX-Request": "true", "Sec-Fetch-Site": "same-origin"}
    assert browser.post("/logout", headers=headers).status_code == 303


def test_a_program_needs_none_but_is_no_browser_of_another_site(doors: Doors) -> None:
    bearer = {"Authorization": f"Bearer {doors.give('script', Role.OPERATOR)}"}
    assert doors.browser().post("/logout", headers=bearer).status_code == 303
    forged = {**bearer, "Sec-Fetch-Site": "cross-site"}
    assert doors.browser().post("/logout", headers=forged).status_code == 403


def test_who_is_at_this_machine_is_guarded_as_well(house: House, tmp_path: Path) -> None:
    doors = Doors(house, tmp_path)
    doors.app = app.make_app(house, Access(local=Visitor("me", Role.REMEDIATOR), audit=AuditLog(doors.log)))
    assert doors.browser().post("/logout").status_code == 403
    assert doors.events() == [("forged", "me")]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_every_method_that_may_change_needs_it(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    asked = Page("/thing", lambda _: PlainTextResponse("done"), methods=("GET", method), needs=Role.OPERATOR)
    known = (*pages(), asked)
    monkeypatch.setattr(app, "pages", lambda: known)
    doors = Doors(house, tmp_path)
    browser = doors.browser()
    sign_in(browser, doors.give("DSI", Role.OPERATOR))
    assert browser.request(method, "/thing").status_code == 403
    answer = browser.request(method, "/thing", headers={"X-CSRF": csrf(doors, browser)})
    assert answer.text == "done"
    assert doors.events() == [("login", "DSI"), ("forged", "DSI"), ("change", "DSI")]
