"""An inventory to be looked at: the example, and a site where everything has a name that could do harm."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.addresses import number_of
from scanner.config import read_site
from scanner.inventory import (
    Decision,
    Recorder,
    State,
    Wanted,
    decide,
    findings_rows,
    open_inventory,
    settle_findings,
)
from scanner.inventory.campaigns import open_campaign
from scanner.language import Message
from scanner.model import Certainty, HostRecord, Identity, Trip
from tests.inventory.hospital import attempt, seen

if TYPE_CHECKING:
    from scanner.config import SiteSource
    from scanner.inventory import Inventory

EXAMPLE: Final = Path(__file__).parents[2] / "inventory.db.example"
NOW: Final = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)
TODAY: Final = NOW.date()
PLANTED: Final = "planted"
"""What a script of ours would put into the title of a page, if it ran."""
SCRIPT: Final = f"<script>document.title='{PLANTED}'</script>"
IMAGE: Final = f"\"'><img src=x onerror=\"document.title='{PLANTED}'\">"
LINK: Final = f"javascript:document.title='{PLANTED}'"
TEMPLATE: Final = "{{ 7 * 7 }}{% raw %}${7*7}"
RIGHT_TO_LEFT: Final = (
    "\u202e\u0645\u0633\u062a\u0634\u0641\u0649 \u05d1\u05d9\u05ea-\u05d7\u05d5\u05dc\u05d9\u05dd"
)
LONG: Final = "W" * 10_000
ODD: Final = {
    "script": SCRIPT,
    "image": IMAGE,
    "link": LINK,
    "template": TEMPLATE,
    "right-to-left": RIGHT_TO_LEFT,
    "long": LONG,
    "quotes": "l'h\u00f4pital \"d'\u00e0 c\u00f4t\u00e9\" & <b>fils</b>",
    "spaces": "a b\u00a0c/d?e#f%2e;g",
}
_WARD: Final = """
[[ward]]
name = {name}
building = {name}
owner = {name}
subnets = ["10.66.{number}.0/24"]
"""


@dataclass(frozen=True)
class Built:
    """Where the inventory is, and what it is of."""

    file: Path
    site: SiteSource

    @property
    def url(self) -> str:
        return f"sqlite:///{self.file}"


def named(odd: str) -> str:
    """A name as far as a site file may give it: nothing that cannot be printed, and 200 characters."""
    return "".join(letter for letter in odd if letter.isprintable())[:200]


WARDS: Final = tuple(map(named, ODD.values()))


def _toml(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def site_text() -> str:
    """A site whose wards bear those names."""
    wards = "".join(_WARD.format(name=_toml(name), number=n) for n, name in enumerate(WARDS))
    return f"[site]\nname = {_toml(SCRIPT)}\n{wards}"


def _hosts(at: datetime, releases: tuple[str, ...]) -> list[HostRecord]:
    hosts = []
    for ward, name in enumerate(WARDS):
        for number, odd in enumerate(ODD.values(), 1):
            evidence = {
                "smb.native_os": ("Windows 5.1",),
                "smb.native_lm": ("Windows 2000 LAN Manager",),
                "ntlm.netbios_name": (f"{odd} {ward}",),
                "ntlm.dns_name": (f"{odd}.{name}",),
                "smb.signing": (odd,),
            }
            heard = seen(f"10.66.{ward}.{number}", evidence, at=at + timedelta(minutes=number), detail=odd)
            reason = Message("{key} says so", {"key": odd})
            identity = Identity(releases, Certainty.CERTAIN, (reason,), {"product": odd, "edition": odd})
            hosts.append(HostRecord(heard.endpoint.address, name, (heard,), identity))
    return hosts


def _record(inventory: Inventory, site: SiteSource, at: datetime, hosts: list[HostRecord]) -> None:
    recorder = Recorder(
        inventory,
        site.file,
        profile="clinical",
        scope=SCRIPT,
        versions={"vetuste": "0.1", "data": SCRIPT},
        started=at,
        request={"targets": [SCRIPT]},
        digest=site.digest,
    )
    with recorder:
        for host in hosts:
            recorder.record(host)
            recorder.sent([attempt(host.address, at=at)])
            recorder.visited(number_of(host.address))
        recorder.trip(Trip("10.66.0.0/24", WARDS[0], at, Message("{name}", {"name": SCRIPT}), ("10.66.0.9",)))
        recorder.finish("done", {"hosts": len(hosts)}, ended=at + timedelta(minutes=30))


def _decide(inventory: Inventory) -> None:
    settle_findings(inventory, today=TODAY, at=NOW - timedelta(days=1))
    found = [finding for _, finding in findings_rows(inventory, None, Wanted(), today=TODAY)]
    for finding, odd in zip(found[::5], ODD.values(), strict=False):
        decision = Decision(State.PLANNED, owner=odd, due=date(2026, 12, 31), note=odd)
        decide(inventory, [finding.id], decision, author=odd, today=TODAY, at=NOW)


def build(folder: Path) -> Built:
    """Build it in a folder."""
    file, site = folder / "inventory.db", folder / "site.toml"
    shutil.copy(EXAMPLE, file)
    file.chmod(0o600)
    site.write_text(site_text(), encoding="utf-8")
    source = read_site(site)
    with open_inventory(f"sqlite:///{file}") as inventory:
        first, second = NOW - timedelta(days=30), NOW - timedelta(days=2)
        _record(inventory, source, first, _hosts(first, ("windows-2000-professional",))[:-3])
        _record(inventory, source, second, _hosts(second, ("windows-xp-sp2", "windows-xp-sp3"))[3:])
        _decide(inventory)
        open_campaign(inventory, IMAGE, site=source.file, at=NOW, account=SCRIPT, since=first)
    return Built(file, source)
