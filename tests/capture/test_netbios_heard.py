"""NetBIOS names as they are heard: whose they are, and that none is a person's."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.capture.netbios_names import decoded, of_sender
from scanner.capture.sources.netbios import hear
from scanner.errors import ProbeError
from tests.capture.microsoft import PERSON, SECRET, datagram, encoded, told
from tests.probes.damage import damaged

ANSWER = 0x8500


def _records(*addresses: str, group: bool = False) -> bytes:
    flags = 0x8000 if group else 0
    rows = b"".join(struct.pack(">H", flags) + bytes(map(int, each.split("."))) for each in addresses)
    return struct.pack(">HHIH", 0x20, 1, 300, len(rows)) + rows


def claim(
    name: str, suffix: int, *addresses: str, operation: int = 5, group: bool = False, scope: bytes = b""
) -> bytes:
    """A name that a machine says to be its own."""
    head = struct.pack(">6H", 7, operation << 11 | 0x0110, 1, 0, 0, 1)
    question = encoded(name, suffix, scope) + struct.pack(">HH", 0x20, 1)
    return head + question + b"\xc0\x0c" + _records(*addresses, group=group)


def answer(name: str, suffix: int, *addresses: str, group: bool = False, flags: int = ANSWER) -> bytes:
    """Whose a name is."""
    return (
        struct.pack(">6H", 7, flags, 0, 1, 0, 0) + encoded(name, suffix) + _records(*addresses, group=group)
    )


@pytest.mark.parametrize("operation", [5, 6, 8, 9, 15])
@pytest.mark.parametrize(
    ("suffix", "group", "evidence"),
    [
        (0x00, False, {"netbios.name": "POSTE-7"}),
        (0x20, False, {"netbios.name": "POSTE-7", "netbios.services": ("file-server",)}),
        (0x00, True, {"netbios.domain": "POSTE-7"}),
        (0x1E, True, {"netbios.domain": "POSTE-7"}),
        (0x1C, True, {"netbios.domain": "POSTE-7", "netbios.services": ("domain-controller",)}),
        (0x1B, False, {"netbios.domain": "POSTE-7", "netbios.services": ("domain-master-browser",)}),
        (0x1D, False, {"netbios.services": ("master-browser",)}),
        (0x03, False, None),
        (0x03, True, None),
        (0x05, False, None),
    ],
)
def test_a_name_is_of_the_address_in_its_record(
    operation: int, suffix: int, evidence: dict[str, object] | None, *, group: bool
) -> None:
    said = told(hear, datagram(claim("POSTE-7", suffix, "192.0.2.9", operation=operation, group=group), 137))
    assert said == ([] if evidence is None else [("192.0.2.9", evidence)])


def test_a_machine_with_several_addresses() -> None:
    said = told(hear, datagram(claim("POSTE-7", 0, "192.0.2.9", "198.51.100.9", operation=15), 137))
    assert [address for address, _ in said] == ["192.0.2.9", "198.51.100.9"]


@pytest.mark.parametrize("address", ["0.0.0.0", "255.255.255.255", "224.0.0.1"])  # noqa: S104 - nobody's address
def test_an_address_of_nobody(address: str) -> None:
    assert not told(hear, datagram(claim("POSTE-7", 0, address), 137))


def test_a_scope_is_passed_over() -> None:
    said = told(hear, datagram(claim("POSTE-7", 0, "192.0.2.9", scope=b"\4SITE\5LOCAL"), 137))
    assert said == [("192.0.2.9", {"netbios.name": "POSTE-7"})]


def test_who_answers_is_who_has_the_name() -> None:
    own = answer("POSTE-7", 0x20, "198.51.100.1", "192.0.2.1")
    evidence = {"netbios.name": "POSTE-7", "netbios.services": ("file-server",)}
    assert told(hear, datagram(own, 137)) == [("", evidence)]
    assert not told(hear, datagram(own, 137, "192.0.2.3")), "a name server"
    assert not told(hear, datagram(answer("POSTE-7", 0x20, "192.0.2.1", flags=ANSWER | 3), 137)), "a refusal"
    assert not told(hear, datagram(answer(PERSON, 0x03, "192.0.2.1"), 137)), "a person"


def test_who_asks_tells_nothing() -> None:
    query = struct.pack(">6H", 7, 0x0110, 1, 0, 0, 0) + encoded("SERVEUR", 0x20) + struct.pack(">HH", 0x20, 1)
    assert not told(hear, datagram(query, 137))


def _status(*names: tuple[str, int, int]) -> bytes:
    rows = b"".join(
        name.encode().ljust(15) + bytes([suffix]) + struct.pack(">H", flags) for name, suffix, flags in names
    )
    body = bytes([len(names)]) + rows + b"\0\x1e\x2a\1\2\3" + bytes(40)
    head = struct.pack(">6H", 9, 0x8400, 0, 1, 0, 0) + b"\x20CK" + b"A" * 30 + b"\0"
    return head + struct.pack(">HHIH", 0x21, 1, 0, len(body)) + body


def test_a_node_status_without_who_is_logged_on() -> None:
    status = _status(
        ("POSTE-7", 0, 0x0400),
        ("DOMAINE", 0, 0x8400),
        ("POSTE-7", 3, 0x0400),
        (PERSON, 3, 0x0400),
        (SECRET, 5, 0),
    )
    assert told(hear, datagram(status, 137)) == [
        (
            "",
            {
                "netbios.name": "POSTE-7",
                "netbios.domain": "DOMAINE",
                "netbios.mac": "00:1e:2a:01:02:03",
                "netbios.services": ("messenger",),
            },
        )
    ]


def test_cut_and_damaged_anywhere() -> None:
    chance = random.Random(8)
    messages = (
        claim("POSTE-7", 0, "192.0.2.9", scope=b"\4SITE"),
        claim(PERSON, 3, "192.0.2.9"),
        answer("POSTE-7", 0x20, "192.0.2.1"),
        _status(("POSTE-7", 0, 0x0400), (PERSON, 3, 0x0400)),
    )
    for message in messages:
        spoilt = [message[:end] for end in range(len(message))]
        for each in (*spoilt, *(damaged(message, chance) for _ in range(300))):
            try:
                told(hear, datagram(each, 137))
            except ProbeError:
                continue


@given(st.binary(max_size=120))
def test_any_bytes(data: bytes) -> None:
    for flags in (0x2910, 0x8500):
        try:
            told(hear, datagram(struct.pack(">6H", 7, flags, 1, 1, 0, 1) + data, 137))
        except ProbeError:
            continue


def test_names() -> None:
    assert decoded(b"POSTE-7".ljust(15) + b"\x20") == ("POSTE-7", 0x20)
    assert of_sender(b"POSTE-7".ljust(15) + b"\0") == {"netbios.name": "POSTE-7"}
    assert not of_sender(PERSON.encode() + b"\3")
    assert not of_sender(b"*SMBSERVER".ljust(15) + b"\x20")
    assert not of_sender(bytes(16))
