"""Who is who: small hospitals of two or three machines, a few nights each, and which asset every sight is of.

Several answers may be bearable where the evidence is poor; what is asserted is what no reader would forgive.
"""

from __future__ import annotations

from datetime import timedelta
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

import pytest
from sqlalchemy import select

from scanner.inventory.tables import ASSETS, SIGHTS
from scanner.inventory.transactions import reading
from scanner.model import Endpoint, HostRecord, Observation, Outcome, Transport
from tests.inventory.hospital import NOON, NOTHING, SAMBA, SITE, TEN, recorder, site_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from scanner.config import SiteFile
    from scanner.inventory import Inventory
    from scanner.model import Evidence

A, B, C, D = (f"10.20.0.{n}" for n in (11, 12, 13, 14))
_BY: Final[Mapping[str, tuple[str, int, Transport]]] = {
    "smb": ("smb", 445, Transport.TCP),
    "ntlm": ("smb", 445, Transport.TCP),
    "netbios": ("netbios", 137, Transport.UDP),
    "tls": ("rdp", 3389, Transport.TCP),
    "ssh": ("ssh", 22, Transport.TCP),
    "http": ("http", 80, Transport.TCP),
    "snmp": ("snmp", 161, Transport.UDP),
    "dhcp": ("dhcp", 68, Transport.UDP),
    "mac": ("snmp-arp", 0, Transport.ICMP),
    "neighbour": ("neighbour", 0, Transport.LINK),
}
"""By the first part of a key: who hears it, and where."""


def _mac(n: int) -> str:
    return f"d4:81:d7:00:00:{n:02x}"


def card(n: int) -> dict[str, str]:
    """What a router tells of the hardware of that number."""
    return {"mac.address": _mac(n)}


def pc(name: str, n: int, **changed: str) -> dict[str, str]:
    """What a Windows in the domain says, on the hardware and with the installation of that number."""
    says = {
        "smb.server_guid": f"6dab97f1-1b36-4e11-9106-efbff49130{n:02x}",
        "ntlm.netbios_name": name.upper()[:15],
        "ntlm.netbios_domain": "CHU",
        "ntlm.dns_name": f"{name.lower()}.chu.example",
        "ntlm.dns_domain": "chu.example",
        "netbios.name": name.upper()[:15],
        "netbios.domain": "CHU",
        "netbios.mac": _mac(n),
        "tls.subject": f"CN={name.lower()}.chu.example",
        "tls.certificate": f"{n:064x}",
    }
    return {**says, **{key.replace("__", "."): value for key, value in changed.items()}}


def loner(name: str, n: int) -> dict[str, str]:
    """The same outside of any domain ([MS-NLMP] 2.2.2.1: its own name stands for the domain's)."""
    own = {"ntlm.netbios_domain": name, "ntlm.dns_name": name, "ntlm.dns_domain": name}
    return {**pc(name, n), **own, "netbios.domain": "WORKGROUP", "tls.subject": f"CN={name}"}


def linux(n: int, **changed: str) -> dict[str, str]:
    says = {"ssh.banner": "OpenSSH_8.9p1", "ssh.hostkey": f"ssh-ed25519 SHA256:{n:043d}"}
    return {**says, **{key.replace("__", "."): value for key, value in changed.items()}}


def only(says: Mapping[str, str], *kinds: str) -> dict[str, str]:
    """What is left of it where only these protocols were heard."""
    return {key: value for key, value in says.items() if key.partition(".")[0] in kinds}


def without(says: Mapping[str, str], *kinds: str) -> dict[str, str]:
    return {key: value for key, value in says.items() if key.partition(".")[0] not in kinds}


def _record(address: str, says: Mapping[str, str], day: float, place: int) -> HostRecord:
    at = NOON + timedelta(days=day, seconds=place)
    heard: dict[tuple[str, int, Transport], dict[str, tuple[str, ...]]] = {}
    for key, value in says.items():
        heard.setdefault(_BY[key.partition(".")[0]], {})[key] = (value,)
    seen = tuple(
        Observation(Endpoint(address, port, transport), probe, at, Outcome.ANSWERED, evidence)
        for (probe, port, transport), evidence in heard.items()
    )
    mute: Evidence = {}
    refused = Observation(Endpoint(address, 445), "smb", at, Outcome.REFUSED, mute)
    system = SAMBA if {"ssh.banner", "http.server"} & says.keys() else TEN  # a machine has one system
    told = says.keys() - {"mac.address", "neighbour.mac", "dhcp.mac"}  # a card alone tells none
    return HostRecord(address, "Cardiologie", seen or (refused,), system if told else NOTHING)


