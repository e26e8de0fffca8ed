"""DHCP: real clients beside Wireshark's reading, whose address it is, and options wherever they may stand."""

from __future__ import annotations

import struct
from ipaddress import IPv4Address
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.capture.sources import dhcp
from scanner.capture.telling import Datagram, Side, Told
from scanner.errors import ProtocolError
from tests.capture.spoken import CARD, datagram, heard, recorded, spoilt, told, tshark
from tests.corpus import CORPUS

if TYPE_CHECKING:
    from pathlib import Path

XP = {12: b"RADIO-XP", 60: b"MSFT 5.0", 55: bytes([1, 15, 3, 6, 44, 46, 47, 31, 33, 249, 43])}
SAID = {
    "dhcp.mac": "00:1e:c9:00:00:01",
    "dhcp.hostname": "RADIO-XP",
    "dhcp.vendor_class": "MSFT 5.0",
    "dhcp.parameters": "1,15,3,6,44,46,47,31,33,249,43",
}
NONE = str(IPv4Address(0))
SERVER, ADDRESS = b"\x0a\0\0\1", b"\x0a\0\0\x32"


def message(  # noqa: PLR0913 - the fields of a message
    options: dict[int, bytes],
    *,
    op: int = 1,
    client: str = NONE,
    granted: str = NONE,
    transaction: int = 7,
    card: bytes = CARD,
    file: bytes = b"",
    name: bytes = b"",
) -> bytes:
    """[RFC 2131] section 2."""
    addresses = b"".join(IPv4Address(each).packed for each in (client, granted, NONE, "10.9.9.9"))
    head = struct.pack(">BBBBIHH", op, 1, 6, 0, transaction, 0, 0) + addresses + card.ljust(16, b"\0")
    return head + name.ljust(64, b"\0") + file.ljust(128, b"\0") + b"\x63\x82\x53\x63" + written(options)


def written(options: dict[int, bytes], longest: int = 255) -> bytes:
    """Options, those that are too long in parts ([RFC 3396] section 4), and the end."""
    parts = (
        bytes([code, len(value[at : at + longest])]) + value[at : at + longest]
        for code, value in options.items()
        for at in range(0, len(value) or 1, longest)
    )
    return b"".join(parts) + b"\xff"


def _captures() -> list[Path]:
    return [
        file
        for file in sorted((CORPUS / "pcap").glob("*.pcap") if CORPUS else ())
        if any(word in file.name for word in ("eapon1", "Sofacy", "option-60", "ftp-data", "flags", "EIP-IP"))
    ]


@pytest.mark.parametrize("file", _captures(), ids=lambda file: file.stem[-24:])
def test_clients_say_what_wireshark_reads(file: Path) -> None:
    fields = ("hw.mac_addr", "option.hostname", "option.vendor_class_id", "option.request_list_item")
    rows = tshark(file, "dhcp.type == 1 && dhcp.option.dhcp != 0", *(f"dhcp.{field}" for field in fields))
    keys = ("dhcp.mac", "dhcp.hostname", "dhcp.vendor_class", "dhcp.parameters")
    theirs = {
        tuple(
            (key, word[:17] if key == "dhcp.mac" else word)
            for key, word in zip(keys, row, strict=True)
            if word
        )
        for row in rows
    }  # the card stands in option 61 as well
    ours = {
        tuple((key, values[0]) for key, values in said.items() if key in keys)
        for *_, said in heard(recorded(file), "dhcp")
    }
    assert theirs
    assert theirs <= ours
    assert {said for said in ours if len(said) > 1} <= theirs


def test_a_client_that_looks_for_a_server_has_no_address_yet() -> None:
    assert told("dhcp", message({53: b"\1", 50: ADDRESS, **XP})) == [
        Told(SAID, Side.CLIENT, "00:1e:c9:00:00:01")
    ]


@pytest.mark.parametrize(
    ("options", "client", "where"),
    [
        ({53: b"\3", 50: ADDRESS, 54: SERVER}, NONE, "10.0.0.50"),
        ({53: b"\3"}, "10.0.0.51", "10.0.0.51"),
        ({53: b"\x08"}, "10.0.0.52", "10.0.0.52"),
        ({53: b"\7", 54: SERVER}, "10.0.0.53", "10.0.0.53"),
        ({53: b"\3", 50: ADDRESS}, NONE, "00:1e:c9:00:00:01"),
        ({53: b"\4", 50: ADDRESS, 54: SERVER}, NONE, "00:1e:c9:00:00:01"),
    ],
    ids=["chooses", "renews", "informs", "releases", "asks for that of another day", "declines"],
)
def test_whose_address_it_is(options: dict[int, bytes], client: str, where: str) -> None:
    assert told("dhcp", message({**options, **XP}, client=client)) == [Told(SAID, Side.CLIENT, where)]


def _answer(kind: int, **fields: str) -> bytes:
    return message({53: bytes([kind]), 54: SERVER, 15: b"chu.example"}, op=2, **fields)  # type: ignore[arg-type]


def _heard(clients: dhcp.Clients, data: bytes) -> list[Told]:
    return list(clients.hear(Datagram("10.0.0.1", 67, "10.0.0.2", 67, data, b"")))


