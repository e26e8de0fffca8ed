"""Addresses that something else answers for are no machines; machines that are much alike are."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete

from scanner.addresses import number_of
from scanner.inventory import assets_rows, check_inventory, count_rows, coverage_rows
from scanner.inventory.phantoms import Answered, phantoms_among
from scanner.inventory.tables import EVIDENCE, OBSERVATIONS
from scanner.inventory.transactions import writing
from scanner.model import Outcome
from tests.inventory.hospital import NOTHING, RELEASES, TODAY, XP, attempt, host, recorder, seen

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scanner.config import SiteFile
    from scanner.inventory import Inventory
    from scanner.model import HostRecord, Identity

BLOCK = [f"10.20.0.{last}" for last in range(256)]


def mute(address: str, outcome: Outcome = Outcome.REFUSED) -> HostRecord:
    return host(address, "Cardiologie", NOTHING, seen(address, outcome=outcome))


def talking(address: str, evidence: Mapping[str, tuple[str, ...]]) -> HostRecord:
    return host(address, "Cardiologie", XP, seen(address, evidence))


def scanned(
    inventory: Inventory, site: SiteFile, answer: Callable[[str], HostRecord | None], *, asked: int = 256
) -> int:
    """One scan of a block of addresses; how many were taken for machines, and are none."""
    with recorder(inventory, site) as record:
        for address in BLOCK[:asked]:
            found = answer(address)
            record.sent([attempt(address)])
            if found is not None:
                record.record(found)
            record.visited(number_of(address))
        return record.settle_phantoms()


def known(inventory: Inventory) -> set[str]:
    return {asset.address for asset in assets_rows(inventory, today=TODAY, releases=RELEASES)}


@pytest.mark.file
@pytest.mark.parametrize("outcome", [Outcome.REFUSED, Outcome.STALLED, Outcome.CLOSED, Outcome.RESET])
def test_a_firewall_that_answers_for_everybody_adds_no_asset(
    inventory: Inventory, url: str, site: SiteFile, outcome: Outcome
) -> None:
    assert scanned(inventory, site, lambda address: mute(address, outcome)) == 256
    assert known(inventory) == set()
    rows = count_rows(inventory, today=TODAY, releases=RELEASES)
    assert sum(row.seen for row in rows) == 0
    covered = coverage_rows(inventory, by=("subnet",))
    assert {(row.keys["subnet"], row.phantoms, row.silent) for row in covered if row.phantoms} == {
        ("10.20.0.0/24", 256, 0)
    }
    assert check_inventory(url).faults == ()


def test_machines_among_them_are_found(inventory: Inventory, site: SiteFile) -> None:
    """A firewall refuses for all, and lets connections through to a few."""

    def answer(address: str) -> HostRecord:
        own = address.endswith("7")
        return talking(address, {"ntlm.netbios_name": (address,)}) if own else mute(address)

    scanned(inventory, site, answer)
    assert known(inventory) == {address for address in BLOCK if address.endswith("7")}


@pytest.mark.file
def test_one_machine_on_every_address_is_no_256_machines(inventory: Inventory, site: SiteFile) -> None:
    same = {"ntlm.netbios_name": ("PORTAL",), "smb.boot_time": ("2026-01-01",)}
    assert scanned(inventory, site, lambda address: talking(address, same)) == 256


@pytest.mark.file
def test_machines_that_differ_in_a_name_stay(inventory: Inventory, site: SiteFile) -> None:
    assert scanned(inventory, site, lambda address: talking(address, {"ntlm.netbios_name": (address,)})) == 0
    assert known(inventory) == set(BLOCK)


@pytest.mark.file
def test_telephones_of_one_kind_stay(inventory: Inventory, site: SiteFile) -> None:
    """240 devices refuse alike, and sixteen addresses are free: that is a full subnet, and no phantom."""
    assert scanned(inventory, site, lambda each: mute(each) if int(each.split(".")[3]) < 240 else None) == 0
    assert len(known(inventory)) == 240


@pytest.mark.file
def test_of_a_few_addresses_nothing_is_said(inventory: Inventory, site: SiteFile) -> None:
    assert scanned(inventory, site, mute, asked=100) == 0
    assert len(known(inventory)) == 100


def test_what_another_scan_heard_stays(inventory: Inventory, site: SiteFile) -> None:
    scanned(
        inventory, site, lambda each: talking(each, {"netbios.name": ("A",)}) if each == BLOCK[9] else None
    )
    assert scanned(inventory, site, mute) == 255
    assert known(inventory) == {BLOCK[9]}


@pytest.mark.parametrize(
    ("identity", "evidence"),
    [(NOTHING, {"netbios.name": ("A",)}), (XP, {"http.server": ("A",)})],
)
def test_what_another_scan_heard_stays_when_its_observations_are_gone(
    inventory: Inventory, site: SiteFile, identity: Identity, evidence: dict[str, tuple[str, ...]]
) -> None:
    machine = host(BLOCK[9], "Cardiologie", identity, seen(BLOCK[9], evidence))
    scanned(inventory, site, lambda each: machine if each == BLOCK[9] else None)
    with writing(inventory) as connection:
        for table in (EVIDENCE, OBSERVATIONS):
            connection.execute(delete(table))
    assert scanned(inventory, site, mute) == 255
    assert known(inventory) == {BLOCK[9]}


def test_phantoms_that_were_assets_once_go(inventory: Inventory, site: SiteFile) -> None:
    scanned(inventory, site, mute, asked=100)
    assert scanned(inventory, site, mute) == 256
    assert known(inventory) == set()


def test_what_is_a_machine_later_is_no_phantom_any_more(inventory: Inventory, site: SiteFile) -> None:
    scanned(inventory, site, mute)
    scanned(inventory, site, lambda address: talking(address, {"ntlm.netbios_name": (address,)}))
    assert known(inventory) == set(BLOCK)
    with closing(inventory.connect()) as connection:
        assert connection.execute("SELECT count(*) FROM phantoms").fetchone() == (0,)


ANSWERS = st.builds(
    Answered,
    asset=st.integers(1, 1 << 40),
    last=st.integers(0, 255),
    said=st.frozensets(
        st.tuples(st.sampled_from(["http.server", "netbios.name"]), st.tuples(st.sampled_from("ab"))),
        max_size=1,
    ),
    accepts=st.booleans(),
    known=st.booleans(),
)


@given(st.integers(0, 256), st.lists(ANSWERS, max_size=256, unique_by=lambda each: each.last))
def test_phantoms_are_alike_and_nearly_all(asked: int, block: list[Answered]) -> None:
    asked = max(asked, len(block))
    found = phantoms_among(asked, block)
    assert set(found) <= set(block)
    assert len({(each.said, each.accepts) for each in found}) <= 1
    if found:
        assert asked >= 128
        assert len(found) >= 64
        assert len(found) >= 0.9 * (asked - (len(block) - len(found)))
