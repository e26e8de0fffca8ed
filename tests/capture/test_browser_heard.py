"""Browser announcements as they are heard: whose words they are, and that no comment comes out."""

from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.capture import browser
from scanner.capture.sources.browser import hear
from scanner.errors import ProbeError
from tests.capture.microsoft import PERSON, SECRET, datagram, encoded, told
from tests.probes.damage import damaged

BROWSE, LANMAN = b"\\MAILSLOT\\BROWSE", b"\\MAILSLOT\\LANMAN"


def announcement(
    opcode: int, name: str, version: tuple[int, int] = (5, 1), kind: int = 0x00011003, comment: str = PERSON
) -> bytes:
    """A frame of the browser ([MS-BRWS] 2.2.1, 2.2.7, 2.2.9)."""
    head = struct.pack("<BBI16sBBI", opcode, 0, 720_000, name.encode(), *version, kind)
    return head + b"\x0f\x01\x55\xaa" + comment.encode() + b"\0"


def mailslot(frame: bytes, slot: bytes = BROWSE) -> bytes:
    """A frame in a message of SMB ([MS-MAIL] 2.2.1)."""
    offset = 69 + len(slot) + 1
    words = struct.pack(
        "<HHHHBBHIHHHHHBBHHH", 0, len(frame), 0, 0, 0, 0, 0, 1000, 0, 0, 0, len(frame), offset, 3, 0, 1, 1, 2
    )
    body = slot + b"\0" + frame
    return b"\xffSMB\x25" + bytes(27) + bytes([len(words) // 2]) + words + struct.pack("<H", len(body)) + body


def sent(
    message: bytes,
    source: tuple[str, int] = ("POSTE-7", 0),
    address: str = "192.0.2.1",
    kind: int = 0x11,
    at: int = 0,
) -> bytes:
    """A message in a datagram of NetBIOS ([RFC 1002] 4.4)."""
    names = encoded(*source) + encoded("GROUPE", 0x1D)
    header = struct.pack(">BBH4sHHH", kind, 0x0A, 1, bytes(map(int, address.split("."))), 138, 0, at)
    return header + names + message


HOST = {"netbios.name": "POSTE-7", "browser.version": "5.1", "browser.server_type": "0x00011003"}


@pytest.mark.parametrize("opcode", [0x01, 0x0F])
@pytest.mark.parametrize("slot", [BROWSE, LANMAN, BROWSE.lower()])
def test_a_host_announces_itself(opcode: int, slot: bytes) -> None:
    message = mailslot(announcement(opcode, "POSTE-7"), slot)
    assert browser.facts(message) == HOST
    assert told(hear, datagram(sent(message), 138)) == [("", HOST)]


def test_a_domain_is_announced_by_its_master_with_the_version_of_the_service() -> None:
    message = mailslot(announcement(0x0C, "GROUPE", (3, 10), 0x80001000, "POSTE-7"))
    assert browser.facts(message) == {"netbios.domain": "GROUPE", "netbios.name": "POSTE-7"}


@pytest.mark.parametrize("system", [0, 1, 0x10, 0x20])
def test_an_election(system: int) -> None:
    frame = struct.pack("<BBBHBII", 8, 1, 0, 0x010F, system, 5000, 0) + b"POSTE-7\0"
    message = mailslot(frame)
    found = {"browser.election_os": f"0x{system:02x}"} if system else {}
    assert browser.facts(message) == {"netbios.name": "POSTE-7", **found}


def test_lan_manager_announces_otherwise() -> None:
    frame = struct.pack("<HIBBH", 1, 0x00009A03, 4, 9, 60) + b"POSTE-7\0" + PERSON.encode() + b"\0"
    assert browser.facts(mailslot(frame, LANMAN)) == {
        "netbios.name": "POSTE-7",
        "browser.version": "4.9",
        "browser.server_type": "0x00009a03",
    }


@pytest.mark.parametrize("opcode", [0x02, 0x09, 0x0A, 0x0B, 0x0D, 0x0E, 0x55])
def test_what_asks_tells_only_who_asks(opcode: int) -> None:
    message = mailslot(bytes([opcode, 0]) + PERSON.encode() + b"\0")
    assert not browser.facts(message)
    assert told(hear, datagram(sent(message), 138)) == [("", {"netbios.name": "POSTE-7"})]


@pytest.mark.parametrize(
    "slot", [b"\\MAILSLOT\\NET\\NETLOGON", b"\\MAILSLOT\\MESSNGR", b"\\MAILSLOT\\BROWSER"]
)
def test_other_mailslots_are_not_read(slot: bytes) -> None:
    message = mailslot(announcement(1, SECRET), slot)
    with pytest.raises(ProbeError):
        browser.facts(message)
    assert told(hear, datagram(sent(message), 138)) == [("", {"netbios.name": "POSTE-7"})]


def test_a_person_sends_a_message() -> None:
    message = mailslot(b"\1" + SECRET.encode(), b"\\MAILSLOT\\MESSNGR")
    assert not told(hear, datagram(sent(message, (PERSON, 3)), 138))


def test_who_passes_it_on_is_not_who_announces() -> None:
    message = sent(mailslot(announcement(1, "POSTE-7")), address="198.51.100.7")
    assert told(hear, datagram(message, 138)) == [("198.51.100.7", HOST)]
    for nobody in ("0.0.0.0", "255.255.255.255", "127.0.0.1", "239.0.0.1"):  # noqa: S104 - nobody's address
        message = sent(mailslot(announcement(1, "POSTE-7")), address=nobody)
        assert told(hear, datagram(message, 138)) == [("", HOST)]


def test_the_rest_of_a_datagram_in_parts_is_not_read() -> None:
    message = mailslot(announcement(1, "POSTE-7"))
    assert not told(hear, datagram(sent(message, at=400), 138))
    assert not told(hear, datagram(sent(message, kind=0x13), 138))


def test_cut_and_damaged_anywhere_no_comment_comes_out() -> None:
    chance = random.Random(8)
    message = sent(mailslot(announcement(1, "POSTE-7", comment=PERSON)))
    spoilt = [message[:end] for end in range(len(message))]
    for each in (*spoilt, *(damaged(message, chance) for _ in range(1500))):
        try:
            found = told(hear, datagram(each, 138))
        except ProbeError:
            continue
        assert PERSON not in str(found)


@given(st.binary(max_size=120))
def test_any_bytes(data: bytes) -> None:
    for message in (data, mailslot(data), mailslot(data, LANMAN), sent(data)):
        for read in (browser.facts, lambda each: told(hear, datagram(each, 138))):
            try:
                read(message)
            except ProbeError:
                continue
