"""A group of hospitals whose sites use the same addresses, to be counted by hand.

Every site has 10.0.0.0/24, in two wards of the same names; the addresses are other machines at each of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.addresses import number_of
from scanner.config import load_site
from scanner.model import Certainty, Identity
from tests.inventory.hospital import NOTHING, host, record

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.config import SiteFile
    from scanner.inventory import Inventory

XP: Final = Identity(("windows-xp-sp3",), Certainty.CERTAIN)
LINUX: Final = Identity(("debian-13",), Certainty.CERTAIN)

SITES: Final = {
    "Nord": ("GHT", "CHU", 5, 2),
    "Sud": ("GHT", "CHU", 3, 4),
    "Île": ("GHT", "", 2, 1),
    "Ailleurs": ("", "", 7, 0),
}
"""By site: group, establishment, machines without support, others."""

TOTALS: Final = {
    ("GHT",): (10, 17),
    ("GHT", "CHU"): (8, 14),
    ("GHT", "CHU", "Nord"): (5, 7),
    ("GHT", "CHU", "Sud"): (3, 7),
    ("GHT", "Île", "Île"): (2, 3),
    ("", "Ailleurs", "Ailleurs"): (7, 7),
}
"""By what is rolled up: machines without support, and all."""

_SITE: Final = """
[site]
name = "{name}"
group = "{group}"
establishment = "{establishment}"
[[ward]]
name = "Accueil"
building = "A"
subnets = ["10.0.0.0/25"]
[[ward]]
name = "Bloc"
building = "A"
subnets = ["10.0.0.128/25"]
{more}
"""


def file_of(folder: Path, name: str, more: str = "") -> SiteFile:
    """The site file of one of them."""
    group, establishment, *_ = SITES.get(name, ("", ""))
    path = folder / f"{name}.toml"
    path.write_text(
        _SITE.format(name=name, group=group, establishment=establishment, more=more), encoding="utf-8"
    )
    return load_site(path)


def build(inventory: Inventory, folder: Path) -> None:
    """All of them, each scanned once; at each, XP is in the first ward but for one machine."""
    for name, (_, _, gone, others) in SITES.items():
        old = [f"10.0.0.{last}" for last in range(1, gone)] + ["10.0.0.200"]
        new = [f"10.0.0.{last}" for last in range(100, 100 + others)]
        hosts = [host(each, "Bloc" if each == "10.0.0.200" else "Accueil", XP) for each in old]
        hosts += [host(each, "Accueil", LINUX) for each in new]
        record(inventory, file_of(folder, name), hosts, asked=map(number_of, (*old, *new, "10.0.0.250")))


def nothing(inventory: Inventory, folder: Path, name: str, more: str = "") -> int:
    """One more scan of a site; gives its id."""
    return record(inventory, file_of(folder, name, more), [host("10.0.0.99", "Accueil", NOTHING)])
