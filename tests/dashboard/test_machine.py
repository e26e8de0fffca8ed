from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from scanner.addresses import number_of
from scanner.cli.terminal.front import run
from scanner.config import read_site
from scanner.inventory import asset_detail, merge_by_hand
from scanner.inventory.tables import ASSETS
from scanner.inventory.transactions import reading
from tests.dashboard.machine_park import HOSTILE, SCRIPT, SITE, TODAY, XP, Reader, hospital
from tests.imports.register_samples import FILES, PEOPLE
from tests.inventory.hospital import NOON, attempt, host, recorder, seen, site_file

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from scanner.dashboard.house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = hospital(tmp_path)
    yield house
    house.close()


def shown(browser: TestClient, number: int) -> str:
    answer = browser.get(f"/machines/{number}")
    assert answer.status_code == 200
    return " ".join(Reader(answer.text).text.split())


def test_everything_that_is_known_is_told(house: House, client: Callable[..., TestClient]) -> None:
    page = shown(client(), 2)
    asset = asset_detail(house.inventory, "10.20.0.2", today=TODAY).asset
    assert asset.id == 2
    for text in ("PC-2", "10.20.0.2", "Cardiologie", "CHU", "DSI", "unsupported (certain)", "Windows XP SP3"):
        assert text in page
    assert "support ends on 2014-04-08" in page
    assert "learn.microsoft.com/lifecycle" in page
    assert "smb.native_os.toml" in page
    assert "smb, 10.20.0.2:445/tcp 2026-11-20 12:00" in page
    assert "2026-11-20 12:00 2026-11-20 12:00 2 10.20.0.2 Cardiologie" in page
    assert "Ledger: every connection" in page
    assert "2026-11-21 12:00:00" in page


def test_what_counts_nowhere_says_why(
    house: House, client: Callable[..., TestClient], tmp_path: Path
) -> None:
    place, met = "10.20.0.240", "10.20.0.241"
    says = {"smb.native_os": ("Windows 5.1",)}
    named = {**says, "ntlm.netbios_name": ("PC-240",), "netbios.mac": ("00:11:22:33:44:55",)}
    for day, told in enumerate(([(place, says), (met, named)], [(place, named)]), 2):
        at = NOON + timedelta(days=day)
        with recorder(house.inventory, site_file(tmp_path, SITE), at=at) as scan:
            for address, evidence in told:
                scan.record(host(address, "Cardiologie", XP, seen(address, evidence, at=at)))
    with reading(house.inventory) as connection:
        (number,) = connection.scalars(select(ASSETS.c.id).where(ASSETS.c.displaced.is_not(None)))
    page = shown(client(), number)
    assert "Counts nowhere since (UTC) 2026-11-23 12:00: others answer at its address now" in page
    assert "Counts nowhere" not in shown(client(), 2)


def test_its_findings_lead_to_their_pages(client: Callable[..., TestClient]) -> None:
    answer = client().get("/machines/1").text
    assert Reader(answer).links("/findings/") == ["/findings/1"]
    text = " ".join(Reader(answer).text.split())
    assert "planned" in text
    assert "overdue" in text


def test_what_people_wrote_is_text(client: Callable[..., TestClient]) -> None:
    answer = client().get("/machines/1").text
    assert "<script>alert" not in answer
    assert Reader(answer).text.count(SCRIPT) == 2
    assert "{{7*191}}" in answer
    assert "1337" not in Reader(answer).text


@pytest.mark.parametrize("number", range(19, 19 + len(HOSTILE)))
def test_what_machines_say_is_text(client: Callable[..., TestClient], number: int) -> None:
    answer = client().get(f"/machines/{number}")
    page = Reader(answer.text)
    assert "<script>alert" not in answer.text
    assert not [tag for tag, _ in page.elements if tag in ("img", "b")]
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]
    assert "1337" not in page.text
    assert len(answer.content) < 40_000
    assert "n" * 400 not in answer.text
    (title,) = re.findall("<title>(.*?)</title>", answer.text)
    assert title.isprintable()


@pytest.mark.parametrize(
    "number",
    [
        "0",
        "25",
        "-1",
        "1.0",
        "1e3",
        "abc",
        "%00",
        "1%00",
        "٣",
        "%D9%A3",
        "9" * 18,
        "9" * 400,
        "1'--",
        "+1",
        " 1",
    ],
)
def test_what_is_no_machine_is_not_found(client: Callable[..., TestClient], number: str) -> None:
    assert client().get(f"/machines/{number}").status_code == 404


