"""Every page, as somebody with a screen, a phone, a keyboard or no JavaScript meets it."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

from scanner.language import LANGUAGES
from tests.browser.routes import NAMED, SHOWN, WITHOUT_MARKS, kind_of, links_of, some_of_each
from tests.browser.watching import PHONE, WALL, spoken

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.browser.watching import Watched

    Watch = Callable[..., Watched]

each_page = pytest.mark.parametrize("path", WITHOUT_MARKS)
each_language = pytest.mark.parametrize("language", LANGUAGES)
MOST_TABS = 80
ALONE = {"/login", "/scans/going", "/health", "/metrics"}
"""What nobody links to: where nobody goes who is there already, what a page asks for by itself, and what
programs ask for."""
LOOKS = [(WALL, "light"), (WALL, "dark"), (PHONE, "light"), (PHONE, "dark")]
READ = {LANGUAGES[0]: {LOOKS[0], LOOKS[3]}}
"""In which looks axe-core reads a page: in each language in half of them, in the first and another in all."""


def looked_at(watched: Watched, path: str, language: str, read: set[tuple[int, str]]) -> None:
    """See a page in each look; and in some, what keeps people from reading it."""
    assert watched.open(spoken(path, language)).status == 200
    assert watched.page.locator("html").get_attribute("lang") == language
    for look in LOOKS:
        watched.look(*look)
        assert watched.shape() == [], (path, look)
        if look in read:
            assert watched.barriers() == [], (path, look)


@each_language
@each_page
def test_a_page_looks_as_it_should(path: str, language: str, watch: Watch, address: str) -> None:
    watched = watch(address)
    if watched.is_page(path):
        looked_at(watched, path, language, READ.get(language, {LOOKS[1], LOOKS[2]}))


def test_what_pages_link_to_looks_as_it_should(watch: Watch, address: str) -> None:
    watched = watch(address)
    links: list[str] = []
    for path in WITHOUT_MARKS:
        if watched.is_page(path):
            watched.open(path)
            links += links_of(watched.page, address)
    assert {link for link in links if not link.startswith("/")} <= {""}
    behind = some_of_each(links)
    for number, link in enumerate(behind):
        if watched.is_page(link):
            looked_at(watched, link, LANGUAGES[number % len(LANGUAGES)], {LOOKS[number // 2 % len(LOOKS)]})
    linked = {kind[0] for link in links if (kind := kind_of(link)) is not None}
    assert {page.path for page in SHOWN} - linked <= ALONE, "pages that no page links to"


@pytest.mark.parametrize("path", NAMED)
def test_the_navigation_leads_to_pages(path: str, watch: Watch, address: str) -> None:
    watched = watch(address)
    watched.open("/")
    watched.page.locator(f'nav a[href="{path}"]').click()
    watched.page.wait_for_url(address + path)
    assert watched.page.locator("nav a[aria-current=page]").get_attribute("href") == path


@each_page
def test_a_page_is_whole_without_javascript(path: str, watch: Watch, address: str) -> None:
    watched = watch(address, java_script_enabled=False)
    if not watched.is_page(path):
        return
    assert watched.open(path).status == 200
    page = watched.page
    assert page.locator("main h1").is_visible()
    for form in page.locator("form").all():
        assert form.get_attribute("action") is not None or form.get_attribute("method") in {None, "get"}
        assert form.locator("button:not([type=button]), input[type=submit]").count(), form.inner_html()
    for number in range(page.locator("nav a[href]").count()):
        target = page.locator("nav a[href]").nth(number).get_attribute("href") or ""
        assert urlsplit(target).netloc == ""


@each_page
def test_a_keyboard_gets_everywhere_and_sees_where_it_is(path: str, watch: Watch, address: str) -> None:
    watched = watch(address)
    if not watched.is_page(path):
        return
    watched.open(path)
    page = watched.page
    page.evaluate(
        """() => {
            window.reachable = [...document.querySelectorAll(
                'a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex="0"]'
            )].filter((each) => !each.disabled && each.checkVisibility() && !each.closest('[inert]'));
        }"""
    )
    number: int = page.evaluate("() => window.reachable.length")
    met: list[int] = []
    steps = 4 * page.locator("input[type=date]").count()  # its day, month and year are stops of their own
    for _ in range(min(number, MOST_TABS) + 1 + steps):
        place, seen = page.evaluate(
            """() => {
                const here = document.activeElement, look = getComputedStyle(here);
                const ring = look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) > 0;
                const own = here.type === 'date';  // the browser marks the part of it that is reached
                return [window.reachable.indexOf(here), own || ring || look.boxShadow !== 'none'];
            }"""
        )
        if place >= 0:
            assert seen, page.evaluate("() => document.activeElement.outerHTML.slice(0, 200)")
            met += [place] if met[-1:] != [place] else []
        elif met:
            break
        page.keyboard.press("Tab")
    assert met == sorted(met), "the order is that of the page"
    assert len(set(met)) == len(met)
    radios = page.locator("input[type=radio]").count()
    first = met[0] if met else 0  # where a page puts somebody by itself
    assert len(met) >= min(number - first, MOST_TABS) - radios, f"{len(met)} of {number} reached"
