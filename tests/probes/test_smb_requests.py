"""Our own requests, read by somebody else's decoders; what they may never hold."""

from __future__ import annotations

import ast
import struct
from pathlib import Path

import pytest
from impacket import smb as other  # type: ignore[import-untyped]  # it has no stubs
from impacket import smb3structs as smb3
from impacket import spnego as other_spnego

import scanner
from scanner.probes import netbios_session, ntlm, smb1, smb2

PLAIN = smb1.parse_negotiate(
    struct.pack("<4sBIBH20xB", b"\xffSMB", 0x72, 0, 0x88, 0xC001, 17)
    + struct.pack("<HBHHIIIIqhBH", 0, 3, 1, 1, 4356, 65536, 0xCAFE1234, 0x0000F3FD, 0, 0, 8, 8)
    + b"8 bytes!"
)
assert PLAIN is not None
OLDER = PLAIN._replace(capabilities=PLAIN.capabilities & ~4)

REQUESTS = {
    "session request": netbios_session.session_request(netbios_session.ANYBODY, netbios_session.CALLING),
    "negotiate any": smb1.NEGOTIATE_ANY,
    "negotiate SMB 1": smb1.NEGOTIATE_SMB1,
    "SPNEGO": smb1.SETUP_SPNEGO,
    "NTLM": smb1.SETUP_NTLM,
    "anonymous": smb1.anonymous_setup(PLAIN),
    "anonymous OEM": smb1.anonymous_setup(OLDER),
    "SMB 2 first": smb2.negotiate_request(0),
    "SMB 2 second": smb2.negotiate_request(1),
    "SMB 2 setup": smb2.session_setup_request(2),
}

WINDOWS_10_OPENING = bytes.fromhex(
    "00000045ff534d4272000000001853c8000000000000000000000000fffffffe000000000022000"
    "24e54204c4d20302e31320002534d4220322e3030320002534d4220322e3f3f3f00"
)


@pytest.mark.parametrize("name", REQUESTS)
def test_no_request_could_log_on(name: str) -> None:
    assert b"NTLMSSP\0\x03" not in REQUESTS[name]
    assert int.from_bytes(REQUESTS[name][1:4], "big") == len(REQUESTS[name]) - 4


def test_no_third_ntlm_message_is_in_the_code() -> None:
    for path in Path(scanner.__file__).parent.joinpath("probes").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, bytes):
                assert b"NTLMSSP\0\x03" not in node.value, path.name
    assert struct.unpack_from("<I", ntlm.NEGOTIATE, 8) == (1,)


def test_the_opening_is_that_of_a_current_windows_byte_for_byte() -> None:
    assert smb1.NEGOTIATE_ANY == WINDOWS_10_OPENING


def smb1_command(raw: bytes) -> tuple[other.NewSMBPacket, other.SMBCommand]:
    packet = other.NewSMBPacket(data=raw[4:])
    assert packet["Flags1"] == 0x18
    assert (packet["Tid"], packet["Uid"], packet["Pid"]) == (0xFFFF, 0, 0xFEFF)
    command = other.SMBCommand(packet["Data"][0])
    assert command["Parameters"][:4] in (b"", b"\xff\0\0\0"), "nothing is chained"
    return packet, command


def test_the_smb1_negotiation() -> None:
    packet, command = smb1_command(smb1.NEGOTIATE_SMB1)
    assert packet["Command"] == other.SMB.SMB_COM_NEGOTIATE
    assert packet["Flags2"] & other.SMB.FLAGS2_EXTENDED_SECURITY
    assert packet["Flags2"] & other.SMB.FLAGS2_UNICODE
    assert command["Data"] == b"\x02NT LM 0.12\0"


@pytest.mark.parametrize(("name", "wrapped"), [("SPNEGO", True), ("NTLM", False)])
def test_the_smb1_session_setup(name: str, wrapped: bool) -> None:  # noqa: FBT001 - a parameter of the table above
    packet, command = smb1_command(REQUESTS[name])
    assert packet["Command"] == other.SMB.SMB_COM_SESSION_SETUP_ANDX
    words = other.SMBSessionSetupAndX_Extended_Parameters(command["Parameters"])
    data = other.SMBSessionSetupAndX_Extended_Data(flags=packet["Flags2"])
    data["SecurityBlobLength"] = words["SecurityBlobLength"]
    data.fromString(command["Data"])
    blob = data["SecurityBlob"]
    assert packet["Flags2"] == 0xC807, "as Windows: Unicode, NT status codes, extended security, signing"
    assert packet["Mid"] == 1
    assert (words["MaxMpxCount"], words["SessionKey"], command["Parameters"][16:20]) == (1, 0, bytes(4))
    assert words["VcNumber"] == 1, "0 would end other sessions of this machine"
    assert words["Capabilities"] & other.SMB.CAP_EXTENDED_SECURITY
    assert (other_spnego.SPNEGO_NegTokenInit(blob)["MechToken"] if wrapped else blob) == ntlm.NEGOTIATE
    assert (59 + len(blob) + (1 - len(blob) % 2)) % 2 == 0, "the strings behind the blob are aligned"
    assert len(command["Data"]) == len(blob) + (1 - len(blob) % 2) + 4


