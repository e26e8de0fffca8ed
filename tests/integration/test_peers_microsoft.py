"""Real peers of Microsoft's protocols: Samba's name server, and Samba as a domain controller."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

import pytest
from impacket.dcerpc.v5 import epm, transport  # type: ignore[import-untyped]  # it has no stubs

from scanner.probes import msrpc, netbios
from tests.integration.domain_controller import domain_controller
from tests.integration.driving import drive
from tests.integration.peers_microsoft import inside, nmbd
from tests.namespaces import wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.integration.domain_controller import Controller
    from tests.integration.driving import Driven

pytestmark = pytest.mark.namespaces

HOSPITAL = "10.255.0.2"
PATIENCE = 60
UNIXINFO, DRSUAPI = "9c54e310-a955-4885-bd31-78787147dfa6 v0.0", "e3514235-4b06-11d1-ab04-00c04fc2dcd2 v4.0"


@pytest.fixture(scope="module")
def controller(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Controller]:
    with domain_controller(tmp_path_factory.mktemp("controller")) as served:
        yield served


def named(address: str, name: str) -> Driven:
    """The probe's conversation, when the server has registered its names."""
    patience = time.monotonic() + PATIENCE
    while True:
        driven = drive(netbios.PROBE, address, 137)
        if driven.evidence.get("netbios.name") == name or time.monotonic() > patience:
            return driven
        time.sleep(0.5)


def test_nmbd_tells_its_names_and_what_it_does(tmp_path: Path) -> None:
    with wire("nmbd") as cable, nmbd(tmp_path, f"{HOSPITAL}/30", cable.hospital):
        driven = inside(cable.scanner, lambda: named(HOSPITAL, "LOCALSAMBA"))
        theirs = cable.scanner.run("nmblookup", "-s", "/dev/null", "-A", HOSPITAL).stdout
    assert driven.error is None
    assert driven.evidence == {
        "netbios.name": "LOCALSAMBA",
        "netbios.domain": "WARD",
        "netbios.services": ("file-server", "messenger"),
    }
    ours = netbios.parse_status(driven.raw[0]).names
    listed = re.findall(r"^\t(\S+) +<([0-9a-f]{2})> - (<GROUP>)?", theirs, re.MULTILINE)
    assert [(name, (int(suffix, 16), bool(group))) for name, suffix, group in listed] == [
        (entry.text, entry.kind) for entry in ours
    ]
    assert "MAC Address = 00-00-00-00-00-00" in theirs


def test_a_domain_controller_tells_its_names_and_no_mac_address(controller: Controller) -> None:
    driven = named(controller.address, controller.name)
    assert driven.error is None
    assert driven.evidence == {
        "netbios.name": controller.name,
        "netbios.domain": controller.workgroup,
        "netbios.services": (
            "domain-controller",
            "domain-master-browser",
            "file-server",
            "messenger",
            "samba",
        ),
    }
    (kept,) = netbios.PROBE.redact(tuple(driven.raw))
    assert netbios.facts(netbios.parse_status(kept))["netbios.name"] == controller.name


def test_the_endpoint_mapper_of_a_domain_controller(controller: Controller) -> None:
    driven = drive(msrpc.PROBE, controller.address, 135)
    assert driven.error is None
    assert (driven.connections, driven.exchanges) == (2, 4)
    endpoints = driven.evidence.pop("msrpc.endpoints")
    assert driven.evidence == {
        "msrpc.ndr64": "no",
        "ntlm.version": "6.1.0",
        "ntlm.challenge": "versioned",
        "ntlm.netbios_name": controller.name,
        "ntlm.netbios_domain": controller.workgroup,
        "ntlm.dns_name": controller.dns_name,
        "ntlm.dns_domain": controller.realm,
    }
    assert {UNIXINFO, DRSUAPI} <= set(endpoints)
    assert set(endpoints) == impackets_list(controller.address)
    assert [bool(kept) for kept in msrpc.PROBE.redact(tuple(driven.raw))] == [True, True, False, False]


def impackets_list(address: str) -> set[str]:
    """The interfaces that impacket reads in one lookup."""
    connection = transport.DCERPCTransportFactory(f"ncacn_ip_tcp:{address}[135]").get_dce_rpc()
    connection.connect()
    try:
        connection.bind(epm.MSRPC_UUID_PORTMAP)
        request = epm.ept_lookup()
        request["inquiry_type"] = epm.RPC_C_EP_ALL_ELTS
        request["object"] = request["Ifid"] = epm.NULL
        request["vers_option"] = epm.RPC_C_VERS_ALL
        request["max_ents"] = 500
        answer = connection.request(request)
    finally:
        connection.disconnect()
    towers = [epm.EPMTower(b"".join(entry["tower"]["tower_octet_string"])) for entry in answer["entries"]]
    return {str(tower["Floors"][0]).lower() for tower in towers}
