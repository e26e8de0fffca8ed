"""The parsers against real answers: field by field, cut at every byte, damaged, with bytes behind."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.errors import ProtocolError
from scanner.probes import netbios_session, ntlm, smb1, smb2, spnego
from tests.probes.answers import SMB, distinct, of_kind

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.probes.answers import Recorded

HOSTS = distinct(SMB, lambda answer: (answer.kind, answer.row["truth"]["os_release"], answer.raw[9:13]))
"""Every kind of answer of every system."""


def name(answer: Recorded) -> str:
    return answer.name.removesuffix(".rsp.bin")


def challenge_in(body: bytes, kind: str) -> ntlm.Challenge | None:
    setup = smb1.parse_session_setup(body) if kind.startswith("smb1") else smb2.parse_session_setup(body)
    token = spnego.answer_token(setup.blob) if setup.blob else None
    return ntlm.parse_challenge(token) if token and token.startswith(b"NTLMSSP") else None


PARSERS: dict[str, Callable[[bytes], object]] = {
    "smb1 negotiate": smb1.parse_negotiate,
    "smb2 negotiate": smb2.parse_negotiate,
    "smb1 sessionsetup": lambda body: challenge_in(body, "smb1"),
    "smb2 sessionsetup": lambda body: challenge_in(body, "smb2"),
}


def read(raw: bytes, kind: str) -> object:
    """Through the framing and the parsers, as a conversation does; None where more bytes are needed."""
    length = netbios_session.smb_framing(raw)
    return None if length is None else PARSERS[kind](netbios_session.smb_body(raw[:length]))


def test_the_corpus_is_whole() -> None:
    counts = {kind: len(of_kind(kind)) for kind in PARSERS}
    assert counts == {
        "smb1 negotiate": 26,
        "smb2 negotiate": 39,
        "smb1 sessionsetup": 60,
        "smb2 sessionsetup": 36,
    }


@pytest.mark.parametrize("answer", of_kind("smb1 negotiate"), ids=name)
def test_smb1_negotiate(answer: Recorded) -> None:
    parsed = answer.row["parsed"]
    found = smb1.parse_negotiate(netbios_session.smb_body(answer.raw))
    assert found is not None
    assert found.dialect_index == parsed["dialect_index"]
    assert found.security_mode == int(parsed["security_mode"], 16)
    assert found.max_mpx == parsed["max_mpx"]
    assert found.max_vcs == parsed["max_vcs"]
    assert found.max_buffer == parsed["max_buffer"]
    assert found.max_raw == parsed["max_raw"]
    assert found.capabilities == int(parsed["capabilities"], 16)
    assert found.flags2 == int(parsed["flags2"], 16)
    if found.extended:
        assert len(found.guid) == 16
        assert not found.blob or found.blob[0] == 0x60
    else:
        assert (found.guid, found.blob, found.domain, found.server) == (b"", b"", "WORKGROUP", "")


@pytest.mark.parametrize("answer", of_kind("smb2 negotiate"), ids=name)
def test_smb2_negotiate(answer: Recorded) -> None:
    parsed = answer.row["parsed"]
    found = smb2.parse_negotiate(netbios_session.smb_body(answer.raw))
    assert found.security_mode == parsed["security_mode"]
    assert found.dialect == int(parsed["dialect"], 16)
    assert found.capabilities == int(parsed["capabilities"], 16)
    assert found.max_transact == parsed["max_transact"]
    assert found.system_time == parsed["system_time_filetime"]
    assert found.start_time == parsed["boot_time_filetime"]
    assert bool(found.contexts) == (found.dialect == 0x0311)
    assert not found.contexts or found.contexts[0] == "preauth"


@pytest.mark.parametrize("answer", of_kind("smb1 sessionsetup"), ids=name)
def test_smb1_session_setup(answer: Recorded) -> None:
    parsed = answer.row["parsed"]
    found = smb1.parse_session_setup(netbios_session.smb_body(answer.raw))
    assert found.status == int(parsed["status"], 16)
    assert found.flags2 == int(parsed["flags2"], 16)
    assert found.native_os == parsed.get("native_os", "")
    assert found.native_lm == parsed.get("native_lanman", "")
    samba = "Samba" in found.native_lm
    assert found.domain == parsed.get("primary_domain", "NAS" if samba else "")


@pytest.mark.parametrize("answer", [answer for answer in SMB if answer.row.get("ntlm_challenge")], ids=name)
def test_ntlm_challenge(answer: Recorded) -> None:
    truth = answer.row["ntlm_challenge"]
    found = challenge_in(netbios_session.smb_body(answer.raw), answer.kind)
    assert found is not None
    assert f"{found.flags:#010x}" == truth["flags"]
    assert found.version == truth.get("version")
    assert found.target == truth["target"]
    names = {
        "ntlm.netbios_name": truth["nb_computer"],
        "ntlm.netbios_domain": truth["nb_domain"],
        "ntlm.dns_name": truth["dns_computer"],
        "ntlm.dns_domain": truth["dns_domain"].rstrip("\0"),
        "ntlm.dns_forest": truth.get("dns_tree", ""),
    }
    assert found.names == {key: text for key, text in names.items() if text}


@pytest.mark.parametrize("answer", [each for each in SMB if not each.row.get("ntlm_challenge")], ids=name)
def test_no_challenge_is_found_where_none_is(answer: Recorded) -> None:
    if answer.row["kind"] == "sessionsetup":
        assert challenge_in(netbios_session.smb_body(answer.raw), answer.kind) is None
    else:
        assert b"NTLMSSP" not in answer.raw


@pytest.mark.parametrize("answer", HOSTS, ids=name)
def test_cut_anywhere_it_wants_more(answer: Recorded) -> None:
    for end in range(len(answer.raw)):
        assert netbios_session.smb_framing(answer.raw[:end]) is None
    assert netbios_session.smb_framing(answer.raw) == len(answer.raw)
    assert netbios_session.smb_framing(answer.raw + b"\0\0garbage") == len(answer.raw)


@pytest.mark.parametrize("answer", HOSTS, ids=name)
def test_a_message_cut_anywhere_and_framed_anew_is_a_protocol_error_at_worst(answer: Recorded) -> None:
    body = netbios_session.smb_body(answer.raw)
    whole = read(answer.raw, answer.kind)
    failures = 0
    for end in range(len(body)):
        try:
            PARSERS[answer.kind](body[:end])
        except ProtocolError:
            failures += 1
    assert failures >= 33, "no message is read without its header"
    assert PARSERS[answer.kind](body + bytes(7)) == whole, "what stands behind is not read"


@settings(max_examples=1500)
@given(
    answer=st.sampled_from(HOSTS),
    changes=st.lists(st.tuples(st.integers(0, 1 << 16), st.integers(0, 255)), min_size=1, max_size=3),
)
def test_damage_is_a_protocol_error_at_worst(answer: Recorded, changes: list[tuple[int, int]]) -> None:
    damaged = bytearray(answer.raw)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    with suppress(ProtocolError):
        read(bytes(damaged), answer.kind)


@settings(max_examples=500)
@given(answer=st.sampled_from(HOSTS), place=st.integers(36, 1 << 16), cut=st.integers(0, 64))
def test_bytes_taken_out_are_a_protocol_error_at_worst(answer: Recorded, place: int, cut: int) -> None:
    body = bytearray(netbios_session.smb_body(answer.raw))
    start = place % len(body)
    del body[start : start + cut]
    with suppress(ProtocolError):
        PARSERS[answer.kind](bytes(body))
