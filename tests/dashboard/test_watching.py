"""What watchdogs ask for: figures for Prometheus behind a token, and one word for whoever comes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from prometheus_client.parser import text_string_to_metric_families

from scanner.dashboard.house import House
from scanner.dashboard.visitor import Role
from scanner.exports.prometheus import METRICS
from scanner.inventory import open_inventory, settle_findings
from tests.cli.process import run
from tests.dashboard.doors import Doors
from tests.inventory.group import SITES, build, file_of
from tests.inventory.hospital import NOON, TODAY, recorder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from httpx2 import Response
    from starlette.testclient import TestClient


@pytest.fixture
def clock() -> list[timedelta]:
    """How long ago the scans were."""
    return [timedelta(hours=1)]


@pytest.fixture
def house(tmp_path: Path, clock: list[timedelta]) -> Iterator[House]:
    url = f"sqlite:///{tmp_path}/inventory.db"
    with open_inventory(url, create=True) as inventory:
        build(inventory, tmp_path)
        settle_findings(inventory, today=TODAY)
    house = House(url, now=lambda: NOON + clock[0])
    yield house
    house.close()


@pytest.fixture
def doors(house: House, tmp_path: Path) -> Doors:
    return Doors(house, tmp_path)


def scraped(browser: TestClient, token: str) -> Response:
    """As Prometheus asks: a token, and the kinds of text that it reads."""
    return browser.get(
        "/metrics", headers={"authorization": f"Bearer {token}", "accept": "text/plain;version=0.0.4"}
    )


def figures(text: str) -> dict[tuple[str, ...], float]:
    families = list(text_string_to_metric_families(text))
    assert [family.name for family in families] == list(METRICS)
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


def test_prometheus_gets_with_a_token_what_the_file_says(doors: Doors, tmp_path: Path) -> None:
    answer = scraped(doors.browser(), doors.give("prometheus", Role.READER))
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert "set-cookie" not in answer.headers
    day = NOON.date().isoformat()
    code, out, _ = run("export", "prometheus", "--lang", "en", "--today", day, cwd=tmp_path)
    assert code == 0
    by_clock = {"vetuste_scan_late"}
    served, written = figures(answer.text), figures(out)
    assert {key: value for key, value in served.items() if key[0] not in by_clock} == {
        key: value for key, value in written.items() if key[0] not in by_clock
    }
    assert served["vetuste_findings", "Nord", "open"] == 5
    assert served["vetuste_site", "Sud", "CHU", "GHT"] == 1


@pytest.mark.parametrize("token", ["", "A" * 43])
def test_nobody_else_gets_a_figure(doors: Doors, token: str) -> None:
    doors.give("prometheus", Role.READER)
    answer = scraped(doors.browser(), token)
    assert answer.status_code == 401
    assert "vetuste_" not in answer.text


def test_a_token_for_some_wards_sees_no_others_figures(doors: Doors) -> None:
    token = doors.give("one", Role.READER, sites=("Sud",), wards=("Accueil",))
    every = doors.give("all", Role.READER)
    whole = figures(scraped(doors.browser(), every).text)
    mine = figures(scraped(doors.browser(), token).text)
    assert {key[1] for key in mine} == {"Sud"}
    assert {key: value for key, value in whole.items() if key[1:3] == ("Sud", "Accueil")} == {
        key: value for key, value in mine.items() if key[2:3] == ("Accueil",)
    }
    assert mine["vetuste_findings", "Sud", "open"] == 2  # the third is in the other ward


def test_a_scrape_soon_after_costs_nothing_and_a_later_one_tells_the_change(
    doors: Doors, house: House, clock: list[timedelta], tmp_path: Path
) -> None:
    token = doors.give("prometheus", Role.READER)
    first = figures(scraped(doors.browser(), token).text)
    assert first["vetuste_scan_late", "Nord"] == 0
    made = dict(house.keeper._kept)
    scraped(doors.browser(), token)
    assert house.keeper._kept == made
    clock[0] = timedelta(hours=200)
    assert figures(scraped(doors.browser(), token).text)["vetuste_scan_late", "Nord"] == 1
    with open_inventory(house.url) as inventory:
        at = NOON + timedelta(hours=190)
        recorder(inventory, file_of(tmp_path, "Nord"), at=at).finish("done", {}, ended=at)
    clock[0] += timedelta(minutes=1)
    assert figures(scraped(doors.browser(), token).text)["vetuste_scan_late", "Nord"] == 0


@pytest.mark.parametrize(
    ("ago", "code", "status"),
    [(timedelta(hours=1), 200, "ok"), (timedelta(hours=193), 503, "late")],
)
def test_health_is_one_word_for_whoever_comes(
    doors: Doors, clock: list[timedelta], ago: timedelta, code: int, status: str
) -> None:
    clock[0] = ago
    doors.give("somebody", Role.READER)
    answer = doors.browser().get("/health")
    assert (answer.status_code, answer.json()) == (code, {"status": status})
    assert not any(name in answer.text for name in SITES)


def test_health_of_what_nobody_ever_scanned(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/empty.db"
    open_inventory(url, create=True).close()
    house = House(url)
    answer = Doors(house, tmp_path).browser().get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "never"})
    house.close()


def test_health_of_what_cannot_be_read_says_no_more_than_that(doors: Doors, tmp_path: Path) -> None:
    with (tmp_path / "inventory.db").open("r+b") as file:
        file.write(b"\xff" * 4096)
    answer = doors.browser().get("/health")
    assert (answer.status_code, answer.json()) == (503, {"status": "unreadable"})


def test_however_often_it_is_asked_the_inventory_is_not(
    doors: Doors, clock: list[timedelta], tmp_path: Path
) -> None:
    assert doors.browser().get("/health").status_code == 200
    with (tmp_path / "inventory.db").open("r+b") as file:
        file.write(b"\xff" * 4096)
    assert doors.browser().get("/health").json() == {"status": "ok"}
    clock[0] += timedelta(minutes=1)
    assert doors.browser().get("/health").json() == {"status": "unreadable"}
