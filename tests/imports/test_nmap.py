"""nmap's XML: what hosts said is taken, what nmap concludes is not, and XML that attacks is refused."""

from __future__ import annotations

import re

import pytest

from scanner.errors import ConfigError
from scanner.imports import CutShortError
from scanner.imports.guarded_xml import DEEPEST, LONGEST
from scanner.model import Observation
from tests.imports.samples import CERTIFICATE, NMAP, heard, read

HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE nmaprun>\n<nmaprun start="1795693834">\n'
FOOT = "</nmaprun>\n"
DESCRIPTION = (
    "Hardware: x86 Family 6 Model 8 Stepping 6 AT/AT COMPATIBLE - "
    "Software: Windows 2000 Version 5.1 (Build 2600 Uniprocessor Free)"
)


def host(inside: str = "", address: str = "10.0.0.1", status: str = "echo-reply") -> str:
    state = f'<status state="up" reason="{status}"/><address addr="{address}" addrtype="ipv4"/>'
    return f"<host>{state}{inside}</host>"


def port(inside: str = "", number: str = "22", service: str = "", state: str = "open") -> str:
    return (
        f'<ports><port protocol="tcp" portid="{number}"><state state="{state}"/>'
        f'<service name="{service}"/>{inside}</port></ports>'
    )


def script(name: str, output: str = "", inside: str = "") -> str:
    return f'<script id="{name}" output="{output}">{inside}</script>'