def test_a_server_that_agrees_gives_a_client_its_address() -> None:
    clients = dhcp.Clients()
    _heard(clients, message({53: b"\3", 50: ADDRESS, **XP}))
    assert _heard(clients, _answer(5, granted="10.0.0.50")) == [Told(SAID, Side.CLIENT, "10.0.0.50")]
    other = message({53: b"\5"}, op=2, granted="10.0.0.50", transaction=8)
    assert _heard(clients, other) == [Told({"dhcp.mac": SAID["dhcp.mac"]}, Side.CLIENT, "10.0.0.50")]


def test_what_one_capture_said_is_not_known_in_another() -> None:
    asked = datagram(NONE, 68, "255.255.255.255", 67, message({53: b"\3", 50: ADDRESS, **XP}))
    agreed = datagram("10.0.0.1", 67, "10.0.0.50", 68, _answer(5, granted="10.0.0.50"))
    assert heard([asked, agreed], "dhcp")[-1] == (
        "10.0.0.50",
        0,
        {key: (value,) for key, value in SAID.items()},
    )
    assert heard([agreed], "dhcp") == [("10.0.0.50", 0, {"dhcp.mac": (SAID["dhcp.mac"],)})]


def test_a_server_that_refuses_or_offers_says_nothing() -> None:
    clients = dhcp.Clients()
    _heard(clients, message({53: b"\3", 50: ADDRESS, **XP}))
    for kind in (2, 6):
        with pytest.raises(ProtocolError):
            _heard(clients, _answer(kind, granted="10.0.0.50"))


def test_another_card_with_the_same_number_is_another_client() -> None:
    clients = dhcp.Clients()
    _heard(clients, message({53: b"\3", 50: ADDRESS, **XP}))
    other = message({53: b"\5"}, op=2, granted="10.0.0.50", card=b"\x00\x1e\xc9\0\0\2")
    assert _heard(clients, other)[0].evidence == {"dhcp.mac": "00:1e:c9:00:00:02"}


def test_who_is_dialled_in_is_not_who_asks() -> None:
    clients = dhcp.Clients()
    assert _heard(clients, message({53: b"\3", 77: b"RRAS.Microsoft", 50: ADDRESS, **XP})) == []
    assert _heard(clients, _answer(5, granted="10.0.0.50")) == []


def test_what_was_said_long_ago_is_forgotten() -> None:
    clients = dhcp.Clients()
    for number in range(3000):
        _heard(clients, message({53: b"\1", **XP}, transaction=number))
    answers = (message({53: b"\5"}, op=2, granted="10.0.0.50", transaction=n) for n in range(3000))
    assert sum(_heard(clients, answer)[0].evidence == SAID for answer in answers) == 2048


@pytest.mark.parametrize(
    ("option", "said"),
    [
        (b"\0\0\0RADIO-XP.chu.example", {"dhcp.hostname": "RADIO-XP", "dhcp.domain": "chu.example"}),
        (b"\0\0\0RADIO-XP.", {"dhcp.hostname": "RADIO-XP"}),
        (b"\4\0\0\x08RADIO-XP\3chu\7example\0", {"dhcp.hostname": "RADIO-XP", "dhcp.domain": "chu.example"}),
        (b"\4\0\0\x08RADIO-XP", {"dhcp.hostname": "RADIO-XP"}),
        (b"\0\0\0", {}),
        (b"", {}),
    ],
)
def test_a_full_name_in_both_forms(option: bytes, said: dict[str, str]) -> None:
    (found,) = told("dhcp", message({53: b"\1", 81: option}))
    assert found.evidence == {"dhcp.mac": SAID["dhcp.mac"], **said}


def test_bootp_is_no_dhcp() -> None:
    assert told("dhcp", message({53: b"\1"})[:236] + bytes(64)) == []
    assert told("dhcp", message({12: b"RADIO-XP"})) == []


CODES = st.sampled_from([code for code in range(1, 255) if code not in {52, 53}])


@given(st.dictionaries(CODES, st.binary(min_size=1, max_size=700)), st.integers(1, 255))
def test_long_options_are_put_together(options: dict[int, bytes], longest: int) -> None:
    data = message({})[:-1] + written(options, longest)
    assert dhcp.parse_options(data) == options


@given(
    st.dictionaries(CODES, st.binary(max_size=40), max_size=3),
    st.dictionaries(CODES, st.binary(max_size=40), max_size=2),
    st.dictionaries(CODES, st.binary(max_size=25), max_size=2),
    st.sampled_from([1, 2, 3]),
)
def test_options_stand_in_the_fields_for_names_too(
    first: dict[int, bytes], file: dict[int, bytes], name: dict[int, bytes], overload: int
) -> None:
    expected = dict(first) | {52: bytes([overload])}
    for bit, options in ((1, file), (2, name)):
        for code, value in options.items() if overload & bit else ():
            expected[code] = expected.get(code, b"") + value
    data = message({52: bytes([overload]), **first}, file=written(file), name=written(name))
    assert dhcp.parse_options(data) == expected


def test_names_of_files_are_no_options_where_nothing_says_so() -> None:
    data = message({53: b"\1"}, file=written({12: b"SERVER"}), name=b"\x0c\x06SERVER")
    assert 12 not in dhcp.parse_options(data)


def test_nothing_but_its_own_errors() -> None:
    data = message({52: b"\3", 53: b"\3", 50: ADDRESS, 54: SERVER, 81: b"\4\0\0\2XP\0", **XP}, file=b"\xff")
    for each in spoilt(data, 2000):
        told("dhcp", each)
