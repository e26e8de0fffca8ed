"""SMB 1 answers that no recording has: old servers, OEM strings, refusals, and lengths that lie."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import ProtocolError
from scanner.probes import smb1
from scanner.probes.netbios_session import smb_body
from tests.probes.made import OEM, UNICODE, utf16
from tests.probes.made import smb1_header as header
from tests.probes.made import smb1_negotiate as negotiate
from tests.probes.made import smb1_setup as setup

SAMBA_PLAIN = smb_body(
    bytes.fromhex(
        "00000065ff534d4272000000008813c0000000000000000000000000fffffffe00000000110000033200010004410000"
        "000001009a290000fdf38000f73febd19e7bdd0100000820007ba826b0529cacb4570041005200440000004e00410053"
        "0042004f0058000000"
    )
)
"""Debian's Samba 4.17.12 (NASBOX in WARD) to a client without extended security, with Unicode."""

SAMBA_PLAIN_OEM = smb_body(
    bytes.fromhex(
        "00000065ff534d427200000000881340000000000000000000000000fffffffe00000000110000033200010004410000"
        "000001009b290000fdf38000c235eed19e7bdd0100000820005c631441df8872d0570041005200440000004e00410053"
        "0042004f0058000000"
    )
)
"""The same without the Unicode flag: its names are in UTF-16 all the same."""

SAMBA_ANONYMOUS = smb_body(
    bytes.fromhex(
        "00000076ff534d4273000000008803c0000000000000000000000000fffffffe31ce010003ff00000000004d00005700"
        "69006e0064006f0077007300200036002e0031000000530061006d0062006100200034002e00310037002e0031003200"
        "2d00440065006200690061006e00000057004100520044000000"
    )
)
SAMBA_ANONYMOUS_OEM = smb_body(
    bytes.fromhex(
        "0000004fff534d427300000000880340000000000000000000000000fffffffeef7f010003ff00000000002600"
        "57696e646f777320362e310053616d626120342e31372e31322d44656269616e005741524400"
    )
)
"""Its answers to our null session: it takes the request as one."""


@pytest.mark.parametrize(("body", "key"), [(SAMBA_PLAIN, 10650), (SAMBA_PLAIN_OEM, 10651)])
def test_a_real_plain_negotiation(body: bytes, key: int) -> None:
    found = smb1.parse_negotiate(body)
    assert found is not None
    assert (found.domain, found.server, found.extended, found.guid) == ("WARD", "NASBOX", False, b"")
    assert (found.signing, found.max_buffer, found.session_key) == ("disabled", 16644, key)


@pytest.mark.parametrize("body", [SAMBA_ANONYMOUS, SAMBA_ANONYMOUS_OEM])
def test_a_real_null_session(body: bytes) -> None:
    found = smb1.parse_session_setup(body)
    assert (found.status, found.blob) == (0, b"")
    assert (found.native_os, found.native_lm, found.domain) == ("Windows 6.1", "Samba 4.17.12-Debian", "WARD")


@pytest.mark.parametrize(
    ("data", "flags2", "names"),
    [
        pytest.param(utf16("WARD", "SRV"), UNICODE, ("WARD", "SRV"), id="Unicode"),
        pytest.param(
            utf16("WARD", "SRV"), OEM, ("WARD", "SRV"), id="Unicode without its flag, as Windows does"
        ),
        pytest.param(utf16("W", ""), OEM, ("W", ""), id="one character without the flag"),
        pytest.param(utf16("", "SRV"), OEM, ("", "SRV"), id="no domain, without the flag"),
        pytest.param(b"WARD\0SRV\0", OEM, ("WARD", "SRV"), id="OEM"),
        pytest.param(b"W\0S\0", OEM, ("W", "S"), id="OEM of one character each"),
        pytest.param(b"W\0\0", OEM, ("W", ""), id="OEM of one character"),
        pytest.param(b"\0SRV\0", OEM, ("", "SRV"), id="OEM without a domain"),
        pytest.param("HÔPITAL\0".encode("cp850"), OEM, ("HÔPITAL", ""), id="OEM beyond ASCII"),
        pytest.param(b"WARD", OEM, ("WARD", ""), id="OEM without its end"),
        pytest.param(utf16("WARD")[:-1], UNICODE, ("WARD", ""), id="half a NUL"),
        pytest.param(b"", UNICODE, ("", ""), id="nothing"),
    ],
)
def test_names_of_a_plain_negotiation(data: bytes, flags2: int, names: tuple[str, str]) -> None:
    found = smb1.parse_negotiate(negotiate(b"8 bytes!" + data, flags2))
    assert found is not None
    assert (found.domain, found.server) == names
    assert found.time_zone == -60


