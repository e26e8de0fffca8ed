from __future__ import annotations

import json
import stat
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.dashboard.access.attempts import OF_ALL, OF_ONE, WINDOW
from scanner.dashboard.access.issuing import strike
from scanner.dashboard.access.sessions import LIFE, MOST, Sessions
from scanner.dashboard.app import make_app
from scanner.dashboard.visitor import Role
from tests.dashboard.conftest import NOW
from tests.dashboard.doors import HTML, Doors, csrf_of, sign_in

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.dashboard.house import House


@pytest.fixture
def doors(house: House, tmp_path: Path) -> Doors:
    return Doors(house, tmp_path)


def test_nobody_is_let_in_where_nothing_is_told(house: House, doors: Doors) -> None:
    doors.app = make_app(house)
    assert doors.browser().get("/", headers=HTML).status_code == 403
    assert doors.browser().get("/", headers={"Authorization": "Bearer x"}).status_code == 401


def test_a_stranger_is_sent_to_sign_in_and_then_goes_on(doors: Doors) -> None:
    token, browser = doors.give("DSI", Role.READER), doors.browser()
    sent = browser.get("/?lang=fr", headers=HTML)
    assert (sent.status_code, sent.headers["location"]) == (303, "/login?next=%2F%3Flang%3Dfr")
    form = browser.get(sent.headers["location"])
    assert 'name="next" value="/?lang=fr"' in form.text
    answer = sign_in(browser, token, next="/?lang=fr")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?lang=fr")
    assert browser.get("/").status_code == 200
    assert doors.events() == [("login", "DSI")]


