"""Random site files on the wire: nftables counts what the rules do not allow, and it must stay at nought.

The same sites as in ``tests/scan/test_scope_property.py``, a dozen of them, and what was signed.
"""

from __future__ import annotations

import random
import subprocess
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from ipaddress import IPv4Network
from typing import TYPE_CHECKING

import pytest

from scanner.config import load_site
from scanner.inventory import Recorder, open_inventory
from scanner.language import Message
from scanner.model import Trip
from tests.integration.scenes import PATIENCE, Scene, hosts, scene, small_wards
from tests.scan.random_sites import HELD_ON_THE_WIRE, PROBES, Case, case

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.namespaces

SITES = 12
GROUND = IPv4Network("10.77.0.0/26")
ON_THE_WIRE = {each for held in HELD_ON_THE_WIRE for each in held}


def drawn(number: int) -> Case:
    """One of the dozen. Only who fell with a subnet is known as fragile."""
    found = case(random.Random(f"wire {number}"), GROUND, wire=True)
    return found if found.stopped else replace(found, fragile=())


def allowed(site: Case) -> list[tuple[str, str, int]]:
    """Every address, transport and port that the rules let anything be sent to."""
    return [
        (str(address), probe.transport, port)
        for address in GROUND
        if site.may_touch(address)
        for probe in PROBES
        if probe.name in ON_THE_WIRE
        for port, _ in site.ports_of(address, probe)
    ]


def count(stage: Scene, wheres: list[tuple[str, str, int]]) -> None:
    """Count what is sent to these, and everything else."""
    elements = ", ".join(" . ".join(map(str, where)) for where in wheres or [("192.0.2.1", "tcp", 1)])
    stage.cable.hospital.run(
        *("nft", "-f", "-"),
        stdin=f"""add set inet judge may {{ type ipv4_addr . inet_proto . inet_service; }}
        add element inet judge may {{ {elements} }}
        add counter inet judge right
        add counter inet judge wrong
        add rule inet judge arriving ip saddr 10.255.0.1 ip daddr . meta l4proto . th dport @may \\
          counter name right accept
        add rule inet judge arriving ip saddr 10.255.0.1 counter name wrong""",
    )


def plant(folder: Path, site: Case) -> None:
    """What an earlier scan left: a subnet that was stopped, and who fell in it."""
    file = load_site(folder / "site.toml")
    now = datetime.now(UTC)
    with open_inventory(f"sqlite:///{folder / 'inventory.db'}", create=True) as inventory:
        recorder = Recorder(inventory, file, profile="office", scope="", versions={}, started=now)
        fallen = tuple(map(str, site.fragile))
        for subnet in site.stopped:
            recorder.trip(Trip(str(subnet), file.wards[0].name, now, Message("it fell"), fallen))
        recorder.finish("done", {}, ended=now)


def words(site: Case) -> list[str]:
    excluded = [word for network in site.without for word in ("--exclude", str(network))]
    profile = ["--profile", site.asked_profile] if site.asked_profile else []
    ports = ["--ports", ",".join(map(str, site.only_ports))] if site.only_ports else []
    return ["scan", *excluded, *profile, *ports]


def test_a_dozen_random_sites_get_what_the_rules_allow(tmp_path: Path) -> None:
    """All at once, each on a cable of its own."""
    sites = [drawn(number) for number in range(SITES)]
    assert sum(bool(allowed(site)) for site in sites) >= SITES // 2
    assert sum(bool(site.stopped) for site in sites) >= 2
    with ExitStack() as running:
        scenes = []
        for number, site in enumerate(sites):
            stage = running.enter_context(scene(f"r{number}", tmp_path / str(number)))
            count(stage, allowed(site))
            (stage.folder / "site.toml").write_text(site.text, encoding="utf-8")
            plant(stage.folder, site)
            scenes.append(stage)
        scans = [
            running.enter_context(stage.product.start(*words(site)))
            for stage, site in zip(scenes, sites, strict=True)
        ]
        for site, stage, process in zip(sites, scenes, scans, strict=True):
            _, said = process.communicate(timeout=PATIENCE)
            counted = stage.cable.counted()
            assert counted["wrong"] == 0, (site.text, said)
            assert process.returncode in {0, 2}, said
            assert (counted["right"] > 0) == (process.returncode == 0), (site.text, said)


def test_only_what_was_signed_is_sent(tmp_path: Path) -> None:
    """Nothing unsigned, of another key, or changed by a byte; then what was signed, and no more."""
    with scene("signed", tmp_path, hosts("10.77.0.1", 12)) as stage:
        stage.site(
            *small_wards("10.77.0.0/28"),
            site="signed = true",
            policy='profile = "clinical"',
            more='[signing]\nroles = ["biomedical"]',
        )
        ours, theirs = (_key(tmp_path, name) for name in ("ours", "theirs"))
        public = ours.with_suffix(".pub").read_text(encoding="ascii")
        (tmp_path / "allowed_signers").write_text(f"biomedical {public}", encoding="ascii")
        file = tmp_path / "site.toml"
        content = file.read_bytes()
        _demand_nothing(stage)
        _sign(file, theirs)
        _demand_nothing(stage)
        _sign(file, ours)
        file.write_bytes(content.replace(b"10.77.0.0/28", b"10.77.0.0/27"))
        _demand_nothing(stage)
        file.write_bytes(content)
        with stage.watched() as capture:
            stage.product.run("scan", "--profile", "office")
        assert len(capture.hosts()) == 16
        counted: dict[str, int] = {}
        for packet in capture.syns():
            counted[packet.host] = counted.get(packet.host, 0) + 1
        assert max(counted.values()) <= 4, "clinical, as it was signed"


def _key(folder: Path, name: str) -> Path:
    file = folder / name
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(file)], check=True)
    return file


def _sign(file: Path, key: Path) -> None:
    """As anybody signs with OpenSSH, without the product."""
    words = ["ssh-keygen", "-q", "-Y", "sign", "-f", str(key), "-n", "vetuste-scope", str(file)]
    (made := file.with_name(file.name + ".sig")).unlink(missing_ok=True)
    subprocess.run(words, check=True, capture_output=True)
    made.replace(file.with_name(f"{file.name}.biomedical.sig"))


def _demand_nothing(stage: Scene) -> None:
    said = stage.product.run("scan", expect=2).stderr
    assert len(said.strip().splitlines()) == 1
    assert stage.attempts() == 0
