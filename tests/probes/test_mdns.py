"""mDNS: a real Avahi, an Apple host as specified, names that run in circles, and names of people."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest

from scanner.classify import default_classifier
from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.lifecycle import load_lifecycle
from scanner.probes import mdns
from scanner.probes.mdns import PROBE
from tests.probes.told import Told

if TYPE_CHECKING:
    from scanner.probes.mdns import Name
    from tests.probes.conversation import Answer, Heard

AVAHI = "recorded from Debian's avahi-daemon 0.8"
SERVICES = ("_workstation._tcp", "_ssh._tcp", "_smb._tcp")

POSING = bytes.fromhex(
    "564584000004000f00000000095f7365727669636573075f646e732d7364045f756470056c6f63616c00000c80010c5f"
    "6465766963652d696e666f045f746370c023000c80010c5f776f726b73746174696f6ec03b000c8001045f736d62c03b"
    "000c8001c059000c00010000000a0008057061637331c059c070001000010000000a000100c070002100010000000a00"
    "0e0000000001bd057061637331c023c097001c00010000000a0010fe80000000000000bc31eefffe72fd32c097000100"
    "010000000a00040a4d0002c046000c00010000000a001c197061637331205b62653a33313a65653a37323a66643a3332"
    "5dc046c0d7001000010000000a000100c0d7002100010000000a0008000000000009c097c02e000c00010000000a0008"
    "057061637331c02ec120001000010000000a00100f6d6f64656c3d4d616350726f362c31c120002100010000000a0008"
    "000000000000c097c00c000c00010000000a0002c046c00c000c00010000000a0002c02ec00c000c00010000000a0007"
    "045f737368c03bc00c000c00010000000a0002c059"
)
PLAIN = bytes.fromhex(
    "564584000004000b00000000095f7365727669636573075f646e732d7364045f756470056c6f63616c00000c80010c5f"
    "6465766963652d696e666f045f746370c023000c80010c5f776f726b73746174696f6ec03b000c8001045f736d62c03b"
    "000c8001c059000c00010000000a0008057061637331c059c070001000010000000a000100c070002100010000000a00"
    "0e0000000001bd057061637331c023c097001c00010000000a0010fe80000000000000bc31eefffe72fd32c097000100"
    "010000000a00040a4d0002c046000c00010000000a001c197061637331205b62653a33313a65653a37323a66643a3332"
    "5dc046c0d7001000010000000a000100c0d7002100010000000a0008000000000009c097c00c000c00010000000a0002"
    "c046c00c000c00010000000a0007045f737368c03bc00c000c00010000000a0002c059"
)
PLAIN_SECOND = bytes.fromhex(
    "5646840000040004000000000570616373310c5f6465766963652d696e666f045f746370056c6f63616c000010800105"
    "7061637331045f736d62c01f00218001197061637331205b62653a33313a65653a37323a66643a33325dc01200108001"
    "197061637331205b62653a33313a65653a37323a66643a33325d0c5f776f726b73746174696f6ec01f00218001c06000"
    "2100010000000a000e000000000009057061637331c024c09f001c00010000000a0010fe80000000000000bc31eefffe"
    "72fd32c09f000100010000000a00040a4d0002c02f002100010000000a00080000000001bdc09f"
)

FILES = mdns.BROWSED[-1]
LOCAL = (b"local",)


def name(labels: Name) -> bytes:
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def record(owner: Name, kind: int, data: bytes) -> bytes:
    """A resource record ([RFC 1035] section 3.2.1)."""
    return name(owner) + struct.pack(">HHIH", kind, 1, 120, len(data)) + data


def answer(number: int, *records: bytes, flags: int = 0x8400) -> bytes:
    """A response without questions; names in it are not compressed."""
    return struct.pack(">6H", number, flags, 0, len(records), 0, 0) + b"".join(records)


def service(owner: Name, *strings: bytes) -> bytes:
    return record(owner, 16, b"".join(bytes([len(each)]) + each for each in strings))


def place(owner: Name, host: bytes) -> bytes:
    return record(owner, 33, bytes(6) + name((host, *LOCAL)))


def pointer(owner: Name, target: Name) -> bytes:
    return record(owner, 12, name(target))


SHARE = ("Somebody\N{RIGHT SINGLE QUOTATION MARK}s MacBook".encode(), *FILES)
APPLE = answer(
    0x5645,
    pointer(mdns.SERVICES, FILES),
    pointer(FILES, SHARE),
    place(SHARE, b"Somebodys-MacBook"),
)
APPLE_SECOND = answer(0x5646, service((SHARE[0], *mdns.DEVICE), b"model=MacBookPro12,1", b"osxvers=19"))

CONVERSATIONS = (
    Told(
        "Avahi that poses as a Mac",
        PROBE,
        [[POSING]],
        {
            "mdns.services": ("_workstation._tcp", "_device-info._tcp", "_ssh._tcp", "_smb._tcp"),
            "mdns.model": "MacPro6,1",
            "mdns.hostname": "pacs1",
        },
        AVAHI,
    ),
    Told(
        "Avahi", PROBE, [[PLAIN, PLAIN_SECOND]], {"mdns.services": SERVICES, "mdns.hostname": "pacs1"}, AVAHI
    ),
    Told(
        "Avahi that does not hear the second question",
        PROBE,
        [[PLAIN, LimitError()]],
        {"mdns.services": SERVICES, "mdns.hostname": "pacs1"},
        AVAHI,
    ),
    Told(
        "a Mac that bears a person's name",
        PROBE,
        [[APPLE, APPLE_SECOND]],
        {"mdns.services": ("_smb._tcp",), "mdns.model": "MacBookPro12,1", "mdns.osxvers": "19"},
        "[RFC 6763] sections 4 and 9",
    ),
)


def hold(*answers: Answer) -> Heard:
    return Told("made here", PROBE, [answers], {}, "made here").hold()


# --- what is said


def test_one_host_is_asked_for_four_things() -> None:
    (said,) = hold(answer(0x5645)).said
    assert said.startswith(bytes.fromhex("5645 0000 0004 0000 0000 0000"))
    assert said.count(bytes.fromhex("000c 8001")) == 4, "PTR, the answer sent to who asks"
    questions = said[12:]
    for wanted in (mdns.SERVICES, *mdns.BROWSED):
        assert name(wanted) in questions


def test_the_second_question_is_about_what_was_named() -> None:
    said = hold(APPLE, APPLE_SECOND).said
    assert said[1] == mdns.query(0x5646, [((SHARE[0], *mdns.DEVICE), 16), (SHARE, 33)])


def test_where_nothing_was_named_it_asks_what_there_is() -> None:
    printing = (b"_ipp", b"_tcp", *LOCAL)
    laser = (b"LASER7", *printing)
    heard = hold(
        answer(0x5645, pointer(mdns.SERVICES, printing)),
        answer(0x5646, pointer(printing, laser), place(laser, b"laser7")),
    )
    assert heard.said[1] == mdns.query(0x5646, [(printing, 12)])
    assert heard.evidence == {"mdns.services": ("_ipp._tcp",), "mdns.hostname": "laser7"}


def test_the_longest_questions_fit_into_what_is_declared() -> None:
    long = tuple(bytes([letter]) * 63 for letter in b"abc")
    targets = [(bytes([letter]) * 63, *long[:2], *LOCAL) for letter in b"qrstuv"]
    heard = hold(answer(0x5645, *(pointer(FILES, target) for target in targets)), LimitError())
    assert len(heard.said) == 2
    assert sum(map(len, heard.said)) <= PROBE.size
    assert heard.said[1][4:6] == b"\0\x08", "four services, two questions each"


# --- names of people


@pytest.mark.parametrize("told", CONVERSATIONS, ids=lambda told: told.name)
def test_no_name_of_a_service_is_learnt_or_kept(told: Told) -> None:
    heard = told.hold()
    assert "omebody" not in repr(heard.evidence)
    assert PROBE.redact(tuple(heard.raw)) == (b"",) * len(heard.raw)


@pytest.mark.parametrize(
    ("instance", "host", "kept"),
    [
        (b"pacs1", b"PACS1", "PACS1"),
        (b"pacs1 [02:00:00:00:00:01]", b"pacs1", "pacs1"),
        (b"pacs1", b"pacs1-2", None),
        (b"", b"", None),
    ],
)
def test_a_hosts_name_is_kept_where_its_service_bears_the_same(
    instance: bytes, host: bytes, kept: str | None
) -> None:
    owner = (instance, *FILES) if instance else ()
    found = mdns.facts([mdns.Record(owner, 33, (host, *LOCAL) if host else (), ())])
    assert found == ({"mdns.hostname": kept} if kept else {})


# --- what is heard


@pytest.mark.parametrize(
    ("datagram", "heard"),
    [
        (answer(0x5645), True),
        (answer(0x5645, flags=0), False),
        (answer(0x1234), False),
        (answer(0), False),
    ],
    ids=["ours", "a query", "another's", "an announcement"],
)
def test_what_others_say_is_passed_over(datagram: bytes, *, heard: bool) -> None:
    assert mdns.response(datagram) == (len(datagram) if heard else None)


def test_what_is_too_short_for_a_header_is_not_waited_for() -> None:
    with pytest.raises(ProtocolError):
        mdns.response(b"\x56\x45\x84")


def named(raw: bytes) -> bytes:
    return struct.pack(">6H", 0x5645, 0x8400, 1, 0, 0, 0) + raw + b"\0\x0c\0\x01"


@pytest.mark.parametrize(
    "raw",
    [
        b"\xc0\x0c",
        b"\xc0\x0e\xc0\x0c",
        b"\x01a\xc0\x0c",
        b"\xc0\xff",
        b"\x41" + b"a" * 65 + b"\0",
        (b"\x3f" + b"a" * 63) * 4 + b"\0",
        b"\x05abc",
    ],
    ids=["itself", "two in a circle", "behind it", "forward", "an unknown label", "too long", "cut"],
)
def test_a_name_that_does_not_end_is_refused(raw: bytes) -> None:
    with pytest.raises(ProtocolError):
        mdns.parse_response(named(raw))


def test_pointers_are_followed_back() -> None:
    question = struct.pack(">HH", 12, 1)
    datagram = struct.pack(">6H", 0x5645, 0x8400, 2, 1, 0, 0) + b"\x05local\0" + question
    datagram += b"\x04_tcp\xc0\x0c" + question
    datagram += b"\x04_smb\xc0\x17" + struct.pack(">HHIH", 12, 1, 9, 2) + b"\xc0\x17"
    (found,) = mdns.parse_response(datagram)
    assert (found.name, found.target) == ((b"_smb", b"_tcp", b"local"), (b"_tcp", b"local"))


@pytest.mark.parametrize(("length", "ends"), [(100, True), (300, False), (4000, False)])
def test_only_so_many_pointers_are_followed(length: int, *, ends: bool) -> None:
    begin = 23
    chain = b"\0" + b"".join(
        struct.pack(">H", 0xC000 | (begin if not number else begin - 1 + 2 * number))
        for number in range(length)
    )
    last = struct.pack(">H", 0xC000 | (begin - 1 + 2 * length))
    datagram = answer(0x5645, record((), 10, chain), last + struct.pack(">HHIH", 10, 1, 9, 0))
    if ends:
        assert len(mdns.parse_response(datagram)) == 2
    else:
        with pytest.raises(ProtocolError):
            mdns.parse_response(datagram)


def test_a_host_that_announces_nothing_is_told_nothing_of() -> None:
    heard = hold(answer(0x5645))
    assert (heard.evidence, heard.error, heard.exchanges) == ({}, None, 1)


@pytest.mark.parametrize("failure", [LimitError(), PeerClosedError()])
def test_silence_is_told_as_such(failure: LimitError | PeerClosedError) -> None:
    assert hold(failure).error is failure


def test_types_are_kept_once_and_few() -> None:
    types = [pointer(mdns.SERVICES, (b"_%d" % number, b"_tcp", *LOCAL)) for number in range(70)]
    heard = hold(answer(0x5645, *types, *types[:30]), LimitError())
    assert len(heard.evidence["mdns.services"]) == 64


# --- what it means


@pytest.mark.parametrize(
    ("darwin", "release"), [("9", "macos-10-5"), ("19", "macos-10-15"), ("22", "macos-13")]
)
def test_darwins_version_is_a_release_of_macos(darwin: str, release: str) -> None:
    identity = default_classifier().classify({"mdns.osxvers": (darwin,)})
    assert identity.candidates == (release,)


def test_a_model_alone_is_a_hint() -> None:
    identity = default_classifier().classify({"mdns.model": ("MacPro6,1",)})
    assert {load_lifecycle().releases[each].product for each in identity.candidates} == {"macOS", "Unknown"}
    assert identity.certainty == "hint"
