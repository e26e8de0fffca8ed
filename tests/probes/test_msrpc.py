"""The probe of the RPC endpoint mapper: hosts of every age, and what their answers may do to it."""

from __future__ import annotations

import struct
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from impacket.dcerpc.v5 import dcomrt, epm, rpcrt  # type: ignore[import-untyped]  # it has no stubs
from impacket.uuid import bin_to_uuidtup  # type: ignore[import-untyped]

from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.model import Endpoint
from scanner.probes import dcerpc, ntlm
from scanner.probes.msrpc import (
    BIND,
    BIND_WITH_NTLM,
    PROBE,
    SERVER_ALIVE,
    lookup,
    parse_elements,
    parse_server_alive,
    redact,
)
from tests.probes import made
from tests.probes.conversation import Replay
from tests.probes.rpc_answers import (
    ACCEPTED,
    HANDLE,
    LAST,
    MAPPER,
    NO_INTERFACE,
    NO_SYNTAX,
    bind_ack,
    bind_nak,
    elements,
    fault,
    pdu,
    response,
    server_alive,
)
from tests.probes.told import Told

if TYPE_CHECKING:
    from scanner.errors import ProbeError

ATSVC, MESSENGER = "1ff70682-0a51-30e8-076d-740be8cee98b v1.0", "5a7b91f8-ff00-11d0-a9b2-00c04fb6e6fc v1.0"
XP_NAMES = {1: "RADIO-XP", 2: "RADIO-XP", 3: "radio-xp", 4: "radio-xp"}

HOST = Endpoint("192.0.2.1", 135, PROBE.transport)


def utf16(text: str) -> bytes:
    return text.encode("utf-16-le")


XP_CHALLENGE = made.challenge(target=utf16("RADIO-XP"), info=made.pairs(XP_NAMES))
XP_LEARNT = {
    "ntlm.netbios_name": "RADIO-XP",
    "ntlm.netbios_domain": "RADIO-XP",
    "ntlm.dns_name": "radio-xp",
    "ntlm.dns_domain": "radio-xp",
    "ntlm.challenge": "versioned",
    "ntlm.version": "5.1.2600",
}
NT4_CHALLENGE = made.challenge(flags=0xA0810205, target=utf16("WARD"), info=b"", version=b"")

# 172.18.39.6 of covenant_dcom_registerxll, a Windows 10 1903: its answers to a bind of ISystemActivator with
# NTLM, to one of IObjectExporter with bind time features, and to ServerAlive2.
WORKSTATION_BIND = bytes.fromhex(
    "05000c03100000004601020103000000d016d016d474000004003133350000000100000000000000045d888aeb1cc9119fe80800"
    "2b104860020000000a020000000000004e544c4d53535000020000001000100038000000158289e22232a6459cfe49bf00000000"
    "00000000ba00ba00480000000a00ba470000000f5400480045005300480049005200450002001000540048004500530048004900"
    "520045000100180057004f0052004b00530054004100540049004f004e00360004001c0074006800650073006800690072006500"
    "2e006c006f00630061006c000300360057004f0052004b00530054004100540049004f004e0036002e0074006800650073006800"
    "6900720065002e006c006f00630061006c0005001c00740068006500730068006900720065002e006c006f00630061006c000700"
    "0800ff7716f5ed8dd60100000000"
)
WORKSTATION_BIND_ALONE = bytes.fromhex(
    "05000c03100000005400000002000000d016d016d474000004003133350000000200000000000000045d888aeb1cc9119fe80800"
    "2b10486002000000030003000000000000000000000000000000000000000000"
)
WORKSTATION_ALIVE = bytes.fromhex(
    "050002031000000094000000020000007c0000000000000005000700000002003200000032001c00070057004f0052004b005300"
    "54004100540049004f004e003600000007003100370032002e00310038002e00330039002e003600000000000900ffff00001e00"
    "ffff00001000ffff00000a00ffff00001600ffff00001f00ffff00000e00ffff000000000000000000000000"
)
# 172.18.38.5 of covenant_dcom_iertutil_dll_hijack, a 64-bit domain controller: to a bind of the mapper
# in NDR, in NDR64 and for bind time features.
CONTROLLER_BIND = bytes.fromhex(
    "05000c03100000006c00000002000000d016d016483f000004003133350000000300000002000200000000000000000000000000"
    "00000000000000000000000033057171babe37498319b5dbef9ccc36010000000300030000000000000000000000000000000000"
    "00000000"
)
# 10.10.0.20 of dcerpc-bind-no-frag-flag, a Windows Server 2022: its answers to a bind of the endpoint mapper,
# and to an operation that it does not have.
SERVER_2022_BIND = bytes.fromhex(
    "05000c03100000003c00000001000000b810b810d72a000004003133350000000100000000000000045d888aeb1cc9119fe80800"
    "2b10486002000000"
)
NO_OPERATION = bytes.fromhex("0500032310000000200000000100000020000000000000000200011c00000000")
# Debian's samba as a domain controller.
SAMBA_BIND = bytes.fromhex(
    "05000c03100000000a01ae0001000000d016d016570a000004003133350000000200000000000000045d888aeb1cc9119fe80800"
    "2b104860020000000200020000000000000000000000000000000000000000000a020000000000004e544c4d5353500002000000"
    "0800080038000000058289a2d4d81d11c244bc7c00000000000000006e006e0040000000060100000000000f5700410052004400"
    "02000800570041005200440001000a00440043004f004e0045000400180077006100720064002e006500780061006d0070006c00"
    "650003002400640063006f006e0065002e0077006100720064002e006500780061006d0070006c006500070008006071b8139c7d"
    "dd0100000000"
)
SAMBA_BIND_ALONE = bytes.fromhex(
    "05000c03100000005400000001000000d016d016efa2000004003133350000000200000002000100000000000000000000000000"
    "000000000000000000000000045d888aeb1cc9119fe808002b10486002000000"
)
SAMBA_END = bytes.fromhex(
    "050002031000000040000000040000002800000001000000000000000000000000000000000000000000000000000000fa000000"
    "0000000000000000d6a0c916"
)
UNIXINFO = "9c54e310-a955-4885-bd31-78787147dfa6 v0.0"