def one(inside: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """What is heard of a file with one host."""
    return heard("nmap", (HEAD + host(inside) + FOOT).encode())


def refused(content: str | bytes) -> str:
    with pytest.raises(ConfigError) as caught:
        read("nmap", content if isinstance(content, bytes) else content.encode())
    assert caught.value.exit_code == 2
    return str(caught.value)


def test_what_hosts_said_is_evidence_of_the_probes_that_would_have_asked() -> None:
    assert heard("nmap", NMAP.encode()) == {
        "10.20.0.1:80/tcp http": {
            "http.title": ("Poste infirmière \ufffd & café",),
            "http.server": ("Café/1 <&\"'>",),
        },
        "10.20.0.1:445/tcp smb": {
            "smb.dialect": ("3.1.1",),
            "smb.signing": ("enabled",),  # of SMB 2; of SMB 1 it says that it is disabled
            "smb.smb1": ("yes",),
        },
        "10.20.0.2:0/icmp nmap": {"mac.address": ("00:0c:29:c6:da:f5",), "mac.vendor": ("VMware",)},
        "10.20.0.5:21/tcp ftp": {"ftp.banner": ("Microsoft FTP Service",)},
        "10.20.0.5:22/tcp ssh": {
            "ssh.protocol": ("2.0",),
            "ssh.banner": ("OpenSSH_9.2p1 Debian-2+deb12u10",),
        },
        "10.20.0.5:25/tcp nmap": {},
        "10.20.0.5:3389/tcp rdp": {
            "ntlm.netbios_name": ("W16GA-SRV01",),
            "ntlm.netbios_domain": ("W2016",),
            "ntlm.dns_name": ("W16GA-SRV01.W2016.lab",),
            "ntlm.dns_domain": ("W2016.lab",),
            "ntlm.dns_forest": ("W2016.lab",),
            "ntlm.version": ("10.0.14393",),
            "ntlm.challenge": ("versioned",),
        },
        "10.20.0.5:8080/tcp http": {"http.server": ("Microsoft-IIS/10.0",)},
        "10.20.9.7:137/udp netbios": {"netbios.name": ("POSTE-7",), "netbios.mac": ("00:0c:29:c6:da:f5",)},
        "10.20.9.7:139/tcp smb": {
            "smb.native_os": ("Windows 5.1",),
            "smb.native_lm": ("Windows 2000 LAN Manager",),
            "netbios.name": ("POSTE-7",),
            "netbios.domain": ("REANIMATION",),
            "smb.smb1": ("yes",),
        },
        "10.20.9.7:161/udp snmp": {"snmp.sysdescr": (DESCRIPTION,)},
        "10.20.9.7:1433/tcp nmap": {},
        "[2001:db8::7]:443/tcp nmap": {},
    }


def test_nobody_is_named_and_nothing_that_nmap_concludes_is_taken() -> None:
    words = str(heard("nmap", NMAP.encode()))
    for never in ("DUPONT", "cpe:", "Microsoft ftpd", "XP SP2", "guest", "poste.example"):
        assert never in NMAP
        assert never not in words


def test_observations_are_of_the_moment_when_the_host_was_done() -> None:
    found = [each for each in read("nmap", NMAP.encode()) if isinstance(each, Observation)]
    moments = {each.endpoint.address: f"{each.at:%H:%M:%S}" for each in found}
    assert moments["10.20.0.1"] == "11:50:58"
    assert moments["10.20.0.2"] == "11:50:40"
    (late,) = read("nmap", (HEAD + host().replace("<host>", '<host endtime="99999999999">') + FOOT).encode())
    assert isinstance(late, Observation)
    assert f"{late.at:%Y-%m-%d %H:%M}" == "2026-11-26 12:00"  # when it was read: nobody heard it later


@pytest.mark.parametrize(
    ("inside", "status", "alive"),
    [
        ("", "user-set", False),
        ("", "arp-response", True),
        (port(state="filtered"), "user-set", False),
        (port(state="open|filtered"), "user-set", False),
        (port(state="closed"), "user-set", True),
        (port(state="open"), "user-set", True),
        ('<ports><extraports state="closed" count="9"/></ports>', "user-set", True),
        ('<ports><extraports state="filtered" count="9"/></ports>', "user-set", False),
    ],
)
def test_a_machine_was_seen_where_it_gave_a_sign_of_life(inside: str, status: str, alive: bool) -> None:  # noqa: FBT001 - pytest gives it so
    assert bool(heard("nmap", (HEAD + host(inside, status=status) + FOOT).encode())) is alive


@pytest.mark.parametrize(
    ("output", "service", "where", "evidence"),
    [
        ("SSH-1.99-Cisco-1.25", "", "ssh", {"ssh.protocol": ("1.99",), "ssh.banner": ("Cisco-1.25",)}),
        ("RFB 003.008", "", "vnc", {"vnc.version": ("3.8",)}),
        (r"220 caf\xC3\xA9 FTP ready\x0D\x0A", "", "ftp", {"ftp.banner": ("café FTP ready",)}),
        ("220 ready", "ftp", "ftp", {"ftp.banner": ("ready",)}),
        ("220 ready", "smtp", "smtp", {"smtp.banner": ("ready",)}),
        ("220 ready", "", "nmap", {}),
        ("220 x ESMTP, and so on ...", "smtp", "nmap", {}),
        (r"220-one\x0D\x0A220 two, and ...", "smtp", "nmap", {}),
        ("+OK Dovecot", "", "pop3", {"pop3.banner": ("Dovecot",)}),
        ("* OK [CAPABILITY IMAP4]&#xa; ready", "", "imap", {"imap.banner": ("ready",)}),
        (r"\xFF\xFD\x18Welcome", "", "telnet", {"telnet.banner": ("Welcome",), "telnet.options": ("do 24",)}),
        (r"\x00\x01\x02", "", "nmap", {}),
    ],
)
def test_banners_are_told_to_the_probe_whose_they_are(
    output: str, service: str, where: str, evidence: dict[str, tuple[str, ...]]
) -> None:
    said = one(port(script("banner", output), service=service))
    assert {each.rpartition(" ")[2]: words for each, words in said.items()} == {where: evidence}


def test_the_whole_lines_of_a_cut_greeting_are_kept() -> None:
    said = one(port(script("banner", r"* OK one\x0D\x0A* and a second one that is cu...")))
    assert said == {"10.0.0.1:22/tcp imap": {"imap.banner": ("one",)}}


def test_scripts_that_stand_only_in_files_of_others() -> None:
    root = "&#xa;LDAP Results&#xa;      dnsHostName: dc.lan&#xa;      domainControllerFunctionality: 2"
    greeting = '<elem key="Version">5.0.51a-3ubuntu5.1</elem><elem key="Salt">x</elem>'
    version = '<table key="Version"><elem key="number">8.00.760</elem></table>'
    inside = f'<table key="10.0.0.1\\PROD"><elem key="Instance name">PROD</elem>{version}</table>'
    said = one(
        port(script("ldap-rootdse", root), "389")
        + port(
            script("mysql-info", "", greeting),
            "3306",
        )
        + port(script("vnc-info", "", '<elem key="Protocol version">3.8</elem>'), "5901")
        + f"<hostscript>{script('ms-sql-info', '', inside)}</hostscript>"
    )
    assert said["10.0.0.1:389/tcp ldap"]["ldap.functionality"] == ("2",)
    assert said["10.0.0.1:389/tcp ldap"]["ldap.host"] == ("dc.lan",)
    assert said["10.0.0.1:3306/tcp mysql"] == {"mysql.version": ("5.0.51a-3ubuntu5.1",)}
    assert said["10.0.0.1:5901/tcp vnc"] == {"vnc.version": ("3.8",)}
    assert said["10.0.0.1:1433/tcp mssql"] == {"mssql.version": ("8.0.760",)}


def test_a_certificate_is_read_as_the_tls_probe_reads_it() -> None:
    pem = f"-----BEGIN CERTIFICATE-----\n{CERTIFICATE[:64]}\n{CERTIFICATE[64:]}\n-----END CERTIFICATE-----\n"
    said = one(port(script("ssl-cert", "", f'<elem key="pem">{pem}</elem>'), "443"))
    assert said["10.0.0.1:443/tcp tls"]["tls.issuer"] == ("CN=poste",)
    assert one(port(script("ssl-cert", "", '<elem key="pem">é!</elem>'), "443")) == {
        "10.0.0.1:443/tcp nmap": {}
    }


def test_a_port_that_a_service_was_moved_to_says_so() -> None:
    found = read("nmap", (HEAD + host(port(script("banner", "SSH-2.0-x"), "2022")) + FOOT).encode())
    services = {each.probe: each.endpoint.service for each in found if isinstance(each, Observation)}
    assert services == {"nmap": 2022, "ssh": 22}


@pytest.mark.parametrize(
    "address", ["10.0.0.256", "fe80::1%eth0", "poste", "", "10.0.0.1/8", "1" * 4000, "٣.0.0.1", "0x0A000001"]
)
def test_what_is_no_address_is_nobody(address: str) -> None:
    assert read("nmap", (HEAD + host(address=address) + FOOT).encode()) == []


@pytest.mark.parametrize("number", ["0", "-1", "65536", "x", "", "²", "1e3", "9" * 400])
def test_what_is_no_port_is_none(number: str) -> None:
    assert list(one(port(number=number))) == ["10.0.0.1:0/icmp nmap"]


LAUGHS = "".join(f'<!ENTITY lol{n} "{f"&lol{n - 1};" * 10}">' for n in range(1, 10))


@pytest.mark.parametrize(
    "doctype",
    [
        f'<!DOCTYPE nmaprun [<!ENTITY lol0 "lol">{LAUGHS}]>',
        '<!DOCTYPE nmaprun [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE nmaprun [<!ENTITY % x SYSTEM "http://192.0.2.1/x.dtd"> %x;]>',
        '<!DOCTYPE nmaprun SYSTEM "nmap.dtd" [<!ENTITY x "y">]>',
        "<!DOCTYPE nmaprun [<!ELEMENT nmaprun ANY>]>",
        "<!DOCTYPE nmaprun []>",
    ],
)
def test_a_document_that_declares_anything_is_refused(doctype: str) -> None:
    attack = f'<?xml version="1.0"?>\n{doctype}\n<nmaprun>{host()}<x>&lol9;&x;</x></nmaprun>'
    assert re.fullmatch(r"file:2: is refused: it declares entities .*", refused(attack))


@pytest.mark.parametrize("doctype", ["", "<!DOCTYPE nmaprun>", '<!DOCTYPE nmaprun SYSTEM "nmap.dtd">'])
def test_a_document_type_that_is_only_named_does_no_harm(doctype: str) -> None:
    assert len(read("nmap", f"{doctype}<nmaprun>{host()}</nmaprun>".encode())) == 1


def test_an_entity_that_nobody_declared_is_damage() -> None:
    found = read("nmap", f"<nmaprun>{host()}<x>&nobody;</x>{host()}</nmaprun>".encode())
    assert len(found) == 2
    assert "undefined entity" in str(found[1])
    assert len(read("nmap", f'<!DOCTYPE nmaprun SYSTEM "x"><nmaprun>{host()}&x;</nmaprun>'.encode())) == 1


def test_what_would_fill_the_memory_is_refused() -> None:
    deep = HEAD + "<a>" * DEEPEST
    assert "file:4: is refused: its tags are nested too deeply" in refused(deep)
    assert "longer than 8 MiB" in refused(f'{HEAD}{host()}<x y="{"z" * 2 * LONGEST}"')
    assert "longer than 8 MiB" in refused(f"{HEAD}{host()}<!--{'z' * 2 * LONGEST}")
    text = f"{HEAD}{host()}<output>{'z' * 2 * LONGEST}</output>{FOOT}"  # of text nothing is kept
    assert len(read("nmap", text.encode())) == 1


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "no element found"),
        (b"\x00", "unclosed token"),
        (b"{}", "not well-formed"),
        (b"<html></html>", "it begins with <html>"),
        (b"<nmaprun", "unclosed token"),
    ],
)
def test_what_is_no_file_of_nmap_says_so(content: bytes, why: str) -> None:
    assert refused(content).startswith("file:1: is no XML of nmap (-oX): ")
    assert why in refused(content)


