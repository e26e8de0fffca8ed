"""What the simulated machines do with requests that the captures do not hold, and with anything else."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.simulator import Hospital, netbios
from scanner.simulator.answers import End
from scanner.simulator.dialogue import DIRECT, NETBIOS, Dialogue
from scanner.simulator.personalities import personality
from tests.simulator.client import (
    NTLM_NEGOTIATE,
    REQUESTS,
    SMB1_HEADER,
    called,
    extended_setup,
    framed,
    negotiate,
    negotiate2,
    plain_setup,
    smb2,
)
from tests.simulator.machines import HONEST, machine

if TYPE_CHECKING:
    from scanner.simulator.machine import Machine


def dialogue(host: Machine, service: int = DIRECT) -> Dialogue:
    return Dialogue(host, service, lambda: 132_000_000_000_000_000, lambda size: b"\xa5" * size)


def status(answer: bytes) -> int:
    return int.from_bytes(answer[9:13] if answer[4] == 0xFF else answer[12:16], "little")


@given(
    st.sampled_from(HONEST), st.sampled_from([DIRECT, NETBIOS]), st.lists(st.binary(max_size=300), max_size=4)
)
def test_any_bytes_get_a_whole_message_or_an_end(key: str, service: int, messages: list[bytes]) -> None:
    conversation = dialogue(machine(key), service)
    conversation.answer(called("*SMBSERVER"))
    conversation.end = End.OPEN
    for message in messages:
        answer = conversation.answer(framed(message))
        assert not answer or netbios.length(answer) == len(answer)
        if conversation.end is not End.OPEN:
            break


@given(
    st.sampled_from(HONEST),
    st.sampled_from(sorted(REQUESTS)),
    st.lists(st.tuples(st.integers(8, 400), st.integers(0, 255)), max_size=3),
    st.integers(4, 500),
)
def test_damaged_requests_get_a_whole_message_or_an_end(
    key: str, name: str, damage: list[tuple[int, int]], cut: int
) -> None:
    request = bytearray(REQUESTS[name][4:])
    for place, value in damage:
        request[place % len(request)] = value
    answer = dialogue(machine(key)).answer(framed(bytes(request[:cut])))
    assert not answer or netbios.length(answer) == len(answer)


@pytest.mark.parametrize("key", HONEST)
def test_an_answer_to_an_smb1_negotiate_is_smb1_or_smb2_as_the_machine_can(key: str) -> None:
    kind = personality(key)
    conversation = dialogue(machine(key))
    answer = conversation.answer(negotiate("PC NETWORK PROGRAM 1.0", "NT LM 0.12"))
    if kind.smb1:
        assert answer[4:9] == b"\xffSMB\x72"
        assert answer[37:39] == b"\1\0"
    elif kind.samba:
        assert answer[36:41] == b"\1\xff\xff\0\0"
        assert conversation.end is End.CLOSE
    else:
        assert answer == b""
        assert conversation.end is End.RESET


@pytest.mark.parametrize("before", range(4))
def test_the_dialect_index_counts_in_the_clients_list(before: int) -> None:
    answer = dialogue(machine("xp")).answer(negotiate(*["LANMAN1.0"] * before, "NT LM 0.12", "SMB 2.???"))
    assert answer[37:39] == bytes([before, 0])


def test_a_list_without_a_known_dialect_is_told_so() -> None:
    assert dialogue(machine("xp")).answer(negotiate("LANMAN1.0"))[36:41] == b"\1\xff\xff\0\0"


@pytest.mark.parametrize(
    ("key", "dialects", "expected"),
    [
        ("vista", ("SMB 2.002", "SMB 2.???"), 0x0202),
        ("w7", ("SMB 2.002", "SMB 2.???"), 0x02FF),
        ("w7", ("SMB 2.002",), 0x0202),
        ("w10", ("SMB 2.???",), 0x02FF),
    ],
)
def test_a_multi_protocol_negotiate_gets_smb2(key: str, dialects: tuple[str, ...], expected: int) -> None:
    answer = dialogue(machine(key)).answer(negotiate("NT LM 0.12", *dialects))
    assert answer[4:8] == b"\xfeSMB"
    assert struct.unpack_from("<H", answer, 72)[0] == expected


@pytest.mark.parametrize(
    ("key", "offered", "expected"),
    [
        ("w7", (0x0202, 0x0210, 0x0300, 0x0311), 0x0210),
        ("w8.1", (0x0202, 0x0300), 0x0300),
        ("w10", (0x0202, 0x0302), 0x0302),
        ("w10", (0x0311, 0x0202), 0x0311),
    ],
)
def test_the_highest_common_dialect_is_agreed_on(key: str, offered: tuple[int, ...], expected: int) -> None:
    answer = dialogue(machine(key)).answer(negotiate2(*offered))
    assert struct.unpack_from("<H", answer, 72)[0] == expected


def test_no_common_smb2_dialect_is_an_error() -> None:
    assert status(dialogue(machine("w7")).answer(negotiate2(0x0300))) == 0xC00000BB


def contexts_of(answer: bytes) -> dict[int, bytes]:
    count, start = struct.unpack_from("<H", answer, 74)[0], struct.unpack_from("<I", answer, 128)[0] + 4
    found = {}
    for _ in range(count):
        number, size = struct.unpack_from("<HH", answer, start)
        found[number] = answer[start + 8 : start + 8 + size]
        start += (8 + size + 7) & ~7
    return found


OFFERED = (
    struct.pack("<HHIHHH32s2x", 1, 38, 0, 1, 32, 1, bytes(32))
    + struct.pack("<HHIHHHHH6x", 2, 10, 0, 4, 4, 3, 2, 1)[:24]
    + struct.pack("<HHIHHIHHH2x", 3, 14, 0, 3, 0, 0, 1, 2, 3)
    + struct.pack("<HHIHHHH", 8, 8, 0, 3, 2, 1, 0)
)


@pytest.mark.parametrize(
    ("key", "expected"),
    [("2016", {1, 2}), ("w10", {1, 2, 3}), ("w11", {1, 2, 3, 8}), ("2022", {1, 2, 3, 8}), ("samba", {1, 2})],
)
def test_only_newer_machines_answer_the_newer_contexts(key: str, expected: set[int]) -> None:
    answer = dialogue(machine(key)).answer(negotiate2(0x0311, contexts=OFFERED, count=4))
    found = contexts_of(answer)
    assert set(found) == expected
    assert found[2] == struct.pack("<HH", 1, 1 if key == "samba" else 2)
    if 8 in found:
        assert found[8] == struct.pack("<HH", 1, 2)


def test_without_extended_security_names_are_unicode_whatever_the_flags_say() -> None:
    for flags2 in (0xC001, 0x4001):
        answer = dialogue(machine("xp")).answer(negotiate("NT LM 0.12", flags2=flags2))
        assert answer[70] == 8
        assert answer[73:81] == b"\xa5" * 8
        assert answer[81:].decode("utf-16-le") == "CHU-DEMO\0CARD-PC-0123\0"
        assert not struct.unpack_from("<I", answer, 56)[0] & 0x80000000


@pytest.mark.parametrize("unicode", [True, False])
@pytest.mark.parametrize("key", ["nt4", "w2000", "xp", "w7", "samba-3.6"])
def test_nobody_gets_in_by_a_plain_session_setup_and_reads_the_system(key: str, unicode: bool) -> None:  # noqa: FBT001 - a parameter of the test
    kind = personality(key)
    answer = dialogue(machine(key)).answer(plain_setup(unicode=unicode))
    assert status(answer) == 0
    size = struct.unpack_from("<H", answer, 43)[0]
    data = answer[45:]
    assert len(data) == size
    if unicode:
        text = (data[1:] if kind.samba else data[1:] + b"\0").decode("utf-16-le")
    else:
        text = data.decode("ascii")
    assert text == f"{kind.native_os}\0{kind.native_lm}\0CHU-DEMO\0"


def test_somebody_gets_in_only_where_everybody_does() -> None:
    for request in (plain_setup("operator", b"x" * 24), plain_setup("operator"), plain_setup("", b"x" * 24)):
        assert status(dialogue(machine("xp")).answer(request)) == 0xC000006D
        assert status(dialogue(machine("xp", guests=True)).answer(request)) == 0


@pytest.mark.parametrize(
    ("key", "version"), [("w2000", None), ("xp", (5, 1, 2600)), ("w10-smb1", (10, 0, 19041))]
)
def test_raw_ntlm_gets_a_raw_challenge(key: str, version: tuple[int, int, int] | None) -> None:
    answer = dialogue(machine(key)).answer(extended_setup(NTLM_NEGOTIATE))
    assert status(answer) == 0xC0000016
    token = answer[47:]
    assert token.startswith(b"NTLMSSP\0\2\0\0\0")
    flags = struct.unpack_from("<I", token, 20)[0]
    assert bool(flags & 0x02000000) == (version is not None)
    assert struct.unpack_from("<I", token, 16)[0] == (56 if version else 48)
    if version:
        assert struct.unpack_from("<BBH", token, 48) == version


def test_the_called_name_decides_on_port_139() -> None:
    for name, answer in (
        ("*SMBSERVER", "82000000"),
        ("CARD-PC-0123", "82000000"),
        ("CARD-PC-0124", "8300000182"),
    ):
        assert dialogue(machine("xp"), NETBIOS).answer(called(name)).hex() == answer
    assert dialogue(machine("xp"), NETBIOS).answer(b"\x81\0\0\4abcd").hex() == "830000018f"
    assert dialogue(machine("samba"), NETBIOS).answer(called("ANYBODY")).hex() == "82000000"


def test_nothing_is_said_on_139_before_a_session_request() -> None:
    conversation = dialogue(machine("xp"), NETBIOS)
    assert conversation.answer(REQUESTS["negotiate"]) == b""
    assert conversation.end is End.RESET


def test_keep_alives_are_passed_over() -> None:
    conversation = dialogue(machine("xp"))
    assert conversation.answer(b"\x85\0\0\0") == b""
    assert conversation.end is End.OPEN


@pytest.mark.parametrize("key", HONEST)
def test_shares_are_refused(key: str) -> None:
    if personality(key).dialect:
        answer = dialogue(machine(key)).answer(smb2(3, bytes(16)))
    else:
        answer = dialogue(machine(key)).answer(framed(b"\xffSMB\x75" + SMB1_HEADER[5:] + bytes(20)))
    assert status(answer) == 0xC0000022


def test_a_machine_that_was_patched_says_so() -> None:
    patched = replace(machine("xp"), personality=replace(personality("xp"), ntlm="5.1.2601"))
    assert struct.pack("<BBH", 5, 1, 2601) in dialogue(patched).answer(extended_setup(NTLM_NEGOTIATE))


def test_machines_of_one_hospital_differ_in_what_machines_differ_in() -> None:
    hospital = Hospital(40, 1, mix={"w10": 40})
    hosts = [host for host in map(hospital.machine, hospital.places) if host]
    answers = [dialogue(host).answer(REQUESTS["negotiate"]) for host in hosts]
    assert len({answer[76:92] for answer in answers}) == 40
