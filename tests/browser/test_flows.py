"""What people do with the dashboard, done in a browser: look for, go back, take home, decide."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import expect

from scanner.dashboard.access import Access
from scanner.dashboard.access.issuing import enter, new_token
from scanner.dashboard.access.register import Entry, Register
from scanner.dashboard.visitor import Role, Visitor
from scanner.inventory import Filters, assets_rows, open_inventory
from scanner.model import Status
from tests.browser.odd_hospital import LONG, NOW, ODD, TODAY
from tests.browser.serving import served
from tests.browser.watching import PHONE, WALL, spoken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from tests.browser.odd_hospital import Built
    from tests.browser.watching import Watched

    Watch = Callable[..., Watched]

ROWS: Final = "main tbody tr"
NAMES: Final = ("first", "second")


@pytest.fixture
def own_address(own: Built) -> Iterator[str]:
    """Where one remediator is at home, with an inventory of their own."""
    with served(own, Access(local=Visitor("first", Role.REMEDIATOR))) as origin:
        yield origin


def addresses(page: Page) -> list[str]:
    return page.locator(f"{ROWS} th[scope=row]").all_inner_texts()


def unsupported(built: Built, part: str) -> set[str]:
    """The machines without support whose name has a part, as the inventory says."""
    wanted = Filters(text=part, status=Status.UNSUPPORTED)
    with open_inventory(built.url) as inventory:
        return {each.address for each in assets_rows(inventory, wanted, today=TODAY)}


def asked(page: Page, name: str) -> list[str]:
    return parse_qs(urlsplit(page.url).query).get(name, [])


def test_typing_finds_and_going_back_returns_to_the_list_before(
    watch: Watch, address: str, built: Built
) -> None:
    page = (watched := watch(address)).page
    watched.open("/machines")
    everything = addresses(page)
    page.locator("select[name=status]").select_option("unsupported")
    page.wait_for_url("**status=unsupported*")
    page.locator("input[name=text]").press_sequentially("anes-pc", delay=20)
    wanted = unsupported(built, "anes-pc")
    expect(page.locator(ROWS)).to_have_count(len(wanted))
    assert set(addresses(page)) == wanted != set()
    assert asked(page, "text") == ["anes-pc"]
    assert page.evaluate("() => document.activeElement.name") == "text", "the place where one types stays"
    page.locator(f"{ROWS} th a").first.click()
    page.wait_for_url(re.compile(r"/machines/\d+"))
    page.go_back()
    expect(page.locator(ROWS)).to_have_count(len(wanted))
    expect(page.locator("input[name=text]")).to_have_value("anes-pc")
    for _ in range(20):
        page.go_back()
        page.wait_for_load_state("networkidle")  # who goes back faster sees what comes last
        if not asked(page, "text"):
            break
    assert asked(page, "status") == ["unsupported"]
    expect(page.locator(ROWS)).not_to_have_count(len(wanted))
    expect(page.locator("select[name=status]")).to_have_value("unsupported")
    page.go_back()
    page.wait_for_url("**/machines")
    expect(page.locator(f"{ROWS} th[scope=row]")).to_have_text(everything)
    assert watched.shape() == []


def test_filters_are_the_same_without_javascript(watch: Watch, address: str, built: Built) -> None:
    wanted = unsupported(built, "anes-pc")
    for scripts in (True, False):
        page = (watched := watch(address, java_script_enabled=scripts)).page
        watched.open("/machines")
        page.locator("input[name=text]").fill("anes-pc")
        page.locator("select[name=status]").select_option("unsupported")
        page.locator("main form button").first.click()
        page.wait_for_url("**text=anes-pc*")
        expect(page.locator(ROWS)).to_have_count(len(wanted))
        assert set(addresses(page)) == wanted != set()


def test_what_is_shown_is_what_is_taken_home(watch: Watch, address: str) -> None:
    page = (watched := watch(address)).page
    watched.open("/machines?text=anes-pc&status=unsupported")
    shown = addresses(page)
    with page.expect_download() as download:
        page.locator('a[download][href*="rfc4180"]').click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as stream:
        taken = list(csv.DictReader(stream))
    assert sorted(row["ip"] for row in taken) == sorted(shown) != []
    watched.wrong = [line for line in watched.wrong if "ERR_ABORTED" not in line]


def test_the_language_stays_when_it_was_chosen(watch: Watch, address: str) -> None:
    page = (watched := watch(address)).page
    watched.open("/machines?text=anes-pc")
    before = addresses(page)
    page.locator("nav.languages a[hreflang=fr]").click()
    page.wait_for_url("**lang=fr*")
    assert addresses(page) == before, "the same list"
    watched.open("/findings")
    assert page.locator("html").get_attribute("lang") == "fr"


@pytest.mark.parametrize("name", ODD)
def test_a_machine_of_any_name_is_found_and_is_only_text(name: str, watch: Watch, address: str) -> None:
    page = (watched := watch(address)).page
    watched.open("/machines")
    page.locator("input[name=text]").fill(ODD[name][:200])
    page.locator("main form button").first.click()
    page.wait_for_url("**text=*")
    assert watched.shape() == []
    watched.open(f"/machines?text=10.66.1.{1 + list(ODD).index(name)}")
    page.locator(f"{ROWS} th a").first.click()
    page.wait_for_url(re.compile(r"/machines/\d+"))
    for width in (WALL, PHONE):
        watched.look(width, "light")
        assert watched.shape() == []
    assert "49" not in page.locator("h1").inner_text()


def plain(text: str) -> str:
    """A text without what turns it round, which pages may leave out."""
    return " ".join(re.sub("[\u202e\ufffd]", "", text).split())


def decide(page: Page, note: str, owner: str = "") -> None:
    page.locator("textarea[name=note]").fill(note)
    if owner:
        page.locator("input[name=owner]").fill(owner)
    page.locator("form.decision button").click()


@pytest.mark.parametrize("name", [name for name in ODD if name != "long"])
def test_a_note_is_kept_and_shown_as_it_was_typed(name: str, own_address: str, watch: Watch) -> None:
    watched = watch(own_address)
    watched.open("/findings/7")
    decide(watched.page, ODD[name])
    watched.page.wait_for_url("**kept=1*")
    shown = watched.page.locator("ul.history > li").first
    assert plain(ODD[name]) in plain(shown.inner_text())
    assert watched.shape() == []
    assert watched.barriers() == []
    watched.page.reload()
    assert watched.page.locator("ul.history > li").count() == 2, "reading again writes nothing again"


def test_a_note_of_10000_characters_is_kept_or_refused_and_never_breaks(
    own_address: str, watch: Watch
) -> None:
    watched = watch(own_address)
    watched.open("/findings/7")
    watched.refused = True
    decide(watched.page, LONG)
    watched.page.wait_for_load_state()
    for width in (PHONE, WALL):
        watched.look(width, "dark")
        assert watched.shape() == []
    text = (
        watched.page.locator("main").inner_text() + watched.page.locator("textarea[name=note]").input_value()
    )
    assert LONG in text, "nothing that was typed is lost"


@pytest.mark.parametrize("language", ["en", "fr"])
def test_of_two_people_who_change_one_finding_the_second_is_told(
    language: str, watch: Watch, own: Built, tmp_path: Path
) -> None:
    tokens = {name: new_token() for name in NAMES}
    for name, token in tokens.items():
        enter(tmp_path / "tokens.json", Entry(name, Role.REMEDIATOR), token)
    with served(own, Access(register=Register(tmp_path / "tokens.json", now=lambda: NOW))) as origin:
        first, second = (watch(origin) for _ in NAMES)
        for watched, token in zip((first, second), tokens.values(), strict=True):
            watched.open(spoken("/findings/7", language))
            watched.page.locator("input[name=token]").fill(token)
            watched.page.locator("main button").click()
            watched.page.wait_for_url("**/findings/7*")
        decide(first.page, "mine", "DSI")
        first.page.wait_for_url("**kept=1*")
        second.refused = True
        decide(second.page, "no, mine", "biomedical")
        told = second.page.get_by_role("alert")
        expect(told).to_contain_text("mine")
        expect(told).to_contain_text("first")
        assert second.shape() == []
        assert second.barriers() == []
        assert second.page.locator("input[name=owner]").input_value() == "biomedical", "what was typed stays"
        first.page.reload()
        assert first.page.locator("ul.history > li").count() == 2
        assert first.page.locator("input[name=owner]").input_value() == "DSI"
        second.page.locator("form.decision button").click()
        second.page.wait_for_url("**kept=1*")
        assert second.page.locator("input[name=owner]").input_value() == "biomedical"
        for watched in (first, second):
            watched.page.wait_for_load_state("networkidle")
            watched.page.goto("about:blank")


def test_who_may_only_read_is_shown_no_form(watch: Watch, address_for: Callable[[Visitor], str]) -> None:
    watched = watch(address_for(Visitor("reader", Role.READER)))
    for path in ("/findings/7", "/scans", "/machines"):
        watched.open(path)
        assert watched.page.locator("main form[method=post]").count() == 0, path
