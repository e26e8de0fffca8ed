from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

import pytest

from scanner.dashboard.asked import FILTERS
from scanner.inventory import Filters, State, assets_rows, engines, findings_rows, listing, sqlite
from scanner.inventory.findings.rows import Wanted
from scanner.model import Certainty, Status
from tests.dashboard.machine_park import HOSTILE, TODAY, Reader, hospital, ids
from tests.inventory.test_plans import LARGE, names, plan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from scanner.dashboard.house import House

QUESTIONS: dict[str, Filters] = {
    "": Filters(),
    "ward=car*": Filters(ward="car*"),
    "status=unsupported": Filters(status=Status.UNSUPPORTED),
    "certainty=certain": Filters(certainty=Certainty.CERTAIN),
    "os=windows+7": Filters(os="windows 7"),
    "text=pc-1": Filters(text="pc-1"),
    "text=20.1": Filters(text="20.1"),
    "text=1": Filters(text="1"),
    "text=zzz": Filters(text="zzz"),
    "site=chu&ward=bloc&os=7&status=unsupported&text=PC": Filters(
        "chu", "bloc", "7", Status.UNSUPPORTED, text="pc"
    ),
}
WRONG = [
    "status=foo",
    "status=unsupported'+OR+1=1--",
    "certainty=sure",
    "state=gone",
    "os=nosuchsystem",
    "os=%00",
    "text=a%00b",
    "text=%E2%80%AEx",
    "text=" + "x" * 10_000,
    "ward=" + "*a" * 200,
    "statuss=unknown",
    "status=unknown&status=depends",
    "sort=evidence",
    "sort=name;drop+table+assets",
    "after=1",
    "after=-1",
    "after=1-1-nowhere-1",
    "after=99999999999999999999999-1",
    "after=1-1-10.0.0.1-99999999999999999999",
    "%3Cscript%3E=1",
]


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = hospital(tmp_path)
    yield house
    house.close()


def walked(browser: TestClient, query: str) -> list[int]:
    """The machines of a list, page after page, as its links lead."""
    found: list[int] = []
    address = f"/machines?{query}"
    for _ in range(100):
        answer = browser.get(address)
        assert answer.status_code == 200
        found += ids(answer.text)
        after = Reader(answer.text).having("rel", "next")
        if not after:
            return found
        address = str(after[0]["href"])
    raise AssertionError("the list has no end")


@pytest.mark.parametrize("is_long", [False, True])
@pytest.mark.parametrize("query", QUESTIONS)
def test_the_pages_of_a_list_have_what_the_command_lists(
    house: House,
    client: Callable[..., TestClient],
    monkeypatch: pytest.MonkeyPatch,
    query: str,
    *,
    is_long: bool,
) -> None:
    monkeypatch.setattr(listing, "SIZE", 4)
    if is_long:
        monkeypatch.setattr(listing, "FEW", 2)
        monkeypatch.setattr(listing, "LOOKED_AT", 1)
    wanted = [asset.id for asset in assets_rows(house.inventory, QUESTIONS[query], today=TODAY)]
    assert walked(client(), query) == wanted


@pytest.mark.parametrize("query", QUESTIONS)
def test_the_number_is_that_of_the_list(house: House, client: Callable[..., TestClient], query: str) -> None:
    wanted = len(list(assets_rows(house.inventory, QUESTIONS[query], today=TODAY)))
    told = client().get(f"/machines?{query}").text
    assert re.search(rf"\b{wanted} machines?\.", told)


def test_of_many_it_is_said_that_there_are_more(
    client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "FEW", 10)
    monkeypatch.setattr(listing, "SIZE", 5)
    page = client().get("/machines?sort=name").text
    assert "More than 10 machines." in page
    assert "cannot be sorted" in page
    assert "aria-sort" not in page
    assert not [
        href for href in Reader(page).links("/machines?sort") if "after" not in href and "lang" not in href
    ]


def test_what_is_looked_at_one_by_one_ends_and_goes_on(
    client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "LOOKED_AT", 1)
    page = client().get("/machines?text=zz").text
    assert "Look further" in page
    assert "looked at one by one" in page
    assert "No machine is so" not in page


