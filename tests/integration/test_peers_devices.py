"""Other people's agents, responders, archives and databases: what they are is what is learnt of them."""

from __future__ import annotations

import platform
import re
import subprocess
from typing import TYPE_CHECKING

import pytest

from scanner.errors import PeerClosedError
from scanner.model import Endpoint, Transport
from scanner.probes import dicom, mdns, mysql, postgresql, snmp, ssdp
from tests.integration import driving
from tests.integration.driving import drive
from tests.integration.peers import free_port
from tests.integration.peers_devices import (
    HOST,
    address_of,
    avahi,
    dissected_datagram,
    mariadbd,
    minissdpd,
    orthanc,
    postgres,
    snmpd,
    storescp,
)
from tests.integration.peers_microsoft import inside
from tests.integration.peers_tls_rdp import Certificate, dissected
from tests.namespaces import Wire, wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

COMMUNITY = "ward-reader"
READER = f"rocommunity {COMMUNITY} {HOST}"
SETTINGS = (READER, "sysName pacs1", "sysObjectID 1.3.6.1.4.1.8072.3.2.10")
V1_ALONE = (
    f"com2sec reader {HOST} {COMMUNITY}",
    "group readers v1 reader",
    "view everything included .1",
    'access readers "" any noauth exact everything none none',
    "sysName lab2",
)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driving, "SECONDS", 2.0)


def said_by(*command: str) -> str:
    told = subprocess.run(command, capture_output=True, text=True, check=True)
    return told.stdout + told.stderr


# --- SNMP


def test_an_agent_tells_its_engine_to_anybody_and_its_system_to_nobody(tmp_path: Path) -> None:
    with snmpd(tmp_path, *SETTINGS) as port:
        driven = drive(snmp.PROBE, HOST, port)
    assert driven.exchanges == 1
    assert driven.evidence.keys() == {"snmp.engine_id", "snmp.enterprise", "snmp.engine_boots"}
    assert str(driven.evidence["snmp.engine_id"]).startswith("80001f88")
    assert driven.evidence["snmp.enterprise"] == "8072"


def test_an_agent_tells_its_system_to_the_community_that_the_site_gave(tmp_path: Path) -> None:
    with snmpd(tmp_path, *SETTINGS) as port:
        driven = drive(snmp.PROBE, HOST, port, given={"community": ("other", COMMUNITY)})
    evidence = driven.evidence
    assert (driven.exchanges, driven.error) == (4, None)
    assert str(evidence["snmp.sysdescr"]).startswith(f"Linux {platform.node()} {platform.release()}")
    assert evidence["snmp.sysobjectid"] == "1.3.6.1.4.1.8072.3.2.10"
    assert evidence["snmp.sysname"] == "pacs1"
    assert "snmp.engine_id" in evidence
    kept = b"".join(snmp.PROBE.redact(tuple(driven.raw)))
    assert COMMUNITY.encode() in b"".join(driven.raw)
    assert COMMUNITY.encode() not in kept
    assert b"pacs1" in kept


def test_an_agent_that_speaks_version_1_alone(tmp_path: Path) -> None:
    with snmpd(tmp_path, *V1_ALONE) as port:
        driven = drive(snmp.PROBE, HOST, port, given={"community": (COMMUNITY,)})
    assert driven.evidence["snmp.sysname"] == "lab2"
    assert driven.exchanges == 3
    assert [snmp.parse_message(each).version for each in driven.raw] == [0, 3]


def test_where_no_agent_is_nothing_is_learnt() -> None:
    driven = drive(snmp.PROBE, HOST, free_port(), given={"community": (COMMUNITY,)})
    assert isinstance(driven.error, PeerClosedError)
    assert (driven.evidence, driven.exchanges) == ({}, 1)


@pytest.mark.parametrize(
    ("said", "version"),
    [(snmp.get(COMMUNITY, 1, 7), "1"), (snmp.get(COMMUNITY, 0, 7), "0"), (snmp.discovery(7), "3")],
    ids=["v2c", "v1", "v3"],
)
def test_a_second_reader_of_our_requests(tmp_path: Path, said: bytes, version: str) -> None:
    fields = ("snmp.version", "snmp.msgVersion", "snmp.name", "snmp.engineid.conform", "snmp.request_id")
    told = dissected_datagram(tmp_path, said, 161, *fields)
    assert told["wrong"] == ""
    assert told["snmp.version"] + told["snmp.msgVersion"] == version
    assert told["snmp.request_id"] == "7"
    assert told["snmp.name"] == ("" if version == "3" else ",".join(snmp.OBJECTS))


