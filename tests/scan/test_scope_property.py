"""Over random site files: what passes the gate is what the rules of the design allow, said a second time."""

from __future__ import annotations

import random
from collections import Counter
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from scanner.addresses import number_of
from scanner.audit import demand_signed
from scanner.config import read_site
from scanner.errors import ConfigError
from scanner.model import Transport
from scanner.probes import Probe
from scanner.scan import Lore, Request, prepare
from scanner.transport.gate import ForbiddenError, HoursError
from tests.scan.random_sites import CONNECTIONS, PROBES, Case, case, is_public

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanner.probes import Conversation, Peer
    from scanner.scan import Ground
    from scanner.transport.gate import HostDoor
    from tests.scan.random_sites import Address


def never(peer: Peer) -> Conversation:
    """No conversation is held here."""
    raise AssertionError(peer)


PREPARED = {
    probed.name: Probe(
        probed.name, Transport(probed.transport), probed.ports, (), never, rank=1, needs=probed.needs
    )
    for probed in PROBES
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("sites")


def ground_of(drawn: Case, folder: Path) -> Ground | None:
    """What the product makes of a case; nothing where it refuses to send anything."""
    file = folder / "site.toml"
    file.write_text(drawn.text, encoding="utf-8")
    source = read_site(file)
    try:
        demand_signed(source)
        return prepare(
            Request(
                drawn.targets,
                source.file,
                tuple(map(str, drawn.without)),
                drawn.asked_profile,
                None,
                None if drawn.only_ports is None else frozenset(drawn.only_ports),
                drawn.allow_public,
            ),
            4096,
            Lore(tuple(map(str, drawn.stopped)), tuple(map(str, drawn.fragile))),
        )
    except ConfigError:
        return None


def admitted(ground: Ground, drawn: Case) -> Iterator[tuple[Address, HostDoor]]:
    """Every address of the universe that the gate opens a door to."""
    for address in drawn.universe:
        try:
            yield address, ground.gate.host(number_of(str(address)))
        except ForbiddenError:
            continue


def is_asked(drawn: Case, address: Address) -> bool:
    """Whether a target of the request holds the address; without targets all wards are meant."""
    named = {ward.name: ward.subnets for ward in drawn.wards}
    return not drawn.targets or any(
        address in network
        for target in drawn.targets
        for network in named.get(target) or (ip_network(target),)
    )


def demand_rules(drawn: Case, ground: Ground) -> None:
    doors = dict(admitted(ground, drawn))
    assert set(doors) <= {address for address in drawn.universe if drawn.may_touch(address)}
    asked = {address for address in drawn.universe if number_of(str(address)) in ground.asked}
    wanted = {address for address in drawn.universe if is_asked(drawn, address)}
    assert asked == {address for address in wanted if drawn.may_touch(address)}
    assert asked <= set(doors)
    for address in asked:
        demand_terms(drawn, address, doors[address])


def demand_terms(drawn: Case, address: Address, door: HostDoor) -> None:
    """Ports, number of connections and hours of one host are as the rules have them."""
    for probed in PROBES:
        endpoints = door.endpoints(PREPARED[probed.name])
        assert {(each.port, each.service) for each in endpoints} == drawn.ports_of(address, probed)
        assert {ip_address(each.address) for each in endpoints} <= {address}
    profile = drawn.profile_of(address)
    assert door.left == CONNECTIONS[profile]
    ward = drawn.ward_of(address)
    assert ward is not None
    assert profile != "lab" or ward.lab or address.is_loopback
    if drawn.is_open(address):
        door.demand_leave()
    else:
        with pytest.raises(HoursError):
            door.demand_leave()


@settings(
    max_examples=5 * settings.get_profile("steady").max_examples, suppress_health_check=list(HealthCheck)
)
@given(st.randoms(use_true_random=False))
def test_nothing_passes_that_the_rules_forbid(folder: Path, chance: random.Random) -> None:
    drawn = case(chance)
    ground = ground_of(drawn, folder)
    if drawn.signed:
        assert ground is None, "nobody signed it"
    elif ground is not None:
        demand_rules(drawn, ground)


def test_the_random_sites_are_worth_their_name(folder: Path) -> None:
    """Most are scanned, and every rule decides in many of them."""
    met: Counter[str] = Counter()
    for number in range(200):
        drawn = case(random.Random(f"worth {number}"))
        ground = ground_of(drawn, folder)
        met["scanned"] += ground is not None
        if ground is None:
            continue
        held = [address for address in drawn.universe if drawn.ward_of(address)]
        met["excluded"] += any(address in network for address in held for network in drawn.exclude)
        met["passive"] += any(ward.passive for ward in drawn.wards)
        met["stopped"] += bool(drawn.stopped)
        met["fragile"] += any(address in drawn.fragile for address in held)
        met["nested"] += any(
            sum(address in subnet for ward in drawn.wards for subnet in ward.subnets) > 1 for address in held
        )
        met["closed"] += any(not drawn.is_open(address) for address in held)
        met["public"] += any(map(is_public, held))
        met["targets"] += bool(drawn.targets)
        met["printers"] += "ipp" in drawn.ports
    assert met["scanned"] >= 80, met
    assert min(met.values()) >= 8, met
