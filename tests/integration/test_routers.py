"""A real router's tables: who answers nobody is listed, and nothing is sent where nothing may be."""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.integration.peers_devices import agent
from tests.integration.scenes import scene

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.scenes import Scene

pytestmark = pytest.mark.namespaces

ROUTER = "10.77.0.1"
COMMUNITY = "ward-reader"
READER = f"rocommunity {COMMUNITY}"
V1_ALONE = (
    f"com2sec reader default {COMMUNITY}",
    "group readers v1 reader",
    "view everything included .1",
    'access readers "" any noauth exact everything none none',
)
SNMP = f'[snmp]\ncommunity_env = ["VETUSTE_SNMP"]\nrouters = ["{ROUTER}"]'
OPEN = 'subnets = ["10.77.0.0/29", "fd00:77::/64"]'
PASSIVE = 'subnets = ["10.77.9.0/28"]\npassive_only = true'
PROXIED = 'subnets = ["10.77.1.0/28"]\npassive_only = true'
BEHIND = {
    "10.77.0.5": "00:0c:29:00:00:05",
    "10.77.9.7": "00:0c:29:00:09:07",
    "fd00:77::5": "00:0c:29:00:00:05",
}
"""Machines whose firewalls answer nobody; the second in a ward where nothing is sent."""
EXCLUDED, OUTSIDE = "10.77.0.6", "10.77.200.1"
OTHERS = {EXCLUDED: "00:0c:29:00:00:06", OUTSIDE: "00:0c:29:00:c8:01"}
ANSWERED_FOR = {f"10.77.1.{last}": "00:0c:29:00:00:01" for last in range(1, 10)}
"""Nine addresses with one network card."""
LISTED = {**BEHIND, **OTHERS, **ANSWERED_FOR}


@contextmanager
def routed(folder: Path, *settings: str) -> Iterator[Scene]:
    """A router that alone answers, and has all of these in its tables."""
    with scene("arp", folder) as stage:
        cable, machine = stage.cable, stage.cable.hospital
        cable.dark_but([ROUTER])
        for address, card in LISTED.items():
            machine.run(
                *("ip", "neigh", "add", address, "lladdr", card, "dev", cable.ends[1], "nud", "permanent")
            )
        with agent(folder, ROUTER, 161, *settings, prefix=machine.command()):
            yield stage


def test_machines_behind_firewalls_are_seen_and_nothing_is_sent_where_nothing_may_be(tmp_path: Path) -> None:
    with routed(tmp_path, READER) as stage:
        policy = f'profile = "office"\nexclude = ["{EXCLUDED}"]'
        stage.site(OPEN, PASSIVE, PROXIED, policy=policy, more=SNMP, probes=("smb", "snmp"))
        plan = stage.product.run("scan", "--plan", "--json", VETUSTE_SNMP=COMMUNITY)
        with stage.watched() as capture:
            done = stage.product.run("scan", VETUSTE_SNMP=COMMUNITY)
        known = stage.product.exported()
        ledger = stage.product.explain(ROUTER)["ledger"]
        told = stage.product.explain("10.77.0.5")
    assert {address: row["mac"] for address, row in known.items() if address != ROUTER} == BEHIND
    assert {known[address]["ward"] for address in BEHIND} == {"Ward 1", "Ward 2"}
    packets = [packet for packet in capture.packets() if packet.host == ROUTER and packet.port == 161]
    tables = [line for line in ledger if line["probe"] == "snmp-arp"]
    assert 1 <= len(tables) < len(packets)
    assert {line["outcome"] for line in tables} == {"answered"}
    hosts = capture.hosts()
    assert hosts.keys() & LISTED.keys() == {"10.77.0.5"}
    assert min(hosts, key=hosts.__getitem__) == ROUTER
    first = [host for host in hosts if host != ROUTER]
    assert min(first, key=hosts.__getitem__) == "10.77.0.5", "who is seen is visited first"
    assert f"the router {ROUTER} knows 3 machines of this scan" in done.stderr
    assert "4 machines seen" in done.stderr
    assert COMMUNITY not in done.stdout + done.stderr
    assert COMMUNITY.encode() not in stage.product.inventory.read_bytes()
    assert json.loads(plan.stdout)[0]["connections_most"] > 4096
    assert {heard["probe"] for heard in told["observations"]} == {"snmp-arp", "smb"}


def test_a_router_of_version_1_is_asked_row_by_row(tmp_path: Path) -> None:
    with routed(tmp_path, *V1_ALONE) as stage:
        stage.site(f"{OPEN}\nlab = true", policy='profile = "lab"', more=SNMP, probes=("smb", "snmp"))
        stage.product.run("scan", VETUSTE_SNMP=COMMUNITY)
        known = stage.product.exported()
        ledger = stage.product.explain(ROUTER)["ledger"]
    cards = {address: row["mac"] for address, row in known.items() if row["mac"]}
    assert cards == {
        **{address: card for address, card in BEHIND.items() if address != "10.77.9.7"},
        EXCLUDED: OTHERS[EXCLUDED],
    }
    assert len([line for line in ledger if line["probe"] == "snmp-arp"]) > len(LISTED)


def test_it_is_said_once_why_a_router_is_not_asked(tmp_path: Path) -> None:
    with routed(tmp_path, READER) as stage:
        stage.site(OPEN, more=SNMP, probes=None)
        with stage.watched() as capture:
            done = stage.product.run("scan", "--ports", "445", VETUSTE_SNMP=COMMUNITY)
        plan = stage.product.run("scan", "--plan", VETUSTE_SNMP=COMMUNITY)
    why = f"routers not asked which machines they know: {ROUTER}: "
    assert done.stderr.count(f"{why}the profile clinical has none of its ports") == 1
    assert not [packet for packet in capture.packets() if packet.port == 161]
    assert f"{why}the profile clinical has none of its ports" in plan.stdout


def test_where_a_canary_is_silent_the_router_is_not_asked_either(tmp_path: Path) -> None:
    with routed(tmp_path, READER) as stage:
        ward = f'{OPEN}\ncanaries = ["10.77.0.2:443"]'
        stage.site(ward, policy='profile = "office"', more=SNMP, probes=("smb", "snmp"))
        with stage.watched() as capture:
            done = stage.product.run("scan", expect=3, VETUSTE_SNMP=COMMUNITY)
    assert set(capture.hosts()) == {"10.77.0.2"}
    assert "the canary 10.77.0.2:443/tcp does not answer" in done.stderr
    assert f"the router {ROUTER} was not asked which machines it knows" in done.stderr
