"""The list of findings: what stands in it is what ``vetuste findings`` lists, for whom may see it."""

from __future__ import annotations

import re
from datetime import date, timedelta
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest

from scanner.dashboard.asking import Asking
from scanner.dashboard.visitor import Visitor
from scanner.inventory import (
    Decision,
    Filters,
    State,
    Wanted,
    causes,
    decide,
    findings_rows,
    ranked_assets,
    settle_findings,
)
from scanner.inventory.findings import paging

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.testclient import TestClient

    from scanner.dashboard.house import House
    from scanner.inventory import Asset, Finding

    Client = Callable[..., TestClient]

HARMFUL = "<script>alert(1)</script>\"'\u202eabc" + "x" * 300


@pytest.fixture
def settled(house: House) -> House:
    """The house, with findings in every state."""
    settle_findings(house.inventory, today=house.today)
    today = house.today
    numbers = sorted(each.id for _, each in rows(house, Wanted()))
    for at, decision in enumerate(
        (
            Decision(State.PLANNED, owner="DSI", due=today - timedelta(days=3)),
            Decision(State.PLANNED, owner="dsi", due=today + timedelta(days=3)),
            Decision(State.WAIVED, until=today, measure=HARMFUL, owner=HARMFUL),
            Decision(State.REPLACED, due=today - timedelta(days=9)),
            Decision(State.CLOSED, note="done"),
            Decision(State.ISOLATED, due=today),
        )
    ):
        decide(house.inventory, [numbers[at]], decision, author="biomedical", today=today)
    return house


def rows(house: House, wanted: Wanted, filters: Filters | None = None) -> list[tuple[Asset, Finding]]:
    return list(findings_rows(house.inventory, filters, wanted, today=house.today))


def at_once(function: Callable[..., object]) -> dict[str, Any]:
    """What a function is given by default; it has a bound among that."""
    defaults: dict[str, Any] | None = getattr(function, "__kwdefaults__", None)
    assert defaults
    assert "most" in defaults
    return defaults


def listed(client: TestClient, address: str) -> list[int]:
    """The ids on all pages of a list."""
    found: list[int] = []
    for _ in range(100):
        page = client.get(address)
        assert page.status_code == 200, address
        found += [
            int(each) for each in re.findall(r'scope="row" class="n"><a href="/findings/(\d+)"', page.text)
        ]
        following = re.search(r'rel="next" href="([^"]+)"', page.text)
        if following is None:
            return found
        address = unescape(following[1])
    raise AssertionError("the list does not end")