@pytest.mark.parametrize("state", State)
def test_machines_with_a_finding_in_a_state(
    house: House, client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    wanted = Wanted(states=frozenset({state}))
    found = findings_rows(house.inventory, Filters(), wanted, today=TODAY)
    expected = list(dict.fromkeys(asset.id for asset, _ in found))
    for few in (5000, 0):
        monkeypatch.setattr("scanner.inventory.findings.standing._FEW", few)
        assert walked(client(), f"state={state.value}") == expected


@pytest.mark.parametrize(
    ("query", "wards"), [("building=b", {"Cardiologie", "<b>Étage 10</b>"}), ("owner=BIOMEDICAL", {"Bloc"})]
)
def test_machines_of_a_building_and_of_an_owner(
    house: House, client: Callable[..., TestClient], query: str, wards: set[str]
) -> None:
    every = assets_rows(house.inventory, today=TODAY)
    assert ids(client().get(f"/machines?{query}").text) == [
        each.id for each in every if each.place.ward in wards
    ]


@pytest.mark.parametrize("sort", listing.SORTS)
def test_few_can_be_sorted_by_each_column_in_both_directions(
    client: Callable[..., TestClient], sort: str
) -> None:
    page = client().get("/machines?ward=Cardiologie").text
    (link,) = Reader(page).links(f"/machines?ward=Cardiologie&sort={sort}")
    up = client().get(link).text
    assert Reader(up).having("aria-sort", "ascending")
    (link,) = Reader(up).links(f"/machines?ward=Cardiologie&sort=-{sort}")
    down = client().get(link).text
    assert Reader(down).having("aria-sort", "descending")
    assert sorted(ids(up)) == sorted(ids(down)) == sorted(ids(page))


def test_names_with_numbers_are_sorted_as_people_do(client: Callable[..., TestClient]) -> None:
    assert ids(client().get("/machines?ward=Cardiologie&sort=name").text) == list(range(1, 13))
    assert ids(client().get("/machines?ward=Cardiologie&sort=-name").text) == list(range(12, 0, -1))


def test_a_sorted_list_goes_on_and_back(
    client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listing, "SIZE", 4)
    query = "ward=Cardiologie&sort=-name"
    assert walked(client(), query) == list(range(12, 0, -1))
    pages = [client().get(f"/machines?{query}").text]
    for _ in range(2):
        (after,) = Reader(pages[-1]).having("rel", "next")
        pages.append(client().get(str(after["href"])).text)
    (before,) = Reader(pages[2]).having("rel", "prev")
    assert ids(client().get(str(before["href"])).text) == ids(pages[1])


@pytest.mark.parametrize("query", WRONG)
def test_a_wrong_filter_is_told_and_nothing_is_listed(client: Callable[..., TestClient], query: str) -> None:
    answer = client().get(f"/machines?{query}")
    page = Reader(answer.text)
    assert answer.status_code == 200
    assert page.having("role", "alert")
    assert not ids(answer.text)
    assert len(answer.content) < 30_000


def test_the_complaint_of_a_system_helps(client: Callable[..., TestClient]) -> None:
    assert "did you mean" in client().get("/machines?os=Windos+7").text


def test_what_is_written_in_a_filter_stands_in_its_field_again(client: Callable[..., TestClient]) -> None:
    for text in HOSTILE[:4]:
        page = client().get("/machines?" + urlencode({"text": text, "ward": text})).text
        assert Reader(page).having("id", "text")[0]["value"] == text
        assert text not in page or text == HOSTILE[3]


def test_a_ward_that_is_not_seen_is_as_one_that_is_not_there(client: Callable[..., TestClient]) -> None:
    browser = client(wards=("Cardiologie",))
    hidden, absent = (browser.get(f"/machines?ward={name}").text for name in ("Bloc", "Nulle"))
    assert hidden.replace("Bloc", "Nulle") == absent
    assert "No ward that you may see" in hidden


def test_what_is_not_seen_is_neither_listed_nor_counted_nor_suggested(
    client: Callable[..., TestClient],
) -> None:
    page = client(wards=("Bloc",)).get("/machines").text
    assert ids(page) == [13, 14, 15, 16, 17, 18]
    assert "6 machines." in page
    assert "Cardiologie" not in page
    assert 'value="DSI"' not in page
    assert not ids(client(sites=("Elsewhere",)).get("/machines").text)
    assert not ids(client(wards=("Bloc",)).get("/machines?text=10.20.0.7").text)


def test_a_page_cannot_begin_behind_what_is_not_seen(client: Callable[..., TestClient]) -> None:
    answers = [
        client(wards=("Bloc",)).get(f"/machines?after={ward}-10.20.0.3-3").text for ward in ("1-1", "1-77")
    ]
    assert answers[0] == answers[1].replace("1-77", "1-1")
    assert "first page" in answers[0]


def test_htmx_gets_the_list_alone_and_the_address_that_shows_it(client: Callable[..., TestClient]) -> None:
    address = "/machines?text=pc-1&ward=&status="
    part = client().get(address, headers={"HX-Request": "true"})
    assert part.text.lstrip().startswith('<p id="told" role="status" hx-swap-oob="innerHTML">')
    assert "<form" not in part.text
    assert part.headers["HX-Push-Url"] == "/machines?text=pc-1"
    assert "HX-Request" in part.headers["Vary"]
    whole = client().get(address)
    assert "<form" in whole.text
    assert "HX-Request" in whole.headers["Vary"]
    assert ids(part.text) == ids(whole.text)


def test_the_back_button_gets_the_whole_page(client: Callable[..., TestClient]) -> None:
    headers = {"HX-Request": "true", "HX-History-Restore-Request": "true"}
    assert "<form" in client().get("/machines?text=pc-1", headers=headers).text


def test_the_form_is_plain_and_each_field_has_its_words(client: Callable[..., TestClient]) -> None:
    text = client().get("/machines").text
    page = Reader(text)
    (form,) = page.having("role", "search")
    assert (form["method"], form["action"]) == ("get", "/machines")
    fields = [
        attributes
        for tag, attributes in page.elements
        if tag in ("input", "select") and attributes.get("type") != "hidden"
    ]
    assert {field["name"] for field in fields} == {*FILTERS} - {"group", "establishment", "site"}
    assert len(re.findall(r"<label>\s*\w", text)) == len(fields)
    assert [tag for tag, _ in page.elements].count("h1") == 1


def test_hostile_names_are_text(client: Callable[..., TestClient]) -> None:
    answer = client().get("/machines?ward=*10*")
    page = Reader(answer.text)
    assert ids(answer.text) == [19, 20, 21, 22, 23, 24]
    assert "<script>alert" not in answer.text
    assert not [tag for tag, _ in page.elements if tag in ("img", "b")]
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert "{{7*191}}" in page.text
    assert "1337" not in page.text
    assert len(answer.content) < 60_000


def test_french(client: Callable[..., TestClient]) -> None:
    assert '<html lang="fr"' in client(language="fr").get("/machines").text


def test_no_large_table_is_read_from_end_to_end(
    house: House, client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: dict[str, None] = {}
    connect = sqlite.connect

    def listening(*words: Any, **options: Any) -> sqlite3.Connection:  # noqa: ANN401 - whatever it is given
        connection = connect(*words, **options)
        connection.set_trace_callback(statements.setdefault)
        return connection

    for module in (engines, sqlite):
        monkeypatch.setattr(module, "connect", listening)
    monkeypatch.setattr("scanner.inventory.findings.standing._FEW", 0)
    for query in (*QUESTIONS, "state=open", "after=1-1-10.20.0.3-3", "building=b"):
        client().get(f"/machines?{query}")
    for number in islice(range(1, 25), 3):
        client().get(f"/machines/{number}")
    with closing(sqlite3.connect(house.inventory.path)) as connection:
        for statement in [each for each in statements if each.lstrip().startswith(("SELECT", "WITH"))]:
            steps = plan(connection, statement)
            read = {found[1] for step in steps if (found := re.match(r"SCAN (\w+)", step))}
            called = names(statement)
            assert not read & {name for name, table in called.items() if table in LARGE}, (statement, steps)
            assert not read & {"findings", "records", "assets"} or "ix_assets_foreign" in str(steps), steps
