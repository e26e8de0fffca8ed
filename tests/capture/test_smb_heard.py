"""SMB as it is heard: real captures of both directions, and conversations that lie or begin late."""

from __future__ import annotations

import csv
import random
import re
import struct
from functools import cache
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.capture.sources import smb, sources
from scanner.capture.streams import Stream
from scanner.capture.telling import Direction, Frame, Side
from scanner.errors import ProbeError
from scanner.probes import ntlm_client, smb_client
from scanner.wire import Reader
from tests.capture.microsoft import (
    CLIENT,
    PERSON,
    SERVER,
    Heard,
    authenticate,
    client,
    conversation,
    encoded,
    extended_setup,
    frames,
    heard,
    negotiate,
    plain_setup,
    server,
    smb1,
    smb2_setup,
    utf16,
)
from tests.capture.microsoft import smb2 as smb2_message
from tests.corpus import CORPUS
from tests.probes.damage import damaged
from tests.probes.made import smb2_negotiate

if TYPE_CHECKING:
    from collections.abc import Iterator

MINE = ("smb", "msrpc", "netbios", "browser")
ONE = [] if CORPUS is None else ["suricata-verify__filestore-filecontainer-smb__filecontainer-smb.pcap"]


# --- real captures


def _truth() -> Iterator[tuple[str, str, str, str, str]]:
    """What another program read in the corpus: file, address, its end, the key, the value."""
    if CORPUS is None:
        return
    keys = {
        "smb-native": "smb.native_os",
        "ntlm-version": "ntlm.version",
        "ntlm-client-version": "ntlm.version",
    }
    with (CORPUS / "pcap" / "truth.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            for source, end, said in re.findall(r"([\w-]+)\[(\w+)\] (.*?) \(frame", row["evidence"]):
                if source in keys and "proto=" not in said.replace("proto=SMB", "").replace(
                    "proto=DCERPC", ""
                ):
                    value = said.partition("|")[0] if source == "smb-native" else said.partition(" ")[0]
                    yield row["file"], row["host_ip"], end, keys[source], value
                elif source == "browser" and "." in row["host_ip"]:
                    found = re.search(r"os=(\S+) type=(\S+) name=(\S+)", said)
                    if found and "cmd=0x0c" not in said:
                        for key, value in zip(
                            ("browser.version", "browser.server_type", "netbios.name"),
                            found.groups(),
                            strict=True,
                        ):
                            yield row["file"], row["host_ip"], "self", key, value


@cache
def _captured(file: str) -> Heard:
    assert CORPUS is not None
    return heard(frames(CORPUS / "pcap" / file), *MINE)


@pytest.mark.parametrize(("file", "address", "end", "key", "value"), sorted(set(_truth())))
def test_what_another_program_reads_in_real_captures(
    file: str, address: str, end: str, key: str, value: str
) -> None:
    said = _captured(file)
    of_end = [
        values
        for (where, port, of), values in said.items()
        if (where, of) == (address, key) and (end == "self" or bool(port) == (end == "server"))
    ]
    assert any(value in values for values in of_end), of_end


@pytest.mark.parametrize("file", ONE)
def test_both_ends_of_a_real_conversation(file: str) -> None:
    said = _captured(file)
    xp, other = "192.168.24.100", "192.168.202.115"
    assert said[xp, 445, "smb.native_os"] == ("Windows 5.1",)
    assert said[xp, 445, "smb.native_lm"] == ("Windows 2000 LAN Manager",)
    assert said[xp, 445, "smb.server_guid"] == ("64f182fe-660b-4aba-bb81-e1ea54aeb866",)
    assert said[xp, 445, "ntlm.version"] == ("5.1.2600",)
    assert said[other, 0, "smb.native_os"] == ("Windows 2002 Service Pack 3 2600",)
    assert said[other, 0, "smb.native_lm"] == ("Windows 2002 5.1",)
    assert said[other, 0, "ntlm.version"] == ("5.1.2600",)
    assert {key for address, port, key in said if (address, port) == (other, 0)} == {
        "smb.native_os",
        "smb.native_lm",
        "ntlm.version",
        "ntlm.netbios_name",
    }


@pytest.mark.parametrize("file", ONE)
@pytest.mark.parametrize("how", ["late", "one end", "disorder", "twice", "cut short"])
def test_a_real_conversation_heard_in_part(how: str, file: str) -> None:
    assert CORPUS is not None
    given = list(frames(CORPUS / "pcap" / file))
    whole = heard(given, *MINE)
    if how == "late":
        assert heard(given[3:], *MINE) == whole
    elif how == "one end":
        xp, other = bytes([192, 168, 24, 100]), bytes([192, 168, 202, 115])
        by_xp = [data.find(xp) < data.find(other) for _, _, data in given]
        for end in (True, False):
            part = heard((each for each, is_xp in zip(given, by_xp, strict=True) if is_xp is end), *MINE)
            assert part == {key: said for key, said in whole.items() if bool(key[1]) is end}
    elif how == "disorder":
        turned = [
            *given[:3],
            *(frame for pair in zip(given[4::2], given[3::2], strict=False) for frame in pair),
        ]
        assert set(heard(turned, *MINE)) == set(whole)
    elif how == "twice":
        assert heard((each for frame in given for each in (frame, frame)), *MINE) == whole
    else:
        shorter = heard((Frame(link, at, data[:100]) for link, at, data in given), *MINE)
        assert set(shorter) <= set(whole)


@pytest.mark.parametrize(
    "file", [] if CORPUS is None else ["suricata-verify__smb2-ntlmssp-negotiateflags.pcap"]
)
def test_a_source_yields_what_it_declares(file: str) -> None:
    assert CORPUS is not None
    for name in MINE:
        declared = {key for source in sources() if source.name == name for key in source.keys}
        assert {key for _, _, key in heard(frames(CORPUS / "pcap" / file), name)} <= declared


def _files() -> list[str]:
    return [] if CORPUS is None else sorted(file.name for file in (CORPUS / "pcap").glob("*smb*.pcap"))


@pytest.mark.parametrize("file", _files())
def test_damaged_captures_raise_nothing(file: str) -> None:
    assert CORPUS is not None
    chance = random.Random(file)
    given = list(frames(CORPUS / "pcap" / file))[:200]
    for _ in range(3):
        spoilt = [
            Frame(link, at, data[:54] + damaged(data[54:], chance) if len(data) > 60 else data)
            for link, at, data in given
        ]
        heard(spoilt, *MINE)


# --- made conversations


def _one(*messages: bytes, cut: int = 1460) -> Heard:
    return heard(conversation([client(each) for each in messages], cut=cut), *MINE)


@pytest.mark.parametrize("cut", [1, 3, 4, 5, 33, 1460])
def test_messages_in_pieces(cut: int) -> None:
    setup = extended_setup(authenticate(), "Windows 2002 Service Pack 3 2600", "Windows 2002 5.1", "")
    assert _one(setup, cut=cut) == {
        (CLIENT, 0, "smb.native_os"): ("Windows 2002 Service Pack 3 2600",),
        (CLIENT, 0, "smb.native_lm"): ("Windows 2002 5.1",),
        (CLIENT, 0, "ntlm.version"): ("5.1.2600",),
        (CLIENT, 0, "ntlm.netbios_name"): ("POSTE-7",),
    }


def test_the_end_is_told_by_the_message_and_not_by_the_port() -> None:
    setup = conversation([server(extended_setup(negotiate(), "Unix", "Samba"))], opened=False)
    assert (SERVER, 0, "smb.native_os") in heard(setup, "smb")


@pytest.mark.parametrize(
    ("strings", "system"),
    [
        (("Windows Server 2003 3790", "", "Windows Server 2003 5.2"), "Windows Server 2003 5.2"),
        (("Windows NT 1381", "", "Windows NT 4.0"), "Windows NT 4.0"),
        (("Windows NT 1381", "", "DOMAINE"), ""),
        (("Unix", "Samba", "WORKGROUP 4.0"), "Samba"),
    ],
)
def test_one_string_too_many(strings: tuple[str, ...], system: str) -> None:
    message = extended_setup(negotiate(), *strings)
    assert smb_client.parse_session_setup(message[4:]) == (negotiate(), strings[0], system)


@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("lengths", [(24, 24), (1, 0), (0, 1), (24, 0), (0, 0)])
def test_beside_an_account(*, wide: bool, lengths: tuple[int, int]) -> None:
    message = plain_setup(PERSON, "DOMAINE", "Windows 4.0", "Windows 4.0", wide=wide, lengths=lengths)
    assert smb_client.parse_session_setup(message[4:]) == (b"", "Windows 4.0", "Windows 4.0")


def test_half_a_character_at_the_end() -> None:
    message = extended_setup(b"", "Windows 5.1", "Windows 2000 LAN Manager")
    body = bytearray(message[4:-1])
    body[57:59] = struct.pack("<H", len(body) - 59)
    assert smb_client.parse_session_setup(bytes(body))[1:] == ("Windows 5.1", "Windows 2000 LAN Manager")


def _lies() -> Iterator[bytes]:
    """Setups of a person, whose lengths, flags or strings lie."""
    for wide in (True, False):
        for lengths in ((0, 0), (3, 0), (24, 24), (24, 26), (400, 0), (23, 24), (2, 2)):
            honest = plain_setup(PERSON, "DOMAINE", "Windows 4.0", "Windows 4.0", wide=wide)
            lying = bytearray(honest)
            lying[4 + 33 + 14 : 4 + 33 + 18] = struct.pack("<HH", *lengths)
            yield bytes(lying)
            for flags2 in (0xC007, 0x4007):
                lying[14:16] = struct.pack("<H", flags2)
                yield bytes(lying)
    for extra in (("",), ("", ""), ("\0",), ("x", "y")):
        yield plain_setup(*extra, PERSON, "DOMAINE", "Windows 4.0", "Windows 4.0")
    for size in range(0, 240, 3):
        lying = bytearray(extended_setup(authenticate(), "Windows 5.1", "x"))
        lying[4 + 33 + 14 : 4 + 33 + 16] = struct.pack("<H", size)
        yield bytes(lying)


@pytest.mark.parametrize("message", list(_lies()))
def test_no_account_comes_out_of_a_lie(message: bytes) -> None:
    assert PERSON not in str(_one(message))


def test_no_account_comes_out_of_damage() -> None:
    chance = random.Random(8)
    person = re.compile("P.?E.?R.?S.?O.?N|N.?O.?M.?M.?E.?E", re.DOTALL)
    messages = (
        extended_setup(authenticate(), "Windows 5.1", "Windows 2000 LAN Manager"),
        plain_setup(PERSON, "DOMAINE", "Windows 4.0", "Windows 4.0"),
        plain_setup(PERSON, "DOMAINE", "Windows 4.0", "Windows 4.0", wide=False),
        smb2_setup(authenticate()),
    )
    for message in messages:
        for _ in range(700):
            assert not person.search(str(_one(damaged(message, chance))))


@pytest.mark.parametrize("field", range(6))
def test_no_field_passes_for_the_machine(field: int) -> None:
    token = bytearray(authenticate())
    token[44:52] = token[12 + 8 * field : 20 + 8 * field]
    name = ntlm_client.client_facts(bytes(token)).get("ntlm.netbios_name", "")
    assert name == ("POSTE-7" if field == 4 else "")


def test_clients_without_a_version() -> None:
    assert ntlm_client.client_facts(negotiate(b"")) == {}
    assert ntlm_client.client_facts(negotiate(bytes(8))) == {}
    assert ntlm_client.client_facts(negotiate(b"\xff" * 8)) == {}
    assert ntlm_client.client_facts(authenticate(version=b"")) == {"ntlm.netbios_name": "POSTE-7"}
    assert ntlm_client.client_facts(authenticate(workstation="NULL"))["ntlm.version"] == "5.1.2600"
    assert "ntlm.netbios_name" not in ntlm_client.client_facts(authenticate(workstation="NULL"))


def test_only_messages_of_clients_are_a_clients() -> None:
    with pytest.raises(ProbeError):
        ntlm_client.client_facts(b"NTLMSSP\0\2\0\0\0" + bytes(48))
    assert ntlm_client.facts(b"NTLMSSP\0\2\0\0\0" + bytes(48)) == ({"ntlm.challenge": "unversioned"}, True)
    assert ntlm_client.facts(negotiate()) == ({"ntlm.version": "5.1.2600"}, False)


def _offer(*dialects: int) -> bytes:
    head = struct.pack("<HHHHI16sIHH", 36, len(dialects), 1, 0, 0, bytes(16), 0, 0, 0)
    return smb2_message(0, head + struct.pack(f"<{len(dialects)}H", *dialects))


@pytest.mark.parametrize(
    ("offered", "agreed", "told"),
    [
        ((0x0202, 0x0210), 0x0210, None),
        ((0x0202, 0x0210, 0x0300, 0x0302, 0x0311), 0x0210, "2.1"),
        ((), 0x0210, None),
        ((0x0311,), 0x0302, "3.0.2"),
        ((0x0202,), 0x02FF, None),
    ],
)
def test_a_dialect_tells_where_more_was_offered(
    offered: tuple[int, ...], agreed: int, told: str | None
) -> None:
    answer = smb2_negotiate(agreed)
    said = [client(_offer(*offered)), server(len(answer).to_bytes(4) + answer)]
    found = heard(conversation(said), "smb")
    assert found.get((SERVER, 445, "smb.dialect")) == (None if told is None else (told,))
    assert found[SERVER, 445, "smb.signing"] == ("enabled",)


def test_a_dialect_of_smb1_is_named_by_the_client() -> None:
    offer = smb1(
        0x72, b"", b"".join(b"\2" + each + b"\0" for each in (b"LANMAN1.0", b"Samba", b"NT LANMAN 1.0"))
    )
    words = struct.pack("<HBHHIIIIqhB", 2, 3, 50, 1, 16644, 65536, 0, 0xE3FD, 0, 0, 8)
    answer = smb1(0x72, words, bytes(8) + utf16("DOMAINE\0") + utf16("SERVEUR\0"), flags=0x98)
    found = heard(conversation([client(offer), server(answer)]), "smb")
    assert found[SERVER, 445, "smb.dialect"] == ("NT LANMAN 1.0",)
    assert found[SERVER, 445, "netbios.name"] == ("SERVEUR",)
    assert (SERVER, 445, "smb.security") not in found


def test_names_of_a_netbios_session() -> None:
    names = encoded("SERVEUR", 0x20) + encoded("POSTE-7", 0)
    request = b"\x81\0" + len(names).to_bytes(2) + names
    said = [client(request), server(b"\x82\0\0\0")]
    assert heard(conversation(said, 139), "smb") == {
        (CLIENT, 0, "netbios.name"): ("POSTE-7",),
        (SERVER, 139, "netbios.name"): ("SERVEUR",),
    }
    anybody = encoded("*SMBSERVER", 0x20) + encoded(PERSON, 3)
    said[0] = client(b"\x81\0" + len(anybody).to_bytes(2) + anybody)
    assert not heard(conversation(said, 139), "smb")


def test_what_is_long_is_passed_over() -> None:
    long = smb1(0x2F, bytes(28), bytes(60_000))
    direction = Direction(CLIENT, 40000, SERVER, 445, Side.CLIENT)
    stream = Stream(None, smb.hear(direction), 0)
    at = 0
    for message in (long, long, extended_setup(negotiate(), "Unix", "Samba")):
        for start in range(0, len(message), 1460):
            piece = message[start : start + 1460]
            stream.segment(at, piece)
            at += len(piece)
            assert stream.kept < 2000
    assert [dict(each.evidence)["smb.native_os"] for each in stream.told] == ["Unix"]


@pytest.mark.parametrize("magic", [b"\xfdSMB", b"\xfcSMB"])
def test_what_is_encrypted_ends(magic: bytes) -> None:
    direction = Direction(SERVER, 445, CLIENT, 40000, Side.SERVER)
    stream = Stream(None, smb.hear(direction), 0)
    stream.segment(0, (100).to_bytes(4) + magic + bytes(96))
    assert stream.over
    assert not stream.lost


def test_it_ends_when_nothing_is_told() -> None:
    direction = Direction(SERVER, 445, CLIENT, 40000, Side.SERVER)
    stream = Stream(None, smb.hear(direction), 0)
    message = smb1(0x2E, bytes(24), bytes(100), flags=0x98)
    count = 0
    while not stream.over:
        stream.segment(count * len(message), message)
        count += 1
    assert count < 12


@pytest.mark.parametrize("port", [445, 139])
@given(
    data=st.binary(max_size=200) | st.binary(max_size=120).map(lambda rest: b"\0\0\0\x60\xffSMB\x73" + rest)
)
@settings(max_examples=150)
def test_any_bytes(port: int, data: bytes) -> None:
    heard(conversation([client(data), server(data)], port), *MINE)


@given(st.binary(max_size=120))
def test_any_bytes_after_the_name_of_ntlm(data: bytes) -> None:
    for kind in (b"\1", b"\3"):
        try:
            found = ntlm_client.client_facts(b"NTLMSSP\0" + kind + b"\0\0\0" + data)
        except ProbeError:
            continue
        assert set(found) <= set(ntlm_client.KEYS)
    assert Reader(data).remaining == len(data)
