"""The ways that a conversation may go, with hosts made here."""

from __future__ import annotations

from typing import Any

import pytest

from scanner.errors import LimitError, PeerClosedError, ProbeError, ProtocolError
from scanner.model import Endpoint
from scanner.probes import Peer, netbios_session, probes, smb1, smb2, spnego
from scanner.probes.netbios_session import wrap
from scanner.probes.smb import KEYS, PROBE
from tests.probes import made
from tests.probes.conversation import Answer, Heard, Replay
from tests.probes.told import Told

DIRECT = Endpoint("192.0.2.1", 445)
NETBIOS = Endpoint("192.0.2.1", 1139, service=139)
GRANTED = bytes.fromhex("82000000")

WILDCARD = wrap(made.smb2_negotiate(0x02FF, start=132902777533691354))
AGREED = wrap(made.smb2_negotiate(0x0311, mode=3, contexts=((1, bytes(38)), (8, bytes(4)))))
CHALLENGE = wrap(made.smb2_setup(made.challenge()))
PENDING = wrap(made.smb2_header(1, 0x103) + bytes(9))
REFUSED = wrap(made.smb2_header(1, 0xC0000022) + bytes(9))
SMB1_PLAIN = wrap(made.smb1_negotiate(b"8 bytes!" + made.utf16("WARD", "NT4SRV"), made.OEM))
SMB1_STRINGS = wrap(made.smb1_setup(b"Windows NT 1381\0NT LAN Manager 4.0\0WARD\0", made.OEM))
NO_DIALECT = wrap(made.smb1_header(0x72, made.UNICODE) + b"\1\xff\xff\0\0")

SMB1_EXTENDED = wrap(made.smb1_negotiate(made.GUID, capabilities=0x8000F3FD, challenge=0))

SMB2_FACTS: dict[str, Any] = {
    "smb.signing": "enabled",
    "smb.server_guid": "03020100-0504-0706-0809-0a0b0c0d0e0f",
    "smb.boot_time": "2022-02-25T15:49:13Z",
    "smb.dialect": "3.1.1",
    "smb2.capabilities": "0x0000002f",
    "smb2.max_transact": "8388608",
    "smb2.contexts": ("preauth", "signing"),
}
NTLM_FACTS = {
    "ntlm.challenge": "versioned",
    "ntlm.version": "5.1.2600",
    "ntlm.netbios_name": "ward-pc-07",
    "ntlm.netbios_domain": "CHU",
    "ntlm.dns_name": "ward-pc-07.chu.example",
    "ntlm.dns_domain": "chu.example",
    "ntlm.dns_forest": "example",
}
PLAIN_FACTS = {
    "smb.smb1": "yes",
    "smb.security": "plain",
    "smb.max_buffer": "4356",
    "smb.max_mpx": "50",
    "smb.capabilities": "0x0000f3fd",
    "netbios.name": "NT4SRV",
    "netbios.domain": "WARD",
    "smb.native_os": "Windows NT 1381",
    "smb.native_lm": "NT LAN Manager 4.0",
}

EXTENDED_FACTS = {
    "smb.smb1": "yes",
    "smb.dialect": "NT LM 0.12",
    "smb.signing": "disabled",
    "smb.security": "extended",
    "smb.max_buffer": "4356",
    "smb.max_mpx": "50",
    "smb.capabilities": "0x8000f3fd",
    "smb.server_guid": SMB2_FACTS["smb.server_guid"],
    "smb.native_os": "Windows 5.1",
    "smb.native_lm": "Windows 2000 LAN Manager",
}
LATER_FACTS = {key: value for key, value in SMB2_FACTS.items() if key != "smb.boot_time"}

CONVERSATIONS = (
    Told(
        "without extended security",
        PROBE,
        [[SMB1_PLAIN, SMB1_STRINGS]],
        {**PLAIN_FACTS, "smb.dialect": "NT LM 0.12", "smb.signing": "disabled"},
        "[MS-CIFS] 2.2.4.52, 2.2.4.53",
    ),
    Told(
        "SMB 2, and no SMB 1",
        PROBE,
        [[WILDCARD, AGREED, CHALLENGE], [PeerClosedError()]],
        {**SMB2_FACTS, **NTLM_FACTS, "smb.smb1": "no"},
        "[MS-SMB2] 2.2.4, 2.2.6",
    ),
    Told(
        "SMB 2 and SMB 1, over NetBIOS, slow to answer",
        PROBE,
        [[GRANTED, WILDCARD, AGREED, PENDING, CHALLENGE], [GRANTED, SMB1_PLAIN, SMB1_STRINGS]],
        {**PLAIN_FACTS, **SMB2_FACTS, **NTLM_FACTS},
        "[RFC 1002] 4.3.3; [MS-SMB2] 3.3.4.2",
        service=139,
    ),
    Told(
        "SMB 1 with extended security",
        PROBE,
        [[SMB1_EXTENDED, wrap(made.smb1_setup(b"Windows 5.1\0Windows 2000 LAN Manager\0", made.OEM))]],
        EXTENDED_FACTS,
        "[MS-SMB] 2.2.4.5.2.1, 2.2.4.6.2",
    ),
    Told(
        "without SMB 1, it hangs up on the first question",
        PROBE,
        [[PeerClosedError()], [AGREED, CHALLENGE]],
        {**LATER_FACTS, **NTLM_FACTS, "smb.signing": "required", "smb.smb1": "no"},
        "[MS-SMB2] 3.3.5.3",
    ),
)


