"""Listening and asking know one machine: what was heard stands beside what is answered, or spares it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.addresses import IPV6_END, AddressSet, number_of
from scanner.classify import default_classifier
from scanner.config import load_site
from scanner.errors import ConfigError
from scanner.imports.recording import Recording
from scanner.inventory import Inventory, Recorder, assets_rows, open_inventory, unfinished_scan
from scanner.model import Attempt, Certainty, Endpoint, Observation, Outcome, Transport
from scanner.scan import SPARED_FOR, Lore, Past, Request, Settling, listened_to, prepare, request_of
from scanner.scan.work import Work
from scanner.sweep.visit import Visit
from tests.cli.process import run
from tests.scan.test_routers import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from scanner.inventory import Asset

NOW = datetime(2026, 11, 26, 12, tzinfo=UTC)
DAY = timedelta(days=1)
SITE = """
[site]
name = "Test"

[policy]
profile = "office"

[[ward]]
name = "Cardiologie"
subnets = ["10.20.0.0/28"]

[[ward]]
name = "Réanimation"
passive_only = true
subnets = ["10.20.9.0/28"]
"""
XP = {"smb.native_os": "Windows 5.1", "smb.native_lm": "Windows 2000 LAN Manager", "ntlm.version": "5.1.2600"}
LEASE = {"dhcp.vendor_class": "MSFT 5.0", "dhcp.hostname": "POSTE-7", "dhcp.mac": "00:1b:78:00:00:07"}
ANSWER = {"smb.dialect": "NT LM 0.12", "smb.smb1": "yes", "netbios.mac": "00:1b:78:00:00:07"}
OTHER = {"ntlm.version": "6.1.7601", "netbios.mac": "00:1b:78:00:00:08"}
EVERYWHERE = AddressSet([(0, IPV6_END)])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    return tmp_path


@pytest.fixture
def inventory(folder: Path) -> Iterator[Inventory]:
    with open_inventory(f"sqlite:///{folder}/inventory.db", create=True) as opened:
        yield opened


def seen(words: Mapping[str, str], at: datetime, address: str = "10.20.0.7") -> Observation:
    evidence = {key: (value,) for key, value in words.items()}
    return Observation(Endpoint(address, 445, Transport.TCP), "smb", at, Outcome.ANSWERED, evidence)


def listened(folder: Path, inventory: Inventory, *heard: Observation, key: str = "listen") -> None:
    site, classifier = load_site(folder / "site.toml"), default_classifier()
    with Recorder(
        inventory, site, profile="import", scope="", versions={}, started=NOW, request={key: "eth1"}
    ) as recorder:
        hosts = ((each.endpoint.address, (each,)) for each in heard)
        Recording(inventory, recorder, site, classifier).record(hosts, lambda _: None)


def asked(folder: Path, inventory: Inventory, answer: Observation) -> None:
    """A scan of ours, which was answered so."""
    site, classifier = load_site(folder / "site.toml"), default_classifier()
    ground = prepare(Request(site=site), 1000)
    with Recorder(
        inventory, site, profile="office", scope="", versions={}, started=answer.at, spans=ground.asked.spans
    ) as recorder:
        settling = Settling(classifier, NOW.date(), {}, listened_to(inventory, "Test", answer.at))
        work = Work(ground, recorder, settling, Reader(), Past())
        visit = Visit(ground.gate.host(number_of(answer.endpoint.address)))
        ground.gate.ledger.append(Attempt(answer.endpoint, "smb", answer.at, answer.outcome))
        visit.take(answer)
        work.visited(visit)


def only(inventory: Inventory) -> Asset:
    (asset,) = assets_rows(inventory, today=NOW.date(), evidence=True)
    return asset


def certain(inventory: Inventory, at: datetime = NOW) -> AddressSet:
    return listened_to(inventory, "Test", at, SPARED_FOR).certain(default_classifier(), EVERYWHERE)


def test_a_machine_that_was_heard_and_then_asked_is_one_and_nothing_is_lost(
    folder: Path, inventory: Inventory
) -> None:
    listened(folder, inventory, seen({**XP, **LEASE}, NOW - DAY))
    for later in (0, 1, 2):
        asked(folder, inventory, seen(ANSWER, NOW + later * DAY))
        asset = only(inventory)
        assert asset.evidence.keys() == {*XP, *LEASE, *ANSWER}
        assert (asset.os, asset.identity.certainty) == ("Windows XP", Certainty.CERTAIN)


def test_a_machine_that_was_asked_and_then_heard_is_one(folder: Path, inventory: Inventory) -> None:
    asked(folder, inventory, seen({**XP, **ANSWER}, NOW - DAY))
    listened(folder, inventory, seen(LEASE, NOW))
    asset = only(inventory)
    assert asset.evidence.keys() == {*XP, *LEASE, *ANSWER}
    assert asset.identity.certainty is Certainty.CERTAIN


def test_what_was_heard_goes_with_the_machine_that_was_replaced(folder: Path, inventory: Inventory) -> None:
    listened(folder, inventory, seen({**XP, **LEASE}, NOW - DAY))
    asked(folder, inventory, seen(OTHER, NOW))
    assets = {asset.mac: asset for asset in assets_rows(inventory, today=NOW.date(), evidence=True)}
    assert assets["00:1b:78:00:00:08"].evidence.keys() == OTHER.keys()


def test_what_was_heard_long_ago_stands_beside_nothing(folder: Path, inventory: Inventory) -> None:
    listened(folder, inventory, seen({**XP, **LEASE}, NOW - 40 * DAY))
    asked(folder, inventory, seen(ANSWER, NOW))
    assert only(inventory).evidence.keys() == ANSWER.keys()


def test_what_others_imported_is_no_listening(folder: Path, inventory: Inventory) -> None:
    listened(folder, inventory, seen({**XP, **LEASE}, NOW - DAY), key="import")
    assert not certain(inventory)


def test_only_what_is_certain_and_new_spares_a_machine(folder: Path, inventory: Inventory) -> None:
    hint = seen({"ntlm.version": "5.1.2600"}, NOW, "10.20.0.5")
    old = seen(XP, NOW - 8 * DAY, "10.20.0.6")
    listened(folder, inventory, hint, old, seen(XP, NOW - 6 * DAY))
    assert certain(inventory).spans == ((number_of("10.20.0.7"),) * 2,)
    assert not certain(inventory, NOW + 2 * DAY)


def test_answers_of_a_scan_spare_nothing(folder: Path, inventory: Inventory) -> None:
    asked(folder, inventory, seen({**XP, **ANSWER}, NOW - DAY))
    listened(folder, inventory, seen(LEASE, NOW))
    assert not certain(inventory)


def test_a_scan_that_is_passive_first_leaves_them_alone(folder: Path) -> None:
    site = load_site(folder / "site.toml")
    lore = Lore(certain=AddressSet([(number_of("10.20.0.7"), number_of("10.20.0.8"))]))
    usual, first = (prepare(Request(site=site, passive_first=each), 1000, lore) for each in (False, True))
    assert (usual.heard, first.heard) == (0, 2)
    assert len(usual.asked) - len(first.asked) == 2
    assert number_of("10.20.0.7") not in first.asked
    assert first.gate.scope.permits(number_of("10.20.0.7")), "a canary may be one of them"
    everyone = Lore(certain=EVERYWHERE)
    with pytest.raises(ConfigError, match="listening told enough"):
        prepare(Request(site=site, passive_first=True), 1000, everyone)


def test_whoever_goes_on_is_passive_first_as_well(folder: Path, inventory: Inventory) -> None:
    request = Request(site=load_site(folder / "site.toml"), passive_first=True)
    with Recorder(
        inventory,
        request.site,
        profile="office",
        scope="",
        versions={},
        started=NOW,
        request=request.options(),
    ) as recorder:
        recorder.finish("interrupted")
    unfinished = unfinished_scan(inventory, "Test")
    assert unfinished is not None
    assert request_of(unfinished, Request(site=request.site), "").passive_first


def test_a_plan_says_whom_listening_spares(folder: Path, inventory: Inventory) -> None:
    today = datetime.now(UTC)
    spared = seen({**XP, **ANSWER}, today, "10.20.0.7"), seen({**XP, **ANSWER}, today, "10.20.9.7")
    listened(folder, inventory, *spared)
    code, out, err = run("scan", "--passive-first", "--plan", cwd=folder)
    assert (code, err) == (0, "")
    assert "15 addresses on ports" in out
    assert "1 addresses would not be asked: already heard" in out
    assert "16 addresses would not be touched" in out