class Nights:
    """A site's nights, one scan each."""

    def __init__(self, inventory: Inventory, site: SiteFile) -> None:
        self.inventory, self.site, self.day = inventory, site, 0.0

    def scan(self, *hosts: tuple[str, Mapping[str, str]]) -> int:
        """One scan of the hosts, in their order; gives its number."""
        self.day += 1
        with recorder(self.inventory, self.site, at=NOON + timedelta(days=self.day)) as scan:
            for place, (address, says) in enumerate(hosts):
                scan.record(_record(address, says, self.day, place))
        return scan.scan_id

    def who(self, scan: int, address: str) -> int:
        """The one asset that was seen there."""
        (asset,) = self.all(scan, address)
        return asset

    def all(self, scan: int, address: str) -> set[int]:
        with reading(self.inventory) as connection:
            rows = connection.execute(
                select(SIGHTS.c.asset_id).where(
                    SIGHTS.c.scan_id == scan, SIGHTS.c.packed == ip_address(address).packed
                )
            )
            return set(rows.scalars())

    def assets(self) -> int:
        with reading(self.inventory) as connection:
            return len(connection.execute(select(ASSETS.c.id)).all())

    def how(self, scan: int) -> set[str]:
        """What was known again in a scan, by kinds of traits."""
        with reading(self.inventory) as connection:
            return set(connection.scalars(select(SIGHTS.c.how).where(SIGHTS.c.scan_id == scan)))


@pytest.fixture
def nights(inventory: Inventory, site: SiteFile) -> Nights:
    return Nights(inventory, site)


def test_a_machine_that_moves_stays_itself_and_the_evidence_is_named(nights: Nights) -> None:
    first = nights.scan((A, pc("PC1", 1)))
    second = nights.scan((B, pc("PC1", 1)))
    assert nights.who(first, A) == nights.who(second, B)
    assert nights.assets() == 1
    assert (nights.how(first), nights.how(second)) == ({""}, {"card guid name fqdn subject certificate"})


def test_two_machines_swap_their_addresses_in_one_night(nights: Nights) -> None:
    first = nights.scan((A, pc("PC1", 1)), (B, pc("PC2", 2)))
    second = nights.scan((A, pc("PC2", 2)), (B, pc("PC1", 1)))
    assert nights.who(first, A) == nights.who(second, B)
    assert nights.who(first, B) == nights.who(second, A)
    assert nights.assets() == 2


def test_three_machines_move_round_heard_in_one_protocol_only(nights: Nights) -> None:
    says = [pc(f"PC{n}", n) for n in (1, 2, 3)]
    places = [(A, B, C), (B, C, A), (C, A, B)]
    heard = ["smb", "netbios", "tls"]
    full = nights.scan(*zip((A, B, C), says, strict=True))
    for turn in places:
        scan = nights.scan(
            *(
                (address, only(each, kind, "ntlm" if kind == "smb" else kind))
                for address, each, kind in zip(turn, says, heard, strict=True)
            )
        )
        assert [nights.who(scan, address) for address in turn] == [
            nights.who(full, address) for address in (A, B, C)
        ]
    assert nights.assets() == 3


def test_another_machine_at_an_address_is_another_asset(nights: Nights) -> None:
    first = nights.scan((A, pc("PC1", 1)))
    second = nights.scan((A, pc("PC2", 2)))
    third = nights.scan((A, pc("PC1", 1)))
    assert nights.who(first, A) == nights.who(third, A) != nights.who(second, A)


def test_a_dock_goes_from_laptop_to_laptop(nights: Nights) -> None:
    dock = _mac(99)
    one, other = pc("LAP1", 1, netbios__mac=dock), pc("LAP2", 2, netbios__mac=dock)
    first = nights.scan((A, one))
    second = nights.scan((A, other))
    third = nights.scan((B, one), (A, other))
    assert nights.who(first, A) == nights.who(third, B)
    assert nights.who(second, A) == nights.who(third, A)
    assert nights.who(third, A) != nights.who(third, B)