@pytest.mark.parametrize(
    ("data", "flags2", "strings"),
    [
        pytest.param(b"\0" + utf16("NT", "LM", "D"), UNICODE, ("NT", "LM", "D"), id="aligned"),
        pytest.param(b"\0" + utf16("NT", "LM")[:-1], UNICODE, ("NT", "LM", ""), id="the odd trailing byte"),
        pytest.param(b"\0" + utf16("NT", "LM")[:-2], UNICODE, ("NT", "LM", ""), id="no NUL at the end"),
        pytest.param(b"\0" + utf16("NT"), UNICODE, ("NT", "", ""), id="one string"),
        pytest.param(b"\0" + utf16("", "LM"), UNICODE, ("", "LM", ""), id="an empty first"),
        pytest.param(b"NT\0LM\0D\0extra\0", OEM, ("NT", "LM", "D"), id="OEM, and more than three"),
        pytest.param(b"", UNICODE, ("", "", ""), id="nothing"),
        pytest.param(b"\0", UNICODE, ("", "", ""), id="a pad alone"),
    ],
)
def test_strings_of_a_session_setup(data: bytes, flags2: int, strings: tuple[str, str, str]) -> None:
    found = smb1.parse_session_setup(setup(data, flags2))
    assert (found.native_os, found.native_lm, found.domain) == strings


def test_strings_end_with_the_byte_count() -> None:
    body = setup(b"NT\0LM\0", OEM) + b"BEHIND\0"
    assert smb1.parse_session_setup(body) == smb1.SessionSetup(0, OEM, b"", "NT", "LM", "")


def test_strings_are_read_whatever_the_status() -> None:
    found = smb1.parse_session_setup(setup(b"NT\0LM\0", OEM, status=0xC0000022))
    assert (found.status, found.native_os, found.native_lm) == (0xC0000022, "NT", "LM")


def test_a_refusal_without_words_says_nothing() -> None:
    body = header(0x73, UNICODE, 0xC000006D) + bytes(3)
    assert smb1.parse_session_setup(body) == smb1.SessionSetup(0xC000006D, UNICODE)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(header(0x72, UNICODE) + b"\1\xff\xff\0\0", id="no dialect in common"),
        pytest.param(header(0x72, UNICODE, 0xC00000BB) + bytes(3), id="not supported"),
    ],
)
def test_no_dialect_in_common_is_no_error(body: bytes) -> None:
    assert smb1.parse_negotiate(body) is None


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(header(0x72, UNICODE) + b"\1\0\0\0\0", id="a dialect that was not offered"),
        pytest.param(header(0x72, UNICODE) + b"\x0d" + bytes(28), id="the form of an older dialect"),
        pytest.param(header(0x73, UNICODE) + bytes(3), id="another command"),
        pytest.param(header(0x72, UNICODE, flags=0x08) + b"\1\xff\xff\0\0", id="a request"),
        pytest.param(b"\xfeSMB" + header(0x72, UNICODE)[4:] + b"\1\xff\xff\0\0", id="another protocol"),
        pytest.param(negotiate(b"7 bytes"), id="a challenge beyond the data"),
        pytest.param(negotiate(bytes(15), capabilities=0x8000F3FD), id="half a GUID"),
        pytest.param(negotiate(bytes(24))[:-1], id="a byte count beyond the message"),
    ],
)
def test_what_is_no_negotiation(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        smb1.parse_negotiate(body)


def test_a_security_blob_beyond_the_data() -> None:
    words = b"\4\xff\0\0\0\0\0" + struct.pack("<H", 9)
    with pytest.raises(ProtocolError):
        smb1.parse_session_setup(header(0x73, UNICODE) + words + struct.pack("<H", 8) + bytes(8))


@pytest.mark.parametrize(
    ("mode", "signing"),
    [(0x03, "disabled"), (0x07, "enabled"), (0x0F, "required"), (0x0B, "required"), (0, "disabled")],
)
def test_signing(mode: int, signing: str) -> None:
    body = bytearray(negotiate(bytes(8)))
    body[35] = mode
    found = smb1.parse_negotiate(bytes(body))
    assert found is not None
    assert found.signing == signing


@given(
    st.binary(max_size=120),
    st.sampled_from([0x72, 0x73]),
    st.sampled_from([UNICODE, OEM]),
    st.sampled_from([3, 4, 17]),
)
def test_any_bytes_behind_a_header_are_a_protocol_error_at_worst(
    data: bytes, command: int, flags2: int, words: int
) -> None:
    body = header(command, flags2) + bytes([words]) + data
    with suppress(ProtocolError):
        smb1.parse_negotiate(body)
    with suppress(ProtocolError):
        smb1.parse_session_setup(body)
