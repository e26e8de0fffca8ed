"""The machines' other services, judged by nmap, impacket, ssh-keyscan and http.client."""

from __future__ import annotations

import base64

import pytest

from scanner.simulator.personalities import algorithms, personality
from tests.simulator.service_judges import ServiceReadings, having, read_services

pytestmark = pytest.mark.namespaces


@pytest.fixture(scope="module")
def readings(tmp_path_factory: pytest.TempPathFactory) -> ServiceReadings:
    return read_services(tmp_path_factory.mktemp("services"))


@pytest.mark.parametrize("key", having("rdp"))
def test_nmap_reads_name_and_version_over_credssp(readings: ServiceReadings, key: str) -> None:
    kind, host, said = personality(key), readings.machines[key], readings.nmap[key]
    layers = said["rdp-enum-encryption"][""]
    if kind.rdp == "classic":
        assert "CredSSP (NLA): Unknown" in layers
        return
    assert "CredSSP (NLA): SUCCESS" in layers
    assert ("Native RDP: SUCCESS" in layers) == (kind.rdp == "open")
    read = said["rdp-ntlm-info"]
    assert read["NetBIOS_Computer_Name"] == host.name
    assert read["DNS_Computer_Name"] == host.dns_name
    assert read["Target_Name"] == (host.domain if host.joined else host.name)
    assert read["Product_Version"] == kind.ntlm


@pytest.mark.parametrize("key", having("netbios"))
def test_nmap_reads_the_names(readings: ServiceReadings, key: str) -> None:
    host, said = readings.machines[key], readings.nmap[key]["nbstat"][""]
    assert said.startswith(f"NetBIOS name: {host.name}, NetBIOS user: <unknown>, NetBIOS MAC: ")
    mac = bytes(6) if host.personality.samba else host.mac
    assert f"NetBIOS MAC: {mac.hex()} (" in said
    assert f"{host.name}<20>".ljust(20) in said
    assert f"{host.domain}<00>".ljust(20) + " Flags: <group><active>" in said


@pytest.mark.parametrize("key", having("snmp"))
def test_nmap_reads_the_description(readings: ServiceReadings, key: str) -> None:
    kind, host, said = personality(key), readings.machines[key], readings.nmap[key]
    text = said["snmp-sysdescr"][""].replace("\r", "").replace("\\x0D", "")
    assert text.startswith(kind.sysdescr.format(name=host.name.lower()).replace("\r", "") + "\n")
    assert "System uptime: " in text
    if 3 in kind.snmp:
        expected = "ciscoSystems" if key == "catalyst" else "net-snmp"
        assert said["snmp-info"]["enterprise"] == expected
    else:
        assert "snmp-info" not in said


@pytest.mark.parametrize("key", having("msrpc"))
def test_impacket_reads_bindings_endpoints_and_syntax(readings: ServiceReadings, key: str) -> None:
    kind, host, said = personality(key), readings.machines[key], readings.impacket[key]
    if kind.epm:
        assert f"ncacn_ip_tcp:{host.address}[{kind.rpc}]" in said["endpoints"]
    else:
        assert said["endpoints"] == "rpc_s_access_denied"
    if kind.com >= 6:
        assert [text.rstrip("\0") for text in said["bindings"]] == [host.name, host.address]
    else:
        assert said["bindings"] == "nca_s_op_rng_error"
    assert (said["x64"] is True) == kind.x64


@pytest.mark.parametrize("key", having("ssh"))
def test_nmap_and_ssh_keyscan_read_what_is_offered(readings: ServiceReadings, key: str) -> None:
    offered = algorithms(personality(key).kexinit)
    told = readings.nmap[key]["ssh2-enum-algos"][""]
    for text in offered.values():
        for name in text.split(","):
            assert f"      {name}\n" in told + "\n"
    if "ssh-ed25519" in offered["host_key"]:
        assert base64.b64decode(readings.keys[key])[4:15] == b"ssh-ed25519"
    elif key != "catalyst":  # ssh-keyscan agrees on nothing with that any more
        assert base64.b64decode(readings.keys[key])[4:11] == b"ssh-rsa"


@pytest.mark.parametrize("key", having("http"))
def test_nmap_and_http_client_read_the_server(readings: ServiceReadings, key: str) -> None:
    kind, host, said = personality(key), readings.machines[key], readings.nmap[key]
    assert said["http-server-header"][""].strip() == kind.http
    status, server, icon = readings.http[key]
    assert server == kind.http
    if kind.http_ntlm:
        assert status == 401
        assert said["http-ntlm-info"]["NetBIOS_Computer_Name"] == host.name
        assert said["http-ntlm-info"]["Product_Version"] == kind.ntlm
    else:
        assert "http-ntlm-info" not in said
        assert status == (200 if kind.icon else 404)
        assert icon.startswith("000001000100") == kind.icon
    if kind.title:
        assert said["http-title"]["title"] == kind.title