CONVERSATIONS = (
    Told(
        "Windows XP SP3, in two networks",
        PROBE,
        [
            [bind_ack(ACCEPTED, NO_SYNTAX, token=XP_CHALLENGE)],
            [
                bind_ack(ACCEPTED, ACCEPTED),
                response(2, server_alive(6, (7, "radio-xp"), (7, "10.20.0.5"), (7, "192.168.0.1"))),
                response(3, elements(LAST, [ATSVC, MESSENGER, ATSVC])),
            ],
        ],
        {
            "msrpc.ndr64": "no",
            "msrpc.com_version": "5.6",
            "msrpc.addresses": ("radio-xp", "10.20.0.5", "192.168.0.1"),
            "msrpc.endpoints": (ATSVC, MESSENGER),
            **XP_LEARNT,
        },
        "built: [C706] 12.6 and appendix O, [MS-RPCE] 2.2.2, [MS-DCOM] 3.1.2.5.1.6, [MS-NLMP] 2.2.1.2",
    ),
    Told(
        "Windows XP that restricts remote clients",
        PROBE,
        [
            [bind_ack(ACCEPTED, NO_SYNTAX, token=XP_CHALLENGE)],
            [bind_ack(ACCEPTED, ACCEPTED), fault(2, 5), fault(3, 5)],
        ],
        {"msrpc.ndr64": "no", **XP_LEARNT},
        "built: [C706] 12.6.4.7",
    ),
    Told(
        "Windows NT 4.0, which has no ServerAlive2",
        PROBE,
        [
            [bind_ack(ACCEPTED, NO_SYNTAX, token=NT4_CHALLENGE)],
            [bind_ack(ACCEPTED, ACCEPTED), NO_OPERATION, response(3, elements(LAST, [ATSVC]))],
        ],
        {
            "msrpc.ndr64": "no",
            "ntlm.challenge": "unversioned",
            "ntlm.netbios_domain": "WARD",
            "msrpc.endpoints": (ATSVC,),
        },
        "built: [C706] 12.6, [MS-NLMP] 2.2.1.2; the fault recorded: dcerpc-bind-no-frag-flag",
    ),
    Told(
        "Windows 10 1903",
        PROBE,
        [[WORKSTATION_BIND], [WORKSTATION_BIND_ALONE, WORKSTATION_ALIVE]],
        {
            "ntlm.version": "10.0.18362",
            "ntlm.challenge": "versioned",
            "ntlm.netbios_name": "WORKSTATION6",
            "ntlm.netbios_domain": "THESHIRE",
            "ntlm.dns_name": "WORKSTATION6.theshire.local",
            "ntlm.dns_domain": "theshire.local",
            "ntlm.dns_forest": "theshire.local",
            "msrpc.com_version": "5.7",
            "msrpc.addresses": ("WORKSTATION6", "172.18.39.6"),
        },
        "recorded: covenant_dcom_registerxll, OTRF/Security-Datasets (MIT)",
    ),
    Told(
        "a 64-bit domain controller that tells nothing else",
        PROBE,
        [[CONTROLLER_BIND], [bind_nak(0)]],
        {"msrpc.ndr64": "yes"},
        "recorded: covenant_dcom_iertutil_dll_hijack, OTRF/Security-Datasets (MIT); [C706] 12.6.4.5",
    ),
    Told(
        "Windows Server 2022, its mapper asked by one who offers one interface",
        PROBE,
        [[SERVER_2022_BIND], [SERVER_2022_BIND, NO_OPERATION]],
        {},
        "recorded: dcerpc-bind-no-frag-flag, OISF/suricata-verify (MIT)",
    ),
    Told(
        "Samba 4.17, a domain controller",
        PROBE,
        [
            [SAMBA_BIND],
            [SAMBA_BIND_ALONE, response(3, elements(HANDLE, [UNIXINFO, MAPPER], b"mgmt")), SAMBA_END],
        ],
        {
            "msrpc.ndr64": "no",
            "ntlm.version": "6.1.0",
            "ntlm.challenge": "versioned",
            "ntlm.netbios_name": "DCONE",
            "ntlm.netbios_domain": "WARD",
            "ntlm.dns_name": "dcone.ward.example",
            "ntlm.dns_domain": "ward.example",
            "msrpc.endpoints": (UNIXINFO, MAPPER),
        },
        "recorded from Debian's samba, its list shortened",
    ),
    Told(
        "a host that hangs up on NTLM, and whose list is long",
        PROBE,
        [
            [PeerClosedError()],
            [
                bind_ack(NO_INTERFACE, ACCEPTED),
                response(3, elements(HANDLE, [ATSVC] * 200), size=1400),
                response(4, elements(HANDLE, [MESSENGER] * 9), size=64),
                response(5, elements(LAST, [MAPPER])),
            ],
        ],
        {"msrpc.endpoints": (ATSVC, MESSENGER, MAPPER)},
        "built: [C706] 12.6.3.1 and appendix O",
    ),
    Told(
        "a host that hangs up within its list",
        PROBE,
        [
            [bind_ack(ACCEPTED, NO_SYNTAX)],
            [
                bind_ack(NO_INTERFACE, ACCEPTED),
                response(3, elements(HANDLE, [ATSVC] * 200)),
                PeerClosedError(),
            ],
        ],
        {"msrpc.ndr64": "no", "msrpc.endpoints": (ATSVC,)},
        "built: [C706] appendix O",
        error=PeerClosedError,
    ),
)


