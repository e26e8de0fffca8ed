"""Some machines to look at: ordinary ones, hidden ones, and one that is called what nobody should be."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from scanner.addresses import number_of
from scanner.dashboard.house import House
from scanner.inventory import Decision, State, open_inventory, settle_findings
from scanner.inventory.findings.deciding import decide
from scanner.language import Message
from scanner.model import Certainty, Identity, Trip
from tests.inventory.hospital import NOON, attempt, host, recorder, seen, site_file

if TYPE_CHECKING:
    from scanner.config import SiteFile

TODAY = date(2026, 11, 24)
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
XP = Identity(("windows-xp-sp3",), Certainty.CERTAIN, (Message("{key} says so", {"key": "smb.native_os"}),))
SEVEN = Identity(("windows-7-sp1",), Certainty.PROBABLE)
NOTHING = Identity((), Certainty.HINT)
PUMP = replace(NOTHING, attributes={"fragile": "an infusion pump", "device": "pump"})

SCRIPT = "<script>alert(1)</script>"
HOSTILE = (
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "{{7*191}}{%raw%}",
    "\u202exe.cod",
    "n" * 10_000,
)
"""What a machine, a ward or a person may write; each makes a page wrong that is not careful."""

SITE = """
[site]
name = "CHU"
[[ward]]
name = "Cardiologie"
building = "B"
owner = "DSI"
subnets = ["10.20.0.0/24"]
[[ward]]
name = "Bloc"
building = "C"
owner = "biomedical"
passive_only = true
subnets = ["10.20.1.0/24"]
[[ward]]
name = "<b>Étage 10</b>"
building = "B"
owner = "DSI"
subnets = ["10.20.2.0/24"]
"""


def hospital(folder: Path) -> House:
    """The dashboard of it, on a day of its own."""
    (folder / "site.toml").write_text(SITE, encoding="utf-8")
    file = folder / "inventory.db"
    file.write_bytes(_recorded())
    return House(f"sqlite:///{file}", now=lambda: NOW)


@cache
def _recorded() -> bytes:
    """Its inventory, as it was recorded once."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "inventory.db"
        _record(site_file(Path(folder), SITE), f"sqlite:///{file}")
        return file.read_bytes()


def _record(site: SiteFile, url: str) -> None:
    with open_inventory(url, create=True) as inventory:
        for night in range(2):
            with recorder(inventory, site, at=NOON + timedelta(days=night)) as scan:
                for number in range(1, 13):
                    address = f"10.20.0.{number}"
                    scan.record(host(address, "Cardiologie", XP if number % 3 else SEVEN))
                    scan.sent([attempt(address, at=NOON + timedelta(days=night))])
                    scan.visited(number_of(address))
                for number in range(1, 6):
                    scan.record(host(f"10.20.1.{number}", "Bloc", SEVEN))
                scan.record(host("10.20.1.9", "Bloc", PUMP))
                for number, text in enumerate(HOSTILE, 1):
                    address = f"10.20.2.{number}"
                    words = {"ntlm.netbios_name": (text,), "http.title": (text,), "ntlm.dns_domain": (text,)}
                    heard = seen(address, words, detail=text)
                    scan.record(host(address, "<b>Étage 10</b>", NOTHING, heard))
                if night:
                    cause = Message("{number} hosts fell silent", {"number": "3"})
                    scan.trip(Trip("10.20.0.0/24", "Cardiologie", NOON, cause, ("10.20.0.7",)))
                scan.finish("done", {"hosts": 1}, ended=NOON + timedelta(days=night, minutes=5))
        settle_findings(inventory, today=TODAY)
        noted = Decision(
            State.PLANNED, owner=SCRIPT, due=date(2026, 11, 1), note=f"{SCRIPT}\0\u202e{{{{7*191}}}}"
        )
        decide(inventory, [1], noted, author="DSI", today=date(2026, 10, 1))


class Reader(HTMLParser):
    """Collects the elements of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.text += " "

    def handle_data(self, data: str) -> None:
        self.text += data

    def links(self, beginning: str = "") -> list[str]:
        """Where links go."""
        found = (str(attributes.get("href")) for tag, attributes in self.elements if tag == "a")
        return [href for href in found if href.startswith(beginning)]

    def having(self, name: str, value: str) -> list[dict[str, str | None]]:
        """The elements with an attribute."""
        return [attributes for _, attributes in self.elements if attributes.get(name) == value]


def ids(page: str) -> list[int]:
    """The machines of a list, in their order."""
    return [
        int(href.rpartition("/")[2]) for href in Reader(page).links("/machines/") if href[10:].isdecimal()
    ]
