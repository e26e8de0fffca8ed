"""The ids of the gathered facts, as the ids of the data that was written from them."""

from __future__ import annotations

import re

_OTHERWISE = {
    "win-nt-4.0-workstation": "windows-nt-4-workstation",
    "win-nt-4.0-server": "windows-nt-4-server",
    "win-flp": "windows-legacy-pcs",
    "win-10-ltsb-2015": "windows-10-1507-ltsb",
    "win-10-iot-ltsb-2015": "windows-10-1507-iot",
    "win-10-ltsb-2016": "windows-10-1607-ltsb",
    "win-10-iot-ltsb-2016": "windows-10-1607-iot",
    "win-10-ltsc-2019": "windows-10-1809-ltsc",
    "win-10-iot-ltsc-2019": "windows-10-1809-iot",
    "win-10-iot-core-ltsc-2019": "windows-10-1809-iot-core",
    "win-10-ltsc-2021": "windows-10-21h2-ltsc",
    "win-10-iot-ltsc-2021": "windows-10-21h2-iot",
    "win-10-iot-core-sac": "windows-10-iot-core",
    "win-11-ltsc-2024": "windows-11-24h2-ltsc",
    "win-11-iot-ltsc-2024": "windows-11-24h2-iot",
    "win-ce-5.0": "windows-ce-5",
    "win-ce-6.0": "windows-ce-6",
    "win-compact-7": "windows-embedded-compact-7",
    "win-compact-2013": "windows-embedded-compact-2013",
}


def our_id(fact: str) -> str:
    """The id of a release in ``fingerprints/lifecycle`` for one of ``lifecycle.csv``."""
    if fact in _OTHERWISE:
        return _OTHERWISE[fact]
    name = re.sub(r"^win-", "windows-", fact)
    name = re.sub(r"^hyperv-", "windows-hyperv-", name)
    return name.replace("-home-pro", "-pro").replace("-ent-edu", "-enterprise").replace(".", "-")