def test_a_dock_that_is_known_to_be_one_tells_nothing(nights: Nights) -> None:
    dock = _mac(99)
    one, other, new = (pc(f"LAP{n}", n, netbios__mac=dock) for n in (1, 2, 3))
    nights.scan((A, one))
    nights.scan((A, other))
    known = nights.scan((A, one), (B, pc("LAP2", 2)))
    last = nights.scan((C, only(new, "smb", "ntlm", "netbios")))
    assert nights.who(last, C) not in {nights.who(known, A), nights.who(known, B)}


def test_a_laptop_is_itself_by_wire_and_by_air_in_one_scan(nights: Nights) -> None:
    scan = nights.scan((A, pc("LAP1", 1)), (B, pc("LAP1", 1, netbios__mac=_mac(50))))
    assert nights.who(scan, A) == nights.who(scan, B)


def test_clones_share_a_guid_and_are_two(nights: Nights) -> None:
    shared = pc("X", 7)["smb.server_guid"]
    one, other = (pc(f"VM{n}", n, smb__server_guid=shared) for n in (1, 2))
    first = nights.scan((A, one), (B, other))
    second = nights.scan((A, one), (B, other))
    assert nights.who(first, A) == nights.who(second, A) != nights.who(first, B) == nights.who(second, B)
    assert nights.assets() == 2


def test_a_clone_that_appears_later_is_not_its_original(nights: Nights) -> None:
    shared = pc("X", 7)["smb.server_guid"]
    one, other = (pc(f"VM{n}", n, smb__server_guid=shared) for n in (1, 2))
    first = nights.scan((A, one))
    second = nights.scan((B, other))
    third = nights.scan((A, one), (B, other))
    assert nights.who(first, A) != nights.who(second, B)
    assert nights.who(third, A) == nights.who(first, A)
    assert nights.who(third, B) == nights.who(second, B)


def test_appliances_of_one_model_share_their_keys(nights: Nights) -> None:
    made = linux(1, tls__certificate="ab" * 32, tls__subject="CN=appliance.local")
    first = nights.scan((A, made), (B, made), (C, made))
    second = nights.scan((A, made), (C, made))
    assert len({nights.who(first, each) for each in (A, B, C)}) == 3
    assert nights.who(first, A) == nights.who(second, A)
    assert nights.who(first, C) == nights.who(second, C)


def test_a_machine_that_was_installed_anew_stays_itself(nights: Nights) -> None:
    before = pc("PC1", 1)
    after = {**pc("PC1", 2), "netbios.mac": before["netbios.mac"]}
    first, second = nights.scan((A, before)), nights.scan((B, after))
    assert nights.who(first, A) == nights.who(second, B)


def test_a_machine_that_was_installed_anew_under_another_name_stays_itself(nights: Nights) -> None:
    """Its card was its own for weeks: no dock's."""
    before = pc("PC1", 1)
    after = {**pc("NEW7", 2), "netbios.mac": before["netbios.mac"]}
    nights_before = [nights.scan((A, before)) for _ in range(16)]
    second = nights.scan((A, after))
    assert nights.who(nights_before[0], A) == nights.who(second, A)


@pytest.mark.parametrize("address", [A, B])
def test_new_hardware_under_the_old_name_is_another_machine(nights: Nights, address: str) -> None:
    first = nights.scan((A, pc("PC1", 1)))
    second = nights.scan((address, pc("PC1", 2)))
    assert nights.who(first, A) != nights.who(second, address)


def test_old_hardware_goes_on_elsewhere_under_another_name(nights: Nights) -> None:
    first = min(nights.scan((A, pc("PC1", 1))) for _ in range(16))
    second = nights.scan((A, pc("PC1", 2)))
    third = nights.scan((A, pc("PC1", 2)), (B, pc("OTHER", 3, netbios__mac=_mac(1))))
    assert nights.who(third, B) == nights.who(first, A)
    assert nights.who(third, A) == nights.who(second, A)


def test_another_mainboard_leaves_a_machine_itself(nights: Nights) -> None:
    first = nights.scan((A, pc("PC1", 1)))
    second = nights.scan((B, pc("PC1", 1, netbios__mac=_mac(40))))
    assert nights.who(first, A) == nights.who(second, B)


