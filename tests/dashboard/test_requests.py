"""Requests that are none of ours, and those that come by a proxy."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from starlette.datastructures import Headers

from scanner.dashboard.access import Proxy
from scanner.dashboard.access.answers import HEADERS
from scanner.dashboard.access.gate import LARGEST_HEADERS
from scanner.dashboard.access.guard import LARGEST_BODY, MOST_FIELDS
from scanner.dashboard.access.issuing import enter
from scanner.dashboard.access.register import Entry
from scanner.dashboard.visitor import Role
from tests.dashboard.doors import HTML, PROXY, Doors, behind_a_proxy, csrf_of, sign_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanner.dashboard.house import House


@pytest.fixture
def doors(house: House, tmp_path: Path) -> Doors:
    return Doors(house, tmp_path)


@pytest.mark.parametrize(
    ("host", "known"),
    [
        ("127.0.0.1", True),
        ("127.0.0.1:8642", True),
        ("LOCALHOST:1", True),
        ("[::1]:8642", True),
        ("evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("evil.example:8642", False),
        ("127.0.0.1@evil.example", False),
        ("evil.example/127.0.0.1", False),
        ("127.0.0.1:x", False),
        ("127.0.0.1:8642:8642", False),
        ("127.0.0.1, evil.example", False),
        ("::1", False),
        ("", False),
        ("[", False),
        ("x" * 9000, False),
        ("localhost\t", False),
        ("2130706433", False),
    ],
)
def test_we_are_asked_for_by_our_names_only(doors: Doors, host: str, *, known: bool) -> None:
    answer = doors.browser().get("/login", headers={"Host": host})
    assert answer.status_code == (200 if known else 400)
    assert "evil" not in answer.text
    assert "set-cookie" in answer.headers or not known
    for name, value in HEADERS.items():
        assert answer.headers[name] == value


def test_two_hosts_are_none(doors: Doors) -> None:
    headers = [("Host", "127.0.0.1"), ("Host", "evil.example")]
    assert doors.browser().get("/login", headers=headers).status_code == 400


def test_another_host_cannot_be_smuggled_beside(doors: Doors) -> None:
    headers = {"X-Forwarded-Host": "evil.example", "Forwarded": "host=evil.example", **HTML}
    answer = doors.browser().get("/", headers=headers)
    assert answer.headers["location"] == "/login?next=%2F"


def test_huge_headers_are_refused(doors: Doors) -> None:
    browser = doors.browser()
    assert browser.get("/login", headers={"X-Filler": "x" * LARGEST_HEADERS}).status_code == 431
    many = {f"X-{number}": "x" * 100 for number in range(400)}
    assert browser.get("/login", headers=many).status_code == 431
    assert browser.get("/login", headers={"Cookie": "a=b;" * 5000}).status_code == 200
    assert browser.get("/login", headers={"Cookie": 'vetuste="' + "\\042" * 99}).status_code == 200


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b"x" * (LARGEST_BODY + 1), "application/x-www-form-urlencoded", 413),
        (b"token=x", "multipart/form-data; boundary=x", 415),
        (b"{}", "application/json", 415),
        (b"token=x", "text/plain", 415),
        (b"token=x", "", 415),
        (b"token=%ff", "application/x-www-form-urlencoded", 400),
        (b"token=\xff", "application/x-www-form-urlencoded", 400),
        (b"&".join([b"a=b"] * (MOST_FIELDS + 1)), "application/x-www-form-urlencoded", 400),
        (b"csrf=" * 9, "application/x-www-form-urlencoded", 403),
        (b"", "application/x-www-form-urlencoded", 403),
    ],
)
def test_a_form_is_a_form_and_no_more(doors: Doors, body: bytes, kind: str, status: int) -> None:
    answer = doors.browser().post("/login", content=body, headers={"Content-Type": kind})
    assert answer.status_code == status


def test_a_body_without_end_is_not_read_to_its_end(doors: Doors) -> None:
    sent: list[int] = []

    def forever() -> Iterator[bytes]:
        for number in range(1000):
            sent.append(number)
            yield b"x" * 4096

    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    assert doors.browser().post("/login", content=forever(), headers=headers).status_code == 413


def test_the_proxy_says_who_asks_and_nobody_else_does(house: House, tmp_path: Path) -> None:
    doors = behind_a_proxy(house, tmp_path, Role.READER)
    says = {"Remote-User": "biomedical", **HTML}
    assert doors.browser(PROXY).get("/", headers=says).status_code == 200
    for elsewhere in ("10.0.0.8", "127.0.0.1", "192.0.2.1", "::1", "testclient", ""):
        answer = doors.browser(elsewhere).get("/", headers={**says, "X-Forwarded-For": PROXY})
        assert answer.status_code == 303, elsewhere
    assert doors.browser(f"::ffff:{PROXY}").get("/", headers=says).status_code == 200
    assert doors.browser(PROXY).get("/", headers=HTML).status_code == 303, "the proxy names nobody"


@pytest.mark.parametrize(
    "headers",
    [
        [("Remote-User", "DSI"), ("Remote-User", "rssi")],
        [("Remote-User", "")],
        [("Remote-User", " ")],
        [("Remote_User", "DSI")],
        [("Remote-User", "x" * 201)],
        [("X-Remote-User", "DSI")],
    ],
)
def test_what_the_proxy_says_unclearly_is_nobody(
    house: House, tmp_path: Path, headers: list[tuple[str, str]]
) -> None:
    doors = behind_a_proxy(house, tmp_path, Role.OPERATOR)
    assert doors.browser(PROXY).get("/", headers=headers).status_code == 401


def test_a_name_that_is_no_text_is_nobody() -> None:
    proxy = Proxy((ip_network(PROXY),))
    for odd in (b"\xff\xfe", "a\u202eb".encode(), b"a\x1bb", b"a\x00"):
        assert proxy.name(Headers(raw=[(b"remote-user", odd)])) == ""
    assert proxy.name(Headers(raw=[(b"remote-user", "Équipe".encode())])) == "Équipe"


def test_the_file_says_what_those_may_whom_the_proxy_names(house: House, tmp_path: Path) -> None:
    doors = behind_a_proxy(house, tmp_path)
    enter(doors.file, Entry("Équipe", Role.READER))
    doors.give("DSI", Role.OPERATOR)

    def asks(name: str) -> int:
        return (
            doors.browser(PROXY)
            .get("/", headers={b"Remote-User": name.encode(), b"Accept": b"text/html"})
            .status_code
        )

    assert asks("Équipe") == 200
    assert asks("stranger") == 403
    assert asks("DSI") == 403, "a token's name is not the proxy's"


def test_behind_the_proxy_everybody_fails_for_themselves(house: House, tmp_path: Path) -> None:
    doors = behind_a_proxy(house, tmp_path)
    browser = doors.browser(PROXY)

    def fails(chain: str) -> int:
        headers = {"Authorization": "Bearer x", "X-Forwarded-For": chain}
        return browser.get("/", headers=headers).status_code

    assert [fails("198.51.100.1") for _ in range(11)] == [401] * 10 + [429]
    assert fails("198.51.100.2") == 401
    assert fails(f"198.51.100.2, 198.51.100.1, {PROXY}") == 429, "the last that is not the proxy's"
    assert fails("nonsense") == 401
    text = doors.log.read_text(encoding="ascii")
    assert '"address": "198.51.100.1"' in text
    assert f'"address": "{PROXY}"' in text


def test_without_tls_nobody_comes_but_by_the_proxy(house: House, tmp_path: Path) -> None:
    doors = behind_a_proxy(house, tmp_path)
    doors.access.proxy_only = True
    token = doors.give("DSI", Role.READER)
    bearer = {"Authorization": f"Bearer {token}"}
    assert doors.browser("192.0.2.1").get("/", headers=bearer).status_code == 403
    assert doors.browser("192.0.2.1").get("/login").status_code == 403
    assert doors.browser(PROXY).get("/", headers=bearer).status_code == 200
    assert doors.browser("127.0.0.1").get("/", headers=bearer).status_code == 200


def test_behind_the_proxy_a_token_opens_as_well(house: House, tmp_path: Path) -> None:
    doors = behind_a_proxy(house, tmp_path)
    browser = doors.browser(PROXY, "https://127.0.0.1")
    assert sign_in(browser, doors.give("DSI", Role.READER)).status_code == 303
    assert browser.cookies["__Host-vetuste"]
    csrf = csrf_of(browser.get("/login"))
    forged = browser.post("/logout", data={"csrf": csrf}, headers={"Origin": "http://127.0.0.1"})
    assert forged.status_code == 403
    assert (
        browser.post("/logout", data={"csrf": csrf}, headers={"Origin": "https://127.0.0.1"}).status_code
        == 303
    )
