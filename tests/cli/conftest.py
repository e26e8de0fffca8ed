from __future__ import annotations

import shutil
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.addresses import number_of
from scanner.classify import default_classifier
from scanner.config import load_site
from scanner.inventory import Recorder, open_inventory
from scanner.model import Attempt, Endpoint, HostRecord, Observation, Outcome

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.model import Evidence

SITE = """
[site]
name = "CHU de Démonstration"

[[ward]]
name = "Cardiologie"
building = "B"
owner = "DSI"
subnets = ["10.20.0.0/24"]

[[ward]]
name = "Réanimation"
building = "B"
owner = "biomedical"
subnets = ["10.20.9.0/24"]

[[ward]]
name = "Archives"
subnets = ["10.20.30.0/24"]
"""
XP: dict[str, tuple[str, ...]] = {
    "smb.native_os": ("Windows 5.1",),
    "smb.native_lm": ("Windows 2000 LAN Manager",),
    "ntlm.version": ("5.1.2600",),
    "ntlm.challenge": ("versioned",),
    "smb.dialect": ("NT LM 0.12",),
    "smb.smb1": ("yes",),
    "smb.signing": ("enabled",),
}
SAMBA: dict[str, tuple[str, ...]] = {"smb.native_os": ("Windows 6.1",), "ntlm.version": ("6.1.0",)}
ODD: dict[str, tuple[str, ...]] = {"smb.native_os": ("=cmd|' /C calc'!A0",)}
CARD: dict[str, tuple[str, ...]] = {"netbios.mac": ("00:21:9b:0c:20:01",)}
"""What a machine is known again by, whatever is installed on it."""
TODAY = date(2026, 11, 23)
_STARTED = datetime(2026, 11, 20, 21, tzinfo=UTC)


def _host(address: str, ward: str, evidence: Evidence, name: str, minutes: int) -> HostRecord:
    known = {**evidence, "netbios.name": (name,)}
    observation = Observation(
        endpoint=Endpoint(address, 445),
        probe="smb",
        at=_STARTED + timedelta(minutes=minutes),
        outcome=Outcome.ANSWERED,
        evidence=known,
        connections=2,
        raw=(b"\xffSMBr",),
    )
    return HostRecord(address, ward, (observation,), default_classifier().classify(known))


@pytest.fixture(scope="session")
def _recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recorded")
    (folder / "site.toml").write_text(SITE, encoding="utf-8")
    hosts = [_host("10.20.0.1", "Cardiologie", {**XP, **CARD}, "PC-CARDIO-1", 1)]
    hosts += [
        _host(f"10.20.0.{number}", "Cardiologie", XP, f"PC-CARDIO-{number}", number) for number in (2, 3)
    ]
    hosts.append(_host("10.20.9.7", "Réanimation", XP, "PC-REA-7", 7))
    hosts.append(_host("10.20.9.8", "Réanimation", SAMBA, "NAS", 8))
    hosts.append(_host("10.20.9.9", "Réanimation", ODD, "ODD", 9))
    with open_inventory(f"sqlite:///{folder / 'inventory.db'}", create=True) as inventory:
        recorder = Recorder(
            inventory,
            load_site(folder / "site.toml"),
            profile="clinical",
            scope="Cardiologie Réanimation",
            versions={"data": "test"},
            started=_STARTED,
        )
        with recorder:
            for third in (0, 9):
                for last in range(256):
                    address = f"10.20.{third}.{last}"
                    recorder.sent([Attempt(Endpoint(address, 445), "smb", _STARTED, Outcome.SILENT)])
                    recorder.visited(number_of(address))
            for host in hosts:
                recorder.record(host)
            recorder.finish("done", {}, ended=_STARTED + timedelta(hours=1))
    return folder


@pytest.fixture
def hospital(_recorded: Path, tmp_path: Path) -> Path:
    """A folder with a site file and the inventory of its one scan."""
    folder = tmp_path / "hospital"
    shutil.copytree(_recorded, folder)
    return folder
