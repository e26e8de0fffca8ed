"""Debian's Samba and impacket's server on loopback: what they are set to is what is learnt of them."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.integration.peers import free_port, impacket, samba
from tests.integration.product import Product

if TYPE_CHECKING:
    from pathlib import Path

HOST = "127.0.0.1"

SMB1 = {"server min protocol": "NT1", "client min protocol": "NT1"}
SMB1_ONLY = {**SMB1, "server max protocol": "NT1", "client max protocol": "NT1"}
SMB2 = {"server min protocol": "SMB2_02"}


@dataclass(frozen=True)
class Setting:
    """How smbd is set, as which of the probe's ports it is scanned, and what is to be learnt."""

    settings: dict[str, str]
    service: int
    smb1: str
    dialect: str
    signing: str


SETTINGS = {
    "SMB 1 and up": Setting(SMB1, 0, "yes", "3.1.1", "enabled"),
    "SMB 1 off": Setting(SMB2, 1, "no", "3.1.1", "enabled"),
    "SMB 1 off, up to 2.1, signing mandatory": Setting(
        {**SMB2, "server max protocol": "SMB2_10", "server signing": "mandatory"}, 0, "no", "2.1", "required"
    ),
    "SMB 1 alone, signing mandatory": Setting(
        {**SMB1_ONLY, "server signing": "mandatory"}, 0, "yes", "NT LM 0.12", "required"
    ),
    "SMB 1 alone, signing offered": Setting(
        {**SMB1_ONLY, "server signing": "auto"}, 0, "yes", "NT LM 0.12", "enabled"
    ),
    "SMB 1 alone, signing disabled": Setting(
        {**SMB1_ONLY, "server signing": "disabled"}, 1, "yes", "NT LM 0.12", "disabled"
    ),
}


@dataclass(frozen=True)
class Met:
    """One smbd as it was set, and what the product knows of it after one scan."""

    setting: Setting
    known: dict[str, Any]
    counted: dict[str, int]
    """Machines by system, whatever the certainty."""

    @property
    def evidence(self) -> dict[str, str]:
        return {key: values[0] for key, values in self.known["evidence"].items()}


@pytest.fixture(scope="module", params=SETTINGS)
def met(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Met:
    setting = SETTINGS[request.param]
    folder = tmp_path_factory.mktemp("samba")
    port = free_port(HOST)
    # Any port is smbd's own port 139 to a client that begins with a session request.
    with samba(folder / "samba", HOST, [port], setting.settings):
        product = scanned(folder, *([free_port(HOST)] * setting.service), port)
    rows = product.counted("--by", "os")
    counted = {row["os"]: row["certain"] + row["probable"] + row["to_verify"] for row in rows}
    return Met(setting, product.explain(HOST), counted)


def version_of_samba() -> str:
    said = subprocess.run(["smbd", "--version"], capture_output=True, text=True, check=True).stdout
    return said.split()[1]


def scanned(folder: Path, *ports: int) -> Product:
    product = Product(folder)
    product.site([f"{HOST}/32"], ports)
    product.run("scan")
    return product


def test_samba_says_what_it_is_set_to(met: Met) -> None:
    evidence, setting = met.evidence, met.setting
    assert evidence["smb.smb1"] == setting.smb1
    assert evidence["smb.dialect"] == setting.dialect
    assert evidence["smb.signing"] == setting.signing
    assert evidence["ntlm.version"] == "6.1.0"
    assert evidence["ntlm.netbios_name"] == met.known["name"] == "LOCALSAMBA"
    outcomes = [seen["outcome"] for seen in met.known["observations"]]
    assert outcomes == ["refused"] * setting.service + ["answered"]


def test_samba_says_its_version_over_smb1_alone(met: Met) -> None:
    evidence = met.evidence
    if met.setting.smb1 == "yes":
        assert evidence["smb.native_os"] == "Windows 6.1"
        assert evidence["smb.native_lm"] == f"Samba {version_of_samba()}"
        assert evidence["netbios.domain"] == "WARD"
    else:
        assert not {"smb.native_os", "smb.native_lm", "smb.security", "netbios.domain"} & evidence.keys()


def test_samba_is_never_taken_for_windows(met: Met) -> None:
    candidates = met.known["candidates"]
    assert met.known["os"] == "Samba"
    assert {candidate["product"] for candidate in candidates} == {"Samba"}
    assert met.known["status"] != "unsupported", "a distribution maintains what its maker does not"
    series = [each["name"] for each in candidates if re.fullmatch(r"Samba [\d.]+", each["name"])]
    installed = f"Samba {'.'.join(version_of_samba().split('.')[:2])}"
    assert installed in series
    assert (series == [installed]) == (met.setting.smb1 == "yes")
    assert met.counted == {"Samba": 1}


@pytest.mark.parametrize("smb2", [False, True], ids=["SMB 1", "SMB 1 and 2.0.2"])
def test_impackets_server(tmp_path: Path, *, smb2: bool) -> None:
    port = free_port(HOST)
    with impacket(HOST, port, smb2=smb2):
        known = scanned(tmp_path, port).explain(HOST)
    evidence = {key: values[0] for key, values in known["evidence"].items()}
    assert evidence["smb.smb1"] == "yes"
    assert evidence["smb.dialect"] == ("2.0.2" if smb2 else "NT LM 0.12")
    assert evidence["ntlm.version"] == "255.255.65535"
    assert evidence["smb.server_guid"] == "41414141-4141-4141-4141-414141414141"
    assert known["os"] == "Decoy"
    assert known["status"] == "unknown"
    assert not any("windows" in candidate["release"] for candidate in known["candidates"])
    (seen,) = known["observations"]
    assert (seen["outcome"], seen["connections"]) == ("answered", 2 if smb2 else 1)