# --- mDNS and SSDP


@pytest.fixture(scope="module")
def cable() -> Iterator[Wire]:
    with wire("devices") as made:
        yield made


@pytest.mark.namespaces
def test_avahi_says_its_services_its_model_and_its_name(tmp_path: Path, cable: Wire) -> None:
    services = {"_smb._tcp": "", "_ssh._tcp": "", "_device-info._tcp": "model=Xserve"}
    with avahi(tmp_path, cable, "pacs1", services):
        where = address_of(cable.hospital)
        driven = inside(cable.scanner, lambda: drive(mdns.PROBE, where, 5353))
    assert set(driven.evidence["mdns.services"]) == {*services, "_workstation._tcp"}
    assert driven.evidence["mdns.model"] == "Xserve"
    assert driven.evidence["mdns.hostname"] == "pacs1"
    assert (driven.exchanges, driven.error) == (1, None)


@pytest.mark.namespaces
def test_avahi_without_a_model_is_asked_once_more(tmp_path: Path, cable: Wire) -> None:
    with avahi(tmp_path, cable, "lab2", {"_ssh._tcp": ""}):
        where = address_of(cable.hospital)
        driven = inside(cable.scanner, lambda: drive(mdns.PROBE, where, 5353))
    assert set(driven.evidence["mdns.services"]) == {"_ssh._tcp", "_workstation._tcp"}
    assert driven.evidence["mdns.hostname"] == "lab2"
    assert (driven.exchanges, driven.error) == (2, None)


@pytest.mark.namespaces
def test_a_root_device_says_what_it_runs_on(tmp_path: Path, cable: Wire) -> None:
    server = "Debian/12 UPnP/1.1 MiniUPnPd/2.3.1"
    with minissdpd(tmp_path, cable, server):
        where = address_of(cable.hospital)
        driven = inside(cable.scanner, lambda: drive(ssdp.PROBE, where, 1900))
    assert driven.evidence == {"ssdp.server": server, "ssdp.st": "upnp:rootdevice"}


def test_a_second_reader_of_our_questions(tmp_path: Path) -> None:
    asked = [(mdns.SERVICES, 12), ((b"pacs1", *mdns.DEVICE), 16)]
    fields = ("dns.qry.name", "dns.qry.type", "dns.count.queries", "mdns")
    told = dissected_datagram(tmp_path, mdns.query(7, asked), 5353, *fields)
    assert told["wrong"] == ""
    assert told["dns.qry.name"] == "_services._dns-sd._udp.local,pacs1._device-info._tcp.local"
    assert (told["dns.qry.type"], told["dns.count.queries"]) == ("12,16", "2")


def test_a_second_reader_of_our_search(tmp_path: Path) -> None:
    said = ssdp.search(Endpoint("192.0.2.7", 1900, Transport.UDP))
    told = dissected_datagram(tmp_path, said, 1900, "http.request.method", "http.host", "_ws.col.Protocol")
    assert told == {
        "http.request.method": "M-SEARCH",
        "http.host": "192.0.2.7:1900",
        "_ws.col.Protocol": "SSDP",
        "wrong": "",
    }


# --- DICOM


def version_of_dcmtk() -> tuple[str, str]:
    found = re.search(r"dcmtk: storescp v(\d)\.(\d)\.(\d)", said_by("storescp", "--version"))
    assert found
    return ".".join(found.groups()), "".join(found.groups())


def test_dcmtks_server_names_its_implementation() -> None:
    with storescp() as port:
        driven = drive(dicom.PROBE, HOST, port, given={"ae_title": ("STORESCP",)})
    dotted, plain = version_of_dcmtk()
    assert driven.evidence == {
        "dicom.result": "accepted",
        "dicom.class_uid": f"1.2.276.0.7230010.3.0.{dotted}",
        "dicom.version": f"OFFIS_DCMTK_{plain}",
    }
    assert (driven.exchanges, driven.error) == (2, None)
    assert driven.raw[1] == bytes.fromhex("06 00 00000004 00000000"), "released"


