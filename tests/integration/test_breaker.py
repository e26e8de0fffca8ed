"""Subnets that fall, hosts that die of being asked, a PC that is switched off, canaries."""

from __future__ import annotations

import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.captures import Capture, watched
from tests.integration.scenes import PATIENCE, Scene, hosts, scene, until
from tests.integration.test_pacing import demand_two_a_second
from tests.simulator.process import POWERLESS

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.integration.product import Product

pytestmark = pytest.mark.namespaces

FALLING, STEADY = "10.77.1.0/26", "10.77.2.0/27"
FALLS, STAYS = hosts("10.77.1.1", 40), hosts("10.77.2.1", 20)
NOT_RESET = "tcp[tcpflags] & tcp-rst == 0"
"""A machine that comes back may speak on an old connection still; the kernel answers that it is gone."""
FURTHER = 5
"""Hosts that a fallen subnet may still receive something at, after its fall."""
COUNTED = (
    f"ip daddr {FALLING} tcp flags & (syn | ack) == syn counter name falling",
    "ip daddr 10.77.1.30 tcp flags & (syn | ack) == syn counter name one",
)


def ward(subnet: str, more: str = "") -> str:
    return f'subnets = ["{subnet}"]\n{more}'


def breakers(product: Product) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(product.run("breaker", "list", "--json").stdout)
    return rows


@contextmanager
def hospital(folder: Path, *wards: str, rules: Sequence[str] = ()) -> Iterator[Scene]:
    """Two wards of forty and of twenty machines."""
    with scene("break", folder, [*FALLS, *STAYS], rules=[*COUNTED, *rules]) as stage:
        stage.site(*(wards or (ward(FALLING), ward(STEADY))))
        yield stage


def ended(process: subprocess.Popen[str]) -> tuple[int, str]:
    _, said = process.communicate(timeout=PATIENCE)
    return process.returncode, said


def counted(stage: Scene, name: str) -> int:
    return stage.cable.counted()[name]


def newly_touched(capture: Capture, network: str, since: float) -> list[str]:
    """Hosts that received anything for the first time after a moment."""
    return [host for host, first in capture.hosts(network).items() if first > since]


@pytest.mark.parametrize(("profile", "after"), [("clinical", 20), ("office", 30)])
def test_a_subnet_that_falls_is_left_alone(tmp_path: Path, profile: str, after: int) -> None:
    with hospital(tmp_path) as stage:
        with stage.watched() as capture, stage.product.start("scan", "--profile", profile) as process:
            until(lambda: counted(stage, "falling") >= after, process)
            stage.cable.fall(FALLING)
            fell = time.time()
            code, said = ended(process)
        assert len(newly_touched(capture, FALLING, fell)) <= FURTHER
        assert code == 3, said
        demand_two_a_second(capture.syns())
        assert set(STAYS) <= set(stage.known()), "the other subnet is completed"
        (tripped,) = breakers(stage.product)
        assert tripped["subnet"] == FALLING
        assert len(tripped["fallen"]) >= 3
        assert FALLING in said
        _demand_left_alone(stage)


def _demand_left_alone(stage: Scene) -> None:
    """No packet goes there in the next scan; after ``breaker clear`` to all, those that fell included."""
    stage.cable.rise()
    with stage.watched("next") as capture:
        stage.product.run("scan", "--fresh", "--profile", "office", expect=None)
    assert capture.packets(FALLING, kind=NOT_RESET) == []
    assert set(STAYS) <= set(capture.hosts(STEADY))
    stage.product.run("breaker", "clear", FALLING)
    assert breakers(stage.product) == []
    with stage.watched("cleared") as capture:
        stage.product.run("scan", "--fresh", "--profile", "office")
    assert set(FALLS) <= set(capture.hosts(FALLING))


def test_hosts_that_die_of_being_asked_stop_their_subnet(tmp_path: Path) -> None:
    """A second after its first packet, a host of the falling subnet hears and says nothing more."""
    with hospital(tmp_path) as stage:
        stage.cable.hospital.run(
            "nft", "add set inet judge known { type ipv4_addr; flags dynamic; size 4096; }"
        )
        timed = "{ type ipv4_addr; flags dynamic, timeout; timeout 1s; size 4096; }"
        stage.cable.hospital.run("nft", f"add set inet judge dying {timed}")
        stage.cable.rule(
            f"ip daddr {FALLING} ip daddr != @known add @known {{ ip daddr }} add @dying {{ ip daddr }}",
            f"ip daddr {FALLING} ip daddr != @dying drop",
        )
        with stage.watched() as capture:
            stage.product.run("scan", expect=3)
        assert len(capture.hosts(FALLING)) <= 15, "before most of it was touched"
        assert set(STAYS) <= set(stage.known())
        (tripped,) = breakers(stage.product)
        assert tripped["subnet"] == FALLING