@pytest.mark.parametrize(("name", "unicode_flag"), [("anonymous", 0x8000), ("anonymous OEM", 0)])
def test_the_null_session_has_no_credentials(name: str, unicode_flag: int) -> None:
    packet, command = smb1_command(REQUESTS[name])
    words = other.SMBSessionSetupAndX_Parameters(command["Parameters"])
    assert words["AnsiPwdLength"] == words["UnicodePwdLength"] == 0
    assert command["Parameters"][18:22] == bytes(4), "reserved"
    assert words["SessionKey"] == 0xCAFE1234, "the server's own"
    assert words["VCNumber"] == 1
    assert words["MaxMpxCount"] == 1
    assert packet["Flags2"] & 0x8000 == unicode_flag
    assert not packet["Flags2"] & other.SMB.FLAGS2_EXTENDED_SECURITY
    assert bool(words["Capabilities"] & other.SMB.CAP_UNICODE) == bool(unicode_flag)
    assert command["Data"].strip(b"\0") == b"", "no name, no password, no domain"
    assert len(command["Data"]) == (9 if unicode_flag else 4)


@pytest.mark.parametrize("message_id", [0, 1])
def test_the_smb2_negotiation(message_id: int) -> None:
    packet = smb3.SMB2Packet(smb2.negotiate_request(message_id)[4:])
    assert (packet["Command"], packet["MessageID"]) == (smb3.SMB2_NEGOTIATE, message_id)
    assert (packet["StructureSize"], packet["CreditCharge"], packet["CreditRequestResponse"]) == (64, 0, 1)
    assert (packet["Status"], packet["Flags"], packet["NextCommand"], packet["TreeID"]) == (0, 0, 0, 0)
    found = smb3.SMB2Negotiate(packet["Data"])
    assert found["Dialects"][: found["DialectCount"]] == [0x0202, 0x0210, 0x0300, 0x0302, 0x0311]
    assert (found["StructureSize"], found["SecurityMode"], found["Capabilities"]) == (36, 1, 0x7F)
    where = smb3.SMB311ContextData(found["ClientStartTime"])
    assert where["NegotiateContextOffset"] % 8 == 0
    contexts = packet["Data"][where["NegotiateContextOffset"] - 64 :]
    found_contexts = {}
    for _ in range(where["NegotiateContextCount"]):
        context = smb3.SMB2NegotiateContext(contexts)
        found_contexts[context["ContextType"]] = context["Data"]
        length = 8 + context["DataLength"]
        assert len(contexts) >= length
        contexts = contexts[length + -length % 8 :]
    assert contexts == b""
    preauth = smb3.SMB2PreAuthIntegrityCapabilities(found_contexts.pop(1))
    assert (preauth["HashAlgorithmCount"], preauth["SaltLength"], len(preauth["Salt"])) == (1, 32, 32)
    assert preauth["HashAlgorithms"] == b"\1\0", "SHA-512"
    # Ciphers, compressions and signatures, each a count and its choices ([MS-SMB2] 2.2.3.1.2, .3, .7).
    assert {kind: data.hex() for kind, data in found_contexts.items()} == {
        2: "04000200010004000300",
        3: "0300000000000000030002000100",
        8: "0300020001000000",
    }


@pytest.mark.parametrize("message_id", [1, 2])
def test_the_smb2_session_setup(message_id: int) -> None:
    packet = smb3.SMB2Packet(smb2.session_setup_request(message_id)[4:])
    assert (packet["Command"], packet["MessageID"]) == (smb3.SMB2_SESSION_SETUP, message_id)
    assert packet["SessionID"] == 0
    found = smb3.SMB2SessionSetup(packet["Data"])
    assert (found["StructureSize"], found["Flags"], found["SecurityMode"]) == (25, 0, 1)
    assert (found["Channel"], found["PreviousSessionId"]) == (0, 0)
    raw = smb2.session_setup_request(message_id)[4:]
    blob = raw[found["SecurityBufferOffset"] :]
    assert len(blob) == found["SecurityBufferLength"]
    token = other_spnego.SPNEGO_NegTokenInit(blob)["MechToken"]
    assert token == ntlm.NEGOTIATE
