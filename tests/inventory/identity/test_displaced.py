"""Whom nothing tells but an address where others were met since: in no figure until it is met again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from scanner.inventory import (
    Decision,
    Filters,
    State,
    Wanted,
    asset_detail,
    assets_rows,
    count_rows,
    decide,
    displaced_number,
    ends_rows,
    findings_rows,
    open_inventory,
    settle_findings,
    trend_rows,
)
from scanner.inventory.alike import alike_rows
from scanner.inventory.migrations.versions import v0012_displaced as migration
from scanner.inventory.tables import ASSETS
from scanner.inventory.transactions import reading, writing
from tests.inventory.hospital import NOON, RELEASES, TODAY, XP, host, recorder, seen, site_file
from tests.inventory.test_joining import A, B, C, Nights, card, pc

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.config import SiteFile
    from scanner.inventory import Inventory
    from scanner.model import HostRecord

BLIND = {"smb.dialect": "3.1.1"}
"""What says what a machine is, and not which."""


def figures(inventory: Inventory) -> set[int]:
    """How many machines there are, by everything that counts or lists them."""
    asked: dict[str, Any] = {"today": TODAY, "releases": RELEASES}
    return {
        sum(row.seen for row in count_rows(inventory, **asked)),
        sum(row.seen for row in count_rows(inventory, sites={"CHU"}, **asked)),
        len(list(assets_rows(inventory, **asked))),
        len(list(assets_rows(inventory, Filters(text="10.20"), **asked))),
        sum(row.machines for row in alike_rows(inventory, **asked)),
        sum(row.machines for row in ends_rows(inventory, **asked)),
        sum(row.machines for row in trend_rows(inventory, **asked) if row.day == TODAY),
    }


def test_who_cannot_be_told_counts_until_others_are_met_there(nights: Nights) -> None:
    nights.scan((A, BLIND), (B, pc("PC1", 1)))
    assert (figures(nights.inventory), displaced_number(nights.inventory)) == ({2}, 0)
    nights.scan((A, pc("PC1", 1)))
    assert (figures(nights.inventory), displaced_number(nights.inventory)) == ({1}, 1)
    assert displaced_number(nights.inventory, {"CHU"}) == 1
    assert displaced_number(nights.inventory, {"elsewhere"}) == 0
    assert nights.assets() == 2


def test_it_counts_again_when_it_is_met_again(nights: Nights) -> None:
    first = nights.scan((A, BLIND), (B, pc("PC1", 1)))
    nights.scan((A, pc("PC1", 1)))
    again = nights.scan((B, pc("PC1", 1)), (A, BLIND))
    assert nights.who(again, A) == nights.who(first, A)
    assert (figures(nights.inventory), displaced_number(nights.inventory)) == ({2}, 0)


def test_who_is_silent_for_a_while_still_counts(nights: Nights) -> None:
    nights.scan((A, BLIND), (B, pc("PC1", 1)))
    for _ in range(3):
        nights.scan((B, pc("PC1", 1)))
    assert (figures(nights.inventory), displaced_number(nights.inventory)) == ({2}, 0)


def test_who_can_be_told_is_never_displaced(nights: Nights) -> None:
    nights.scan((A, pc("PC1", 1)), (B, pc("PC2", 2)), (C, card(3)))
    nights.scan((A, pc("PC2", 2)), (C, pc("PC4", 4)))
    assert (nights.assets(), displaced_number(nights.inventory)) == (4, 0)


def test_the_proof_of_one_says_so(nights: Nights) -> None:
    scan = nights.scan((A, BLIND), (B, pc("PC1", 1)))
    asset = nights.who(scan, A)
    assert asset_detail(nights.inventory, asset, today=TODAY).displaced is None
    nights.scan((A, pc("PC1", 1)))
    assert asset_detail(nights.inventory, asset, today=TODAY).displaced == NOON + timedelta(days=2)
    assert asset_detail(nights.inventory, A, today=TODAY).asset.name == "PC1"


def _met(address: str, name: str, day: int) -> HostRecord:
    told = {key: (value,) for key, value in pc(name, int(name[2:])).items()} if name else {}
    at = NOON + timedelta(days=day)
    return host(
        address, "Cardiologie", XP, seen(address, at=at, evidence={"smb.native_os": ("Windows 5.1",), **told})
    )


def _night(inventory: Inventory, site: SiteFile, day: int, *met: tuple[str, str]) -> None:
    with recorder(inventory, site, at=NOON + timedelta(days=day)) as scan:
        for address, name in met:
            scan.record(_met(address, name, day))
    settle_findings(inventory, today=TODAY, releases=RELEASES)


def _states(inventory: Inventory) -> dict[tuple[str, str], State]:
    wanted = Wanted(frozenset(State))
    rows = findings_rows(inventory, None, wanted, today=TODAY, releases=RELEASES)
    return {(asset.address, asset.name): finding.standing.state for asset, finding in rows}


def test_its_finding_closes_and_opens_again(inventory: Inventory, site: SiteFile) -> None:
    _night(inventory, site, 0, (A, ""), (B, "PC1"))
    assert set(_states(inventory).values()) == {State.OPEN}
    _night(inventory, site, 1, (A, "PC1"))
    assert _states(inventory) == {(A, ""): State.CLOSED, (A, "PC1"): State.OPEN}
    _night(inventory, site, 2, (B, "PC1"), (A, ""))
    assert _states(inventory) == {(A, ""): State.OPEN, (B, "PC1"): State.OPEN}


def test_what_somebody_decided_of_it_stays(inventory: Inventory, site: SiteFile) -> None:
    _night(inventory, site, 0, (A, ""), (B, "PC1"))
    rows = findings_rows(inventory, None, Wanted(), today=TODAY, releases=RELEASES)
    (finding,) = [finding for asset, finding in rows if asset.address == A]
    decide(inventory, [finding.id], Decision(State.PLANNED), author="DSI", today=TODAY)
    _night(inventory, site, 1, (A, "PC1"))
    assert _states(inventory) == {(A, ""): State.PLANNED, (A, "PC1"): State.OPEN}


def _told(inventory: Inventory) -> tuple[set[int], set[int]]:
    """Who is displaced by what is stored, and by the statement that finds them in an older inventory."""
    with reading(inventory) as connection:
        stored = set(connection.scalars(select(ASSETS.c.id).where(ASSETS.c.displaced.is_not(None))))
    with writing(inventory) as connection:
        asked = connection.begin_nested()
        connection.execute(text("UPDATE assets SET displaced = NULL"))
        connection.execute(text(migration.FIND))
        found = set(connection.scalars(select(ASSETS.c.id).where(ASSETS.c.displaced.is_not(None))))
        asked.rollback()
    return stored, found


_NAMES = st.sampled_from(["", "", "PC1", "PC2", "PC3"])
_NIGHT = st.lists(st.tuples(st.sampled_from([A, B, C]), _NAMES), max_size=3, unique_by=lambda met: met[0])


@pytest.mark.file
@given(nights=st.lists(_NIGHT, min_size=1, max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_who_is_displaced_is_told_by_where_everybody_was_met_last(
    nights: list[list[tuple[str, str]]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder: Path = tmp_path_factory.mktemp("nights")
    site = site_file(folder)
    with open_inventory(f"sqlite:///{folder}/i.db", create=True) as inventory:
        for day, met in enumerate(nights):
            _night(inventory, site, day, *met)
            stored, found = _told(inventory)
            assert stored == found
