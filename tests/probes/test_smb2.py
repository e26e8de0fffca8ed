"""SMB 2 answers made here: every dialect and context, refusals, and offsets that lie."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import ProtocolError
from scanner.probes import smb2
from tests.probes.made import GUID
from tests.probes.made import smb2_header as header
from tests.probes.made import smb2_negotiate as negotiate
from tests.probes.made import smb2_setup as setup


@pytest.mark.parametrize("dialect", [*smb2.DIALECTS, 0x02FF])
def test_every_dialect(dialect: int) -> None:
    found = smb2.parse_negotiate(negotiate(dialect, start=132902777533691354))
    assert found == smb2.Negotiated(
        1, dialect, GUID, 0x2F, 8388608, 132467562316175126, 132902777533691354, ()
    )


@pytest.mark.parametrize("dialect", [0, 0x0201, 0x0212, 0x0310, 0x0312, 0xFFFF])
def test_near_misses_of_a_dialect(dialect: int) -> None:
    with pytest.raises(ProtocolError):
        smb2.parse_negotiate(negotiate(dialect))


@pytest.mark.parametrize(
    ("mode", "signing"), [(0, "disabled"), (1, "enabled"), (2, "required"), (3, "required"), (4, "disabled")]
)
def test_signing(mode: int, signing: str) -> None:
    assert smb2.parse_negotiate(negotiate(mode=mode)).signing == signing


CONTEXTS = ((1, bytes(38)), (2, bytes(4)), (3, bytes(10)), (8, bytes(4)), (7, bytes(10)), (6, bytes(4)))


def test_contexts_are_named_in_their_order() -> None:
    found = smb2.parse_negotiate(negotiate(contexts=CONTEXTS))
    assert found.contexts == ("preauth", "encryption", "compression", "signing", "rdma", "transport")


def test_an_unknown_context_is_passed_over() -> None:
    found = smb2.parse_negotiate(negotiate(contexts=((1, bytes(38)), (0x100, bytes(16)), (2, bytes(4)))))
    assert found.contexts == ("preauth", "encryption")


def test_older_dialects_have_no_contexts_whatever_those_fields_hold() -> None:
    assert (
        smb2.parse_negotiate(negotiate(0x0302, contexts=CONTEXTS, count=9, offset=0xFFFFFFFF)).contexts == ()
    )


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(negotiate(contexts=CONTEXTS, count=7), id="one context too many"),
        pytest.param(negotiate(contexts=CONTEXTS, count=65535), id="many too many"),
        pytest.param(negotiate(contexts=CONTEXTS, offset=0xFFFFFFF0), id="contexts beyond the message"),
        pytest.param(negotiate(contexts=CONTEXTS)[:-5], id="a context cut short"),
        pytest.param(header(0) + bytes(64), id="a body of zeros"),
        pytest.param(header(0, 0xC00000BB) + bytes(9), id="a refusal"),
        pytest.param(header(1) + negotiate()[64:], id="another command"),
        pytest.param(header(0, flags=0) + negotiate()[64:], id="a request"),
        pytest.param(b"\xffSMB" + negotiate()[4:], id="another protocol"),
        pytest.param(b"\xfeSMB\x41" + negotiate()[5:], id="another header"),
    ],
)
def test_what_is_no_negotiation(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        smb2.parse_negotiate(body)


@pytest.mark.parametrize("status", [0, 0xC0000016])
def test_a_security_blob(status: int) -> None:
    assert smb2.parse_session_setup(setup(b"blob", status)) == smb2.SessionSetup(status, b"blob")
    assert smb2.parse_session_setup(setup(b"", status, offset=0xFFFF)).blob == b""


def test_a_blob_behind_a_gap() -> None:
    body = header(1) + struct.pack("<HHHH", 9, 0, 80, 4) + bytes(8) + b"blob"
    assert smb2.parse_session_setup(body).blob == b"blob"


@pytest.mark.parametrize("status", [0xC000006D, 0xC0000022, 0xC000035C])
def test_a_refusal_has_no_blob(status: int) -> None:
    found = smb2.parse_session_setup(header(1, status) + bytes(9))
    assert (found.blob, found.pending) == (b"", False)


def test_an_interim_answer() -> None:
    assert smb2.parse_session_setup(header(1, 0x103) + bytes(9)).pending


@pytest.mark.parametrize(
    "body",
    [setup(b"blob", offset=73), setup(b"blob", offset=0xFFFF), setup(b"blob")[:-1], header(1) + bytes(8)],
)
def test_offsets_that_lie(body: bytes) -> None:
    with pytest.raises(ProtocolError):
        smb2.parse_session_setup(body)


@given(st.binary(max_size=120), st.sampled_from([0, 1]))
def test_any_bytes_behind_a_header_are_a_protocol_error_at_worst(data: bytes, command: int) -> None:
    for parse in (smb2.parse_negotiate, smb2.parse_session_setup):
        with suppress(ProtocolError):
            parse(header(command) + data)
