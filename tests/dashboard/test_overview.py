"""The overview and the wards tell the figures of ``count``, to the unit, and nobody's but the visitor's."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.config import SiteSource
from scanner.dashboard.counted import wards_of
from scanner.dashboard.house import House
from scanner.dashboard.pages.overview import quarters
from scanner.dashboard.pages.wards import heat, in_order
from scanner.dashboard.rolling import total_of
from scanner.dashboard.visitor import Role, Visitor
from scanner.inventory import count_rows, open_inventory
from scanner.language import Message
from scanner.model import Certainty, Identity, Status, Trip
from tests.dashboard.showing import shown
from tests.inventory.hospital import NOON, SITE, host, record, recorder, seen, site_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
XP = Identity(("windows-xp-sp3",), Certainty.CERTAIN)
TEN = Identity(("windows-10-22h2", "windows-10-1507-ltsb"), Certainty.PROBABLE)
NOTHING = Identity((), Certainty.HINT)
EVIL = '<script>alert("x")</script>&amp;\'../..'
LONG = "L" * 10_000
"""Machines may call themselves so."""
WORDS = SITE.replace('"Vide"', f"'''{EVIL}'''").replace("10.20.9.0/30", "10.20.9.0/24")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    url = f"sqlite:///{tmp_path}/inventory.db"
    site = site_file(tmp_path, WORDS)
    with open_inventory(url, create=True) as inventory:
        before = [host(f"10.20.0.{last}", "Cardiologie", XP) for last in range(1, 6)]
        record(inventory, site, before, asked=range(0x0A140001, 0x0A140006))
        after = [
            *before[:3],
            host("10.20.0.9", "Cardiologie", TEN),
            host("10.20.1.65", "Bloc", XP),
            host("10.20.9.1", EVIL, NOTHING),
        ]
        record(inventory, site, after, asked=range(0x0A140001, 0x0A14000A))
    house = House(url, now=lambda: NOW)
    yield house
    house.close()


def text_of(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", page).split())


def test_its_figures_are_those_of_count(house: House) -> None:
    rows = count_rows(house.inventory, by=("status",), today=house.today)
    total = total_of(wards_of(house).rows)
    assert total.seen == rows[0].seen == 8
    assert (total.scope, total.never_scanned) == (rows[0].scope, rows[0].never_scanned)
    told = {row.keys["status"]: (row.certain, row.probable, row.to_verify) for row in rows}
    assert {status.value: numbers for status, numbers in total.statuses.items() if sum(numbers)} == told
    page = text_of(shown(house).get("/").text)
    assert "6 of 8 machines seen" in page
    assert "75.0%" in page


def test_changes_are_those_of_diff(house: House) -> None:
    client = shown(house)
    page = client.get("/").text
    # Two were looked for and not found; three are there for the first time.
    assert re.search(r"new</td><td class=\"n\"><a [^>]*>3<", page)
    assert re.search(r"gone</td><td class=\"n\"><a [^>]*>2<", page)
    listed = client.get("/changes", params={"site": "CHU", "kind": "gone"}).text
    assert "10.20.0.4" in listed
    assert "10.20.0.5" in listed
    assert "10.20.0.1<" not in listed
    for wrong in ({}, {"site": "CHU"}, {"site": "no", "kind": "gone"}, {"site": "CHU", "kind": "no"}):
        assert client.get("/changes", params=wrong).status_code == 404


def test_nobody_is_told_of_what_they_may_not_see(house: House) -> None:
    client = shown(house, Visitor("somebody", Role.READER, wards=frozenset({"Bloc"})))
    page = text_of(client.get("/").text)
    assert "1 of 1 machines seen" in page
    assert re.search(r"new 1 ", page)
    assert "gone" not in page
    wards = client.get("/wards").text
    assert "Bloc" in wards
    assert "Cardiologie" not in wards
    assert "alert" not in wards
    hidden = client.get("/wards/ward", params={"site": "CHU", "ward": "Cardiologie"})
    absent = client.get("/wards/ward", params={"site": "CHU", "ward": "Nowhere"})
    assert (hidden.status_code, hidden.text) == (absent.status_code, absent.text) == (404, "Not Found")
    elsewhere = shown(house, Visitor("somebody", Role.READER, sites=frozenset({"Other"})))
    page = text_of(elsewhere.get("/").text)
    assert "0 of 0 machines seen" in page
    assert "CHU" not in page
    assert elsewhere.get("/changes", params={"site": "CHU", "kind": "new"}).status_code == 404


@pytest.mark.parametrize("path", ["/", "/wards", "/wards?text=script", "/?products=all"])
def test_names_are_words_and_never_markup(house: House, path: str) -> None:
    answer = shown(house).get(path)
    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert not re.search(r"\s(style|on\w+)=", answer.text)
    assert answer.text.count("<h1") == 1
    assert answer.text.count('aria-current="page"') == 1


def test_any_name_leads_to_its_ward(house: House) -> None:
    client = shown(house)
    link = re.search(r'href="(/wards/ward[^"]*script[^"]*)"', client.get("/wards").text)
    assert link
    answer = client.get(link[1].replace("&amp;", "&"))
    assert answer.status_code == 200
    assert "10.20.9.0/24" in answer.text
    assert "<script>" not in answer.text


def test_a_ward_tells_its_own_figures(house: House) -> None:
    page = text_of(shown(house).get("/wards/ward", params={"site": "CHU", "ward": "Bloc"}).text)
    assert "1 of 1 machines seen" in page
    assert "vital" in page
    assert "biomedical" in page
    assert "10.20.1.64/26" in page
    assert "Windows XP 1 0 0 1" in page


def test_wards_are_sorted_and_filtered(house: House) -> None:
    client = shown(house)

    def order(query: str) -> list[str]:
        body = client.get(f"/wards?{query}").text.partition("<tbody>")[2]
        return re.findall(r'<th scope="row"><a class="name"[^>]*>(\w+)', body)

    assert order("") == ["Bloc", "Cardiologie"]
    assert order("sort=share")[-1] == "Bloc"
    assert order("sort=ward") == ["Bloc", "Cardiologie"]
    assert order("sort=-seen&page=99999") == ["Cardiologie", "Bloc"]
    assert order("building=B&text=CARD") == ["Cardiologie"]
    assert order("sort=nonsense&page=-1") == order("page=²&sort=")
    assert "No ward is like that." in client.get("/wards?text=nothing").text


def test_the_map_is_palest_at_none_and_darkest_at_the_worst(house: House) -> None:
    rows = wards_of(house).rows
    worst = in_order(rows, "-share")[0]
    assert (worst.ward, heat(worst, worst)) == ("Bloc", "9")
    assert {row.ward: heat(row, worst) for row in rows}[EVIL] == "0"


def test_a_stopped_subnet_is_told_first(house: House, tmp_path: Path) -> None:
    with recorder(house.inventory, site_file(tmp_path, WORDS)) as scan:
        scan.trip(Trip("10.20.1.64/26", "Bloc", NOON, Message("hosts fell silent")))
        scan.finish("done", {}, ended=NOON)
    page = shown(house).get("/").text
    assert 'role="alert"' in page
    assert "10.20.1.64/26" in page
    other = shown(house, Visitor("somebody", Role.READER, wards=frozenset({"Cardiologie"})))
    assert "10.20.1.64/26" not in other.get("/").text


def test_what_is_written_is_told_at_once(house: House, tmp_path: Path) -> None:
    client = shown(house)
    assert "6 of 8 machines seen" in text_of(client.get("/").text)
    record(house.inventory, site_file(tmp_path, WORDS), [host("10.20.0.77", "Cardiologie", XP)])
    assert "7 of 9 machines seen" in text_of(client.get("/").text)


def test_a_late_scan_is_told(house: House) -> None:
    assert "late:" not in shown(house).get("/").text
    house.now = lambda: NOW + timedelta(days=40)
    assert "late:" in shown(house).get("/").text


def test_what_only_the_site_file_tells_is_not_guessed(house: House, tmp_path: Path) -> None:
    assert "only the site&#39;s own file tells" in shown(house).get("/").text
    words = '[policy]\nexclude = ["10.20.0.200"]\n' + WORDS
    loaded = site_file(tmp_path, words)
    told = House(house.url, SiteSource(tmp_path / "site.toml", b"", loaded), now=lambda: NOW)
    assert "Excluded 1 address " in text_of(shown(told).get("/").text)
    told.close()


def test_a_name_of_any_length_stays_short(house: House, tmp_path: Path) -> None:
    named = seen("10.20.1.66", {"ntlm.netbios_name": (LONG,)})
    record(house.inventory, site_file(tmp_path, WORDS), [host("10.20.1.66", "Bloc", XP, named)])
    page = shown(house).get("/changes", params={"site": "CHU", "kind": "new"}).text
    assert "L" * 200 in page
    assert "L" * 301 not in page


def test_an_empty_inventory_has_a_page(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/empty.db"
    open_inventory(url, create=True).close()
    house = House(url, now=lambda: NOW)
    page = text_of(shown(house).get("/").text)
    assert "Nothing was seen yet." in page
    assert "never" in page
    assert "No ward is like that." in shown(house).get("/wards").text
    house.close()


def test_the_calendar_has_five_years_from_this_quarter() -> None:
    today = date(2026, 11, 23)
    ends = {
        (date(2026, 11, 23), date(2027, 1, 12)): (2,),
        (date(2031, 9, 30), None): (3,),
        (None, date(2031, 10, 1)): (5,),
    }
    found = quarters(ends, today)
    assert [(found[0].year, found[0].number), (found[-1].year, found[-1].number)] == [(2026, 4), (2031, 3)]
    assert (found[0].first, found[0].last) == (2, 0)
    assert (found[1].first, found[1].last) == (0, 2)
    assert found[-1].first == 3
    assert sum(each.last for each in found) == 2


def test_statuses_are_told_by_shape_and_word_too(house: House) -> None:
    page = shown(house).get("/").text
    shapes = re.findall(r'status-(\w+)"><span class="shape" aria-hidden="true">(.)</span> (\w+)', page)
    assert len({shape for _, shape, _ in shapes}) == len(Status)
    assert {(name, word) for name, _, word in shapes} == {(each.value, each.value) for each in Status}