def test_a_decoy_with_anothers_name_is_not_the_other(nights: Nights) -> None:
    server = pc("SRV1", 1)
    decoy = {**only(server, "ntlm"), **linux(9), "tls.certificate": "cd" * 32, "tls.subject": "CN=proxy"}
    first = nights.scan((A, server), (B, decoy))
    second = nights.scan((A, server), (B, decoy))
    assert nights.who(first, A) == nights.who(second, A)
    assert nights.who(first, B) == nights.who(second, B)
    assert nights.who(first, A) != nights.who(first, B)


def test_a_decoy_that_comes_while_the_other_is_off_takes_nothing_from_it(nights: Nights) -> None:
    server = pc("SRV1", 1)
    decoy = {**only(server, "ntlm"), "netbios.mac": _mac(66), "netbios.name": "SRV1", **linux(9)}
    first = nights.scan((A, server))
    nights.scan((B, decoy))
    third = nights.scan((A, server), (B, decoy))
    assert nights.who(first, A) == nights.who(third, A) != nights.who(third, B)


def test_two_sites_with_the_same_addresses_and_names_have_nothing_in_common(
    inventory: Inventory, site: SiteFile, tmp_path: Path
) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    here, there = (
        Nights(inventory, site),
        Nights(inventory, site_file(folder, SITE.replace('"CHU"', '"CHR"'))),
    )
    one, other = here.scan((A, pc("PC1", 1))), there.scan((A, pc("PC1", 1)))
    assert here.who(one, A) != there.who(other, A)
    moved = there.scan((B, pc("PC1", 1)))
    assert there.who(moved, B) == there.who(other, A) != here.who(one, A)


def test_a_router_that_answers_for_thirty_addresses_joins_nothing(nights: Nights) -> None:
    router, addresses = _mac(0xFE), [f"10.20.0.{n}" for n in range(100, 130)]
    hosts = [(each, {"neighbour.mac": router}) for each in addresses]
    first, second = nights.scan(*hosts), nights.scan(*hosts)
    assert len({nights.who(first, each) for each in addresses}) == 30
    assert [nights.who(first, each) for each in addresses] == [nights.who(second, each) for each in addresses]


def test_a_router_in_front_of_machines_with_names_joins_nothing(nights: Nights) -> None:
    router, addresses = _mac(0xFE), [f"10.20.0.{n}" for n in range(100, 130)]
    machines = [{**pc(f"PC{n}", n), "neighbour.mac": router} for n in range(30)]
    first = nights.scan(*zip(addresses, machines, strict=True))
    second = nights.scan(*zip(addresses[::-1], machines, strict=True))
    assert [nights.who(first, each) for each in addresses] == [
        nights.who(second, each) for each in addresses[::-1]
    ]
    assert nights.assets() == 30


def test_a_router_that_is_seen_for_one_address_a_night_becomes_no_machine(nights: Nights) -> None:
    router = _mac(0xFE)
    scans = [
        (nights.scan((each, {**without(pc(f"PC{n}", n), "netbios"), "neighbour.mac": router})), each)
        for n, each in enumerate((A, B, C, D))
    ]
    assert len({nights.who(*each) for each in scans}) == 4


@pytest.mark.parametrize(
    "mac", ["00:50:56:c0:00:08", "00:05:9a:3c:7a:00", "0a:00:27:00:00:0b", "02:00:4c:4f:4f:50"]
)
def test_an_adapter_of_software_alone_is_the_same_on_every_machine(nights: Nights, mac: str) -> None:
    first = nights.scan((A, pc("PC1", 1, netbios__mac=mac)))
    second = nights.scan((B, pc("PC2", 2, netbios__mac=mac)))
    third = nights.scan((A, pc("PC3", 3, netbios__mac=mac)), (C, pc("PC1", 1, netbios__mac=mac)))
    assert len({nights.who(first, A), nights.who(second, B), nights.who(third, A)}) == 3
    assert nights.who(third, C) == nights.who(first, A)


