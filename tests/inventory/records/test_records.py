"""Records of a directory beside the network's machines: matched, narrowing, never a wrong ``supported``."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from scanner.classify import default_classifier
from scanner.imports.registering import Registering, RegisterTally, Spool
from scanner.inventory import Inventory, Recorder, asset_detail, assets_rows, check_inventory
from scanner.inventory.records.comparing import DIFFERING, UNREGISTERED, UNSEEN, differences
from scanner.inventory.records.keeping import release_records
from scanner.inventory.records.record import FRESH, Record
from scanner.inventory.records.settling import settle_records
from scanner.inventory.tables import RECORDS
from scanner.inventory.transactions import reading, writing
from scanner.model import Certainty, Endpoint, HostRecord, Observation, Outcome, Status
from scanner.rejudge import rejudge

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.config import SiteFile
    from scanner.inventory import Asset

SEEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
TODAY = date(2026, 11, 23)
LTSC = ("windows-10-1809-iot", "windows-10-1809-ltsc")
PC = Record(
    "ad", "id-1", name="PC-1", fqdn="pc-1.chu.example", domain="chu.example",
    system="Windows 10 Entreprise LTSC", version="10.0 (17763)", enabled=True, contact=SEEN,
)  # fmt: skip
NTLM = {"ntlm.version": "10.0.17763", "ntlm.dns_name": "PC-1.chu.example", "ntlm.dns_domain": "chu.example"}


def scan(
    inventory: Inventory, site: SiteFile, words: Mapping[str, str], address: str = "", at: datetime = SEEN
) -> str:
    """A scan that hears one machine; gives its address."""
    ward = site.wards[0]
    address = address or ward.subnets[0].partition("/")[0].rpartition(".")[0] + ".7"
    evidence = {key: (value,) for key, value in words.items()}
    seen = Observation(Endpoint(address, 445), "smb", at, Outcome.ANSWERED, evidence, connections=1)
    with Recorder(
        inventory,
        site,
        profile="clinical",
        scope="x",
        versions={"data": default_classifier().version},
        started=at,
    ) as recorder:
        recorder.record(HostRecord(address, ward.name, (seen,), default_classifier().classify(evidence)))
    return address


def register(
    inventory: Inventory, site: SiteFile, *records: Record, whole: bool = True, at: datetime = SEEN
) -> RegisterTally:
    form = records[0].register if records else "ad"
    with (
        Spool() as spool,
        Recorder(
            inventory,
            site,
            profile="import",
            scope="ad",
            versions={"data": default_classifier().version},
            started=at,
        ) as recorder,
    ):
        for record in records:
            spool.add(record)
        registering = Registering(inventory, form, recorder.scan_id, at, default_classifier())
        return registering.record(spool, whole=whole)


def settle(inventory: Inventory) -> int:
    with writing(inventory) as connection:
        return settle_records(connection, 1, default_classifier())[1]


def only(inventory: Inventory) -> Asset:
    (asset,) = assets_rows(inventory, today=TODAY, evidence=True)
    return asset


def kept(inventory: Inventory) -> dict[str, tuple[int | None, bool, str]]:
    with reading(inventory) as connection:
        return {
            row.own_id: (row.asset_id, row.gone is not None, json.loads(row.matching)[0][0])
            for row in connection.execute(select(RECORDS))
        }


def test_one_build_of_two_editions_is_told_by_the_directory(
    inventory: Inventory, url: str, site: SiteFile
) -> None:
    address = scan(inventory, site, NTLM)
    before = only(inventory)
    assert before.verdict.status is Status.DEPENDS
    tally = register(inventory, site, PC)
    assert (tally.new, tally.matched, tally.changed, tally.gone) == (1, 1, 1, 0)
    after = only(inventory)
    assert after.identity.candidates == LTSC
    assert after.verdict.status is Status.SUPPORTED
    assert after.evidence["ad.system"] == ("Windows 10 Entreprise LTSC 10.0.17763",)
    assert (after.first_seen, after.last_seen, after.address) == (
        before.first_seen,
        before.last_seen,
        address,
    )
    assert {each.probe for each in asset_detail(inventory, address, today=TODAY).observations} == {"smb"}
    assert list(rejudge(inventory, default_classifier())) == []
    assert check_inventory(url).faults == ()


def test_without_long_term_in_its_name_the_same_build_is_past_its_support(
    inventory: Inventory, site: SiteFile
) -> None:
    scan(inventory, site, NTLM)
    register(inventory, site, replace(PC, system="Windows 10 Enterprise"))
    assert only(inventory).identity.candidates == ("windows-10-1809-enterprise",)
    assert only(inventory).verdict.status is Status.UNSUPPORTED


@pytest.mark.file
@pytest.mark.parametrize(
    "change",
    [
        {"contact": SEEN - FRESH - timedelta(seconds=1)},
        {"contact": None},
        {"managed": False},
        {"system": "", "version": ""},
    ],
)
def test_what_is_old_or_typed_narrows_nothing(
    inventory: Inventory, site: SiteFile, change: dict[str, object]
) -> None:
    scan(inventory, site, NTLM)
    before = only(inventory)
    tally = register(inventory, site, replace(PC, **change))  # type: ignore[arg-type]  # by name
    assert (tally.matched, tally.changed) == (1, 0)
    assert only(inventory).identity == before.identity


def test_a_record_that_grows_old_takes_back_what_it_said(inventory: Inventory, site: SiteFile) -> None:
    scan(inventory, site, NTLM)
    before = only(inventory).identity
    register(inventory, site, PC)
    assert only(inventory).identity.candidates == LTSC
    scan(inventory, site, NTLM, at=SEEN + FRESH + timedelta(days=1))
    settle(inventory)
    assert only(inventory).identity == before


def test_after_a_scan_that_heard_less_the_record_narrows_again(inventory: Inventory, site: SiteFile) -> None:
    scan(inventory, site, NTLM)
    register(inventory, site, PC)
    scan(inventory, site, NTLM, at=SEEN + timedelta(days=1))
    assert only(inventory).verdict.status is Status.DEPENDS
    assert settle(inventory) == 1
    assert only(inventory).identity.candidates == LTSC
    assert settle(inventory) == 0


@pytest.mark.file
@pytest.mark.parametrize(
    ("wire", "system", "version"),
    [
        ("6.1.7601", "Windows 11 Pro", "10.0 (26200)"),
        ("10.0.19041", "Windows 10 Entreprise LTSC", "10.0 (17763)"),
        ("10.0.20348", "Windows 7 Professionnel", "6.1 (7601)"),
        ("5.1.2600", "Windows Server 2022 Standard", "10.0 (20348)"),
    ],
)
def test_a_contradiction_is_kept_and_shown_and_never_supported(
    inventory: Inventory, site: SiteFile, wire: str, system: str, version: str
) -> None:
    scan(inventory, site, {**NTLM, "ntlm.version": wire})
    before = only(inventory)
    register(inventory, site, replace(PC, system=system, version=version))
    after = only(inventory)
    assert set(before.identity.candidates) <= set(after.identity.candidates)
    assert after.identity.certainty is Certainty.PROBABLE
    assert after.verdict.status is Status.DEPENDS
    (found,) = differences(inventory, "ad", default_classifier())
    assert (found.kind, found.registered) == (DIFFERING, f"{system} {version}")


def test_a_register_is_imported_again_without_doubling_anything(inventory: Inventory, site: SiteFile) -> None:
    scan(inventory, site, NTLM)
    register(inventory, site, PC, replace(PC, own_id="id-2", name="PC-2", fqdn="pc-2.chu.example"))
    again = register(
        inventory, site, replace(PC, contact=SEEN + timedelta(days=1)), at=SEEN + timedelta(days=1)
    )
    assert (again.new, again.gone, again.matched) == (0, 1, 1)
    assert {own: gone for own, (_, gone, _) in kept(inventory).items()} == {"id-1": False, "id-2": True}
    back = register(inventory, site, PC, replace(PC, own_id="id-2", name="PC-2", fqdn="pc-2.chu.example"))
    assert (back.new, back.gone) == (0, 0)
    assert not any(gone for _, gone, _ in kept(inventory).values())


def test_a_part_of_a_register_or_another_domain_takes_nothing_away(
    inventory: Inventory, site: SiteFile
) -> None:
    other = replace(PC, own_id="id-2", name="PC-2", fqdn="pc-2.autre.example", domain="autre.example")
    register(inventory, site, PC)
    assert register(inventory, site, other).gone == 0
    assert register(inventory, site, replace(PC, own_id="id-3"), whole=False).gone == 0
    assert register(inventory, site).gone == 0


def test_a_record_that_is_gone_tells_nothing_more(inventory: Inventory, site: SiteFile) -> None:
    scan(inventory, site, NTLM)
    register(inventory, site, PC)
    register(inventory, site, replace(PC, own_id="id-9", name="X", fqdn="x.chu.example"))
    assert only(inventory).verdict.status is Status.DEPENDS


def test_assets_that_appear_later_are_matched_then(inventory: Inventory, site: SiteFile) -> None:
    assert register(inventory, site, PC).matched == 0
    assert kept(inventory)["id-1"][2] == "no asset has its name, card or serial number"
    scan(inventory, site, NTLM)
    assert settle(inventory) == 1
    assert only(inventory).identity.candidates == LTSC


def test_what_fits_several_stays_unmatched_and_says_why(inventory: Inventory, site: SiteFile) -> None:
    address = scan(inventory, site, {**NTLM, "smb.server_guid": "01" * 16})
    scan(inventory, site, {**NTLM, "smb.server_guid": "02" * 16}, address=f"{address}1")
    register(inventory, site, PC)
    asset, _, why = kept(inventory)["id-1"]
    assert (asset, why) == (None, "several assets fit equally well: {assets}")


def test_two_records_of_one_machine_stay_unmatched_but_where_one_is_gone(
    inventory: Inventory, site: SiteFile
) -> None:
    scan(inventory, site, NTLM)
    register(inventory, site, PC, replace(PC, own_id="id-2"))
    assert {asset for asset, _, _ in kept(inventory).values()} == {None}
    register(inventory, site, PC)
    assert kept(inventory)["id-1"][0] is not None
    assert kept(inventory)["id-2"][0] is None


def test_two_registers_each_have_their_record_of_one_asset(inventory: Inventory, site: SiteFile) -> None:
    scan(inventory, site, NTLM)
    register(inventory, site, PC)
    register(inventory, site, replace(PC, register="glpi", own_id="5", version="1809", managed=True))
    assert {asset for asset, _, _ in kept(inventory).values()} == {only(inventory).id}
    assert {"ad.system", "glpi.system", "glpi.version"} <= set(only(inventory).evidence)
    assert only(inventory).identity.candidates == LTSC


def test_what_fails_in_the_middle_leaves_nothing(
    inventory: Inventory, site: SiteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    scan(inventory, site, NTLM)
    before = only(inventory)

    def fail(*_: object) -> None:
        raise OSError(28, "full")

    monkeypatch.setattr("scanner.imports.registering.settle_records", fail)
    with pytest.raises(OSError, match="full"):
        register(inventory, site, PC)
    assert kept(inventory) == {}
    assert only(inventory) == before


def test_an_asset_that_is_taken_away_lets_its_record_go(inventory: Inventory, site: SiteFile) -> None:
    scan(inventory, site, NTLM)
    register(inventory, site, PC)
    with writing(inventory) as connection:
        release_records(connection, [only(inventory).id])
    assert find_matching(inventory) == [None]
    settle(inventory)
    assert kept(inventory)["id-1"][0] == only(inventory).id


def find_matching(inventory: Inventory) -> list[int | None]:
    with reading(inventory) as connection:
        return list(connection.scalars(select(RECORDS.c.asset_id)))


def test_what_one_side_has_and_the_other_has_not(inventory: Inventory, site: SiteFile) -> None:
    address = scan(inventory, site, {**NTLM, "ntlm.dns_name": "poste-9.chu.example"})
    unseen = replace(PC, own_id="id-2", name="PC-2", fqdn="pc-2.chu.example", addresses=(f"{address}2",))
    register(
        inventory,
        site,
        PC,
        unseen,
        replace(unseen, own_id="id-3", name="PC-3", fqdn="", addresses=("192.0.2.1",)),
    )
    found = {(each.kind, each.name): each for each in differences(inventory, "ad", default_classifier())}
    assert set(found) == {
        (UNREGISTERED, "poste-9.chu.example"), (UNSEEN, "pc-1.chu.example"), (UNSEEN, "pc-2.chu.example"),
        (UNSEEN, "PC-3"),
    }  # fmt: skip
    ward = site.wards[0].name
    assert (found[UNREGISTERED, "poste-9.chu.example"].ward, found[UNSEEN, "pc-2.chu.example"].ward) == (
        ward,
        ward,
    )
    assert "was never scanned" in found[UNSEEN, "pc-2.chu.example"].reasons[-1].render()
    assert "lies in no ward" in found[UNSEEN, "PC-3"].reasons[-1].render()
    assert "knows no address" in found[UNSEEN, "pc-1.chu.example"].reasons[-1].render()
