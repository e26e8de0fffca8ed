"""The simulator against real machines: to a recorded request it gives the recorded answer.

Every machine of the corpus that the simulator plays is dressed in what the capture says of it (its names, its
settings) and asked what the real one was asked. The two answers must be equal byte by byte, except for the
fields that :func:`blanked` lists: times, random numbers and identifiers that the server chose.
"""

from __future__ import annotations

import json
import struct
from dataclasses import replace
from typing import Any

import pytest

from scanner.simulator.answers import End
from scanner.simulator.dialogue import DIRECT, NETBIOS, Dialogue
from scanner.simulator.machine import Machine
from scanner.simulator.personalities import personality
from tests.corpus import CORPUS

# What a capture shows of a machine beside its names: settings that an administrator or an update makes.
PLAYED: dict[tuple[str, str], tuple[str, dict[str, Any]]] = {
    ("arkime__smb-smb1-ascii", "10.10.0.2"): ("2008-r2", {"mode": 15}),
    ("arkime__smb-smbclient", "127.0.0.1"): ("samba-3.6", {}),
    ("arkime__smbtorture-ntlmssp-moloch-crash", "192.168.114.129"): (
        "vista",  # a beta of it
        {
            "native_os": 'Windows (TM) Code Name "Longhorn" Ultimate 5231',
            "native_lm": 'Windows (TM) Code Name "Longhorn" Ultimate 6.0',
            "capabilities": 0x0003E3FD,
            "ntlm": "6.0.5231",
        },
    ),
    ("ics-security-tools", "172.16.0.122"): ("w2000", {}),
    ("ics-security-tools", "192.168.10.105"): ("xp", {}),
    ("ics-security-tools", "192.168.10.21"): ("2003-r2", {}),
    ("security-datasets", "172.18.39.6"): ("w10-1903", {}),
    ("suricata-verify", "192.168.56.102"): ("2016", {"signing": 3}),
    ("suricata-verify", "192.168.56.101"): ("2016", {"signing": 3}),
    ("suricata-verify", "10.10.0.20"): ("2022", {"signing": 3}),
    ("suricata-verify", "10.4.30.5"): ("2008-r2", {"mode": 15}),
    ("suricata-verify", "172.171.65.180"): ("w10-smb1", {"dialect": ""}),
    ("suricata-verify", "192.168.24.100"): ("xp", {}),
    ("suricata-verify", "192.168.1.3"): ("2019", {}),
    ("suricata-verify", "192.168.1.51"): ("w10-1703", {}),
    ("suricata-verify", "192.168.1.2"): ("qts", {}),
    ("suricata-verify", "10.3.1.1"): ("samba", {}),
    ("suricata-verify", "10.0.0.12"): ("2008", {"ntlm": "6.0.6001"}),
    ("suricata-verify", "192.168.10.10"): ("2012-r2", {"signing": 3, "transact": 1 << 20}),
    ("suricata-verify", "10.7.9.6"): ("2008-r2", {"signing": 3}),
    ("suricata-verify", "192.168.20.100"): ("samba", {}),
    ("suricata-verify", "192.168.199.1"): ("w8.1", {}),
    ("suricata-verify", "192.168.199.133"): ("w10-1511", {}),
}
FOLDER = CORPUS / "smb-replies" if CORPUS else None
ENTRIES: list[dict[str, Any]] = json.loads((FOLDER / "index.json").read_text()) if FOLDER else []


def recorded(name: str | None) -> bytes:
    assert FOLDER
    return (FOLDER / name).read_bytes() if name else b""


def played(entry: dict[str, Any]) -> tuple[str, dict[str, Any]] | None:
    for (capture, address), how in PLAYED.items():
        if entry["pcap"].startswith(capture) and entry["server_ip"] == address:
            return how
    return None


