"""Hosts of the captures as listening hears them: all that each said, in whatever protocol."""

from __future__ import annotations

import csv
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from scanner.capture.ear import Ear
from scanner.capture.files import captures
from scanner.wire import VALUES
from tests.accuracy.cases import RELEASES, Case, every, has_ended

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from scanner.model import Evidence

_SURE: Final = frozenset({"A", "B", "B+"})
"""Grades of truth that more than a hint tells (corpus/pcap/README.md)."""
_FAMILIES: Final = {"Windows": "Windows", "macOS": "macOS", "Android": "Android", "network/embedded": ""}
_DECOYS: Final = frozenset({"spoofed-iis-header"})
"""Traps whose words are somebody else's: right is whatever is not certain."""


def heard_in(capture: Path) -> dict[str, Evidence]:
    """The evidence of each host of a capture, by its address, or its card's where it has none."""
    found: dict[str, dict[str, tuple[str, ...]]] = defaultdict(dict)
    (each,) = captures([capture]).each
    for seen in Ear().hear(each.frames()):
        host = found[seen.endpoint.address]
        for key, values in seen.evidence.items():
            host[key] = tuple(dict.fromkeys((*host.get(key, ()), *values)))[:VALUES]
    return dict(found)


def heard(corpus: Path) -> Iterator[Case]:
    """Every host of which the truth is known by more than a hint."""
    with (corpus / "pcap" / "truth.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["truth_grade"] in _SURE]
    by_file: dict[str, dict[str, Evidence]] = {}
    for row in rows:
        name = row["file"]
        if name not in by_file:
            by_file[name] = heard_in(corpus / "pcap" / name)
        yield _case(row, by_file[name].get(row["host_ip"], {}))


def _case(row: Mapping[str, str], evidence: Evidence) -> Case:
    named = row["os_release"].replace("Windows Code Name", "Windows pre-release")
    family = _FAMILIES.get(row["os_family"], "Linux" if "Linux" in row["os_family"] else "")
    windows = family == "Windows"
    products = {each.product for each in RELEASES.values() if windows and f" {each.product} " in f" {named} "}
    longest = {name for name in products if not any(name != other and name in other for other in products)}
    maker = "Cisco" if "cisco" in named.casefold() else named.partition(" ")[0] if not family else ""
    return Case(
        "hosts heard",
        f"{named} ({row['file'].rpartition('__')[2]}, {row['host_ip']})",
        evidence,
        family=family,
        product="" if windows else maker and "IOS" * (maker == "Cisco"),
        build=row["build"] if windows else "",
        releases=frozenset(longest) if windows and "/" not in named else frozenset(),
        ended=has_ended(row["eol_2026_11"]),
        decoy=row["trap"] in _DECOYS,
    )


def everything(corpus: Path, facts: Path) -> list[Case]:
    """All that is scored."""
    return [*every(corpus, facts), *heard(corpus)]