@pytest.mark.parametrize("encoding", ["x", "utf-7", "utf-16", "idna", "unicode_escape", "rot13", "zlib"])
def test_no_encoding_that_a_document_declares_is_believed(encoding: str) -> None:
    text = HEAD.replace("UTF-8", encoding) + host(port(script("banner", "SSH-2.0-x"))) + FOOT
    assert len(read("nmap", text.encode())) == 2


def test_a_scan_that_was_killed_gives_the_hosts_that_were_done() -> None:
    found = read("nmap", (HEAD + host() + host(address="10.0.0.2") + "<host><stat").encode())
    assert [type(each) for each in found] == [Observation, Observation, CutShortError]
    assert str(found[2]).startswith("file:4: The file ends here before its end")


def test_two_documents_in_one_file_are_said_to_be_so() -> None:
    whole = HEAD + host() + FOOT
    found = read("nmap", (whole + whole.replace("10.0.0.1", "10.0.0.2")).encode())
    assert isinstance(found[0], Observation)
    assert "is damaged here" in str(found[1])
    assert "file:5: " in str(found[1])
    assert not isinstance(found[1], CutShortError)


def test_what_stands_in_the_wrong_place_is_passed_over() -> None:
    odd = (
        '<address addr="10.0.0.9"/><port><state state="open"/></port><elem key="x">y</elem>'
        f"<hosthint>{host(address='10.0.0.8')}</hosthint>"
        + host(f"<host>{port()}</host></elem></table>".replace("</elem></table>", ""))
        + host("<elem>x</elem><table><table/></table>" + script("banner", "SSH-2.0-x"), address="10.0.0.3")
        + host(port(script("nothing", "", "<elem>x</elem>") + "<script/>"), address="10.0.0.4")
    )
    addresses = {
        each.endpoint.address
        for each in read("nmap", (HEAD + odd + FOOT).encode())
        if isinstance(each, Observation)
    }
    assert addresses == {"10.0.0.1", "10.0.0.3", "10.0.0.4"}


def test_a_host_with_more_than_any_has_is_cut() -> None:
    ports = "".join(port(script("banner", "SSH-2.0-x") * 70, str(number)) for number in range(1, 700))
    found = read("nmap", (HEAD + host(ports) + FOOT).encode())
    assert 512 < len(found) < 512 * 66
    long = script("http-server-header", "", "<elem>x</elem>" * 5000 + f"<elem>{'y' * 500_000}</elem>")
    (said,) = one(port(long, "80")).values()
    assert said == {"http.server": ("x",)}