def test_a_server_at_two_addresses_in_one_scan_is_one(nights: Nights) -> None:
    server = pc("SRV1", 1)
    first = nights.scan((A, server), (B, {**server, "netbios.mac": _mac(2)}))
    second = nights.scan((A, without(server, "netbios")), (B, only(server, "tls")))
    assert nights.who(first, A) == nights.who(first, B) == nights.who(second, A) == nights.who(second, B)
    assert nights.assets() == 1


def test_an_address_of_ipv6_is_the_same_machines(nights: Nights) -> None:
    six = "2001:db8::1:2"
    scan = nights.scan((A, pc("SRV1", 1)), (six, without(pc("SRV1", 1), "netbios")))
    assert nights.who(scan, A) == nights.who(scan, six)


def test_what_a_dhcp_server_told_first_is_the_machine_that_is_scanned_later(nights: Nights) -> None:
    leased = nights.scan((A, {"dhcp.mac": _mac(1)}))
    scanned = nights.scan((B, only(pc("PC1", 1), "netbios")))
    assert nights.who(leased, A) == nights.who(scanned, B)
    assert nights.assets() == 1


def test_a_host_name_that_a_client_told_a_dhcp_server_is_weaker_than_its_card(nights: Nights) -> None:
    leased = nights.scan((A, {"dhcp.mac": _mac(5), "dhcp.hostname": "PC1", "dhcp.domain": "chu.example"}))
    scanned = nights.scan((B, pc("PC1", 1)))
    assert nights.who(leased, A) != nights.who(scanned, B)


def test_a_night_with_nothing_but_a_banner_then_all_of_it(nights: Nights) -> None:
    first = nights.scan((A, {"http.server": "Virata-EmWeb/R6_2_1"}))
    second = nights.scan((A, {"http.server": "Virata-EmWeb/R6_2_1", **linux(1)}))
    third = nights.scan((A, {"http.server": "Virata-EmWeb/R6_2_1"}))
    assert nights.who(first, A) == nights.who(second, A) == nights.who(third, A)


def test_a_mute_machine_stays_where_it_is(nights: Nights) -> None:
    scans = [nights.scan((A, {}), (B, {})) for _ in range(3)]
    assert len({nights.who(scan, A) for scan in scans}) == 1
    assert nights.assets() == 2


def test_a_certificate_is_renewed(nights: Nights) -> None:
    says = only(pc("PC1", 1), "tls", "ntlm")
    first = nights.scan((A, says))
    second = nights.scan((B, {**says, "tls.certificate": "ee" * 32}))
    assert nights.who(first, A) == nights.who(second, B)


def test_a_name_in_capitals_is_the_same_name(nights: Nights) -> None:
    says = without(pc("PC1", 1), "netbios")
    first = nights.scan((A, says))
    second = nights.scan(
        (B, only({**says, "ntlm.dns_name": "Pc1.CHU.Example", "ntlm.dns_domain": "CHU.Example"}, "ntlm"))
    )
    assert nights.who(first, A) == nights.who(second, B)


def test_a_machine_is_renamed(nights: Nights) -> None:
    first = nights.scan((A, pc("PC1", 1)))
    second = nights.scan((B, {**pc("BLOC-7", 1), "tls.certificate": "ee" * 32}))
    assert nights.who(first, A) == nights.who(second, B)


def test_a_machine_changes_its_domain(nights: Nights) -> None:
    says = pc(
        "PC1", 1, ntlm__netbios_domain="SUD", ntlm__dns_name="pc1.sud.example", ntlm__dns_domain="sud.example"
    )
    first = nights.scan((A, {**says, "netbios.domain": "SUD", "tls.subject": "CN=pc1.sud.example"}))
    second = nights.scan((B, {**pc("PC1", 1), "tls.certificate": "ee" * 32}))
    assert nights.who(first, A) == nights.who(second, B)


def test_one_name_in_two_domains_is_two_machines(nights: Nights) -> None:
    here = only(pc("PC1", 1), "ntlm", "smb")
    there = {
        **only(pc("PC1", 2), "ntlm", "smb"),
        "ntlm.netbios_domain": "SUD",
        "ntlm.dns_name": "pc1.sud.example",
    }
    first = nights.scan((A, here))
    second = nights.scan((B, {**there, "ntlm.dns_domain": "sud.example"}))
    assert nights.who(first, A) != nights.who(second, B)