@pytest.mark.parametrize(("title", "result"), [("WARDPACS", "accepted"), ("NOBODY", "rejected 1/1/7")])
def test_orthanc_is_called_by_its_title(tmp_path: Path, title: str, result: str) -> None:
    given = {"ae_title": (title,), "calling_ae_title": ("SCANNER",)}
    with orthanc(tmp_path, "WARDPACS") as port:
        driven = drive(dicom.PROBE, HOST, port, service=11112, given=given)
    assert driven.evidence["dicom.result"] == result
    assert ("dicom.class_uid" in driven.evidence) == (result == "accepted")
    assert driven.error is None


def test_a_second_reader_of_our_association(tmp_path: Path) -> None:
    titles = ("dicom.assoc.ae.called", "dicom.assoc.ae.calling")
    ours = ("dicom.userinfo.uid", "dicom.userinfo.version", "dicom.max_pdu_len")
    contexts = ("dicom.pctx.abss.syntax", "dicom.pctx.xfer.syntax")
    told = dissected(tmp_path, dicom.associate("WARDPACS"), 104, "dicom.pdu.type", *titles, *contexts, *ours)
    assert told["wrong"] == ""
    assert told["dicom.pdu.type"] == "0x01"
    assert [told[title].strip() for title in titles] == ["WARDPACS", "VETUSTE"]
    assert "(1.2.840.10008.1.1)" in told["dicom.pctx.abss.syntax"]
    assert "(1.2.840.10008.1.2)" in told["dicom.pctx.xfer.syntax"]
    assert re.fullmatch(r"2\.25\.\d{1,39}", told["dicom.userinfo.uid"])
    assert [told[each] for each in ours[1:]] == ["VETUSTE", "16384"]
    told = dissected(tmp_path, dicom.RELEASE, 104, "dicom.pdu.type")
    assert told == {"dicom.pdu.type": "0x05", "wrong": ""}


# --- databases


def test_mariadb_greets_with_its_version(tmp_path: Path) -> None:
    with mariadbd(tmp_path) as port:
        driven = drive(mysql.PROBE, HOST, port)
    version = re.search(r"Ver ([\w.+-]+)", said_by("mariadbd", "--version"))
    assert version
    assert driven.evidence == {"mysql.version": f"5.5.5-{version[1]}"}
    assert driven.exchanges == 1


def test_mariadb_says_whom_it_does_not_know(tmp_path: Path) -> None:
    with mariadbd(tmp_path, "--skip-name-resolve") as port:
        driven = drive(mysql.PROBE, HOST, port)
    assert driven.evidence == {"mysql.error": "1130 Host '' is not allowed to connect to this MariaDB server"}
    assert HOST.encode() in driven.raw[0]
    assert HOST.encode() not in mysql.PROBE.redact(tuple(driven.raw))[0]


def test_postgresql_without_tls(tmp_path: Path) -> None:
    with postgres(tmp_path, "ssl=off") as port:
        driven = drive(postgresql.PROBE, HOST, port)
    assert (driven.evidence, driven.exchanges) == ({"postgresql.ssl": "no"}, 1)


@pytest.mark.parametrize(
    ("most", "version"), [("TLSv1.2", "TLS 1.2"), ("TLSv1.3", "TLS 1.3")], ids=["TLS 1.2", "TLS 1.3"]
)
def test_postgresql_with_tls_shows_its_certificate(tmp_path: Path, most: str, version: str) -> None:
    made = Certificate.made(tmp_path, "-newkey", "rsa:2048", subject="/CN=pacs-db.ward.example")
    settings = (
        "ssl=on",
        f"ssl_cert_file={{folder}}/{made.file.name}",
        f"ssl_key_file={{folder}}/{made.key.name}",
        f"ssl_max_protocol_version={most}",
    )
    with postgres(tmp_path, *settings, files=[made.file, made.key]) as port:
        driven = drive(postgresql.PROBE, HOST, port)
    evidence = driven.evidence
    assert (evidence["postgresql.ssl"], evidence["postgresql.tls"]) == ("yes", (version,))
    told = made.told()
    assert {key: evidence[key] for key in told} == told
    assert (driven.exchanges, driven.error) == (2, None)


def test_a_second_reader_of_our_request(tmp_path: Path) -> None:
    told = dissected(tmp_path, postgresql.SSL_REQUEST, 5432, "pgsql.type", "pgsql.length")
    assert told == {"pgsql.type": "SSL request", "pgsql.length": "8", "wrong": ""}