def asks_nobody_in(request: bytes) -> bool:
    """An AUTHENTICATE message with neither a name nor an answer: no password decides over it."""
    at = request.find(b"NTLMSSP\0\3\0\0\0")
    return (
        not struct.unpack_from("<H", request, at + 20)[0]
        and not struct.unpack_from("<H", request, at + 36)[0]
    )


def comparable(entry: dict[str, Any]) -> bool:
    """Left out: what a ticket, a password or a key decides, RPC and RDP, and who is not played (macOS)."""
    if entry["kind"] not in {"negotiate", "sessionsetup"} or not played(entry):
        return False
    request, answer = recorded(entry.get("request_file")), recorded(entry["file"])
    if b"NTLMSSP\0\3\0\0\0" in request:
        return b"\xa3\x12\x04\x10" not in answer and (
            asks_nobody_in(request) or b"\x6d\0\0\xc0" in answer[8:16]
        )
    return entry["kind"] == "negotiate" or b"NTLMSSP\0\2\0\0\0" in answer or b"SMB\x73" in answer


def request_of(entry: dict[str, Any]) -> bytes:
    """The recorded request; where the capture has none, what another Windows asked, same numbers."""
    if entry.get("request_file"):
        return recorded(entry["request_file"])
    for other in ENTRIES:
        same = (other["kind"], other["parsed"].get("status")) == (
            entry["kind"],
            entry["parsed"].get("status"),
        )
        if same and other["server_port"] == entry["server_port"] and other.get("request_file"):
            request, answer = recorded(other["request_file"]), recorded(entry["file"])
            return request[:28] + answer[28:36] + request[36:]
    raise AssertionError("no request like it")


def challenge_of(entry: dict[str, Any]) -> dict[str, Any]:
    """What the machine calls itself, in this answer or another one of its own."""
    for other in (entry, *ENTRIES):
        if other["server_ip"] == entry["server_ip"] and other["pcap"] == entry["pcap"]:
            answer = other.get("ntlm_challenge")
            if answer:
                return dict(answer)
    return {}


def av_forest(entry: dict[str, Any]) -> str:
    """The forest, which the corpus's index does not name: pair 5 of the challenge."""
    answer = recorded(entry["file"])
    at = answer.find(b"NTLMSSP\0\2\0\0\0")
    if at < 0:
        return ""
    pair = at + struct.unpack_from("<I", answer, at + 44)[0]
    while True:
        number, length = struct.unpack_from("<HH", answer, pair)
        if number in {0, 5}:
            return answer[pair + 4 : pair + 4 + length].decode("utf-16-le")
        pair += 4 + length


def machine(entry: dict[str, Any]) -> Machine:
    how = played(entry)
    assert how
    said, answer = challenge_of(entry), recorded(entry["file"])
    kind = replace(personality(how[0]), **how[1])
    in_domain = said.get("nb_domain", "") != said.get("nb_computer", "") or b"\x09\x2a\x86\x48" in answer
    joined = in_domain and not kind.kerberos if how[0] == "vista" else in_domain
    return Machine(
        personality=kind,
        name=said.get("nb_computer", "WORKSTATION6"),
        domain=said.get("nb_domain", "") if joined else "WORKGROUP" if how[0] == "samba-3.6" else "NAS",
        dns_name=said.get("dns_computer", ""),
        dns_domain=said.get("dns_domain", "shire.local") if joined else "",
        dns_forest=av_forest(entry) if joined else "",
        guid=bytes(range(1, 17)),
        booted=1,
        guests=how[0] == "samba-3.6" or b"\x06\0\x04\0\1\0\0\0" in answer,
    )


def blank(data: bytearray, start: int, size: int) -> None:
    """Hide what stands there; only whether it is zero remains."""
    data[start : start + size] = (b"\xee" if any(data[start : start + size]) else b"\0") * size