def test_a_machine_that_is_switched_off_trips_nothing(tmp_path: Path) -> None:
    with hospital(tmp_path) as stage:
        with stage.watched(), stage.product.start("scan", "--profile", "office", "--rate", "50") as process:
            until(lambda: counted(stage, "one") > 0 and counted(stage, "falling") > 20, process)
            stage.cable.fall("10.77.1.30")
            code, said = ended(process)
        assert code == 0, said
        assert breakers(stage.product) == []
        assert set(STAYS) | (set(FALLS) - {"10.77.1.30"}) <= set(stage.known())


CANARIES = {"ICMP": "10.77.1.35", "TCP": "10.77.1.35:445"}
PINGS = "net.ipv4.ping_group_range"


@pytest.mark.parametrize("kind", CANARIES)
def test_a_canary_that_falls_silent_stops_its_subnet(tmp_path: Path, kind: str) -> None:
    wards = (ward(FALLING, f'canaries = ["{CANARIES[kind]}"]'), ward(STEADY))
    with hospital(tmp_path, *wards) as stage:
        stage.cable.scanner.run("sysctl", "-w", f"{PINGS}=0 2147483647")
        with stage.watched() as capture, stage.product.start("scan") as process:
            until(lambda: counted(stage, "falling") >= 20, process)
            stage.cable.fall("10.77.1.35")
            fell = time.time()
            code, said = ended(process)
        assert len(newly_touched(capture, FALLING, fell)) <= FURTHER + 1, "one of them may be on its way"
        assert code == 3, said
        assert "10.77.1.35" in said
        assert set(STAYS) <= set(stage.known())
        assert [row["subnet"] for row in breakers(stage.product)] == [FALLING]
        first = min(capture.packets(FALLING), key=lambda packet: packet.at)
        assert first.host == "10.77.1.35", "the canary is asked before anything else"


def test_a_canary_that_never_answers_keeps_its_ward_from_being_touched(tmp_path: Path) -> None:
    """Two that do not exist, asked in either way, and one that does, behind a firewall: three wards."""
    subnets = ("10.77.1.0/28", "10.77.1.16/28", "10.77.1.32/28")
    canaries = ("10.77.3.3", "10.77.3.4:445", "10.77.1.35:81")
    wards = [
        ward(subnet, f'canaries = ["{canary}"]') for subnet, canary in zip(subnets, canaries, strict=True)
    ]
    with hospital(tmp_path, *wards, ward(STEADY)) as stage:
        stage.cable.scanner.run("sysctl", "-w", f"{PINGS}=0 2147483647")
        stage.cable.rule("tcp dport 81 drop")
        with stage.watched() as capture:
            said = stage.product.run("scan", expect=3).stderr
        asked = {canary.partition(":")[0] for canary in canaries}
        assert set(capture.hosts(FALLING)) == {"10.77.1.35"}
        assert asked <= set(capture.hosts())
        assert all(any(address in line for line in said.splitlines()) for address in asked), said
        assert set(STAYS) <= set(stage.known())


def test_a_canary_that_may_not_be_asked_keeps_its_ward_from_being_touched(tmp_path: Path) -> None:
    """Where this machine lets nobody send an echo request, silence proves nothing: nothing is sent."""
    wards = (ward(FALLING, 'canaries = ["10.77.1.35"]'), ward(STEADY))
    with hospital(tmp_path, *wards) as stage:
        stage.cable.scanner.run("sysctl", "-w", f"{PINGS}=1 0")
        powerless = type(stage.product)(tmp_path, (*stage.product.prefix, *POWERLESS))
        with watched(stage.cable.hospital, tmp_path / "scan.pcap") as capture:
            said = powerless.run("scan", expect=None).stderr
        assert capture.packets(FALLING) == []
        assert any("ping_group_range" in line for line in said.splitlines()), said
