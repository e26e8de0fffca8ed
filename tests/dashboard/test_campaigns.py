"""Campaigns as they stand, and as they were sealed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.campaign import Circumstances, close_campaign, export_campaign
from scanner.inventory.campaigns import campaigns_rows, open_campaign

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from starlette.testclient import TestClient

    from scanner.dashboard.house import House

    Client = Callable[..., TestClient]

NAMES = ("2026 / audit", '<script>alert("1")</script>', "Bloc")


@pytest.fixture
def kept(house: House, tmp_path: Path) -> House:
    """Three campaigns: one open, one closed, one exported."""
    now, account = datetime.now(house.now().tzinfo) + timedelta(days=1), "DSI"
    since = house.now() - timedelta(days=30)
    for name in NAMES:
        open_campaign(house.inventory, name, site=None, since=since, at=house.now(), account=account)
    for name in NAMES[1:]:
        close_campaign(house.inventory, name, Circumstances(now, house.today, account, {"data": "d1"}))
    export_campaign(house.inventory, NAMES[2], tmp_path / "bloc.tar.gz", now, raw=False)
    return house


def test_all_are_listed_and_nothing_is_obeyed(kept: House, client: Client) -> None:
    page = client().get("/campaigns").text
    for each in campaigns_rows(kept.inventory):
        assert f"/campaigns/{each.id}" in page
        assert each.head is None or each.head[:16] in page
    assert "<script>alert" not in page


def test_a_closed_one_shows_its_seal(kept: House, client: Client) -> None:
    opened, closed, exported = campaigns_rows(kept.inventory)
    page = client().get(f"/campaigns/{closed.id}").text
    assert closed.head
    assert closed.head in page
    assert "never exported" in page
    assert "Scans that are sealed" in page
    assert "<script>alert" not in page
    assert "never exported" not in client().get(f"/campaigns/{exported.id}").text
    page = client().get(f"/campaigns/{opened.id}").text
    assert "nothing is sealed yet" in page
    assert "sealed rows" not in page


def test_what_is_sealed_of_other_wards_is_not_shown_in_part(kept: House, client: Client) -> None:
    (first, *_) = campaigns_rows(kept.inventory)
    for stranger in (client(wards=("Accueil A0",)), client(sites=("elsewhere",))):
        assert "There is no campaign." in stranger.get("/campaigns").text
        assert stranger.get(f"/campaigns/{first.id}").status_code == 404
    assert client(sites=(first.site,)).get(f"/campaigns/{first.id}").status_code == 200


@pytest.mark.parametrize("number", ["0", "x", "-1", "9" * 5000, "..", "²"])
def test_what_is_none_is_not_found(kept: House, client: Client, number: str) -> None:
    assert kept.inventory
    assert client().get(f"/campaigns/{number}").status_code in {404, 200} - (
        {200} if number != ".." else set()
    )
    assert client().post("/campaigns/1").status_code in {403, 405}
