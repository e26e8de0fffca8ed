"""Living through a year, and recording its scans."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from scanner.addresses import number_of
from tests.inventory.hospital import recorder, site_file
from tests.inventory.year import Year

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanner.inventory import Inventory
    from tests.inventory.year_judge import Judge


def live(  # noqa: PLR0913 - what a year is made of, each by name
    judge: Judge,
    inventory: Inventory,
    folder: Path,
    *,
    seed: int,
    machines: int,
    nights: int = 365,
    every: int = 1,
) -> Iterator[str]:
    """Let the days go by, and scan every so many nights; the judge hears the truth. Says how it goes."""
    year = Year(seed, machines, nights)
    site = site_file(folder, year.site())
    for night in range(nights):
        year.live(night)
        if night % every:
            continue
        began, records = time.monotonic(), 0
        with recorder(inventory, site, at=year.evening(night)) as scan:
            for sighting in year.scan(night):
                judge.hear(scan.scan_id, sighting)
                scan.record(sighting.record)
                scan.visited(number_of(sighting.record.address))
                records += 1
        yield f"night {night}: {records} records in {time.monotonic() - began:.1f} s"