@pytest.mark.parametrize("most", [9, 50])
def test_every_page_together_is_the_list_each_once_and_in_order(
    settled: House, client: Client, monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setitem(at_once(paging.findings_page), "most", most)
    monkeypatch.setitem(at_once(paging.findings_in_order), "most", most)
    for query, wanted in (
        ("", Wanted()),
        ("state=all", Wanted(frozenset(State))),
        ("state=planned", Wanted(frozenset({State.PLANNED}))),
        ("cause=smb1", Wanted(causes=frozenset({"smb1"}))),
        ("owner=DSI", Wanted(owner="dsi")),
        ("owner=nobody", Wanted(owner="nobody")),
        ("overdue=1", Wanted(frozenset(State) - {State.CLOSED, State.REPLACED}, due_before=settled.today)),
        ("before=2026-11-25", Wanted(due_before=date(2026, 11, 25))),
    ):
        expected = rows(settled, wanted)
        found = listed(client(), f"/findings?{query}")
        assert sorted(found) == sorted(each.id for _, each in expected), query
        places = [paging.place_of(each) for _, each in expected]
        assert found == [place[3] for place in sorted(places, key=lambda p: (*p[:2], str(p[2]), p[3]))], query


def test_the_number_is_that_of_the_command(settled: House, client: Client) -> None:
    number = len(rows(settled, Wanted()))
    assert f"{number} findings" in client().get("/findings").text


def test_by_risk_the_machines_come_as_the_export_has_them(
    settled: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(at_once(paging.findings_in_order), "most", 9)
    machines = list(ranked_assets(settled.inventory, today=settled.today))
    expected = [
        each.id for asset in machines for each in asset.findings if each.standing.state is not State.CLOSED
    ]
    assert listed(client(), "/findings?order=risk") == expected
    smb1 = [each.id for asset in machines for each in asset.findings if each.cause == "smb1"]
    found = listed(client(), "/findings?order=risk&cause=smb1")
    assert [each for each in smb1 if each in found] == found


def test_while_the_order_is_worked_out_the_page_says_so(
    settled: House, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settled.inventory
    monkeypatch.setattr("scanner.dashboard.ranking.Ranking.ids", lambda _self: None)
    assert "being worked out" in client().get("/findings?order=risk").text


def test_other_wards_are_neither_listed_nor_counted(settled: House, client: Client) -> None:
    everything = rows(settled, Wanted())
    wards = {asset.place.ward for asset, _ in everything}
    ranked = listed(client(), "/findings?order=risk")
    for ward in wards:
        mine = [each.id for asset, each in everything if asset.place.ward == ward]
        visitor = client(wards=(ward,))
        assert sorted(listed(visitor, "/findings")) == sorted(mine)
        assert listed(visitor, "/findings?order=risk") == [number for number in ranked if number in mine]
        page = visitor.get("/findings?state=all").text
        assert not any(other in page for other in wards - {ward})
        assert sorted(listed(client(), f"/findings?ward={ward.upper()}")) == sorted(mine)
    assert listed(client(sites=("elsewhere",)), "/findings?state=all") == []
    assert "No finding is left" in client(sites=("elsewhere",)).get("/findings?order=risk").text


@pytest.mark.parametrize(
    "query",
    [
        *("state=x", "state=OPEN", "cause=x", "order=x", "after=x", "after=2..1", "after=1.2026-99-99.1"),
        *(
            "order=risk&after=x",
            "order=risk&after=1²",
            "ward=" + "*a" * 2000,
            "after=0..99999999999999999999",
        ),
    ],
)
def test_what_no_form_of_ours_sends_is_refused(settled: House, client: Client, query: str) -> None:
    assert settled.inventory
    page = client().get(f"/findings?{query}")
    assert page.status_code == 400
    given = query.rsplit("=", maxsplit=1)[-1]
    assert given[:40] not in page.text or len(given) < 8


@pytest.mark.parametrize(
    "day", ["20261125", "2026-W48-3", "2026-02-30", "<b>", "0000-00-00", "\u0662\u0660\u0662\u0666-11-25"]
)
def test_a_day_that_is_none_is_named_and_does_not_count(settled: House, client: Client, day: str) -> None:
    page = client().get("/findings", params={"before": day})
    assert page.status_code == 200
    assert "this is no day" in page.text
    assert "<b>" not in page.text
    assert f"{len(rows(settled, Wanted()))} findings" in page.text
    assert Asking(before=day).question(Visitor(), settled.today).wanted.due_before is None


def test_nothing_that_was_typed_is_obeyed(settled: House, client: Client) -> None:
    page = client().get("/findings?state=waived")
    assert settled.inventory
    assert "<script>alert" not in page.text
    assert '<bdi class="name">&lt;script&gt;' in page.text
    shown = client().get("/findings", params={"owner": HARMFUL, "ward": HARMFUL, "site": '"><script>'})
    assert "<script>alert" not in shown.text
    assert '"><script>' not in shown.text


def test_findings_of_yesterday_are_said_to_be(house: House, client: Client) -> None:
    assert "No findings were opened yet" in client().get("/findings").text
    settle_findings(house.inventory, today=house.today - timedelta(days=1))
    assert "As of 23 November 2026" in client().get("/findings").text
    settle_findings(house.inventory, today=house.today)
    assert "As of" not in client().get("/findings").text


def test_every_cause_and_state_can_be_chosen(settled: House, client: Client) -> None:
    assert settled.inventory
    page = client().get("/findings").text
    for value in (*causes(), *(state.value for state in State)):
        assert f'<option value="{value}"' in page
