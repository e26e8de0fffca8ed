"""The CLDAP probe: Samba's recorded answer, Windows' after the specification, names in circles."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import ProbeError, ProtocolError
from scanner.model import Endpoint
from scanner.probes import cldap
from tests.probes.conversation import Replay
from tests.probes.directory import done, entry
from tests.probes.told import Told

SAMBA = (
    b"0z\2\1\1du\4\0000q0o\4\x08netlogon1c\4a\x17\0\0\0\x9d\x11\0\0y\x8bC#l\x85\xddO\x9ex\xb0\4\x95\xc4\x15k"
    b"\4ward\7example\0\xc0\x18\5dcone\xc0\x18\4WARD\0\5DCONE\0\0\x17Default-First-Site-Name\0\xc0>\5\0\0\0"
    b"\xff\xff\xff\xff0\x0c\2\1\1e\7\n\1\0\4\0\4\0"
)
NAMES = b"\3chu\7example\0\xc0\x18\3dc1\xc0\x18\3CHU\0\3DC1\0%b\5Paris\0\xc0%c"
END = struct.pack("<IHH", 5, 0xFFFF, 0xFFFF)


def ping(flags: int, opcode: int = 23, user: bytes = b"\0", guid: bytes = bytes(16)) -> bytes:
    """[MS-ADTS] 6.3.1.9."""
    site = 24 + len(b"\3chu\7example\0\xc0\x18\3dc1\xc0\x18\3CHU\0\3DC1\0") + len(user)
    return struct.pack("<HHI", opcode, 0, flags) + guid + NAMES % (user, site) + END


FOUND = {
    "ldap.forest": "chu.example",
    "ldap.domain": "chu.example",
    "ldap.host": "dc1.chu.example",
    "ldap.site": "Paris",
    "netbios.domain": "CHU",
    "netbios.name": "DC1",
}

CONVERSATIONS = (
    Told(
        "Samba",
        cldap.PROBE,
        [[SAMBA]],
        {
            "cldap.flags": "0x0000119d",
            "ldap.forest": "ward.example",
            "ldap.domain": "ward.example",
            "ldap.host": "dcone.ward.example",
            "ldap.site": "Default-First-Site-Name",
            "netbios.domain": "WARD",
            "netbios.name": "DCONE",
        },
        "recorded from Debian's Samba 4.17",
    ),
    Told(
        "Server 2003, in one datagram with the end of the search",
        cldap.PROBE,
        [[entry({"netlogon": [ping(0x1FD)]}) + done()]],
        {"cldap.flags": "0x000001fd", **FOUND},
        "built from [MS-ADTS] 6.3.1.9 and 6.3.3.2",
    ),
    Told(
        "Server 2012 R2, which knows no such user",
        cldap.PROBE,
        [[entry({"Netlogon": [ping(0xF1FD, 25, b"\6nobody\0")]})]],
        {"cldap.flags": "0x0000f1fd", **FOUND},
        "built from [MS-ADTS] 6.3.1.3 and 6.3.1.9",
    ),
    Told("a directory of another kind", cldap.PROBE, [[done()]], {}, "built from [RFC 4511] 4.5.2"),
)


def test_the_question_byte_by_byte() -> None:
    assert cldap.QUESTION == (
        b"\x30\x33\2\1\1\x63\x2e\4\0\n\1\0\n\1\0\2\1\0\2\1\0\1\1\0"
        b"\xa0\x0f\xa3\x0d\4\5NtVer\4\4\6\0\0\0\x30\x0a\4\x08Netlogon"
    )
    assert len(cldap.QUESTION) <= cldap.PROBE.size


def test_answers_to_other_questions_are_waited_over() -> None:
    assert cldap.ours(entry({}, number=7)) is None
    assert cldap.ours(SAMBA[:20]) is None
    assert cldap.ours(b"") is None
    assert cldap.ours(SAMBA) == len(SAMBA)


@pytest.mark.parametrize("raw", [b"\x80\1\0\0", b"0\3\4\1\1", b"0\x80"])
def test_another_protocol_on_the_port(raw: bytes) -> None:
    heard = Replay([[raw]]).hold(cldap.PROBE, Endpoint("192.0.2.1", 389, cldap.PROBE.transport))
    assert isinstance(heard.error, ProtocolError)


@pytest.mark.parametrize(
    "names",
    [
        b"\xc0\x18",  # at itself
        b"\1a\xc0\x18",  # round and round
        b"\1a\xc0\x1a",
        b"\xc0\xff",  # forward
        b"\x40a\0",  # no kind of label
        b"\x3fabc",
        b"\1a" * 65 + b"\0",
        b"",
    ],
)
def test_names_without_an_end_are_refused(names: bytes) -> None:
    with pytest.raises(ProtocolError):
        cldap.parse_response(struct.pack("<HHI16x", 23, 0, 0) + names)


@pytest.mark.parametrize("kind", [19, 21, 12, 0])
def test_other_kinds_of_answer_are_refused(kind: int) -> None:
    with pytest.raises(ProtocolError):
        cldap.parse_response(ping(0, kind))


@given(st.binary(max_size=80))
def test_any_answer_is_read_or_refused(raw: bytes) -> None:
    for each in (raw, struct.pack("<HHI16x", 23, 0, 0) + raw):
        try:
            cldap.parse_response(each)
        except ProbeError:
            continue
