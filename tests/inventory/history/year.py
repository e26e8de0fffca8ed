"""Scans of the small hospital, one a month, in which machines come, go, move and are replaced."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from scanner.addresses import number_of
from scanner.inventory.interning import Numbers
from scanner.inventory.ledger import packed
from scanner.inventory.tables import ASSETS, SCANS, SIGHTS, WARDS
from scanner.inventory.transactions import writing
from tests.inventory.hospital import LTSC, NOTHING, SAMBA, TEN, XP, XP_OR_POS, recorder

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scanner.config import SiteFile
    from scanner.inventory import Inventory
    from scanner.model import Identity

FIRST = datetime(2024, 1, 15, 22, tzinfo=UTC)
IDENTITIES = (XP, XP_OR_POS, TEN, LTSC, SAMBA, NOTHING)
ADDRESSES = [f"10.20.0.{last}" for last in range(1, 7)] + [f"10.20.1.{last}" for last in (65, 66)]
WARDS_OF = {"10.20.0": "Cardiologie", "10.20.1": "Bloc"}


@dataclass(frozen=True)
class Night:
    """One scan: by machine where it is and as what, and the addresses that it was done with."""

    there: dict[int, tuple[str, Identity]]
    visited: frozenset[str]
    data: str = "d1"


def day_of(number: int) -> date:
    """The day of a scan, numbered from 0."""
    return (FIRST + timedelta(days=30 * number)).date()


def ward_of(address: str) -> str:
    return WARDS_OF[address.rpartition(".")[0]]


def keep(inventory: Inventory, site: SiteFile, nights: Sequence[Night]) -> list[int]:
    """Write the nights down, machine n as asset n, whatever its address; gives the scans."""
    scans = []
    for number, night in enumerate(nights):
        at = FIRST + timedelta(days=30 * number)
        with recorder(inventory, site, at=at, data=night.data) as scan:
            for address in night.visited:
                scan.visited(number_of(address))
            scan.finish("done", {}, ended=at + timedelta(hours=1))
        scans.append(scan.scan_id)
        _put(inventory, scan.scan_id, night, at)
    return scans


def _put(inventory: Inventory, scan: int, night: Night, at: datetime) -> None:
    with writing(inventory) as connection:
        site = connection.scalar(select(SCANS.c.site_id).where(SCANS.c.id == scan))
        wards = {row.name: row.id for row in connection.execute(select(WARDS))}
        numbers = Numbers(site or 0, night.data, {})
        for asset, (address, identity) in night.there.items():
            where = {
                "packed": packed(number_of(address)),
                "ward_id": wards[ward_of(address)],
                "identity_id": numbers.identity(connection, identity),
            }
            known = connection.scalar(select(ASSETS.c.id).where(ASSETS.c.id == asset))
            now = {**where, "address": address, "last_seen": at, "last_scan_id": scan}
            if known:
                connection.execute(update(ASSETS).where(ASSETS.c.id == asset).values(now))
            else:
                names = dict.fromkeys(("fqdn", "domain", "mac"), "") | {"name": f"PC-{asset}"}
                first = {"id": asset, "site_id": site, "first_seen": at, "identity_scan_id": scan}
                connection.execute(insert(ASSETS).values(**now, **names, **first))
            connection.execute(insert(SIGHTS).values(scan_id=scan, asset_id=asset, at=at, **where))


@st.composite
def nights(draw: st.DrawFn, least: int = 2, most: int = 4) -> list[Night]:
    """Some scans, each of a part of the addresses."""
    found = []
    for _ in range(draw(st.integers(least, most))):
        visited = draw(st.sets(st.sampled_from(ADDRESSES)).map(sorted))
        machines = draw(st.lists(st.integers(1, 8), unique=True, max_size=len(visited)))
        there = {
            machine: (address, draw(st.sampled_from(IDENTITIES)))
            for machine, address in zip(machines, draw(st.permutations(visited)), strict=False)
        }
        found.append(Night(there, frozenset(visited), draw(st.sampled_from(("d1", "d2")))))
    return found