def test_a_machine_that_is_not_seen_is_as_one_that_is_not_there(client: Callable[..., TestClient]) -> None:
    browser = client(wards=("Bloc",))
    assert browser.get("/machines/13").status_code == 200
    hidden, absent = browser.get("/machines/1"), browser.get("/machines/77")
    assert hidden.status_code == absent.status_code == 404
    assert hidden.content == absent.content
    assert client(sites=("Elsewhere",)).get("/machines/1").content == absent.content


def test_what_is_not_to_be_touched_is_marked(client: Callable[..., TestClient]) -> None:
    assert "Fragile, not to be touched: its evidence says so: an infusion pump" in shown(client(), 18)
    assert "Fragile, not to be touched: fell silent after a probe (breaker 1)" in shown(client(), 7)
    assert "Fragile" not in shown(client(), 8)


def test_a_passive_ward_is_marked(house: House, client: Callable[..., TestClient], tmp_path: Path) -> None:
    assert "passive" not in shown(client(), 13)
    house.source = read_site(tmp_path / "site.toml")
    assert "Its ward is passive: nothing is ever sent there." in shown(client(), 13)
    assert "passive" not in shown(client(), 1)


def test_what_was_never_asked_says_so(client: Callable[..., TestClient]) -> None:
    assert "Nothing was ever sent to it by scans of this inventory." in shown(client(), 13)
    assert "Nothing was ever sent" not in shown(client(), 1)


def test_a_long_ledger_is_summed_up_by_scan(
    house: House, client: Callable[..., TestClient], tmp_path: Path
) -> None:
    with recorder(house.inventory, site_file(tmp_path, SITE), at=NOON + timedelta(days=2)) as scan:
        scan.sent(attempt("10.20.0.2", at=NOON + timedelta(days=2, seconds=each)) for each in range(50))
        scan.visited(number_of("10.20.0.2"))
        scan.finish("done", {}, ended=NOON + timedelta(days=3))
    page = shown(client(), 2)
    assert "Ledger, summed up by scan" in page
    assert "3 2026-11-22 12:00 2026-11-22 12:00 50 10000 15000" in page
    assert "Last asked by scan 3." in page


def test_why_two_are_one_is_told(house: House, client: Callable[..., TestClient]) -> None:
    merge_by_hand(house.inventory, 2, 3, author="DSI", note=SCRIPT)
    answer = client().get("/machines/2").text
    assert "asset 3 was merged into asset 2" in answer
    assert "<script>alert" not in answer
    assert SCRIPT in Reader(answer).text
    assert client().get("/machines/3").status_code == 404


def test_where_it_was_is_told_to_who_sees_that(
    house: House, client: Callable[..., TestClient], tmp_path: Path
) -> None:
    site = site_file(tmp_path, SITE.replace('"10.20.1.0/24"', '"10.20.1.0/24", "10.20.0.2/32"'))
    with recorder(house.inventory, site, at=NOON + timedelta(days=2)) as scan:
        scan.record(host("10.20.0.2", "Bloc", XP))
        scan.finish("done", {}, ended=NOON + timedelta(days=3))
    assert "10.20.0.2 Cardiologie" in shown(client(), 2)
    limited = shown(client(wards=("Bloc",)), 2)
    assert "10.20.0.2 Bloc" in limited
    assert "Cardiologie" not in limited


def test_what_registers_say_stands_there(
    house: House, client: Callable[..., TestClient], tmp_path: Path
) -> None:
    assert "What registers say of it" not in shown(client(), 12)
    for name, content in FILES.items():  # the directory has a machine of that name in another domain
        file = tmp_path / f"{name}.csv"
        file.write_bytes(content.replace(b"PC-CARDIO-1", b"PC-12").replace(b"pc-cardio-1.chu.example", b""))
        assert run(["import", name, str(file), "--db", house.url, "--site", str(tmp_path / "site.toml")]) == 0
    page = shown(client(), 12)
    assert "GLPI: PC-12" in page
    assert "Its number there 1 204" in page or "Its number there 1204" in page
    assert "Microsoft Windows 10 Entreprise LTSC 1809" in page
    assert "Told by an agent yes" in page
    assert not [name for name in PEOPLE if name in page]
