"""MySQL: greetings of MariaDB and of old MySQL on Windows, refusals, and other protocols on the port."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scanner.classify import default_classifier
from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.lifecycle import load_lifecycle
from scanner.model import Certainty
from scanner.probes import mysql
from scanner.probes.mysql import PROBE
from tests.probes.told import Told

if TYPE_CHECKING:
    from tests.probes.conversation import Answer, Heard

MARIADB = bytes.fromhex(
    "640000000a352e352e352d31302e31312e31392d4d6172696144422d302b6465623132753100030000005e713e7e263c"
    "3a4e00fef7080200ff81150000000000001d0000005c6258735a47346e4f7d4934006d7973716c5f6e61746976655f70"
    "617373776f726400"
)
REFUSED = bytes.fromhex(
    "44000000ff6a04486f737420273132372e302e302e3127206973206e6f7420616c6c6f77656420746f20636f6e6e6563"
    "7420746f2074686973204d61726961444220736572766572"
)


def packet(payload: bytes, sequence: int = 0) -> bytes:
    return len(payload).to_bytes(3, "little") + bytes([sequence]) + payload


def greeting(version: bytes, protocol: int = 10) -> bytes:
    """Protocol::HandshakeV10 up to its first fields, or HandshakeV9."""
    return packet(bytes([protocol]) + version + b"\0" + bytes(4) + b"saltsalt\0")


RECORDED = "recorded from Debian's mariadbd 10.11.19"
CONVERSATIONS = (
    Told("MariaDB", PROBE, [[MARIADB]], {"mysql.version": "5.5.5-10.11.19-MariaDB-0+deb12u1"}, RECORDED),
    Told(
        "MariaDB that does not know the scanner",
        PROBE,
        [[REFUSED]],
        {"mysql.error": "1130 Host '' is not allowed to connect to this MariaDB server"},
        RECORDED,
    ),
    Told(
        "MySQL 5.0 on Windows",
        PROBE,
        [[greeting(b"5.0.24-community-nt")]],
        {"mysql.version": "5.0.24-community-nt"},
        "[MYSQL] Protocol::HandshakeV10",
    ),
    Told(
        "MySQL 3.21",
        PROBE,
        [[greeting(b"3.21.33b", 9)]],
        {"mysql.version": "3.21.33b"},
        "[MYSQL] Protocol::HandshakeV9",
    ),
)


def hold(*answers: Answer) -> Heard:
    return Told("made here", PROBE, [answers], {}, "made here").hold()


def test_nothing_is_said() -> None:
    assert hold(MARIADB).said == []
    assert PROBE.size == 0


@pytest.mark.parametrize(
    "begun",
    [
        b"SSH-2.0-OpenSSH_9.2p1\r\n",
        b"220 ready\r\n",
        b"\x15\x03\x01\0\x02\x02\x16",
        b"\0\0\0",
        b"\x01\0\0",
        b"\x01\x10\0",
        b"\xff\xff\xff",
        b"\x20\0\0\x01\x0a",
        b"\x20\0\0\0\x0b",
    ],
    ids=["SSH", "FTP", "TLS", "empty", "one byte", "too long", "longest", "not the first", "another version"],
)
def test_another_protocol_is_not_waited_for(begun: bytes) -> None:
    with pytest.raises(ProtocolError):
        mysql.packet(begun)


def test_every_beginning_of_a_greeting_is_waited_for() -> None:
    assert [mysql.packet(MARIADB[:end]) for end in range(len(MARIADB))] == [None] * len(MARIADB)


def test_a_version_without_an_end_is_refused() -> None:
    assert isinstance(hold(packet(b"\x0a5.0.24")).error, ProtocolError)


def test_an_empty_version_tells_nothing() -> None:
    heard = hold(greeting(b""))
    assert (heard.evidence, heard.error) == ({}, None)


@pytest.mark.parametrize("failure", [LimitError(), PeerClosedError()])
def test_silence_is_told_as_such(failure: LimitError | PeerClosedError) -> None:
    assert hold(failure).error is failure


def test_an_error_without_a_message_is_its_number() -> None:
    assert hold(packet(b"\xff\x10\x04")).evidence == {"mysql.error": "1040"}
    assert isinstance(hold(packet(b"\xff\x10")).error, ProtocolError)


def test_the_name_that_an_error_quotes_is_not_kept() -> None:
    kept, greeted = PROBE.redact((REFUSED, MARIADB))
    assert b"127.0.0.1" not in kept
    assert kept.startswith(REFUSED[:8])
    assert greeted == MARIADB


# --- what it means


def test_a_build_for_windows_is_a_hint() -> None:
    identity = default_classifier().classify({"mysql.version": ("5.0.24-community-nt",)})
    assert {load_lifecycle().releases[name].family for name in identity.candidates} == {
        "Windows", "Unknown",
    }  # fmt: skip
    assert identity.certainty is Certainty.HINT


def test_a_build_of_a_distribution_names_it_and_only_suggests_its_release() -> None:
    identity = default_classifier().classify({"mysql.version": ("5.5.60-0+deb7u1",)})
    assert (identity.candidates, identity.certainty) == (
        ("debian-7", "other-anything"), Certainty.HINT,
    )  # fmt: skip
    assert identity.attributes == {"vendor": "Debian", "family": "Linux", "product": "Debian", "version": "7"}