def test_a_host_that_may_be_called_but_once_tells_what_the_first_bind_told() -> None:
    heard = Replay([[bind_ack(ACCEPTED, ACCEPTED)], LimitError()]).hold(PROBE, HOST)
    assert heard.evidence == {"msrpc.ndr64": "yes"}
    assert heard.error is None


def test_impacket_reads_our_binds() -> None:
    for message, wanted in ((BIND_WITH_NTLM, ["E1AF8308"] * 2), (BIND, ["99FCFEC4", "E1AF8308"])):
        header = rpcrt.MSRPCHeader(message)
        assert (header["type"], header["frag_len"]) == (rpcrt.MSRPC_BIND, len(message))
        contexts = rpcrt.MSRPCRelayBind(header["pduData"]).getCtxItems()
        assert [bin_to_uuidtup(item["AbstractSyntax"])[0][:8] for item in contexts] == wanted
        assert [item["ContextID"] for item in contexts] == [0, 1]
    header = rpcrt.MSRPCHeader(BIND_WITH_NTLM)
    assert header["auth_data"] == ntlm.NEGOTIATE
    trailer = rpcrt.SEC_TRAILER(header["sec_trailer"])
    assert (trailer["auth_type"], trailer["auth_level"]) == (rpcrt.RPC_C_AUTHN_WINNT, 2)
    offered = [item["TransferSyntax"] for item in rpcrt.MSRPCRelayBind(header["pduData"]).getCtxItems()]
    assert offered == [rpcrt.DCERPC.NDRSyntax, rpcrt.DCERPC.NDR64Syntax]


def test_impacket_asks_the_same() -> None:
    theirs = epm.ept_lookup()
    theirs["inquiry_type"] = epm.RPC_C_EP_ALL_ELTS
    theirs["object"] = theirs["Ifid"] = epm.NULL
    theirs["vers_option"] = epm.RPC_C_VERS_ALL
    theirs["max_ents"] = 200
    header = rpcrt.MSRPCRequestHeader(lookup(bytes(20), 3))
    assert header["pduData"] == theirs.getData()
    assert (header["op_num"], header["ctx_id"], header["call_id"]) == (epm.ept_lookup.opnum, 1, 3)
    header = rpcrt.MSRPCRequestHeader(SERVER_ALIVE)
    assert (header["op_num"], header["ctx_id"], header["pduData"]) == (dcomrt.ServerAlive2.opnum, 0, b"")


