from __future__ import annotations

import hashlib
import random
from base64 import b64decode
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.probes.x509 import KEYS, facts
from tests.probes import made_tls as made
from tests.probes.damage import damaged
from tests.probes.tls_hosts import HOSTS

if TYPE_CHECKING:
    from collections.abc import Mapping

WHOLE = made.certificate(rest=made.alternative_names(made.element(0x82, b"srv.ward.example")))
REAL = [
    b64decode(answer)[2:]
    for host in HOSTS
    for connection in host["connections"]
    for answer in connection
    if b64decode(answer)[:3] == b"\x03\x04\x30"
]
OLD = {
    "tls.subject": "CN=SRV2003",
    "tls.issuer": "CN=SRV2003",
    "tls.not_before": "2008-01-02T03:04:05Z",
    "tls.not_after": "2008-07-03T03:04:05Z",
    "tls.key": "RSA 512",
    "tls.signature": "RSA with SHA-1",
}


def check(found: Mapping[str, str | tuple[str, ...]]) -> None:
    assert found.keys() <= set(KEYS)
    for value in found.values():
        assert value
        for text in (value,) if isinstance(value, str) else value:
            assert text.isprintable()
            assert 0 < len(text) <= 256


def read(der: bytes) -> dict[str, str | tuple[str, ...]]:
    found = facts(der)
    check(found)
    assert found.pop("tls.certificate") == hashlib.sha256(der).hexdigest()
    return found


def test_a_certificate_is_read() -> None:
    assert read(WHOLE) == {**OLD, "tls.names": ("srv.ward.example",)}


def test_nothing_is_nothing() -> None:
    assert facts(b"") == {}


@pytest.mark.parametrize(
    ("part", "broken", "lost"),
    [
        ("issuer", made.element(0x30, b"\x31\x7f"), {"tls.issuer"}),
        ("subject", made.element(0x30), {"tls.subject"}),
        ("subject", made.element(4, b"SRV2003"), {"tls.subject"}),
        ("subject", made.name(made.element(0x30, b"\6\0", b"\x0c\1A")), {"tls.subject"}),
        ("signature", made.element(0x30), {"tls.signature"}),
        ("signature", made.element(0x30, made.element(6, b"\x80")), {"tls.signature"}),
        ("validity", made.element(0x30), {"tls.not_before", "tls.not_after"}),
        (
            "validity",
            made.element(0x30, made.element(0x17, b"080102030405Z"), made.element(0x17, b"083103030405Z")),
            {"tls.not_after"},
        ),
        (
            "validity",
            made.element(0x30, made.element(4, b"?"), made.element(0x17, b"080703030405Z")),
            {"tls.not_before"},
        ),
        ("key", made.element(0x30), {"tls.key"}),
        ("rest", made.alternative_names(), {"tls.names"}),
        ("rest", made.element(0xA3), {"tls.names"}),
        ("rest", made.alternative_names(made.element(0x87, b"12345")), {"tls.names"}),
        ("rest", made.alternative_names(made.element(0x82, b"")), {"tls.names"}),
    ],
)
def test_what_is_broken_is_left_out_and_the_rest_stands(part: str, broken: bytes, lost: set[str]) -> None:
    parts = {"rest": made.alternative_names(made.element(0x82, b"srv.ward.example")), part: broken}
    found = read(made.certificate(**parts))
    whole = {**OLD, "tls.names": ("srv.ward.example",)}
    assert found == {key: value for key, value in whole.items() if key not in lost}


def test_an_rsa_key_that_cannot_be_measured_is_still_one() -> None:
    assert read(made.certificate(key=made.element(0x30, made.RSA)))["tls.key"] == "RSA"


@pytest.mark.parametrize("end", [len(WHOLE) - 70, len(WHOLE) - 90, 150])
def test_what_came_of_a_cut_certificate_is_read(end: int) -> None:
    assert read(WHOLE[:end])["tls.subject"] == "CN=SRV2003"


def test_wrong_lengths_of_the_whole_do_no_harm() -> None:
    spoilt = WHOLE[:2] + b"\xff\xff" + WHOLE[4:6] + b"\0\0" + WHOLE[8:]
    assert read(spoilt) == {**OLD, "tls.names": ("srv.ward.example",)}


