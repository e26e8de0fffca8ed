"""The machines, judged by nmap, smbclient and impacket: each is read as the system that it plays."""

from __future__ import annotations

import pytest

from tests.simulator.judges import HONEST, Readings, challenge, negotiated, read_all

pytestmark = pytest.mark.namespaces

SMB1 = "NT LM 0.12 (SMBv1) [dangerous, but default]"
UP_TO = {"": [], "2.0.2": ["202"], "2.1": ["202", "210"], "3.0.2": ["202", "210", "300", "302"]}
UP_TO["3.1.1"] = [*UP_TO["3.0.2"], "311"]
SAMBAS_WORD = {"": "NT1", "2.0.2": "SMB2_02", "2.1": "SMB2_10", "3.0.2": "SMB3_02", "3.1.1": "SMB3_11"}

# personality: what nmap reads over SMB1 (nothing where it is off), highest dialect, challenge's version
EXPECTED: dict[str, tuple[str | None, str, tuple[int, int, int] | None]] = {
    "nt4": ("Windows NT 1381", "", None),
    "w2000": ("Windows 5.0", "", None),
    "xp": ("Windows 5.1", "", (5, 1, 2600)),
    "xp-x64": ("Windows XP 3790 Service Pack 2", "", (5, 2, 3790)),
    "2003": ("Windows Server 2003 3790 Service Pack 2", "", (5, 2, 3790)),
    "2003-r2": ("Windows Server 2003 R2 3790 Service Pack 2", "", (5, 2, 3790)),
    "vista": ("Windows Vista (TM) Business 6002 Service Pack 2", "2.0.2", (6, 0, 6002)),
    "w7": ("Windows 7 Professional 7601 Service Pack 1", "2.1", (6, 1, 7601)),
    "w8.1": ("Windows 8.1 9600", "3.0.2", (6, 3, 9600)),
    "w10-1511": ("Windows 10 Pro 10586", "3.1.1", (10, 0, 10586)),
    "w10-1703": ("Windows 10 Home 15063", "3.1.1", (10, 0, 15063)),
    "w10-1903": (None, "3.1.1", (10, 0, 18362)),
    "w10": (None, "3.1.1", (10, 0, 19041)),
    "w10-smb1": ("Windows 10 Pro 19045", "3.1.1", (10, 0, 19041)),
    "w10-ltsc": ("Windows 10 Enterprise LTSC 2019 17763", "3.1.1", (10, 0, 17763)),
    "w11": (None, "3.1.1", (10, 0, 22621)),
    "w11-24h2": (None, "3.1.1", (10, 0, 26100)),
    "2008": ("Windows Server (R) 2008 Standard 6002 Service Pack 2", "2.0.2", (6, 0, 6002)),
    "2008-r2": ("Windows Server 2008 R2 Standard 7601 Service Pack 1", "2.1", (6, 1, 7601)),
    "2012-r2": ("Windows Server 2012 R2 Standard 9600", "3.0.2", (6, 3, 9600)),
    "2016": ("Windows Server 2016 Standard 14393", "3.1.1", (10, 0, 14393)),
    "2019": ("Windows Server 2019 Standard 17763", "3.1.1", (10, 0, 17763)),
    "2022": (None, "3.1.1", (10, 0, 20348)),
    "samba-3.6": ("Unix", "", None),
    "samba-smb1": ("Windows 6.1", "3.1.1", (6, 1, 0)),
    "samba": (None, "3.1.1", (6, 1, 0)),
    "qts": ("QTS", "3.1.1", (6, 1, 0)),
}


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> Readings:
    return read_all(tmp_path_factory.mktemp("judged"))


def test_every_well_behaved_kind_is_judged() -> None:
    assert set(EXPECTED) == set(HONEST)


@pytest.mark.parametrize("key", EXPECTED)
def test_nmap_reads_the_system(readings: Readings, key: str) -> None:
    native, dialect, version = EXPECTED[key]
    said = readings.nmap[key]
    assert said.get("os") == native
    if version and native:
        assert said["server"] == readings.names[key] + r"\x00"
    assert said["dialects"] == ([SMB1] if native else []) + UP_TO[dialect]


@pytest.mark.parametrize("key", EXPECTED)
def test_smbclient_agrees_on_the_dialect_and_reads_the_version(readings: Readings, key: str) -> None:
    _, dialect, version = EXPECTED[key]
    text = readings.smbclient[key]
    assert negotiated(text) == SAMBAS_WORD[dialect]
    # A challenge without a version is dumped with zeros.
    assert (challenge(text) or (0, 0, 0)) == (version or (0, 0, 0))
    assert "tree connect failed: NT_STATUS_ACCESS_DENIED" in text


@pytest.mark.parametrize("key", EXPECTED)
def test_impacket_reads_the_system(readings: Readings, key: str) -> None:
    native, dialect, version = EXPECTED[key]
    said = readings.impacket[key]
    if dialect:
        assert version
        assert said["dialect"] == int(UP_TO[dialect][-1], 16)
        assert said["os"].endswith(f"Build {version[2]}")
    else:
        assert said["dialect"] == "NT LM 0.12"
        assert said["os"] == native
    assert said["name"] == (readings.names[key] if version or key == "w2000" else "")
