"""Findings page by page, in both databases: the same as the whole list, for whom may see it."""

from __future__ import annotations

import random
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.errors import ConfigError
from scanner.inventory import (
    ChangedError,
    Decision,
    Filters,
    Question,
    State,
    Wanted,
    decide,
    finding_shown,
    findings_in_order,
    findings_page,
    findings_rows,
    findings_version,
    next_states,
    place_of,
    ranked_assets,
    ranked_ids,
    settle_findings,
    settled_on,
)
from scanner.inventory.findings import asked
from scanner.inventory.findings.states import Standing, decided
from tests.inventory.hospital import RELEASES, TODAY, XP, XP_OR_2003, host, record, seen, site_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanner.inventory import Finding, Inventory

WARDS = {"Cardiologie": "10.20.0", "Bloc": "10.20.1", "": "10.99.0"}


@pytest.fixture
def kept(inventory: Inventory, tmp_path: Path) -> Inventory:
    """Thirty machines in two wards and outside, with findings in all states, due on few days."""
    hosts = [
        host(
            address := f"{network}.{70 + place}",
            ward,
            (XP, XP_OR_2003)[place % 2],
            seen(address, {"smb.native_os": ("Windows 5.1",), "smb.smb1": (("yes", "no")[place % 3 > 0],)}),
        )
        for ward, network in WARDS.items()
        for place in range(10)
    ]
    record(inventory, site_file(tmp_path), hosts)
    settle_findings(inventory, today=TODAY, releases=RELEASES)
    dice = random.Random(4)
    for finding in everything(inventory):
        due = dice.choice([None, TODAY, TODAY - timedelta(days=1), TODAY + timedelta(days=1)])
        state = dice.choice(list(State))
        waiver = {"until": TODAY, "measure": "VLAN"} if state is State.WAIVED else {}
        owner = dice.choice(["DSI", "dsi", "Équipe", "ÉQUIPE", ""])
        decision = Decision(state, owner, due, note="n", **waiver)  # type: ignore[arg-type]
        decide(inventory, [finding.id], decision, author="a", today=TODAY)
    return inventory


def everything(
    inventory: Inventory, filters: Filters | None = None, wanted: Wanted | None = None
) -> list[Finding]:
    wanted = wanted or Wanted(frozenset(State))
    return [f for _, f in findings_rows(inventory, filters, wanted, today=TODAY, releases=RELEASES)]


def pages(inventory: Inventory, question: Question, most: int) -> Iterator[Finding]:
    after = None
    while True:
        page = findings_page(inventory, question, today=TODAY, after=after, most=most, releases=RELEASES)
        yield from (finding for _, finding in page.rows)
        if page.after is None:
            return
        assert len(page.rows) == most
        after = page.after


def in_order(inventory: Inventory, question: Question, most: int) -> Iterator[Finding]:
    ranked, start = ranked_ids(inventory, today=TODAY, releases=RELEASES), 0
    while True:
        page, following = findings_in_order(
            inventory, question, ranked, today=TODAY, start=start, most=most, releases=RELEASES
        )
        yield from (finding for _, finding in page.rows)
        if following is None:
            return
        assert following > start
        start = following


def sort_key(finding: Finding) -> tuple[bool, bool, date, int]:
    settled, undated, due, number = place_of(finding)
    return settled, undated, due or TODAY, number


QUESTIONS = {
    "all": (Filters(), Wanted(frozenset(State))),
    "default": (Filters(), Wanted()),
    "state": (Filters(), Wanted(frozenset({State.PLANNED, State.REPLACED}))),
    "cause": (Filters(), Wanted(causes=frozenset({"smb1", "depends"}))),
    "owner": (Filters(), Wanted(frozenset(State), owner="éQUIPE")),
    "nobody": (Filters(), Wanted(owner="Equipe")),
    "due": (Filters(), Wanted(due_before=TODAY)),
    "ward": (Filters(ward="bloc"), Wanted(frozenset(State))),
    "pattern": (Filters(site="chu", ward="*o*"), Wanted(causes=frozenset({"unsupported"}))),
    "site": (Filters(site="elsewhere"), Wanted()),
}