def hold(*connections: list[Answer] | ProbeError, endpoint: Endpoint = DIRECT) -> Heard:
    return Replay(connections).hold(PROBE, endpoint)


def test_it_is_found_by_being_there() -> None:
    assert PROBE in probes()
    assert PROBE.ports == (445, 139)
    assert len(set(KEYS)) == len(KEYS) == len(PROBE.keys)


def test_a_host_with_smb1_off() -> None:
    heard = hold([WILDCARD, AGREED, CHALLENGE], [PeerClosedError()])
    assert heard.error is None
    assert heard.evidence == SMB2_FACTS | NTLM_FACTS | {"smb.smb1": "no"}
    assert heard.said == [
        smb1.NEGOTIATE_ANY,
        smb2.negotiate_request(1),
        smb2.session_setup_request(2),
        smb1.NEGOTIATE_SMB1,
    ]


def test_a_host_with_smb1_on_says_more_there_and_contradicts_nothing() -> None:
    heard = hold([WILDCARD, AGREED, CHALLENGE], [SMB1_PLAIN, SMB1_STRINGS])
    assert heard.error is None
    assert heard.evidence == PLAIN_FACTS | SMB2_FACTS | NTLM_FACTS


def test_no_second_negotiation_where_the_first_answer_agreed_a_dialect() -> None:
    heard = hold([wrap(made.smb2_negotiate(0x0202)), CHALLENGE], [NO_DIALECT])
    assert heard.said[:2] == [smb1.NEGOTIATE_ANY, smb2.session_setup_request(1)]
    assert (heard.evidence["smb.dialect"], heard.evidence["smb.smb1"]) == ("2.0.2", "no")


@pytest.mark.parametrize(
    "answer",
    [
        PeerClosedError(),
        NO_DIALECT,
        WILDCARD,
        wrap(made.smb1_header(0x72, made.UNICODE, 0xC00000BB) + bytes(3)),
    ],
)
def test_smb1_is_off_where_the_host_refuses_it(answer: Answer) -> None:
    heard = hold([WILDCARD, AGREED, CHALLENGE], [answer])
    assert (heard.error, heard.evidence["smb.smb1"]) == (None, "no")


@pytest.mark.parametrize("second", [LimitError(), PeerClosedError(), [LimitError()]], ids=repr)
def test_where_the_question_was_not_heard_nothing_is_said_of_smb1(second: list[Answer] | ProbeError) -> None:
    heard = hold([WILDCARD, AGREED, CHALLENGE], second)
    assert heard.error is None, "the conversation went as far as it may"
    assert heard.evidence == SMB2_FACTS | NTLM_FACTS


def test_a_limit_after_the_negotiation_leaves_what_it_told() -> None:
    heard = hold([WILDCARD, AGREED, CHALLENGE], [SMB1_PLAIN, LimitError()])
    assert isinstance(heard.error, LimitError)
    assert heard.evidence["smb.smb1"] == "yes"


def test_noise_to_the_second_question_leaves_the_first_answers() -> None:
    heard = hold([WILDCARD, AGREED, CHALLENGE], [b"220 ftp ready\r\n"])
    assert isinstance(heard.error, ProtocolError)
    assert heard.evidence == SMB2_FACTS | NTLM_FACTS


def test_over_netbios_each_connection_begins_with_a_session() -> None:
    heard = hold(
        [GRANTED, WILDCARD, AGREED, CHALLENGE], [GRANTED, SMB1_PLAIN, SMB1_STRINGS], endpoint=NETBIOS
    )
    assert heard.error is None
    assert heard.evidence == PLAIN_FACTS | SMB2_FACTS | NTLM_FACTS
    assert (
        heard.said[0]
        == heard.said[4]
        == netbios_session.session_request(netbios_session.ANYBODY, netbios_session.CALLING)
    )


def test_the_longest_conversation_is_within_what_is_declared() -> None:
    heard = hold(
        [GRANTED, WILDCARD, AGREED, PENDING, CHALLENGE],
        [GRANTED, SMB1_PLAIN, SMB1_STRINGS],
        endpoint=NETBIOS,
    )
    assert (heard.error, heard.exchanges, heard.connections) == (None, PROBE.exchanges, PROBE.connections)


@pytest.mark.parametrize(
    "second", [[bytes.fromhex("8300000183")], [PeerClosedError()], PeerClosedError(), LimitError()], ids=repr
)
def test_a_second_session_that_is_not_granted_says_nothing_of_smb1(second: list[Answer] | ProbeError) -> None:
    heard = hold([GRANTED, WILDCARD, AGREED, CHALLENGE], second, endpoint=NETBIOS)
    assert heard.evidence == SMB2_FACTS | NTLM_FACTS


