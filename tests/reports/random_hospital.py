"""Random inventories of two sites, whose names are meant to do harm."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from scanner.addresses import number_of
from scanner.config import load_site
from scanner.inventory import Recorder, open_inventory
from scanner.lifecycle import load_lifecycle
from scanner.model import Attempt, Certainty, Endpoint, HostRecord, Identity, Observation, Outcome

if TYPE_CHECKING:
    from pathlib import Path

NAMES: Final = (
    *("<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</style><b>", "{{ 7 * 7 }}", "=1+1"),
    *(
        "قسم القلب",
        "心臓内科",
        "Réanimation «B»",
        "' OR 1=1",
        "&amp;",
        "x" * 200,
        "\\22 ;} body{}",
        "%s{name}",
    ),
    *("a/b", "Ωμέγα", "Bloc", "Urgences", "Archives", "Cardiologie"),
)
FIRST: Final = datetime(2026, 9, 20, 21, tzinfo=UTC)


def build(folder: Path, seed: int) -> Path:
    """An inventory; gives its file."""
    dice = random.Random(seed)
    file = folder / "random.db"
    with open_inventory(f"sqlite:///{file}", create=True) as inventory:
        for number in (1, 2):
            wards = dice.sample(NAMES, dice.randrange(2, len(NAMES)))
            site = folder / f"site-{number}.toml"
            site.write_text(_site(number, wards), encoding="utf-8")
            for scan in range(2):
                started = FIRST + timedelta(days=40 * scan + number)
                recorder = Recorder(
                    inventory,
                    load_site(site),
                    profile=dice.choice(("clinical", "office")),
                    scope="all",
                    versions={"data": "random"},
                    started=started,
                )
                with recorder:
                    for place, ward in enumerate(wards):
                        _visit(recorder, dice, f"10.{number}.{place}", ward, started)
                    recorder.finish("done", {}, ended=started + timedelta(hours=1))
    return file


def _site(number: int, wards: list[str]) -> str:
    tables = [f'[site]\nname = {json.dumps(f"Site {number} <&>")}\nfiness = "00000000{number}"\n']
    tables += [
        f'[[ward]]\nname = {json.dumps(ward)}\nsubnets = ["10.{number}.{place}.0/24"]\n'
        for place, ward in enumerate(wards)
    ]
    return "".join(tables)


def _visit(recorder: Recorder, dice: random.Random, network: str, ward: str, at: datetime) -> None:
    releases = sorted(load_lifecycle().releases)
    for last in range(1, dice.randrange(2, 14)):
        address = f"{network}.{last}"
        outcome = dice.choice((Outcome.ANSWERED, Outcome.SILENT))
        recorder.sent([Attempt(Endpoint(address, 445), "smb", at, outcome, 200, 300)])
        recorder.visited(number_of(address))
        if outcome is Outcome.SILENT:
            continue
        candidates = tuple(sorted(dice.sample(releases, dice.choice((0, 1, 1, 1, 2, 3)))))
        told = {"ntlm.netbios_name": (dice.choice(NAMES)[:15],), "smb.smb1": (dice.choice(("yes", "no")),)}
        seen = Observation(Endpoint(address, 445), "smb", at, outcome, told, "", 1)
        identity = Identity(candidates, dice.choice(list(Certainty)))
        recorder.record(HostRecord(address, ward, (seen,), identity))
