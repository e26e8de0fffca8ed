"""What holds for every address of the dashboard, whoever asks and however."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from starlette.routing import Route

from scanner.dashboard.access.answers import HEADERS
from scanner.dashboard.pages import Page, pages
from scanner.dashboard.static_files import FOLDER, static_files
from scanner.dashboard.visitor import Role
from scanner.errors import InventoryError
from scanner.inventory import assets_rows
from tests.dashboard.doors import HTML, Doors, csrf_of, sign_in

if TYPE_CHECKING:
    from pathlib import Path

    from httpx2 import Response
    from starlette.testclient import TestClient

    from scanner.dashboard.house import House
    from tests.dashboard.visits import Visit

MARK = "zq<x>\"'&zq"
PAGES = pages()
ADDRESSES = [re.sub(r"{[^}]*}", "1", page.path) for page in PAGES]
NOWHERE = [
    "/nowhere",
    "/static/",
    "/static/nowhere.css",
    "/static/.hidden",
    "/.well-known/x",
    "/a//b",
    "/%00",
    "/é",
]
OUT = [
    "/static/../app.py",
    "/static/%2e%2e/app.py",
    "/static/..%2fapp.py",
    "/static/%2e%2e%2f%2e%2e%2fhouse.py",
    "/static/..%5capp.py",
    "/static//etc/passwd",
    "/static/%2fetc%2fpasswd",
    "/static/vetuste.css/../../app.py",
    "/static/vetuste.css%00.js",
    "/static/../../../inventory.db",
]
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path)


@pytest.fixture
def doors(house: House, tmp_path: Path) -> Doors:
    return Doors(house, tmp_path)


def address(page: Page) -> str:
    """An address of a page that has parts to be filled."""
    return ADDRESSES[PAGES.index(page)]


def as_role(doors: Doors, role: Role) -> TestClient:
    """The browser of somebody of that role; of nobody, one that is not signed in."""
    browser = doors.browser()
    if role is not Role.NOBODY:
        assert sign_in(browser, doors.give("DSI", role)).status_code == 303
    return browser


def demand_headers(answer: Response) -> None:
    for name, value in HEADERS.items():
        assert answer.headers.get_list(name) == [value], answer.request.url
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert "server" not in answer.headers
    kept = answer.headers["cache-control"]
    assert kept == "no-store" or "/static/" in str(answer.request.url)
    for cookie in answer.headers.get_list("set-cookie"):
        assert "; HttpOnly; SameSite=Strict" in cookie
        assert "; Path=/;" in cookie
        assert "Domain" not in cookie


def test_every_route_is_a_page_or_a_file(doors: Doors) -> None:
    routes = [route.path for route in doors.app.routes if isinstance(route, Route)]
    assert len(routes) == len(doors.app.routes)
    assert sorted(routes) == sorted([*(page.path for page in PAGES), "/static/{name}"])


@each_page
@pytest.mark.parametrize("role", Role)
def test_every_page_is_for_who_may_ask_for_it(doors: Doors, page: Page, role: Role) -> None:
    if "GET" not in page.methods:
        return
    browser = as_role(doors, role)
    answer = browser.get(address(page), headers=HTML)
    demand_headers(answer)
    if role >= page.needs:
        assert answer.status_code in {200, 303, 404}, answer.text
    elif role is Role.NOBODY:
        assert (answer.status_code, answer.headers["location"][:12]) == (303, "/login?next=")
        assert answer.text == ""
    else:
        assert answer.status_code == 403
        assert len(answer.text) < 1000


@each_page
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "NONSENSE"])
def test_every_change_without_the_forms_token_is_refused(doors: Doors, page: Page, method: str) -> None:
    browser = as_role(doors, Role.OPERATOR)
    answer = browser.request(method, address(page), headers={"Sec-Fetch-Site": "same-origin"})
    demand_headers(answer)
    others = {other for each in PAGES if each.path == page.path for other in each.methods}
    assert answer.status_code == (403 if method in others else 405)


@each_page
def test_what_needs_no_role_is_signing_in_and_out_and_changes_are_posted(page: Page) -> None:
    changing = set(page.methods) - {"GET", "HEAD"}
    assert page.needs or page.path in {"/login", "/logout", "/health"}
    assert changing <= {"POST"}


@pytest.mark.parametrize("path", [*ADDRESSES, *NOWHERE, *OUT])
@pytest.mark.parametrize("role", [Role.NOBODY, Role.OPERATOR])
def test_nothing_that_is_sent_comes_back_as_it_was(doors: Doors, path: str, role: Role) -> None:
    browser = as_role(doors, role)
    headers = {"User-Agent": MARK, "Referer": MARK, "X-Forwarded-Host": MARK, "X-Original-URL": MARK, **HTML}
    for query in ({}, {MARK: MARK}, {"lang": MARK, "next": MARK, "sort": MARK, "text": MARK, "page": MARK}):
        answer = browser.get(path, params=query, headers=headers)
        demand_headers(answer)
        assert answer.status_code in {200, 303, 400, 401, 403, 404, 405, 422}, answer.text
        assert MARK not in answer.text
        assert "<x>" not in answer.text
        assert not any("<x>" in value for value in answer.headers.values())


@pytest.mark.parametrize("path", [*NOWHERE, *OUT])
def test_what_is_not_there_says_nothing_more(doors: Doors, path: str) -> None:
    for role in (Role.NOBODY, Role.OPERATOR):
        answer = as_role(doors, role).get(path)
        demand_headers(answer)
        assert answer.status_code == 404
        assert "There is nothing here." in answer.text
        assert not re.search(
            r"starlette|uvicorn|python|traceback|/tmp|\.py|static/\.", answer.text, re.IGNORECASE
        )


def test_a_file_is_one_of_the_folder_itself(doors: Doors) -> None:
    browser = doors.browser()
    assert set(static_files()) == {each.name for each in FOLDER.iterdir() if each.name[0] != "."}
    for name, known in static_files().items():
        now = browser.get(f"/static/{name}?v={known.version}")
        assert now.content == (FOLDER / name).read_bytes()
        assert now.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert browser.get(f"/static/{name}?v=0").headers["cache-control"] == "no-cache"
        plain = browser.get(f"/static/{name}", headers={"Accept-Encoding": "identity"})
        assert plain.content == now.content
        assert "set-cookie" not in plain.headers
        again = browser.get(f"/static/{name}", headers={"If-None-Match": plain.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
        demand_headers(again)
        assert browser.post(f"/static/{name}").status_code == 405


def test_an_error_of_ours_shows_nothing_of_it(doors: Doors, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = as_role(doors, Role.OPERATOR)

    def fail(*_: object) -> object:
        raise RuntimeError(MARK)

    monkeypatch.setattr(type(doors.house), "today", property(fail))
    monkeypatch.setattr("scanner.dashboard.rendering.render", fail)
    answer = browser.get("/")
    demand_headers(answer)
    assert answer.status_code == 500
    assert "Something went wrong here." in answer.text
    assert "<x>" not in answer.text
    assert "RuntimeError" not in answer.text


def test_an_inventory_that_cannot_be_read_now_says_so_and_no_more(
    doors: Doors, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    browser = as_role(doors, Role.OPERATOR)

    def fail(*_: object) -> object:
        raise InventoryError("the database {file} is locked", file="/srv/inventory.db")

    monkeypatch.setattr(type(doors.house), "today", property(fail))
    answer = browser.get("/")
    demand_headers(answer)
    assert answer.status_code == 503
    assert "This cannot be had now." in answer.text
    assert "/srv" not in answer.text
    assert "/srv/inventory.db: the database" in caplog.text


@pytest.mark.parametrize("path", ["/login", "/nowhere"])
def test_who_is_outside_is_told_nothing_of_the_inside(doors: Doors, path: str) -> None:
    text = doors.browser().get(path).text
    assert "<nav" not in text
    assert "Cardiologie" not in text
    assert not re.search(r"[0-9]+\.[0-9]+\.[0-9]+", text), "no version"


def test_the_language_is_as_asked_then_as_before_then_as_the_browser_likes(doors: Doors) -> None:
    browser = doors.browser()
    assert 'lang="en"' in browser.get("/login").text
    french = {"Accept-Language": "de, fr-CA;q=0.8, en;q=0.5"}
    assert 'lang="fr"' in browser.get("/login", headers=french).text
    for odd in ("fr;q=0", "fr;q=x", ";;;", ",,,", "fr" * 5000, "*"):
        assert 'lang="en"' in browser.get("/login", headers={"Accept-Language": odd}).text
    asked = browser.get("/login?lang=fr")
    assert 'lang="fr"' in asked.text
    assert asked.headers.get_list("set-cookie") == [
        "vetuste-language=fr; Path=/; Max-Age=31536000; HttpOnly; SameSite=Strict"
    ]
    assert 'lang="fr"' in browser.get("/nowhere").text
    assert 'lang="en"' in browser.get("/login?lang=en", headers=french).text
    assert csrf_of(browser.get("/login?lang=../../etc"))


def test_who_is_at_this_machine_comes_in_as_told(client: Visit) -> None:
    assert client().get("/").status_code == 200
    assert client(Role.NOBODY).get("/").status_code == 403
    assert 'lang="fr"' in client(Role.READER, language="fr").get("/").text
    assert client(Role.READER).post("/logout").status_code == 303


@each_page
@pytest.mark.parametrize(("sites", "wards"), [((), ("nowhere",)), (("nowhere",), ())])
def test_who_sees_no_ward_is_shown_no_machine(
    client: Visit, house: House, page: Page, sites: tuple[str, ...], wards: tuple[str, ...]
) -> None:
    if "GET" not in page.methods:
        return
    known = assets_rows(house.inventory, today=house.today)
    secrets = {word for asset in known for word in (asset.address, asset.name, asset.mac, asset.place.ward)}
    assert len(secrets) > 100
    browser = client(Role.OPERATOR, sites=sites, wards=wards)
    for part in ("1", "7", "csv"):
        text = browser.get(re.sub(r"{[^}]*}", part, page.path)).text
        assert [word for word in secrets if word and word in text] == []