def test_a_session_that_is_refused_says_why_and_nothing_more_is_sent() -> None:
    heard = hold([bytes.fromhex("8300000182")], [WILDCARD], endpoint=NETBIOS)
    assert isinstance(heard.error, ProtocolError)
    assert "does not have the name" in str(heard.error)
    assert (heard.said, heard.connections) == (
        [netbios_session.session_request(netbios_session.ANYBODY, netbios_session.CALLING)],
        1,
    )


def test_a_host_whose_name_is_known_is_called_by_it() -> None:
    known = Peer(NETBIOS, {"netbios.name": ("WARD-PC-7",)})
    heard = Replay([[GRANTED, SMB1_PLAIN, SMB1_STRINGS]]).hold_with(PROBE, known)
    assert heard.error is None
    assert heard.said[0] == netbios_session.session_request("WARD-PC-7", "VETUSTE")
    assert "netbios.name" in PROBE.wants


@pytest.mark.parametrize("name", ["", "A" * 40, "h\u00f4pital", "\u4e00\ufffd"])
def test_any_name_can_be_called(name: str) -> None:
    request = netbios_session.session_request(name, "VETUSTE")
    assert len(request) == len(
        netbios_session.session_request(netbios_session.ANYBODY, netbios_session.CALLING)
    )


def test_a_plain_host_is_asked_by_a_null_session() -> None:
    heard = hold([SMB1_PLAIN, SMB1_STRINGS])
    assert heard.error is None
    assert heard.evidence == PLAIN_FACTS | {"smb.dialect": "NT LM 0.12", "smb.signing": "disabled"}
    negotiated = smb1.parse_negotiate(netbios_session.smb_body(SMB1_PLAIN))
    assert negotiated is not None
    assert heard.said[1] == smb1.anonymous_setup(negotiated)


@pytest.mark.parametrize(
    ("blob", "request_bytes"), [(b"", smb1.SETUP_NTLM), (spnego.offer(b"hints"), smb1.SETUP_SPNEGO)]
)
def test_spnego_is_spoken_to_who_speaks_it(blob: bytes, request_bytes: bytes) -> None:
    extended = wrap(made.smb1_negotiate(made.GUID + blob, capabilities=0x8000F3FD, challenge=0))
    heard = hold([extended, wrap(made.smb1_setup(b"XP\0LM\0", made.OEM, 0xC000006D))])
    assert heard.said[1] == request_bytes
    assert heard.evidence["smb.security"] == "extended"
    assert heard.evidence["smb.native_os"] == "XP", "the status does not matter"


def test_a_refused_session_setup_leaves_the_negotiation() -> None:
    heard = hold([WILDCARD, AGREED, REFUSED], [PeerClosedError()])
    assert (heard.error, heard.evidence) == (None, SMB2_FACTS | {"smb.smb1": "no"})


@pytest.mark.parametrize("first", [PeerClosedError(), NO_DIALECT])
def test_a_host_that_hangs_up_on_smb1_is_asked_in_smb2_alone(first: Answer) -> None:
    heard = hold([first], [AGREED, CHALLENGE])
    assert heard.error is None
    assert heard.said == [smb1.NEGOTIATE_ANY, smb2.negotiate_request(0), smb2.session_setup_request(1)]
    assert heard.evidence["smb.smb1"] == "no"
    assert heard.evidence.items() >= NTLM_FACTS.items()


@pytest.mark.parametrize("second", [[PeerClosedError()], PeerClosedError(), LimitError()], ids=repr)
def test_a_host_that_hangs_up_always_says_nothing(second: list[Answer] | ProbeError) -> None:
    heard = hold([PeerClosedError()], second)
    assert isinstance(heard.error, PeerClosedError)
    assert (heard.evidence, heard.connections) == ({}, 2)


@pytest.mark.parametrize("error", [LimitError(), ProtocolError()])
def test_a_host_that_stalls_or_says_noise_is_left_alone(error: LimitError | ProtocolError) -> None:
    heard = hold([error], [AGREED, CHALLENGE])
    assert (heard.error, heard.connections, heard.evidence) == (error, 1, {})


@pytest.mark.parametrize("start", [0, 9, (1 << 64) - 1, 0x7FFFFFFFFFFFFFFF])
def test_times_that_no_calendar_has_are_not_said(start: int) -> None:
    heard = hold([wrap(made.smb2_negotiate(0x0210, start=start)), CHALLENGE])
    assert ("smb.boot_time" in heard.evidence) == (start == 9), "1601 is a date that a host may state"


def test_a_guid_of_zeros_is_not_said() -> None:
    heard = hold([wrap(made.smb2_negotiate(0x0210, guid=bytes(16))), CHALLENGE])
    assert "smb.server_guid" not in heard.evidence
    assert heard.evidence["smb.dialect"] == "2.1"


def test_control_characters_do_not_pass() -> None:
    strings = wrap(made.smb1_setup(b"Windows\x1b[2J\r\n\0\x9b31m\0", made.OEM))
    heard = hold([SMB1_PLAIN, strings])
    for value in heard.evidence.values():
        assert "".join(value).isprintable()
    assert heard.evidence["smb.native_os"] == "Windows\ufffd[2J\ufffd\ufffd"
