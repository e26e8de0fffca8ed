"""``--plan`` against what happens: connections, packets and seconds, counted elsewhere."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from tests.integration.peers import ended
from tests.integration.scenes import hosts, planned, scene, small_wards

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.integration.scenes import Scene

pytestmark = pytest.mark.namespaces

LIVING = hosts("10.77.0.1", 40)
PACKETS = "ip saddr 10.255.0.1 counter name every"
_TARPIT = """
import socket, sys, time
listening = [socket.create_server(("0.0.0.0", port), backlog=4096) for port in (445, 139)]
print("ready", flush=True)
sys.stdin.read()
"""
PROFILES = ("clinical", "office", "lab")
KINDS = ("machines", "dark", "refused", "tarpit")


def living(kind: str) -> Sequence[str]:
    return LIVING if kind == "machines" else ()


def prepare(stage: Scene, kind: str, running: ExitStack) -> None:
    """What the addresses do: nothing, accept and never answer; without preparation they refuse."""
    if kind == "dark":
        stage.cable.rule("ip daddr 10.77.0.0/16 drop")
    if kind == "tarpit":
        words = (sys.executable, "-c", _TARPIT)
        tarpit = stage.cable.hospital.start(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        running.enter_context(ended(tarpit))
        assert tarpit.stdout is not None
        assert tarpit.stdout.readline() == "ready\n"


@pytest.mark.parametrize("kind", KINDS)
def test_reality_lies_between_the_least_and_the_most(tmp_path: Path, kind: str) -> None:
    """Under every profile, all at once, each on a cable of its own."""
    with ThreadPoolExecutor() as pool:
        scans = [pool.submit(compare, tmp_path / profile, kind, profile) for profile in PROFILES]
    for scan in scans:
        scan.result()


def compare(folder: Path, kind: str, profile: str) -> None:
    with ExitStack() as running:
        stage = running.enter_context(scene(f"p{profile}", folder, living(kind), rules=[PACKETS]))
        stage.site(*(f"lab = true\n{ward}" for ward in small_wards("10.77.0.0/26", 29)), probes=None)
        prepare(stage, kind, running)
        (plan,) = planned(stage.product, "--profile", profile)
        assert set(stage.cable.counted().values()) == {0}, "a plan sends nothing"
        begun = time.monotonic()
        stage.product.run("scan", "--profile", profile)
        seconds = time.monotonic() - begun
        counted = stage.cable.counted()
    assert plan["addresses"] == 64
    assert plan["connections_least"] <= counted["attempts"] <= plan["connections_most"]
    assert plan["packets_least"] <= counted["every"] <= plan["packets_most"]
    assert plan["seconds_least"] <= seconds <= plan["seconds_most"]


def test_a_plan_of_two_profiles_is_the_sum_of_its_rows(tmp_path: Path) -> None:
    with scene("rows", tmp_path, LIVING, rules=[PACKETS]) as stage:
        clinical = [f'{ward}\nprofile = "clinical"' for ward in small_wards("10.77.0.0/27")]
        stage.site(*clinical, *small_wards("10.77.0.32/27"), policy='profile = "office"', probes=None)
        plan = planned(stage.product)
        assert {row["profile"] for row in plan} == {"clinical", "office"}
        stage.product.run("scan")
        counted = stage.cable.counted()
    for least_most, real in (("connections", "attempts"), ("packets", "every")):
        least, most = (sum(row[f"{least_most}_{end}"] for row in plan) for end in ("least", "most"))
        assert least <= counted[real] <= most
