"""What is taken out of answers before they are kept."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.probes import netbios_session, ntlm, smb1
from scanner.probes.netbios_session import wrap
from scanner.probes.smb import PROBE
from tests.probes import made

NONCE = b"8 bytes!"
ISSUER = b"CN=account@example"


def kept(raw: bytes) -> bytes:
    (answer,) = PROBE.redact((raw,))
    return answer


def negoex(content: bytes) -> bytes:
    """One NEGOEX message ([MS-NEGOEX] 2.2.6.2), its content behind the header of 40 bytes."""
    length = 40 + len(content)
    return struct.pack("<8sIIII16s", b"NEGOEXTS", 3, 1, 64, length, b"conversation id.") + content


@pytest.mark.parametrize("before", [b"", b"\x85\0\0\0" * 3])
def test_the_challenge_of_a_plain_negotiation(before: bytes) -> None:
    raw = before + wrap(made.smb1_negotiate(NONCE + made.utf16("WARD", "SRV")))
    answer = kept(raw)
    assert NONCE in raw
    assert answer == raw.replace(NONCE, bytes(8))
    negotiated = smb1.parse_negotiate(netbios_session.smb_body(answer))
    assert negotiated is not None
    assert (negotiated.domain, negotiated.server) == ("WARD", "SRV")


def test_a_guid_in_its_place_stays() -> None:
    raw = wrap(made.smb1_negotiate(made.GUID, capabilities=0xC000F3FD, challenge=0))
    assert kept(raw) == raw


def test_the_ntlm_challenge() -> None:
    raw = wrap(made.smb2_setup(made.challenge()))
    assert raw.count(NONCE) == 1
    assert kept(raw) == raw.replace(NONCE, bytes(8))
    assert ntlm.parse_challenge(kept(raw)[4 + 72 :]) == ntlm.parse_challenge(made.challenge())


def test_issuers_of_certificates() -> None:
    blob = negoex(b"first " + ISSUER) + negoex(ISSUER * 3)
    raw = wrap(made.smb2_negotiate() + blob + b"behind")
    answer = kept(raw)
    assert ISSUER not in answer
    assert answer.count(b"NEGOEXTS") == 2
    assert answer.endswith(b"behind")
    assert len(answer) == len(raw)


@pytest.mark.parametrize("length", [0, 23, 0xFFFFFFFF])
def test_lengths_that_lie_are_bounded_by_the_answer(length: int) -> None:
    message = bytearray(negoex(ISSUER))
    message[20:24] = length.to_bytes(4, "little")
    raw = wrap(made.smb2_negotiate() + bytes(message))
    assert len(kept(raw)) == len(raw)


@pytest.mark.parametrize("answer", ["82000000", "8300000182", "84000006c000020101bd"])
def test_answers_to_a_session_request_stay(answer: str) -> None:
    assert kept(bytes.fromhex(answer)) == bytes.fromhex(answer)


@pytest.mark.parametrize(
    "noise",
    [b"", b"220 welcome to the PC of somebody", b"SMB", b"\x82" + b"somebody at home", b"somebody\xffSMB"],
)
def test_nothing_is_kept_of_what_is_not_smb(noise: bytes) -> None:
    assert kept(noise) == b""


@given(
    st.lists(
        st.one_of(
            st.binary(max_size=40),
            st.sampled_from(
                [b"\xffSMB\x72", b"\xfeSMB", b"NTLMSSP\0\2\0\0\0", b"NEGOEXTS", b"\x11", bytes(24)]
            ),
        ),
        max_size=12,
    )
)
def test_any_bytes_in_bytes_out(parts: list[bytes]) -> None:
    raw = b"".join(parts)
    assert kept(raw) in (raw, b"") or b"SMB" in raw
    raw = wrap(b"\xfeSMB" + raw)
    answer = kept(raw)
    assert len(answer) == len(raw)
    assert all(after in (0, before) for before, after in zip(raw, answer, strict=True))