def test_impacket_reads_the_same_addresses() -> None:
    stub = dcerpc.parse_response(WORKSTATION_ALIVE, 2)
    theirs = dcomrt.ServerAlive2Response(stub)
    version = theirs["pComVersion"]
    assert f"{version['MajorVersion']}.{version['MinorVersion']}" == parse_server_alive(stub or b"").version
    strings = b"".join(struct.pack("<H", word) for word in theirs["ppdsaOrBindings"]["aStringArray"])
    for address in parse_server_alive(stub or b"").addresses:
        assert address.encode("utf-16-le") in strings


def test_impacket_reads_the_same_elements() -> None:
    stub = elements(HANDLE, [ATSVC, MESSENGER, MAPPER], b"an annotation")
    theirs = epm.ept_lookupResponse(stub)
    towers = [epm.EPMTower(b"".join(entry["tower"]["tower_octet_string"])) for entry in theirs["entries"]]
    assert [str(tower["Floors"][0]).lower() for tower in towers] == [ATSVC, MESSENGER, MAPPER]
    assert parse_elements(stub).interfaces == (ATSVC, MESSENGER, MAPPER)
    assert parse_elements(stub).handle == HANDLE


def test_accounts_in_security_bindings_are_neither_learnt_nor_kept() -> None:
    stub = server_alive(
        7, (7, "WARD-PC-07[135]"), (7, "10.0.0.7"), (15, "\\\\WARD-PC-07"), principal="SOMEBODY"
    )
    assert utf16("SOMEBODY") in stub
    assert parse_server_alive(stub).addresses == ("WARD-PC-07", "10.0.0.7")
    assert redact((response(2, stub), response(3, elements(LAST, [ATSVC], b"SOMEBODY")))) == (b"", b"")


def test_the_challenge_is_not_kept() -> None:
    answer = bind_ack(ACCEPTED, token=XP_CHALLENGE)
    (kept,) = redact((answer,))
    assert b"8 bytes!" in answer
    assert kept == answer.replace(b"8 bytes!", bytes(8))
    assert redact((b"SSH-2.0-OpenSSH_9.2\r\n", b"", NO_OPERATION)) == (b"", b"", NO_OPERATION)


@pytest.mark.parametrize(
    "noise",
    [
        b"S",
        b"\5\2",
        b"\5\0\0",
        b"\5\0\x0c\3\0",
        b"\5\0\x0c\3\x10\0\0\0\x0f\0",
        pdu(2, 1, b"", flags=1) * 256,
    ],
    ids=["another protocol", "a version", "a request", "big-endian", "too short", "without end"],
)
def test_noise_is_not_waited_for(noise: bytes) -> None:
    padded = noise if len(noise) != 10 else noise + bytes(6)
    with pytest.raises(ProtocolError):
        dcerpc.framing(padded)


@pytest.mark.parametrize(
    "answers",
    [
        [pdu(12, 1, b"\xff" * 40)],
        [pdu(2, 1, bytes(8))],
        [pdu(12, 1, bytes(20), token=60_000)],
        [bind_ack(ACCEPTED, token=b"NTLMSSP\0\3\0\0\0")],
    ],
    ids=["lengths", "a response", "a verifier", "another token"],
)
def test_a_bind_answered_by_nonsense_is_an_error(answers: list[bytes | ProbeError]) -> None:
    heard = Replay([answers]).hold(PROBE, HOST)
    assert isinstance(heard.error, ProtocolError)


@pytest.mark.parametrize(
    "answer",
    [response(9, elements(LAST, [ATSVC])), response(3, elements(LAST, [ATSVC])[:60]), pdu(12, 3, bytes(40))],
    ids=["another call", "cut", "a bind's"],
)
def test_a_lookup_answered_by_nonsense_is_an_error(answer: bytes) -> None:
    heard = Replay([[PeerClosedError()], [bind_ack(NO_INTERFACE, ACCEPTED), answer]]).hold(PROBE, HOST)
    assert isinstance(heard.error, ProtocolError)


def test_only_so_many_interfaces_and_addresses_are_kept() -> None:
    many = [f"{number:08x}-0000-0000-0000-000000000000 v1.0" for number in range(200)]
    names = [(7, f"10.0.0.{number}") for number in range(40)]
    answers = [
        bind_ack(ACCEPTED, ACCEPTED),
        response(2, server_alive(7, *names)),
        response(3, elements(LAST, many)),
    ]
    heard = Replay([[PeerClosedError()], answers]).hold(PROBE, HOST)
    assert heard.evidence["msrpc.endpoints"] == tuple(many[:128])
    assert len(heard.evidence["msrpc.addresses"]) == 16


def test_towers_of_other_forms_are_passed_over() -> None:
    stub = elements(LAST, [ATSVC]).replace(b"\5\0\x13\0\x0d", b"\5\0\x13\0\x0e")
    assert parse_elements(stub).interfaces == ()


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    for parse in (parse_server_alive, parse_elements, dcerpc.parse_bind_answer):
        with suppress(ProtocolError):
            parse(data or b"\0")
