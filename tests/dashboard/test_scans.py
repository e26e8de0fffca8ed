"""Scans of now and before, the circuit breaker, and who may stop and clear."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.addresses import number_of
from scanner.config import load_site
from scanner.dashboard.pace import Watch
from scanner.dashboard.pages import pages
from scanner.dashboard.visitor import Role
from scanner.inventory import Recorder, breakers_rows, going_scans, open_inventory, scans_rows
from scanner.language import Message
from scanner.model import Trip
from scanner.transport.stopping import Stopped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from scanner.config import SiteFile
    from scanner.dashboard.house import House

    Client = Callable[..., TestClient]

SITE = """
[site]
name = "Nord <b>"
[[ward]]
name = "Cardiologie"
subnets = ["10.20.0.0/24"]
[[ward]]
name = "Bloc"
subnets = ["10.20.1.0/24"]
"""
FIRST = number_of("10.20.0.0")


@pytest.fixture
def site(tmp_path: Path) -> SiteFile:
    file = tmp_path / "site.toml"
    file.write_text(SITE, encoding="utf-8")
    return load_site(file)


@pytest.fixture(autouse=True)
def stops(monkeypatch: pytest.MonkeyPatch) -> list[Stopped]:
    """What the next stops say; nothing of this machine is ever stopped here."""
    answers: list[Stopped] = []
    monkeypatch.setattr("scanner.dashboard.pages.stopping.stop_all", lambda: answers.pop(0))
    return answers


def recorder(house: House, site: SiteFile) -> Recorder:
    return Recorder(
        house.inventory,
        site,
        profile="clinical",
        scope="all <i>",
        versions={},
        started=house.now() - timedelta(seconds=100),
        spans=[(FIRST, FIRST + 511)],
    )


@pytest.fixture
def running(house: House, site: SiteFile) -> Iterator[Recorder]:
    """A scan that somebody living carries out: 100 of its 512 addresses are done."""
    with recorder(house, site) as scan:
        for number in range(FIRST, FIRST + 100):
            scan.visited(number)
        scan.settle_phantoms()  # it writes what waits
        yield scan
        scan.finish("done", {"addresses": 512, "visited": 100, "silent": 3}, ended=house.now())


@pytest.fixture
def tripped(house: House, site: SiteFile) -> House:
    """Two subnets were stopped, of two wards."""
    with recorder(house, site) as scan:
        for place, ward in enumerate(("Cardiologie", "Bloc")):
            fallen = tuple(f"10.20.{place}.{last}" for last in (7, 8))
            cause = Message("{number} hosts fell silent", {"number": "2"})
            scan.trip(Trip(f"10.20.{place}.0/24", ward, house.now(), cause, fallen))
        scan.finish("interrupted", {"addresses": 512}, ended=house.now())
    return house


def test_a_scan_that_goes_on_is_shown_with_what_is_left(
    house: House, client: Client, running: Recorder
) -> None:
    (scan,) = going_scans(house.inventory)
    assert (scan.id, scan.total, scan.visited, scan.left) == (running.scan_id, 512, 100, 412)
    for path in ("/scans", "/scans/going"):
        page = client().get(path).text
        for words in (
            "100 of 512 addresses",
            "412",
            "1 addresses a second",
            "7 min",
            "19.5%",
            "Nord &lt;b&gt;",
        ):
            assert words in page, words
        assert "<b>" not in page
    assert "<html" not in client().get("/scans/going").text
    assert 'hx-get="/scans/going"' in client().get("/scans").text


def test_the_rate_is_that_of_the_last_minute(house: House, running: Recorder) -> None:
    clock = [0.0]
    watch = Watch(house, lambda: clock[0])
    assert watch.paces()[0].rate == 1.0
    for number in range(FIRST + 100, FIRST + 160):
        running.visited(number)
    running.settle_phantoms()
    clock[0] = 1.9
    assert watch.paces()[0].scan.visited == 100, "all readers are shown the same for a moment"
    clock[0] = 6.0
    assert watch.paces()[0].rate == 10.0
    for at in range(12, 200, 6):
        clock[0] = float(at)
        paces = watch.paces()
    assert paces[0].rate == 0.0
    assert paces[0].seconds_left is None


def test_who_sees_only_some_wards_is_not_told_of_the_others(
    house: House, client: Client, running: Recorder
) -> None:
    page = client(wards=("Cardiologie",)).get("/scans").text
    assert house.inventory
    assert running
    assert "Nord" in page
    assert not any(words in page for words in ("512", "412", "all &lt;i&gt;", "identified"))
    elsewhere = client(sites=("elsewhere",)).get("/scans").text
    assert "Nord" not in elsewhere
    assert "0 scans" in elsewhere


def test_a_scan_whose_process_died_is_said_to_be_killed(
    house: House, client: Client, running: Recorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert running
    assert house.inventory
    assert "killed" not in client().get("/scans").text
    monkeypatch.setattr("scanner.inventory.locking.FileLock.held", lambda _self: False)
    page = client().get("/scans").text
    assert "killed" in page
    assert "No scan is running." in page


def test_past_scans_come_page_by_page(
    house: House, client: Client, site: SiteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("scanner.dashboard.pages.scans._MOST", 5)
    for _ in range(7):
        with recorder(house, site) as scan:
            scan.finish("done", {"addresses": 512, "visited": 512, "refused": 4}, ended=house.now())
    newest = scans_rows(house.inventory)[0].id
    first, second = client().get("/scans").text, client().get(f"/scans?before={newest - 4}").text
    assert f'class="n">{newest}</th>' in first
    assert f'class="n">{newest - 5}</th>' not in first
    assert f'class="n">{newest - 5}</th>' in second
    assert f'class="n">{newest - 4}</th>' not in second
    assert f"before={newest - 4}" in first
    assert "8 scans" in first
    for wrong in ("x", "-1", "9" * 30, "²"):
        assert client().get(f"/scans?before={wrong}").status_code == 400


def test_stopping_is_asked_once_more_and_done_once(client: Client, stops: list[Stopped]) -> None:
    stops.append(Stopped(frozenset({11, 12}), frozenset({12}), frozenset()))
    asked = client().get("/scans/stop")
    assert asked.status_code == 200
    assert 'method="post" action="/scans/stop"' in asked.text
    assert len(stops) == 1, "looking stops nothing"
    answer = client().post("/scans/stop")
    assert (answer.status_code, answer.headers["location"], stops) == (303, "/scans?stopped=1", [])
    assert "were stopped" in client().get("/scans?stopped=1").text


def test_what_could_not_be_stopped_is_said(client: Client, stops: list[Stopped]) -> None:
    stops += [
        Stopped(frozenset(), frozenset(), frozenset()),
        Stopped(frozenset({1}), frozenset(), frozenset({31, 4})),
    ]
    assert "No scan is running on this machine." in client().post("/scans/stop").text
    page = client().post("/scans/stop").text
    assert "(processes 4, 31)" in page
    assert "1 scan was stopped." in page


def test_only_operators_stop_and_clear(tripped: House, client: Client) -> None:
    assert tripped.inventory
    needs = {(page.path, page.methods): page.needs for page in pages() if page.path.startswith("/scans/")}
    breaker = "/scans/breakers/{number}"
    assert needs == {
        ("/scans/going", ("GET",)): Role.READER,
        **{
            (path, (method,)): Role.OPERATOR
            for path in ("/scans/stop", breaker)
            for method in ("GET", "POST")
        },
    }
    assert "/scans/stop" in client(Role.OPERATOR).get("/scans").text
    reader = client(Role.REMEDIATOR).get("/scans").text
    assert "/scans/stop" not in reader
    assert "/scans/breakers" not in reader
    assert "10.20.0.0/24" in reader


def test_a_breaker_is_cleared_once_and_alone(tripped: House, client: Client) -> None:
    one, other = breakers_rows(tripped.inventory)
    asked = client().get(f"/scans/breakers/{one.id}").text
    for words in (one.subnet, *one.fallen, "2 hosts fell silent"):
        assert words in asked
    assert len(breakers_rows(tripped.inventory)) == 2, "looking clears nothing"
    answer = client().post(f"/scans/breakers/{one.id}")
    assert (answer.status_code, answer.headers["location"]) == (303, "/scans?cleared=1")
    assert breakers_rows(tripped.inventory) == (other,)
    assert client().post(f"/scans/breakers/{one.id}").status_code == 404
    assert breakers_rows(tripped.inventory) == (other,)


def test_of_another_ward_no_breaker_is_seen_or_cleared(tripped: House, client: Client) -> None:
    one, other = breakers_rows(tripped.inventory)
    visitor = client(wards=("Cardiologie",))
    page = visitor.get("/scans/going").text
    assert one.subnet in page
    assert other.subnet not in page
    for number in (str(other.id), "99", "x", "0", "9" * 5000, other.subnet.replace("/", "%2F")):
        assert visitor.get(f"/scans/breakers/{number}").status_code == 404
        assert visitor.post(f"/scans/breakers/{number}").status_code == 404
    assert len(breakers_rows(tripped.inventory)) == 2


def test_an_inventory_without_scans_says_so(client: Client, tmp_path: Path, house: House) -> None:
    with open_inventory(f"sqlite:///{tmp_path}/empty.db", create=True) as inventory:
        house.inventory.close()
        house.inventory = inventory
        page = client().get("/scans").text
        assert "No scan was made yet." in page
        assert "No subnet is stopped." in page
