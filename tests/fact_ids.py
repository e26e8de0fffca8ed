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
    "mssql-6.0-sp3": "sql-server-6-0",
    "mssql-6.50-sp5a": "sql-server-6-5",
    "mssql-7.0-sp4": "sql-server-7-0",
    "mssql-8.0-sp4": "sql-server-2000",
    "debian-4.0": "debian-4",
    "debian-5.0": "debian-5",
    "debian-6.0": "debian-6",
}


_SQL_SERVER = {
    "9": "2005", "10": "2008", "10.50": "2008-r2", "11": "2012", "12": "2014", "13": "2016", "14": "2017",
    "15": "2019", "16": "2022", "17": "2025",
}  # fmt: skip
_WITHOUT_PACKS = {"2017", "2019", "2022", "2025"}


def our_id(fact: str) -> str:
    """The id of a release in ``fingerprints/lifecycle`` for one of ``lifecycle.csv``."""
    if fact in _OTHERWISE:
        return _OTHERWISE[fact]
    if fact.startswith("openssh-"):
        return "openssh-packaged"
    if of_sql_server := re.fullmatch(r"mssql-(\d+(?:\.50)?)(?:\.00?)?(?:-r2)?(?:-(sp\d(?:-acp)?))?", fact):
        version = _SQL_SERVER[of_sql_server[1]]
        pack = "" if version in _WITHOUT_PACKS else f"-{of_sql_server[2] or 'rtm'}"
        return f"sql-server-{version}{pack}"
    name = re.sub(r"^win-", "windows-", fact)
    name = re.sub(r"^hyperv-", "windows-hyperv-", name)
    name = re.sub(r"^hpux-", "hp-ux-", re.sub(r"^oraclelinux-", "oracle-linux-", name))
    return name.replace("-home-pro", "-pro").replace("-ent-edu", "-enterprise").replace(".", "-")