@pytest.mark.parametrize("few", [1, 20])
@pytest.mark.parametrize("most", [4, 500])
def test_pages_together_are_the_list(
    kept: Inventory, monkeypatch: pytest.MonkeyPatch, most: int, few: int
) -> None:
    monkeypatch.setattr(asked, "_FEW", few)
    for name, (filters, wanted) in QUESTIONS.items():
        expected = sorted(everything(kept, filters, wanted), key=sort_key)
        question = Question(filters, wanted)
        assert list(pages(kept, question, most)) == expected, name
        page = findings_page(kept, question, today=TODAY, most=most, releases=RELEASES)
        assert (page.number, page.exact) == (len(expected), True), name


@pytest.mark.parametrize("most", [2, 500])
def test_in_order_of_risk_they_are_those_of_the_export(kept: Inventory, most: int) -> None:
    machines = list(ranked_assets(kept, today=TODAY, releases=RELEASES))
    assert [asset.id for asset in machines] == list(ranked_ids(kept, today=TODAY, releases=RELEASES))
    for name, (filters, wanted) in QUESTIONS.items():
        mine = {finding.id for finding in everything(kept, filters, wanted)}
        expected = [each for asset in machines for each in asset.findings if each.id in mine]
        assert list(in_order(kept, Question(filters, wanted), most)) == expected, name


@pytest.mark.parametrize("few", [1, 20])
@pytest.mark.parametrize("mine", list(WARDS))
def test_what_may_not_be_seen_is_neither_listed_nor_counted(
    kept: Inventory, monkeypatch: pytest.MonkeyPatch, mine: str, few: int
) -> None:
    monkeypatch.setattr(asked, "_FEW", few)
    rows = findings_rows(kept, None, Wanted(), today=TODAY, releases=RELEASES)
    expected = sorted((f for asset, f in rows if asset.place.ward == mine), key=sort_key)
    question = Question(sees=lambda _site, ward: ward == mine)
    assert list(pages(kept, question, 4)) == expected
    assert findings_page(kept, question, today=TODAY).number == len(expected)
    nobody = Question(sees=lambda _site, _ward: False)
    assert findings_page(kept, nobody, today=TODAY).number == 0


def test_more_than_are_counted_are_more(kept: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.inventory.findings.paging.COUNTED", 3)
    question = Question(Filters(ward="Bloc"), Wanted(frozenset(State)))
    page = findings_page(kept, question, today=TODAY, most=2, releases=RELEASES)
    assert (page.number, page.exact) == (4, False)


def test_one_finding_has_its_machine_and_its_changes(kept: Inventory) -> None:
    for finding in everything(kept):
        shown = finding_shown(kept, finding.id, today=TODAY, releases=RELEASES)
        assert shown is not None
        assert (shown.finding, shown.asset.id) == (finding, finding.asset)
        assert shown.seen == shown.changes[-1].id > 0
        assert shown.asset.evidence
    for number in (0, -1, 10**9, 1 << 31, 1 << 63, 10**30):
        assert finding_shown(kept, number, today=TODAY, releases=RELEASES) is None


def test_who_had_not_seen_the_last_change_writes_nothing(kept: Inventory) -> None:
    (first, *_) = everything(kept)
    shown = finding_shown(kept, first.id, today=TODAY, releases=RELEASES)
    assert shown is not None
    before, version = everything(kept), findings_version(kept)
    for seen_last in (0, shown.seen - 1, shown.seen + 1):
        with pytest.raises(ChangedError):
            decide(kept, [first.id], Decision(owner="x"), author="a", today=TODAY, seen=seen_last)
    assert everything(kept) == before
    assert findings_version(kept) == version
    assert decide(kept, [first.id], Decision(owner="x"), author="a", today=TODAY, seen=shown.seen) == 1
    assert findings_version(kept) > version


def test_the_day_of_the_last_settling_is_told(inventory: Inventory, kept: Inventory) -> None:
    assert settled_on(inventory) == TODAY
    settle_findings(kept, today=TODAY + timedelta(days=1), releases=RELEASES)
    assert settled_on(kept) == TODAY + timedelta(days=1)


def test_what_may_be_chosen_is_what_may_be_decided() -> None:
    more = {State.WAIVED: {"until": TODAY, "measure": "VLAN"}}
    for before in State:
        for after in State:
            decision = Decision(after, note="n", **more.get(after, {}))  # type: ignore[arg-type]
            standing = Standing(before)
            if after in next_states(before):
                assert decided(standing, decision, today=TODAY, scan=0).state is after
            else:
                with pytest.raises(ConfigError):
                    decided(standing, decision, today=TODAY, scan=0)
