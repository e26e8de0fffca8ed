"""OpenSSL, GnuTLS, xrdp and FreeRDP on loopback: what they are set to is what is learnt of them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from scanner.probes import credssp, ntlm, rdp, tls, tls_hello
from tests.integration.driving import drive
from tests.integration.peers_microsoft import inside
from tests.integration.peers_tls_rdp import HOST, Certificate, dissected, freerdp, gnutls, openssl, xrdp
from tests.namespaces import wire

if TYPE_CHECKING:
    from pathlib import Path

CERTIFICATES = {
    "RSA": (("-newkey", "rsa:2048"), "RSA 2048", "RSA with SHA-256"),
    "RSA as old as can be": (("-newkey", "rsa:512", "-md5"), "RSA 512", "RSA with MD5"),
    "RSA-PSS": (("-newkey", "rsa:2048", "-sigopt", "rsa_padding_mode:pss"), "RSA 2048", "RSA-PSS"),
    "EC": (
        ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:secp384r1", "-sha384"),
        "EC P-384",
        "ECDSA with SHA-384",
    ),
    "Ed25519": (("-newkey", "ed25519"), "Ed25519", "Ed25519"),
    "for a century": (("-newkey", "rsa:1024", "-sha1", "-days", "36500"), "RSA 1024", "RSA with SHA-1"),
}


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return Certificate.made(tmp_path, "-newkey", "rsa:2048", subject=r"/C=FR/O=Soins, Nord/CN=ward")


# --- TLS


@pytest.mark.parametrize(
    ("option", "versions"),
    [
        (("-tls1",), ("TLS 1.0",)),
        (("-tls1_1",), ("TLS 1.1",)),
        (("-tls1_2",), ("TLS 1.2",)),
        (("-tls1_3",), ("TLS 1.3",)),
        ((), ("TLS 1.2", "TLS 1.3")),
    ],
)
def test_every_version_of_openssl_is_read(
    certificate: Certificate, option: tuple[str, ...], versions: tuple[str, ...]
) -> None:
    with openssl(certificate, *option) as port:
        driven = drive(tls.PROBE, HOST, port)
    assert driven.error is None
    assert driven.evidence["tls.version"] == versions
    assert {key: driven.evidence[key] for key in certificate.told()} == certificate.told()
    assert ("tls.cipher" in driven.evidence) == (versions != ("TLS 1.3",))
    assert driven.connections == (2 if versions == ("TLS 1.3",) else 1)


@pytest.mark.parametrize("kind", CERTIFICATES)
def test_every_kind_of_certificate_is_read_as_openssl_reads_it(tmp_path: Path, kind: str) -> None:
    options, key, signature = CERTIFICATES[kind]
    certificate = Certificate.made(tmp_path, *options, subject=r"/C=FR/O=Soins, \"Nord\"/OU=A\+B/CN=ward")
    with openssl(certificate) as port:
        driven = drive(tls.PROBE, HOST, port)
    assert driven.error is None
    expected = {**certificate.told(), "tls.key": key, "tls.signature": signature}
    assert {name: driven.evidence[name] for name in expected} == expected


def test_a_certificate_without_a_subject(tmp_path: Path) -> None:
    certificate = Certificate.made(tmp_path, "-newkey", "rsa:2048", subject="/")
    with openssl(certificate) as port:
        driven = drive(tls.PROBE, HOST, port)
    assert driven.error is None
    assert driven.evidence["tls.certificate"] == certificate.told()["tls.certificate"]
    assert "tls.subject" not in driven.evidence


def test_a_certificate_of_many_records(tmp_path: Path) -> None:
    names = ",".join(f"DNS:machine-{number:04}.ward.example" for number in range(1500))
    certificate = Certificate.made(tmp_path, "-newkey", "rsa:2048", "-addext", f"subjectAltName={names}")
    with openssl(certificate) as port:
        driven = drive(tls.PROBE, HOST, port)
    assert driven.error is None
    assert driven.evidence["tls.certificate"] == certificate.told()["tls.certificate"]
    assert len(driven.raw[1]) > 40_000
    assert driven.evidence["tls.names"][0] == "machine-0000.ward.example"


@pytest.mark.namespaces
@pytest.mark.parametrize(
    ("priority", "version", "cipher"),
    [
        ("+VERS-TLS1.0:+ARCFOUR-128:+MD5", "TLS 1.0", "TLS_RSA_WITH_RC4_128_MD5"),
        ("+VERS-TLS1.1:+3DES-CBC:+SHA1", "TLS 1.1", "TLS_RSA_WITH_3DES_EDE_CBC_SHA"),
    ],
)
def test_what_openssl_no_longer_speaks_is_read_all_the_same(
    certificate: Certificate, priority: str, version: str, cipher: str
) -> None:
    common = "NONE:+RSA:+COMP-NULL:+CTYPE-X509:%VERIFY_ALLOW_BROKEN"
    with (
        wire("tls") as machines,
        gnutls(certificate, f"{common}:{priority}", machines.hospital.command()) as port,
    ):
        driven = inside(machines.hospital, lambda: drive(tls.PROBE, HOST, port))
        words = ("openssl", "s_client", "-connect", f"{HOST}:{port}", "-cipher", "ALL:@SECLEVEL=0")
        other = machines.hospital.run(*words, check=False, stdin="")
    assert driven.error is None
    assert (driven.evidence["tls.version"], driven.evidence["tls.cipher"]) == ((version,), cipher)
    assert driven.evidence["tls.subject"] == certificate.told()["tls.subject"]
    assert other.returncode, "OpenSSL speaks it again: then a better judge is needed"


# --- RDP


def test_xrdp_agrees_to_tls(tmp_path: Path, certificate: Certificate) -> None:
    with xrdp(tmp_path, certificate, layer="negotiate", versions="TLSv1.2, TLSv1.3") as port:
        driven = drive(rdp.PROBE, HOST, port)
    assert driven.error is None
    assert driven.evidence["rdp.negotiation"] == "tls"
    assert driven.evidence["rdp.nla"] == "no"
    assert driven.evidence["rdp.tls"] == ("TLS 1.2", "TLS 1.3")
    assert {key: driven.evidence[key] for key in certificate.told()} == certificate.told()
    assert driven.connections == 1
    assert "requested [SSL|HYBRID|HYBRID_EX|RDP]" in (tmp_path / "xrdp.log").read_text(encoding="utf-8")


def test_xrdp_speaks_tls_1_3_alone(tmp_path: Path, certificate: Certificate) -> None:
    with xrdp(tmp_path, certificate, layer="tls", versions="TLSv1.3") as port:
        driven = drive(rdp.PROBE, HOST, port)
    assert driven.error is None
    assert driven.evidence["rdp.tls"] == ("TLS 1.3",)
    assert driven.evidence["tls.subject"] == certificate.told()["tls.subject"]
    assert (driven.connections, driven.exchanges) == (2, 4)


def test_xrdp_without_tls(tmp_path: Path, certificate: Certificate) -> None:
    with xrdp(tmp_path, certificate, layer="rdp", versions="TLSv1.2") as port:
        driven = drive(rdp.PROBE, HOST, port)
    assert driven.error is None
    assert driven.evidence == {
        "rdp.negotiation": "rdp",
        "rdp.nla": "no",
        "rdp.flags": ("extended-client-data",),
        "rdp.confirm": "030000130ed000001234000201080000000000",
    }


def test_freerdp_that_insists_on_nla_tells_what_it_calls_itself(tmp_path: Path) -> None:
    with freerdp(tmp_path, "/sec:nla", "+auth") as port:
        driven = drive(rdp.PROBE, HOST, port)
    assert driven.error is None
    assert driven.evidence["rdp.negotiation"] == "hybrid"
    assert driven.evidence["rdp.nla"] == "required"
    assert driven.evidence["rdp.credssp"] == "6"
    assert driven.evidence["rdp.tls"] == ("TLS 1.3",)
    assert driven.evidence["ntlm.version"] == "6.1.7601", "its library claims to be Windows 7"
    assert driven.evidence["ntlm.netbios_name"]
    assert driven.evidence["tls.subject"]
    assert (driven.connections, driven.exchanges) == (2, 4)


def test_freerdp_that_would_do_without_nla(tmp_path: Path) -> None:
    with freerdp(tmp_path) as port:
        driven = drive(rdp.PROBE, HOST, port)
    assert driven.error is None
    assert driven.evidence["rdp.negotiation"] == "tls"
    assert driven.evidence["rdp.confirm"] == "030000130ed000000000000203080001000000"
    assert driven.evidence["rdp.tls"] == ("TLS 1.2", "TLS 1.3")
    assert driven.connections == 1


# --- others read what we say


@pytest.mark.parametrize(
    ("hello", "version", "extensions"),
    [(tls_hello.HELLO, "0x0303", "23,11,10,13"), (tls_hello.OLD_HELLO, "0x0301", "")],
)
def test_tshark_reads_our_hellos(tmp_path: Path, hello: bytes, version: str, extensions: str) -> None:
    fields = ("tls.handshake.type", "tls.handshake.version", "tls.handshake.extension.type")
    told = dissected(tmp_path, hello, 443, *fields)
    assert told == dict(zip((*fields, "wrong"), ("1", version, extensions, ""), strict=True))


@pytest.mark.parametrize(
    ("request_", "protocols"), [(rdp.REQUEST, "0x0000000b"), (rdp.WITHOUT_NLA, "0x00000001")]
)
def test_tshark_reads_our_connection_requests(tmp_path: Path, request_: bytes, protocols: str) -> None:
    fields = ("cotp.type", "rdp.neg_type", "rdp.negReq.requestedProtocols")
    told = dissected(tmp_path, request_, 3389, *fields)
    assert told == dict(zip((*fields, "wrong"), ("0x0e", "0x01", protocols, ""), strict=True))


def test_openssl_reads_our_credssp() -> None:
    words = ["openssl", "asn1parse", "-inform", "DER", "-i"]
    told = subprocess.run(words, input=credssp.REQUEST, check=True, capture_output=True, timeout=60)
    leaves = [line for line in told.stdout.decode().splitlines() if "prim:" in line]
    version, token = (line.partition("prim:")[2].strip() for line in leaves)
    assert version.endswith(":06")
    assert token.startswith("OCTET STRING")
    assert token.endswith(ntlm.NEGOTIATE.hex().upper())