def blanked(message: bytes, request: bytes) -> bytes:
    """The message without what a server chooses by itself, each time or once for all."""
    data = bytearray(message)
    if data[4] == 0xFF:
        data[32:34] = bytes(2)  # UID
        if data[8] == 0x72:
            blank(data, 52, 4)  # SessionKey
            data[60:70] = bytes(10)  # SystemTime and ServerTimeZone
            data[73:89] = bytes(16)  # ServerGUID, or Challenge
        elif data[36] == 4 and struct.unpack_from("<H", data, 43)[0] == 0:
            data[47] = 0  # the pad before the strings, which is never written
    else:
        data[44:52] = bytes(8)  # SessionId
        if data[16] == 0:
            data[76:92] = bytes(16)  # ServerGuid
            blank(data, 108, 8)  # SystemTime
            blank(data, 116, 8)  # ServerStartTime
            if request[4] == 0xFE and data[72:74] != b"\x11\x03":
                data[128:132] = bytes(4)  # Reserved2 of a second answer, which old servers never write
            _blank_salt(data)
    _blank_ntlm(data)
    _blank_negoex(data)
    return bytes(data)


def _blank_salt(data: bytearray) -> None:
    contexts = struct.unpack_from("<I", data, 128)[0] if data[72:74] == b"\x11\x03" else 0
    if contexts:
        blank(data, 4 + contexts + 14, 32)  # the salt of SMB2_PREAUTH_INTEGRITY_CAPABILITIES


def _blank_ntlm(data: bytearray) -> None:
    at = data.find(b"NTLMSSP\0\2\0\0\0")
    if at < 0:
        return
    blank(data, at + 24, 8)  # ServerChallenge
    size, _, offset = struct.unpack_from("<HHI", data, at + 40)
    pair, end = at + offset, at + offset + size
    while pair < end:
        number, length = struct.unpack_from("<HH", data, pair)
        if number == 7:
            blank(data, pair + 4, 8)  # MsvAvTimestamp
        pair += 4 + length


def _blank_negoex(data: bytearray) -> None:
    at = data.find(b"NEGOEXTS")
    while at >= 0:
        blank(data, at + 24, 16)  # ConversationId
        if data[at + 8] == 1:
            blank(data, at + 40, 32)  # Random
        at = data.find(b"NEGOEXTS", at + 8)


COMPARED = [entry for entry in ENTRIES if comparable(entry)] if FOLDER else []


@pytest.mark.parametrize("entry", COMPARED, ids=lambda entry: entry["file"].removesuffix(".rsp.bin"))
def test_the_answer_is_the_recorded_one(entry: dict[str, Any]) -> None:
    service = NETBIOS if entry["server_port"] == 139 else DIRECT
    numbers = iter(range(1, 1000))
    dialogue = Dialogue(
        machine(entry), service, lambda: 131_000_000_000_000_000, lambda size: bytes([next(numbers)]) * size
    )
    if service == NETBIOS:
        called = b"\x20" + b"CK" + b"FDENECFDEFFCFGEFFC" + b"CA" * 5 + b"CA"[:2] + b"\0"
        assert (
            dialogue.answer(b"\x81\0\0" + bytes([2 * len(called[:34])]) + (called[:34]) * 2) == b"\x82\0\0\0"
        )
    answer = dialogue.answer(request_of(entry))
    assert dialogue.end is End.OPEN
    real = recorded(entry["file"])
    assert blanked(answer, request_of(entry)).hex(" ", 4) == blanked(real, request_of(entry)).hex(" ", 4)


@pytest.mark.parametrize("entry", COMPARED, ids=lambda entry: entry["file"].removesuffix(".rsp.bin"))
def test_little_is_blanked(entry: dict[str, Any]) -> None:
    real = recorded(entry["file"])
    hidden = sum(one != other for one, other in zip(real, blanked(real, request_of(entry)), strict=True))
    assert hidden <= 130


def test_every_kind_of_machine_that_was_recorded_is_compared() -> None:
    if CORPUS:
        assert {how[0] for how in PLAYED.values()} == {(played(entry) or ("",))[0] for entry in COMPARED}
        assert len(COMPARED) > 100