def test_a_name_reads_as_rfc_4514_writes_it() -> None:
    subject = made.element(
        0x30,
        made.element(0x31, made.attribute("550406", b"FR", 0x13)),
        made.element(0x31, made.attribute("55040a", 'Soins & Cie, "Sud"'.encode("utf-16-be"), 0x1E)),
        made.element(0x31, made.attribute("55040b", b"J8028E", 0x14), made.attribute("55040b", b"A+B")),
        made.element(0x31, made.attribute(made.CN, "Salle d\u2019opération".encode())),
    )
    wanted = 'CN=Salle d\u2019opération,OU=J8028E+OU=A\\+B,O=Soins & Cie\\, \\"Sud\\",C=FR'
    assert read(made.certificate(subject=subject))["tls.subject"] == wanted


def test_what_names_a_person_is_not_read() -> None:
    subject = made.name(
        made.attribute("2a864886f70d010901", b"person@ward.example", 0x16),
        made.attribute("550404", b"Surname"),
        made.attribute("55042a", b"Given"),
        made.attribute(made.CN, b"srv"),
    )
    rest = made.alternative_names(made.element(0x81, b"person@ward.example"), made.element(0x82, b"srv"))
    found = read(made.certificate(subject=subject, rest=rest))
    assert (found["tls.subject"], found["tls.names"]) == ("CN=srv", ("srv",))


def test_control_characters_and_long_names_are_tamed() -> None:
    subject = made.name(made.attribute(made.CN, b"a\x1b[2J\0b" + b"x" * 5000))
    told = read(made.certificate(subject=subject))["tls.subject"]
    assert told == ("CN=a\ufffd[2J\ufffdb" + "x" * 5000)[:256]


def test_names_of_hosts_and_addresses_are_listed_once_and_not_without_end() -> None:
    address = made.element(0x87, bytes.fromhex("20010db8000000000000000000000001"))
    rest = made.alternative_names(
        address,
        address,
        made.element(0x87, bytes([192, 0, 2, 7])),
        *(made.element(0x82, b"h%d" % number) for number in range(60)),
    )
    names = read(made.certificate(rest=rest))["tls.names"]
    assert names[:3] == ("2001:db8::1", "192.0.2.7", "h0")
    assert len(names) == 32


@pytest.mark.parametrize(
    ("tag", "raw", "told"),
    [
        (0x17, b"491231235959Z", "2049-12-31T23:59:59Z"),
        (0x17, b"500101000000Z", "1950-01-01T00:00:00Z"),
        (0x17, b"9901010000Z", "1999-01-01T00:00:00Z"),
        (0x18, b"99991231235959Z", "9999-12-31T23:59:59Z"),
        (0x18, b"00000101000000Z", None),
        (0x17, b"080230000000Z", None),
        (0x17, b"080102030405+0100", None),
        (0x17, "08010203040\u0665Z".encode(), None),
    ],
)
def test_times_are_of_the_calendar(tag: int, raw: bytes, told: str | None) -> None:
    validity = made.element(0x30, made.element(tag, raw), made.element(0x17, b"080703030405Z"))
    found = read(made.certificate(validity=validity))
    assert found.get("tls.not_before") == told
    assert found["tls.not_after"] == "2008-07-03T03:04:05Z"


def test_an_unknown_algorithm_is_told_by_its_number() -> None:
    signature = made.element(0x30, made.element(6, bytes.fromhex("2b0e03021b")))
    assert read(made.certificate(signature=signature))["tls.signature"] == "1.3.14.3.2.27"


def test_a_certificate_of_version_1_has_no_version() -> None:
    body = made.element(0x30, made.SERIAL, made.SHA1_RSA, made.SERVER, made.VALIDITY, made.SERVER, made.KEY)
    assert read(made.element(0x30, body)) == OLD


@given(st.binary(max_size=400))
def test_any_bytes_are_survived(raw: bytes) -> None:
    check(facts(raw))


def test_every_cut_and_a_thousand_damages_are_survived() -> None:
    chance = random.Random("x509")
    assert REAL
    for der in (WHOLE, *REAL):
        for end in range(len(der)):
            check(facts(der[:end]))
        for _ in range(1000):
            check(facts(damaged(der, chance)))