def test_machines_of_workgroups_all_have_the_same_name(nights: Nights) -> None:
    one, other = loner("ADMIN-PC", 1), loner("ADMIN-PC", 2)
    first = nights.scan((A, one))
    second = nights.scan((B, other))
    third = nights.scan((C, one), (D, other))
    assert nights.who(first, A) == nights.who(third, C)
    assert nights.who(second, B) == nights.who(third, D)
    assert nights.who(third, C) != nights.who(third, D)


def test_a_common_name_alone_in_a_workgroup_joins_nothing_elsewhere(nights: Nights) -> None:
    first = nights.scan((A, loner("ADMIN-PC", 1)), (B, loner("ADMIN-PC", 2)))
    second = nights.scan((C, only(loner("ADMIN-PC", 3), "ntlm")))
    assert nights.who(second, C) not in {nights.who(first, A), nights.who(first, B)}


def test_names_that_netbios_cuts_alike_are_two(nights: Nights) -> None:
    one, other = (only(pc(f"SECRETARIAT-MED-{n}", n), "ntlm", "smb") for n in (1, 2))
    assert one["ntlm.netbios_name"] == other["ntlm.netbios_name"]
    first = nights.scan((A, one))
    second = nights.scan((B, other))
    third = nights.scan((C, only(one, "ntlm")), (D, only(other, "ntlm")))
    assert nights.who(first, A) == nights.who(third, C)
    assert nights.who(second, B) == nights.who(third, D)
    assert nights.who(third, C) != nights.who(third, D)


def test_a_cut_name_over_netbios_is_the_machine_with_the_long_one(nights: Nights) -> None:
    says = pc("SECRETARIAT-MED-1", 1)
    first = nights.scan((A, without(says, "netbios", "tls")))
    second = nights.scan((A, only(says, "netbios")))
    third = nights.scan((B, only(says, "netbios")))
    assert nights.who(first, A) == nights.who(second, A) == nights.who(third, B)


def test_what_was_taken_for_two_is_one_when_something_says_both(nights: Nights) -> None:
    says = pc("PC1", 1)
    card = nights.scan((A, {"mac.address": says["netbios.mac"]}))
    named = nights.scan((B, only(says, "tls")))
    both = nights.scan((C, says))
    assert nights.who(card, A) == nights.who(both, C) == nights.who(named, B)
    assert nights.assets() == 1


def test_a_routers_table_and_the_visit_of_one_scan_are_of_one_machine(nights: Nights) -> None:
    scan = nights.scan((A, {"mac.address": _mac(1)}), (A, without(pc("PC1", 1), "netbios")))
    assert len(nights.all(scan, A)) == 1
    later = nights.scan((B, only(pc("PC1", 1), "netbios")))
    assert nights.who(later, B) == nights.who(scan, A)


def test_what_a_router_has_not_forgotten_is_the_machine_that_left(nights: Nights) -> None:
    first = nights.scan((A, pc("PC1", 1)), (B, pc("PC2", 2)))
    second = nights.scan((A, {"mac.address": _mac(1)}), (A, pc("PC2", 2)))
    assert nights.who(first, A) in nights.all(second, A)
    assert nights.who(first, B) in nights.all(second, A)
    assert nights.who(first, A) != nights.who(first, B)


def test_an_address_of_a_cluster_goes_from_node_to_node(nights: Nights) -> None:
    one, other = pc("NODE1", 1), pc("NODE2", 2)
    first = nights.scan((A, one), (B, other), (C, one))
    second = nights.scan((A, one), (B, other), (C, other))
    assert nights.who(first, A) == nights.who(second, A) == nights.who(first, C)
    assert nights.who(first, B) == nights.who(second, B) == nights.who(second, C)
    assert nights.assets() == 2


def test_sambas_guid_is_its_name_and_tells_no_more(nights: Nights) -> None:
    named = {"smb.server_guid": "73616e00-0000-0000-0000-000000000000", "ntlm.netbios_name": "NAS"}
    first = nights.scan((A, {**named, **linux(1)}))
    second = nights.scan((B, {**named, **linux(2)}))
    assert nights.who(first, A) != nights.who(second, B)


