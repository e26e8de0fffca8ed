"""What was heard on the wire becomes machines: neither one of several, nor several of one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.classify import default_classifier
from scanner.imports.listening import Listening, Places
from scanner.imports.recording import Recording
from scanner.inventory import Inventory, Recorder, assets_rows, open_inventory
from scanner.model import Certainty, Endpoint, Observation, Outcome, Transport
from tests.inventory.hospital import TODAY

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from scanner.imports.listening import Machine
    from scanner.inventory import Asset

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
ONE, OTHER = "00:1b:78:00:00:01", "00:1b:78:00:00:02"
XP = {"smb.native_os": "Windows 5.1", "smb.native_lm": "Windows 2000 LAN Manager"}
XP_CLIENT = {"ntlm.version": "5.1.2600"}
SEVEN = {"ntlm.version": "6.1.7601", "smb.native_os": "Windows 7 Professional 7601 Service Pack 1"}


def heard(
    words: Mapping[str, str], minute: int = 0, host: str = "10.20.0.7", port: int = 445, probe: str = "smb"
) -> Observation:
    evidence = {key: (value,) for key, value in words.items()}
    end = Endpoint(host, port, Transport.TCP)
    return Observation(end, probe, NOON + timedelta(minutes=minute), Outcome.ANSWERED, evidence)


def arp(card: str, minute: int, host: str = "10.20.0.7") -> Observation:
    return heard({"mac.address": card}, minute, host, 0, "arp")


def machines(observations: Iterable[Observation], places: Places | None = None) -> list[Machine]:
    with Listening(NOON, places) as listening:
        for seen in observations:
            listening.add(seen)
        return list(listening.machines())


def test_one_address_one_machine_in_order_with_its_times() -> None:
    with Listening(NOON) as listening:
        listening.add(heard(XP, 5), NOON - timedelta(hours=1))
        listening.add(heard(XP, 9))
        listening.add(heard(SEVEN, 1, "10.20.0.6"))
        first, second = listening.machines()
    assert (first.host, second.host) == ("10.20.0.6", "10.20.0.7")
    assert (second.first, second.last) == (NOON - timedelta(hours=1), NOON + timedelta(minutes=9))
    assert second.evidence == {key: (value,) for key, value in XP.items()}


def test_what_one_end_says_over_one_protocol_is_one_observation() -> None:
    agents = [
        heard({"http.user_agent": f"agent {number}"}, number, port=0, probe="http") for number in range(40)
    ]
    (machine,) = machines([*agents, heard(XP)])
    assert {seen.probe for seen in machine.observations} == {"http", "smb"}
    assert len(machine.observations) == 2


def test_a_leased_address_that_went_on_is_two_machines() -> None:
    said = [arp(ONE, 0), heard(XP, 1), arp(ONE, 2), arp(OTHER, 10), heard(SEVEN, 11)]
    before, after = machines(said)
    assert (before.host, after.host) == ("10.20.0.7", "10.20.0.7")
    assert before.evidence == {"mac.address": (ONE,), **{key: (value,) for key, value in XP.items()}}
    assert after.evidence == {"mac.address": (OTHER,), **{key: (value,) for key, value in SEVEN.items()}}


def test_a_lease_that_came_back_is_still_two() -> None:
    said = [arp(ONE, 0), heard(XP, 1), arp(OTHER, 2), heard(SEVEN, 3), arp(ONE, 4), heard(XP, 5, port=139)]
    one, other = sorted(machines(said), key=lambda machine: machine.evidence["mac.address"])
    assert one.evidence.keys() == {"mac.address", *XP}
    assert other.evidence.keys() == {"mac.address", *SEVEN}


def test_two_cards_at_one_time_cannot_be_told_apart() -> None:
    said = [heard(XP, 0), *(arp((ONE, OTHER)[minute % 2], minute) for minute in range(40)), heard(SEVEN, 50)]
    (machine,) = machines(said)
    assert machine.evidence["mac.address"] == (ONE, OTHER)
    assert default_classifier().classify(machine.evidence).certainty is Certainty.PROBABLE


def test_a_card_without_an_address_is_a_machine_unless_it_has_one_later() -> None:
    asked = heard({"dhcp.vendor_class": "MSFT 5.0"}, 0, ONE, 0, "dhcp")
    switch = heard({"ssh.banner": "Cisco-1.25"}, 0, OTHER, 0, "lldp")
    (lonely,) = machines([switch])
    assert (lonely.host, lonely.evidence["mac.address"]) == (OTHER, (OTHER,))
    told = machines([asked, arp(ONE, 1), arp(ONE, 1, "fe80::1"), heard(XP, 2), switch])
    assert [each.host for each in told] == ["10.20.0.7", "fe80::1", OTHER]
    assert told[0].evidence.keys() == {"mac.address", "dhcp.vendor_class", *XP}


def test_a_switch_is_its_card_until_it_is_recorded_where_it_says_that_it_is_managed() -> None:
    words = {"snmp.sysdescr": ("Switch 4",), "management.address": ("208.73.217.142",)}
    (machine,) = machines(
        [Observation(Endpoint(OTHER, 0, Transport.LINK), "lldp", NOON, Outcome.ANSWERED, words)]
    )
    assert machine.host == OTHER
    placed = machine.at_its_place()
    assert placed.host == placed.observations[0].endpoint.address == "208.73.217.142"
    assert placed.evidence["mac.address"] == (OTHER,)


def test_what_was_learnt_of_cards_before_is_known_later() -> None:
    places = Places()
    machines([arp(ONE, 0)], places)
    (machine,) = machines([heard({"dhcp.vendor_class": "MSFT 5.0"}, 3, ONE, 0, "dhcp")], places)
    assert machine.host == "10.20.0.7"


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",  # noqa: S104 - nothing is bound
        "255.255.255.255",
        "224.0.0.251",
        "::",
        "ff02::fb",
    ],
)
def test_addresses_of_nobody_are_no_machines(host: str) -> None:
    assert machines([heard(XP, 0, host)]) == []


def test_what_has_no_time_has_that_of_the_reading() -> None:
    (machine,) = machines([heard(XP, -60 * 24 * 366 * 60)])
    assert (machine.first, machine.last) == (NOON, NOON)


@given(st.lists(st.tuples(st.sampled_from([ONE, OTHER, ""]), st.integers(0, 3)), max_size=60))
def test_nothing_that_was_heard_is_lost(told: list[tuple[str, int]]) -> None:
    said = [
        arp(card, minute) if card else heard({"ssh.banner": f"b{number}"}, minute)
        for minute, (card, number) in enumerate(told)
    ]
    found = machines(said)
    assert len(found) <= 3
    assert {value for each in said for value in each.evidence.items()} == {
        (key, (value,)) for each in found for key, values in each.evidence.items() for value in values
    }


# --- in the inventory


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Inventory]:
    with open_inventory(f"sqlite:///{tmp_path}/i.db", create=True) as opened:
        yield opened


def recorded(inventory: Inventory, *portions: list[Observation]) -> list[Asset]:
    """The assets after one run that heard these portions, one after the other."""
    places = Places()
    with Recorder(
        inventory, None, profile="import", scope="", versions={}, started=NOON, request={"listen": "eth0"}
    ) as recorder:
        recording = Recording(inventory, recorder, None, default_classifier())
        for portion in portions:
            hosts = ((each.host, each.observations) for each in machines(portion, places))
            recording.record(hosts, lambda _: None)
            recorder._writer.write()
    return sorted(assets_rows(inventory, today=TODAY, evidence=True), key=lambda asset: asset.id)


def test_two_machines_of_one_lease_are_two_assets(inventory: Inventory) -> None:
    said = [arp(ONE, 0), heard(XP, 1), arp(OTHER, 10), heard(SEVEN, 11)]
    for again in (1, 2):
        first, second = recorded(inventory, said)
        assert (first.mac, second.mac) == (ONE, OTHER), again
        assert (first.os, second.os) == ("Windows XP", "Windows 7")


def test_what_goes_on_to_be_heard_is_written_once_and_judged_together(inventory: Inventory) -> None:
    (asset,) = recorded(
        inventory, [heard(XP, 0)], [heard(XP_CLIENT, 1, port=0)], [heard(XP_CLIENT, 2, port=0)]
    )
    assert asset.evidence.keys() == {*XP, *XP_CLIENT}
    assert asset.identity.certainty is Certainty.CERTAIN
    assert asset.identity == default_classifier().classify(asset.evidence)


def test_several_clients_behind_one_address_never_become_one(inventory: Inventory) -> None:
    clients = [
        [heard({"ntlm.version": version}, at, port=0)] for at, version in enumerate(("5.1.2600", "6.1.7601"))
    ]
    (asset,) = recorded(inventory, *clients)
    assert asset.identity.certainty is Certainty.PROBABLE
    assert {"Windows XP", "Windows 7"} <= {release.product for release in asset.candidates}
