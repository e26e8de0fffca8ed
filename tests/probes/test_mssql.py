"""The SQL Server probe: pre-logins of every age."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
from impacket import tds  # type: ignore[import-untyped]  # it has no stubs

from scanner.errors import PeerClosedError, ProtocolError
from scanner.model import Endpoint
from scanner.probes.mssql import PROBE, REQUEST, framing, parse_prelogin
from tests.probes.conversation import Replay
from tests.probes.told import Told

if TYPE_CHECKING:
    from collections.abc import Mapping

HOST = Endpoint("192.0.2.1", 1433, PROBE.transport)


def answer(options: Mapping[int, bytes], kind: int = 4) -> bytes:
    """[MS-TDS] 2.2.3.1 and 2.2.6.5."""
    head, data = b"", b""
    for token, value in options.items():
        head += struct.pack(">BHH", token, 5 * len(options) + 1 + len(data), len(value))
        data += value
    body = head + b"\xff" + data
    return struct.pack(">BBHHBB", kind, 1, 8 + len(body), 0, 1, 0) + body


def told(name: str, version: tuple[int, int, int, int], encryption: int, said: str) -> Told:
    """A server of one version, that answers what it was asked."""
    options = {0: struct.pack(">BBHH", *version), 1: bytes([encryption]), 2: b"\0", 3: b""}
    return Told(
        name,
        PROBE,
        [[answer(options)]],
        {"mssql.version": ".".join(map(str, version)), "mssql.encryption": said},
        "built: [MS-TDS] 2.2.6.5",
    )


CONVERSATIONS = (
    told("SQL Server 2000 SP4", (8, 0, 2039, 0), 2, "unsupported"),
    told("SQL Server 2005 SP4", (9, 0, 5000, 0), 0, "off"),
    told("SQL Server 2008 R2", (10, 50, 1600, 0), 1, "on"),
    told("SQL Server 2019", (15, 0, 2000, 0), 3, "required"),
    Told(
        "SQL Server 2022, which answers more than it was asked",
        PROBE,
        [[answer({0: b"\x10\0\x03\xe8\0\0", 1: b"\0", 2: b"\0", 3: b"", 4: b"\0", 6: b"\1", 7: bytes(32)})]],
        {"mssql.version": "16.0.1000.0", "mssql.encryption": "off"},
        "built: [MS-TDS] 2.2.6.5",
    ),
    Told(
        "a server of which the encryption is of no known kind",
        PROBE,
        [[answer({0: b"\x0c\0\x07\xd0\0\x08", 1: b"\x20"})]],
        {"mssql.version": "12.0.2000.8"},
        "built: [MS-TDS] 2.2.6.5",
    ),
)


def test_impacket_reads_our_pre_login() -> None:
    packet = tds.TDSPacket(REQUEST)
    assert (packet["Type"], packet["Status"], packet["Length"]) == (tds.TDS_PRE_LOGIN, 1, len(REQUEST))
    prelogin = tds.TDS_PRELOGIN(packet["Data"])
    assert prelogin["Version"] == b"\x09\0\0\0\0\0"
    assert prelogin["Encryption"] == tds.TDS_ENCRYPT_OFF


def test_our_pre_login_has_the_form_of_the_specification() -> None:
    """[MS-SSTDS] 4.1 prints one with the same options, of another version and for an instance by its name."""
    theirs = bytes.fromhex(
        "1201003400000100000015000601001b000102001c000c0300280004ff"
        "08000155000000"
        "4d5353514c53657276657200"
        "80190000"
    )
    assert len(theirs) == theirs[3]
    assert REQUEST[:3] == theirs[:3]
    assert REQUEST[4:20] == theirs[4:20]
    assert [REQUEST[at] for at in (18, 23, 28)] == [theirs[at] for at in (18, 23, 28)] == [2, 3, 0xFF]


def test_impacket_reads_the_same_version() -> None:
    message = answer({0: b"\x0a\x32\x06\x40\0\0", 1: b"\2", 2: b"\0", 3: bytes(4)})
    theirs = tds.TDS_PRELOGIN(tds.TDSPacket(message)["Data"])
    assert theirs["Version"] == b"\x0a\x32\x06\x40\0\0"
    assert theirs["Encryption"] == tds.TDS_ENCRYPT_NOT_SUP
    assert parse_prelogin(message) == {"mssql.version": "10.50.1600.0", "mssql.encryption": "unsupported"}


@pytest.mark.parametrize(
    "noise",
    [b"SSH-2.0", b"\x12\1", b"\4\0", b"\4\1\0\x08", b"\4\1\xff\xff"],
    ids=["another protocol", "an echo", "not the last packet", "empty", "long"],
)
def test_noise_is_not_waited_for(noise: bytes) -> None:
    with pytest.raises(ProtocolError):
        framing(noise)


@pytest.mark.parametrize(
    "message",
    [
        answer({1: b"\0"}),
        answer({0: b"\x0a\x32"}),
        answer({0: b"\x0a\x32\x06\x40\0\0"})[:-7] + bytes(7),
        struct.pack(">BBHHBB", 4, 1, 14, 0, 1, 0) + b"\0\xff\xff\xff\xff\xff",
        struct.pack(">BBHHBB", 4, 1, 20, 0, 1, 0) + b"\xaa\x0a\0" + bytes(9),  # an error token
    ],
    ids=["no version", "short", "no end", "outside", "an error"],
)
def test_what_is_no_pre_login_is_an_error(message: bytes) -> None:
    heard = Replay([[message]]).hold(PROBE, HOST)
    assert isinstance(heard.error, ProtocolError)
    assert not heard.evidence


def test_a_server_that_knows_no_pre_login_hangs_up() -> None:
    heard = Replay([[PeerClosedError()]]).hold(PROBE, HOST)  # SQL Server 7.0: it came with 2000
    assert isinstance(heard.error, PeerClosedError)