def test_machines_that_were_started_in_the_same_second_are_as_many_as_they_are(nights: Nights) -> None:
    booted = {"smb.boot_time": "2026-11-19T04:00:01Z"}
    first = nights.scan((A, booted), (B, booted), (C, booted))
    second = nights.scan((A, booted), (B, booted), (C, booted))
    assert len({nights.who(first, each) for each in (A, B, C)}) == 3
    assert [nights.who(first, each) for each in (A, B, C)] == [nights.who(second, each) for each in (A, B, C)]


def test_copies_with_one_name_and_one_guid_are_two_where_one_scan_meets_both(nights: Nights) -> None:
    copy = without(loner("IMAGE", 1), "netbios", "tls")
    first = nights.scan((A, copy), (B, copy))
    second = nights.scan((B, copy), (A, copy))
    assert len({nights.who(first, each) for each in (A, B)}) == 2
    assert nights.who(first, A) == nights.who(second, A)
    assert nights.who(first, B) == nights.who(second, B)


def test_a_machine_of_a_domain_is_one_over_wire_and_air(nights: Nights) -> None:
    wire, air = pc("PORTABLE", 1), pc("PORTABLE", 1, netbios__mac=_mac(9))
    first = nights.scan((A, without(wire, "tls")), (B, without(air, "tls")))
    assert nights.who(first, A) == nights.who(first, B)


def test_a_copy_of_a_machine_that_started_at_another_time_is_another(nights: Nights) -> None:
    copies = [
        without(pc("IMAGE", 1, smb__boot_time=f"2026-11-19T04:00:0{n}Z"), "netbios", "tls") for n in (1, 2)
    ]
    first = nights.scan((A, copies[0]), (B, copies[1]))
    assert nights.who(first, A) != nights.who(first, B)


def test_what_was_met_once_beside_a_machine_and_said_little_comes_to_it(nights: Nights) -> None:
    machine = pc("POSTE", 1)
    first = nights.scan((A, machine))
    beside = nights.scan((A, machine), (B, {"smb.server_guid": machine["smb.server_guid"]}))
    assert nights.who(beside, B) != nights.who(first, A)
    nights.scan((A, machine))
    assert nights.assets() == 2
    nights.scan((A, machine))
    assert nights.assets() == 1


def test_what_is_met_beside_a_machine_night_after_night_is_another(nights: Nights) -> None:
    machine = pc("POSTE", 1)
    for _ in range(4):
        nights.scan((A, machine), (B, {"smb.server_guid": machine["smb.server_guid"]}))
    assert nights.assets() == 2


def test_a_system_goes_on_under_another_name_once_the_old_one_is_gone(nights: Nights) -> None:
    for _ in range(3):
        nights.scan((A, without(pc("AVANT", 1), "netbios", "tls")))
    for _ in range(7):
        nights.scan((B, without(pc("APRES", 1), "netbios", "tls")))
        nights.day += 3
    assert nights.assets() == 1


def test_a_clone_is_another_machine_while_its_image_goes_on(nights: Nights) -> None:
    image, clone = (without(pc(name, 1), "netbios", "tls") for name in ("IMAGE", "CLONE"))
    nights.scan((A, image))
    for _ in range(8):
        nights.scan((A, image), (B, clone))
        nights.day += 3
    assert nights.assets() == 2


@pytest.mark.parametrize("engine", ["80001f8880e9630000d61ff449", "8000000b0300267312ab34"])
def test_an_snmp_engine_is_known_again_elsewhere(nights: Nights, engine: str) -> None:
    """RFC 3411, section 5: one of random bytes, and one that is called by its card."""
    first = nights.scan((A, {"snmp.engine_id": engine}))
    second = nights.scan((B, {"snmp.engine_id": engine}))
    other = nights.scan((B, {"snmp.engine_id": "80001f8880aaaaaaaaaaaaaaaa"}))
    assert nights.who(first, A) == nights.who(second, B) != nights.who(other, B)


def test_a_card_that_a_router_told_comes_to_the_machine_that_shows_it(nights: Nights) -> None:
    nights.scan((A, {"mac.address": _mac(1)}))
    nights.scan((B, without(pc("POSTE", 1), "netbios")))
    nights.scan((B, pc("POSTE", 1)))
    nights.scan((B, pc("POSTE", 1)))
    assert nights.assets() == 1
