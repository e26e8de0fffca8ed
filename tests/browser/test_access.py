"""Who may see and do what, as their browsers show it; and what other pages make a browser send."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

import pytest
from starlette.responses import PlainTextResponse

from scanner.dashboard.access import Access
from scanner.dashboard.access.issuing import enter, new_token
from scanner.dashboard.access.register import Entry, Register
from scanner.dashboard.pages import pages
from scanner.dashboard.visitor import Role, Visitor
from tests.browser.odd_hospital import NOW, SCRIPT, WARDS
from tests.browser.routes import WITHOUT_MARKS, links_of
from tests.browser.serving import running, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.browser.odd_hospital import Built
    from tests.browser.watching import Watched

    Watch = Callable[..., Watched]

ROLES: Final = (Role.READER, Role.REMEDIATOR, Role.OPERATOR)
COOKIE: Final = "vetuste"
MARK: Final = re.compile(r"\{[^}]*\}")


@pytest.fixture
def tokens(tmp_path: Path) -> dict[Role, str]:
    """One for each role, in the file of tokens."""
    given = {role: new_token() for role in ROLES}
    for role, token in given.items():
        enter(tmp_path / "tokens.json", Entry(role.name.lower(), role), token)
    return given


@pytest.fixture(autouse=True)
def address(own: Built, tokens: dict[Role, str], tmp_path: Path) -> Iterator[str]:
    """Where people sign in."""
    assert tokens
    with served(own, Access(register=Register(tmp_path / "tokens.json", now=lambda: NOW))) as origin:
        yield origin


def sign_in(watched: Watched, token: str, path: str = "/") -> None:
    watched.open(path)
    assert urlsplit(watched.page.url).path == "/login"
    watched.page.locator("input[name=token]").fill(token)
    watched.page.locator("main button").click()


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_each_role_signs_in_sees_its_pages_and_signs_out(
    role: Role, watch: Watch, address: str, tokens: dict[Role, str]
) -> None:
    watched = watch(address)
    sign_in(watched, tokens[role])
    assert urlsplit(watched.page.url).path == "/"
    named = {page.path for page in pages() if page.title is not None and page.needs <= role}
    shown = set(links_of(watched.page, address))
    assert named <= shown
    assert not shown & {page.path for page in pages() if page.needs > role}
    (cookie,) = (each for each in watched.context.cookies() if each["name"] == COOKIE)
    assert cookie["httpOnly"]
    assert cookie["sameSite"] == "Strict"
    assert watched.page.evaluate("() => document.cookie") == ""
    before = watched.context.cookies()
    watched.page.locator("form[action='/logout'] button").click()
    watched.page.wait_for_url("**/login*")
    watched.context.add_cookies(
        [{"name": each["name"], "value": each["value"], "url": address} for each in before]
    )
    watched.open("/")
    assert urlsplit(watched.page.url).path == "/login", "the old cookie is worth nothing"


@pytest.mark.parametrize("role", ROLES, ids=lambda role: role.name)
def test_what_a_role_may_not_see_is_refused_without_hints(
    role: Role, watch: Watch, address: str, tokens: dict[Role, str]
) -> None:
    watched = watch(address)
    sign_in(watched, tokens[role])
    watched.refused = True
    said = set()
    for path in ("/nothing", "/static/nothing", "/static/..%2fapp.py", f"/{SCRIPT}"):
        assert watched.open(path).status == 404
        assert watched.shape() == []
        assert watched.barriers() == []
        said.add(watched.page.locator("main").inner_text())
    assert len(said) == 1
    for page in pages():
        if "GET" in page.methods and "{" not in page.path:
            status = watched.context.request.get(address + page.path).status
            assert (status == 403) == (page.needs > role), page.path


def test_a_wrong_token_is_told_and_the_form_stays(watch: Watch, address: str) -> None:
    watched = watch(address)
    watched.refused = True
    sign_in(watched, "vetuste_" + "x" * 43)
    assert watched.page.get_by_role("alert").is_visible()
    assert watched.shape() == []
    assert watched.barriers() == []
    assert watched.page.locator("input[name=token]").input_value() == ""


def test_what_was_asked_for_is_shown_after_signing_in(
    watch: Watch, address: str, tokens: dict[Role, str]
) -> None:
    watched = watch(address)
    wanted = WITHOUT_MARKS[-1] if WITHOUT_MARKS[-1] != "/login" else "/"
    sign_in(watched, tokens[Role.OPERATOR], f"{wanted}?lang=fr")
    assert urlsplit(watched.page.url).path == wanted
    assert watched.page.locator("html").get_attribute("lang") == "fr"


FORGED: Final = """(to) => {
    const said = {state: 'closed', note: 'evil', csrf: 'x'};
    const frame = document.createElement('iframe'), form = document.createElement('form');
    Object.assign(form, {target: frame.name = 'f', method: 'post', action: to});
    for (const [name, value] of Object.entries(said)) {
        form.append(Object.assign(document.createElement('input'), {name, value}));
    }
    document.body.append(frame, form);
    form.submit();
}"""
"""What a page of somebody else does, while people who are signed in look at it."""


def test_another_page_changes_nothing_in_somebodys_name(
    watch: Watch, address: str, tokens: dict[Role, str], own: Built
) -> None:
    watched = watch(address)
    sign_in(watched, tokens[Role.OPERATOR])
    before = own.file.read_bytes()
    changing = [MARK.sub("1", page.path) for page in pages() if "POST" in page.methods]
    with running(PlainTextResponse("", media_type="text/html"), "127.0.0.2") as elsewhere:
        other = watched.context.new_page()
        for path in changing:
            other.goto(elsewhere)
            with other.expect_response(address + path) as answer:
                other.evaluate(FORGED, address + path)
            assert answer.value.status in {401, 403}, path
        other.close()
    assert own.file.read_bytes() == before
    watched.open("/")
    assert urlsplit(watched.page.url).path == "/", "still signed in"


def test_who_sees_one_ward_is_shown_no_other(watch: Watch, address_for: Callable[[Visitor], str]) -> None:
    visitor = Visitor("ward", Role.READER, frozenset({SCRIPT}), frozenset({WARDS[6]}))
    watched = watch(address_for(visitor))
    for path in WITHOUT_MARKS:
        if watched.is_page(path):
            watched.open(path)
            text = watched.page.locator("main").inner_text()
            assert "Anesth\u00e9sie" not in text, path
            assert "10.66.0." not in text, path
            assert "127.32." not in text, path