def test_programs_send_their_token_along_and_get_no_cookie(doors: Doors) -> None:
    token, browser = doors.give("monitor", Role.READER), doors.browser()
    answer = browser.get("/", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    assert "set-cookie" not in answer.headers
    assert browser.get("/").status_code == 401
    assert browser.get("/").headers["www-authenticate"] == "Bearer"
    for wrong in ("", "x", token[:-1], token + "x", token.upper(), "é" * 500, "Bearer " + token):
        assert browser.get("/", headers={b"Authorization": f"Bearer {wrong}".encode()}).status_code == 401


def test_parts_of_pages_send_the_browser_to_sign_in(doors: Doors) -> None:
    answer = doors.browser().get("/", headers={"HX-Request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/login")


def test_nobody_knows_the_session_before_it_begins(doors: Doors) -> None:
    token, browser = doors.give("DSI", Role.READER), doors.browser()
    browser.cookies.set("vetuste", "F" * 43)
    sign_in(browser, token)
    mine = next(cookie.value for cookie in browser.cookies.jar if cookie.value != "F" * 43)
    other = doors.browser()
    other.cookies.set("vetuste", "F" * 43)
    assert other.get("/").status_code == 401
    other.cookies.set("vetuste", str(mine))
    assert other.get("/").status_code == 200


def test_the_session_is_another_each_time_and_the_one_before_ends(doors: Doors) -> None:
    token, browser = doors.give("DSI", Role.READER), doors.browser()
    sign_in(browser, token)
    first = browser.cookies["vetuste"]
    sign_in(browser, token)
    assert browser.cookies["vetuste"] != first
    other = doors.browser()
    other.cookies.set("vetuste", first)
    assert other.get("/").status_code == 401


def test_whoever_leaves_is_out(doors: Doors) -> None:
    token, browser = doors.give("DSI", Role.READER), doors.browser()
    sign_in(browser, token)
    kept = browser.cookies["vetuste"]
    csrf = doors.access.forgery.token(kept, "DSI")
    assert browser.post("/logout", data={"csrf": csrf}).status_code == 303
    assert doors.browser().get("/", headers={"cookie": f"vetuste={kept}"}).status_code == 401
    assert doors.events() == [("login", "DSI"), ("logout", "DSI")]


def test_a_session_ends_with_its_time_and_with_its_token(doors: Doors) -> None:
    token, browser = doors.give("DSI", Role.READER), doors.browser()
    sign_in(browser, token)
    doors.seconds += LIFE - 1
    assert browser.get("/").status_code == 200
    doors.seconds += 2
    assert browser.get("/").status_code == 401
    sign_in(browser, token)
    assert browser.get("/").status_code == 200
    strike(doors.file, "DSI")
    assert browser.get("/").status_code == 401
    assert browser.get("/", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_token_whose_time_is_over_is_none(doors: Doors) -> None:
    token = doors.give("DSI", Role.READER, expires=NOW + timedelta(days=1))
    browser = doors.browser()
    sign_in(browser, token)
    assert browser.get("/").status_code == 200
    doors.seconds = 86_400
    assert browser.get("/").status_code == 401
    assert sign_in(browser, token).status_code == 401


def test_whoever_guesses_must_wait_even_with_the_right_token(doors: Doors) -> None:
    token = doors.give("DSI", Role.READER)
    browser, other = doors.browser("192.0.2.1"), doors.browser("192.0.2.2")
    answers = [sign_in(browser, f"guess {number}").status_code for number in range(OF_ONE)]
    assert answers == [401] * OF_ONE
    late = sign_in(browser, token)
    assert late.status_code == 429
    assert 0 < int(late.headers["retry-after"]) <= WINDOW
    assert browser.get("/", headers={"Authorization": f"Bearer {token}"}).status_code == 429
    assert sign_in(other, token).status_code == 303
    doors.seconds += WINDOW + 1
    assert sign_in(browser, token).status_code == 303


def test_guessing_from_many_addresses_stops_as_well_and_is_not_remembered_without_end(doors: Doors) -> None:
    token = doors.give("DSI", Role.READER)
    inside = doors.browser("192.0.2.200")
    sign_in(inside, token)
    wrong = {"Authorization": "Bearer wrong"}
    answers = [
        doors.browser(f"192.0.2.{number // 5}").get("/", headers=wrong).status_code
        for number in range(OF_ALL + 10)
    ]
    assert answers == [401] * OF_ALL + [429] * 10
    assert doors.browser("198.51.100.1").get("/", headers=wrong).status_code == 429
    assert inside.get("/").status_code == 200, "who is in stays in"


def test_machines_with_ipv4_are_not_one_on_a_socket_of_both(doors: Doors) -> None:
    bearer = {"Authorization": f"Bearer {doors.give('DSI', Role.READER)}"}
    for _ in range(OF_ONE):
        doors.browser("::ffff:192.0.2.1").get("/", headers={"Authorization": "Bearer x"})
    assert doors.browser("192.0.2.1").get("/", headers=bearer).status_code == 429
    assert doors.browser("::ffff:192.0.2.2").get("/", headers=bearer).status_code == 200


def test_one_machine_with_many_ipv6_addresses_is_one(doors: Doors) -> None:
    doors.give("DSI", Role.READER)
    answers = [
        doors.browser(f"2001:db8::{number:x}").get("/", headers={"Authorization": "Bearer x"}).status_code
        for number in range(OF_ONE + 1)
    ]
    assert answers == [401] * OF_ONE + [429]


@pytest.mark.parametrize(
    "ahead",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "/a\r\nx: y",
        "",
        "/" * 600,
    ],
)
def test_nobody_is_sent_elsewhere(doors: Doors, ahead: str) -> None:
    token, browser = doors.give("DSI", Role.READER), doors.browser()
    form = browser.get("/login", params={"next": ahead}, headers=HTML)
    assert 'name="next" value="/"' in form.text
    assert sign_in(browser, token, next=ahead).headers["location"] == "/"


def test_who_comes_by_a_link_from_elsewhere_keeps_their_session(doors: Doors) -> None:
    token, browser = doors.give("DSI", Role.READER), doors.browser()
    sign_in(browser, token)
    outside = doors.browser()  # the browser keeps the strict cookie back
    answer = outside.get("/?status=%22%3E", headers={**HTML, "Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers
    assert '<a href="/?status=%22%3E">' in answer.text
    assert browser.get("/").status_code == 200


def test_the_cookie_is_for_this_server_alone(house: House, tmp_path: Path) -> None:
    plain = Doors(house, tmp_path).browser().get("/login").headers["set-cookie"]
    assert plain.startswith("vetuste=")
    assert "; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict" in plain
    assert "Secure" not in plain
    doors = Doors(house, tmp_path, {"tls": True})
    browser = doors.browser(origin="https://127.0.0.1:8642")
    answer = browser.get("/login")
    assert answer.headers["set-cookie"].startswith("__Host-vetuste=")
    assert answer.headers["set-cookie"].endswith("; Path=/; Max-Age=43200; HttpOnly; SameSite=Strict; Secure")
    assert answer.headers["strict-transport-security"].startswith("max-age=")
    assert sign_in(browser, doors.give("DSI", Role.READER)).status_code == 303
    assert browser.get("/").status_code == 200


def test_the_log_holds_no_token_and_nobody_writes_lines_into_it(doors: Doors) -> None:
    token, browser = doors.give("DSI", Role.READER), doors.browser()
    sign_in(browser, token)
    sign_in(browser, 'guess\n{"event": "login"}')
    browser.get('/x%0A{"event":"login"}', headers={"Authorization": "Bearer guess2"})
    text = doors.log.read_text(encoding="ascii")
    assert stat.S_IMODE(doors.log.stat().st_mode) == 0o600
    assert token not in text
    assert "guess" not in text
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["event"] for line in lines] == ["login", "refused", "refused"]
    assert {line["address"] for line in lines} == {"127.0.0.1"}


def test_so_many_sessions_are_remembered_and_no_more() -> None:
    sessions = Sessions(lambda: 0.0)
    first = sessions.begin("digest")
    for _ in range(MOST):
        sessions.begin("digest")
    assert sessions.token(first) == ""
    assert len(sessions._open) == MOST


def test_the_form_needs_its_token_too(doors: Doors) -> None:
    token, browser = doors.give("DSI", Role.READER), doors.browser()
    assert browser.post("/login", data={"token": token}).status_code == 403
    other = csrf_of(doors.browser().get("/login"))
    browser.get("/login")
    assert browser.post("/login", data={"token": token, "csrf": other}).status_code == 403
    assert ("forged", "") in doors.events()
