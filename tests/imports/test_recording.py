"""What others heard comes into the inventory as if a scan had heard it; what is known is not taken away."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.classify import default_classifier
from scanner.imports.heard import observation
from scanner.imports.recording import Recording, Tally
from scanner.inventory import Inventory, Recorder, asset_detail, assets_rows, count_rows, open_inventory
from scanner.language import Message
from scanner.model import HostRecord, Observation, Outcome, Transport
from tests.inventory.hospital import TODAY, attempt, site_file

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from scanner.config import SiteFile
    from scanner.inventory import Asset

THEN = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
XP = {"smb.native_os": "Windows 5.1", "smb.native_lm": "Windows 2000 LAN Manager", "netbios.name": "POSTE-7"}
SEVEN = {"ntlm.version": "6.1.7601", "smb.native_os": "Windows 7 Professional 7601 Service Pack 1"}
WEB = {"http.title": "Poste de soins"}
UNASKED = {"ssh": Message("nothing answers there")}


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Inventory]:
    with open_inventory(f"sqlite:///{tmp_path}/i.db", create=True) as opened:
        yield opened


def heard(
    words: Mapping[str, str],
    at: datetime = THEN,
    address: str = "10.20.0.7",
    port: int = 445,
    probe: str = "smb",
) -> tuple[str, tuple[Observation, ...]]:
    return address, (observation((address, port, Transport.TCP), probe, at, words),)


def web(at: datetime = THEN, words: Mapping[str, str] = WEB) -> tuple[str, tuple[Observation, ...]]:
    return heard(words, at, port=80, probe="http")


def recorder(inventory: Inventory, site: SiteFile | None, profile: str = "import") -> Recorder:
    return Recorder(
        inventory, site, profile=profile, scope="nmap file", versions={"data": "d1"}, started=THEN
    )


def imported(
    inventory: Inventory, *hosts: tuple[str, tuple[Observation, ...]], site: SiteFile | None = None
) -> Tally:
    shown: list[int] = []
    with recorder(inventory, site) as writing:
        recording = Recording(inventory, writing, site, default_classifier())
        tally = recording.record(hosts, lambda so_far: shown.append(so_far.hosts))
    assert shown[-1:] == [tally.hosts] * bool(hosts)
    return tally


def scanned(inventory: Inventory, host: tuple[str, tuple[Observation, ...]]) -> None:
    """A scan of our own, which heard this."""
    address, seen = host
    identity = default_classifier().classify(
        {key: values for each in seen for key, values in each.evidence.items()}
    )
    with recorder(inventory, None, "clinical") as writing:
        writing.record(HostRecord(address, "", seen, identity, unasked=UNASKED))
        writing.sent([attempt(address)])


def latest(inventory: Inventory) -> Asset:
    return max(assets_rows(inventory, today=TODAY, evidence=True), key=lambda asset: asset.last_seen)


def machines(inventory: Inventory) -> int:
    return sum(1 for _ in assets_rows(inventory, today=TODAY))


def evidence(inventory: Inventory) -> dict[str, tuple[str, ...]]:
    """What the identity of the machine rests on that was seen last."""
    return dict(latest(inventory).evidence)


def products(inventory: Inventory) -> set[str]:
    return {release.product for release in latest(inventory).candidates}


def test_a_machine_is_classified_and_stands_in_its_ward(inventory: Inventory, tmp_path: Path) -> None:
    site = site_file(tmp_path)
    hosts = [heard(XP), heard(XP, address="10.20.1.70"), heard(XP, address="2001:db8::9")]
    tally = imported(
        inventory, *hosts, heard(XP, address="10.21.0.1"), heard(XP, address="192.0.2.1"), site=site
    )
    assert tally.counts() == {"hosts": 3, "identified": 3, "observations": 3, "outside": 2, "outdated": 0}
    assets = list(assets_rows(inventory, today=TODAY))
    assert {asset.address: asset.place.ward for asset in assets} == {
        "10.20.0.7": "Cardiologie",
        "10.20.1.70": "Bloc",  # the smaller of two subnets
        "2001:db8::9": "Vide",
    }
    assert {asset.os for asset in assets} == {"Windows XP"}
    assert {asset.name for asset in assets} == {"POSTE-7"}


def test_why_the_last_scan_left_probes_out_is_still_told(inventory: Inventory) -> None:
    scanned(inventory, heard(XP))
    imported(inventory, web(THEN + HOUR), web(THEN, SEVEN))
    assert asset_detail(inventory, "10.20.0.7", today=TODAY).unasked == UNASKED


def test_without_a_site_file_every_address_is_taken(inventory: Inventory) -> None:
    tally = imported(inventory, heard(XP), heard(XP, address="192.0.2.1"), heard(XP, address="::1"))
    assert (tally.hosts, tally.outside) == (3, 0)


def test_nothing_was_sent_so_no_address_counts_as_asked(inventory: Inventory, tmp_path: Path) -> None:
    imported(inventory, heard(XP), site=site_file(tmp_path))
    rows = {row.keys["ward"]: row for row in count_rows(inventory, by=("ward",), today=TODAY)}
    assert (rows["Cardiologie"].seen, rows["Cardiologie"].never_scanned) == (1, rows["Cardiologie"].scope)
    detail = asset_detail(inventory, "10.20.0.7", today=TODAY)
    assert (detail.ledger, detail.asked_by) == ((), None)
    assert [each.connections for each in detail.observations] == [0]
    with closing(inventory.connect()) as connection:
        for table in ("ledger", "coverage", "visits"):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,)  # noqa: S608 - constants


def test_what_agrees_stands_beside_what_is_known(inventory: Inventory) -> None:
    scanned(inventory, heard(XP))
    before = products(inventory)
    tally = imported(inventory, web(THEN + HOUR))
    assert (tally.hosts, tally.observations) == (1, 1)
    assert evidence(inventory) == {key: (value,) for key, value in {**XP, **WEB}.items()}
    assert products(inventory) == before == {"Windows XP"}
    detail = asset_detail(inventory, "10.20.0.7", today=TODAY)
    told = {(each.scan, each.probe): (each.detail, each.at) for each in detail.observations}
    assert told == {
        (1, "smb"): ("", THEN),
        (2, "http"): ("", THEN + HOUR),
        (2, "smb"): ("heard by scan 1", THEN),
    }


def test_an_older_file_adds_what_it_knows_and_changes_nothing_that_is_newer(inventory: Inventory) -> None:
    scanned(inventory, heard({**XP, "smb.signing": "required"}))
    old = {**XP, "smb.signing": "disabled", "smb.smb1": "yes"}
    assert imported(inventory, heard(old, THEN - HOUR)).outdated == 0
    assert evidence(inventory)["smb.signing"] == ("required",)
    assert evidence(inventory)["smb.smb1"] == ("yes",)
    (asset,) = assets_rows(inventory, today=TODAY)
    assert (asset.first_seen, asset.last_seen) == (THEN - HOUR, THEN)


@pytest.mark.parametrize(
    "other",
    [
        SEVEN,
        {"netbios.name": "OTHER", "smb.smb1": "yes"},
        {"netbios.mac": "00:00:5e:00:53:01", "smb.smb1": "yes"},
    ],
    ids=["another system", "another name", "another device"],
)
def test_of_what_contradicts_the_newer_stands_alone(inventory: Inventory, other: dict[str, str]) -> None:
    known = {**XP, "netbios.mac": "00:00:5e:00:53:00"}
    scanned(inventory, heard(known))
    assert imported(inventory, heard(other, THEN - HOUR)).counts()["outdated"] == 1
    assert evidence(inventory) == {key: (value,) for key, value in known.items()}
    assert imported(inventory, heard(other, THEN + HOUR)).counts()["outdated"] == 0
    assert evidence(inventory) == {key: (value,) for key, value in other.items()}
    assert machines(inventory) == 2


def test_two_neighbours_tell_of_one_machine_by_one_address(inventory: Inventory) -> None:
    scanned(inventory, heard({**XP, "neighbour.mac": "00:00:5e:00:53:00"}))
    same = {"mac.address": "00:00:5E:00:53:00", "smb.smb1": "yes"}
    assert imported(inventory, heard(same, THEN - HOUR)).counts()["outdated"] == 0
    other = {"mac.address": "00:00:5e:00:53:01", "smb.smb1": "yes"}
    assert imported(inventory, heard(other, THEN - HOUR)).counts()["outdated"] == 1


def test_a_name_in_other_letters_is_the_same_name(inventory: Inventory) -> None:
    scanned(inventory, heard(XP))
    imported(inventory, web(THEN + HOUR, {**WEB, "netbios.name": "poste-7"}))
    assert evidence(inventory)["netbios.name"] == ("poste-7",)
    assert evidence(inventory)["smb.native_os"] == ("Windows 5.1",)


def test_an_open_port_alone_takes_no_identity_away(inventory: Inventory) -> None:
    scanned(inventory, heard(XP))
    imported(inventory, web(THEN + HOUR, {}))
    assert evidence(inventory) == {key: (value,) for key, value in XP.items()}
    (asset,) = assets_rows(inventory, today=TODAY)
    assert asset.last_seen == THEN + HOUR


def test_the_same_file_again_changes_nothing(inventory: Inventory) -> None:
    for _ in range(3):
        imported(inventory, heard(XP), web())
        imported(inventory, web())
    assert evidence(inventory) == {key: (value,) for key, value in {**XP, **WEB}.items()}
    assert products(inventory) == {"Windows XP"}


def test_imports_add_up_whatever_their_order(inventory: Inventory, tmp_path: Path) -> None:
    pieces = [heard(XP), web(), heard({"ssh.banner": "OpenSSH_4.3"}, port=22, probe="ssh")]
    for piece in pieces:
        imported(inventory, piece)
    with open_inventory(f"sqlite:///{tmp_path}/other.db", create=True) as other:
        for piece in reversed(pieces):
            imported(other, piece)
        assert evidence(other) == evidence(inventory)
        assert products(other) == products(inventory)


def test_another_site_knows_nothing_of_it(inventory: Inventory, tmp_path: Path) -> None:
    scanned(inventory, heard(XP))
    imported(inventory, web(THEN + HOUR), site=site_file(tmp_path))
    assets = {asset.place.site: asset for asset in assets_rows(inventory, today=TODAY, evidence=True)}
    assert set(assets["CHU"].evidence) == set(WEB)
    assert set(assets[""].evidence) == set(XP)


def test_a_refusal_of_the_past_is_not_carried_over(inventory: Inventory) -> None:
    address, (seen,) = heard(XP)
    refused = Observation(seen.endpoint, "smb", THEN, Outcome.REFUSED, {}, "", 1)
    scanned(inventory, (address, (refused, seen)))
    imported(inventory, web(THEN + HOUR))
    detail = asset_detail(inventory, address, today=TODAY)
    assert [each.outcome for each in detail.observations if each.scan == 2] == [Outcome.ANSWERED] * 2


def test_a_lot_is_recorded_a_batch_at_a_time(inventory: Inventory) -> None:
    hosts = [heard(XP, address=f"10.20.{n >> 8}.{n & 255}") for n in range(1201)]
    tally = imported(inventory, *hosts)
    assert tally.hosts == sum(1 for _ in assets_rows(inventory, today=TODAY)) == 1201


# --- Leases

LEASE = {
    "dhcp.mac": "00:0c:29:c6:da:f5",
    "dhcp.hostname": "poste-7",
    "dhcp.domain": "reanimation.lan",
    "dhcp.vendor_class": "MSFT 5.0",
}


def leased(
    words: Mapping[str, str] = LEASE, at: datetime = THEN + HOUR
) -> tuple[str, tuple[Observation, ...]]:
    return "10.20.0.7", (observation(("10.20.0.7", 68, Transport.UDP), "dhcp", at, words),)


def named(inventory: Inventory) -> tuple[str, str, str, str]:
    (asset,) = assets_rows(inventory, today=TODAY)
    return asset.name, asset.fqdn, asset.domain, asset.mac


def test_a_machine_that_answers_nobody_has_the_names_of_its_lease(inventory: Inventory) -> None:
    imported(inventory, leased())
    assert named(inventory) == ("poste-7", "poste-7.reanimation.lan", "reanimation.lan", LEASE["dhcp.mac"])
    (asset,) = assets_rows(inventory, today=TODAY)
    assert asset.last_seen == THEN + HOUR


def test_a_lease_without_any_name_is_a_machine_all_the_same(inventory: Inventory) -> None:
    imported(inventory, leased({}))
    assert named(inventory) == ("", "", "", "")


def test_what_a_machine_says_itself_wins_over_its_lease(inventory: Inventory) -> None:
    own = {
        "ntlm.netbios_name": "OTHER",
        "ntlm.dns_name": "other.chu.lan",
        "ntlm.dns_domain": "chu.lan",
        "netbios.mac": LEASE["dhcp.mac"],
    }
    scanned(inventory, heard(own))
    imported(inventory, leased())
    assert named(inventory) == ("OTHER", "other.chu.lan", "chu.lan", LEASE["dhcp.mac"])
    assert evidence(inventory).keys() == own.keys() | LEASE.keys()


def test_a_name_of_another_machine_gets_no_domain_of_the_lease(inventory: Inventory) -> None:
    scanned(inventory, heard({"netbios.name": "OTHER"}))
    imported(inventory, leased())
    assert named(inventory) == ("OTHER", "", "reanimation.lan", LEASE["dhcp.mac"])


def test_a_machine_keeps_its_identity_when_its_lease_is_known(inventory: Inventory) -> None:
    scanned(inventory, heard({**XP, "netbios.mac": LEASE["dhcp.mac"]}))
    imported(inventory, leased())
    assert products(inventory) == {"Windows XP"}
    assert named(inventory)[0] == "POSTE-7"


@pytest.mark.parametrize("key", ["netbios.mac", "mac.address", "dhcp.mac", "dhcp.hostname"])
def test_an_address_that_went_to_another_machine_is_that_machines(inventory: Inventory, key: str) -> None:
    scanned(inventory, heard({**XP, key: "00:00:5e:00:53:01"}))
    assert imported(inventory, leased(at=THEN - HOUR)).outdated == 1
    assert products(inventory) == {"Windows XP"}
    assert imported(inventory, leased()).outdated == 0
    assert evidence(inventory) == {name: (value,) for name, value in LEASE.items()}
    assert len(products(inventory)) > 5  # any Windows since 2000
    assert machines(inventory) == (1 if key == "dhcp.hostname" else 2), (
        "a word of DHCP alone makes no machine"
    )
