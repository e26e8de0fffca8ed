"""The NetBIOS probe: names of machines and their domains, never of people."""

from __future__ import annotations

import struct

import pytest
from impacket import nmb  # type: ignore[import-untyped]  # it has no stubs

from scanner.errors import ProtocolError
from scanner.model import Endpoint
from scanner.probes import netbios
from scanner.probes.netbios import PROBE, REQUEST, answers, facts, parse_status, redact
from tests.probes.conversation import Replay
from tests.probes.told import Told

QUESTION = REQUEST[12:46]
MAC = bytes.fromhex("000bcd112233")
COUNTERS = bytes(range(40))
GROUP = 0x8000


def status(*names: tuple[str, int, int], unit: bytes = MAC, counters: bytes = COUNTERS) -> bytes:
    """An answer ([RFC 1002] 4.2.18): names with their suffixes and flags, a unit id, and counters."""
    entries = b"".join(name.encode("cp850").ljust(15) + struct.pack(">BH", *kind) for name, *kind in names)
    data = bytes([len(names)]) + entries + unit + counters
    return (
        REQUEST[:2]
        + b"\x84\0\0\0\0\1\0\0\0\0"
        + QUESTION
        + struct.pack(">HHIH", 0x21, 1, 0, len(data))
        + data
    )


XP = status(
    ("RADIO-XP", 0x00, 0x0400),
    ("RADIOLOGIE", 0x00, 0x8400),
    ("RADIO-XP", 0x03, 0x0400),
    ("RADIO-XP", 0x20, 0x0400),
    ("RADIOLOGIE", 0x1E, 0x8400),
    ("SOMEBODY", 0x03, 0x0400),
    ("RADIOLOGIE", 0x1D, 0x0400),
    ("\1\2__MSBROWSE__\2", 0x01, 0x8400),
)
NT4 = status(
    ("DPTSERVER", 0x00, 0x0400),
    ("DPTSERVER", 0x20, 0x0400),
    ("DEPARTMENT", 0x00, 0x8400),
    ("DEPARTMENT", 0x1C, 0x8400),
    ("DEPARTMENT", 0x1B, 0x0400),
    ("DEPARTMENT", 0x1E, 0x8400),
    ("DPTSERVER", 0x03, 0x0400),
    ("INet~Services", 0x1C, 0x8400),
    ("IS~DPTSERVER", 0x00, 0x0400),
    ("DPTSERVER", 0x01, 0x0400),
    ("DPTSERVER", 0x1F, 0x0400),
    ("DPTSERVER+++++", 0xBF, 0x0400),
    ("SOMEBODY", 0x03, 0x0400),
)
WINDOWS_98 = status(
    ("ACCUEIL", 0x00, 0x0400), ("WORKGROUP", 0x00, 0x8400), ("SOMEBODY", 0x03, 0x0400), unit=b"\x44ESTAA"
)
NMBD = bytes.fromhex(
    "56548400000000010000000020434b4141414141414141414141414141414141414141414141414141414141410000210001"
    "000000000089054c4f43414c53414d424120202020200004004c4f43414c53414d424120202020200304004c4f43414c5341"
    "4d424120202020202004005741524420202020202020202020200084005741524420202020202020202020201e8400"
    + "00"
    * 46
)
DOMAIN_CONTROLLER = bytes.fromhex(
    "56548400000000010000000020434b4141414141414141414141414141414141414141414141414141414141410000210001"
    "0000000000bf0844434f4e452020202020202020202000440044434f4e452020202020202020202003440044434f4e452020"
    "20202020202020202044005741524420202020202020202020201b44005741524420202020202020202020201cc400574152"
    "44202020202020202020202000c4005f5f53414d42415f5f20202020202000c6005f5f53414d42415f5f20202020202020c6"
    "00f0974eebe97f00001310659e560a0000d741eb4e00007fe9eb4ed5a07fe900000000000000000000000000000000"
)

CONVERSATIONS = (
    Told(
        "Windows XP, the master browser of a workgroup, somebody logged on",
        PROBE,
        [[XP]],
        {
            "netbios.name": "RADIO-XP",
            "netbios.domain": "RADIOLOGIE",
            "netbios.mac": "00:0b:cd:11:22:33",
            "netbios.services": ("file-server", "master-browser", "messenger"),
        },
        "built: [RFC 1002] 4.2.18, names as in [MS-BRWS] 2.1.1.1 and Q163409",
    ),
    Told(
        "Windows NT 4.0 Server, primary domain controller with IIS",
        PROBE,
        [[NT4]],
        {
            "netbios.name": "DPTSERVER",
            "netbios.domain": "DEPARTMENT",
            "netbios.mac": "00:0b:cd:11:22:33",
            "netbios.services": (
                "domain-controller",
                "domain-master-browser",
                "file-server",
                "iis",
                "messenger",
                "netdde",
                "network-monitor",
            ),
        },
        "built: [RFC 1002] 4.2.18, the names of the example in nbtscan(1) and of Q163409",
    ),
    Told(
        "Windows 98, somebody logged on",
        PROBE,
        [[WINDOWS_98]],
        {"netbios.name": "ACCUEIL", "netbios.domain": "WORKGROUP", "netbios.mac": "44:45:53:54:41:41"},
        "built: [RFC 1002] 4.2.18; names as in arkime__nbns.pcap, which a Windows 98 registers",
    ),
    Told(
        "Samba 4.17, a file server",
        PROBE,
        [[NMBD]],
        {
            "netbios.name": "LOCALSAMBA",
            "netbios.domain": "WARD",
            "netbios.services": ("file-server", "messenger"),
        },
        "recorded from Debian's nmbd",
    ),
    Told(
        "Samba 4.17, a domain controller: its MAC address is what was in its memory",
        PROBE,
        [[DOMAIN_CONTROLLER]],
        {
            "netbios.name": "DCONE",
            "netbios.domain": "WARD",
            "netbios.services": (
                "domain-controller",
                "domain-master-browser",
                "file-server",
                "messenger",
                "samba",
            ),
        },
        "recorded from Debian's samba",
    ),
    Told(
        "a device that has no name for its workstation",
        PROBE,
        [[status(("SCANNER", 0x20, 0), ("SALLE 3", 0x1E, GROUP), unit=b"", counters=b"")]],
        {"netbios.name": "SCANNER", "netbios.domain": "SALLE 3", "netbios.services": ("file-server",)},
        "built: [RFC 1002] 4.2.18, without the statistics",
    ),
    Told(
        "a device that repeats the question and points to it",
        PROBE,
        [[
            REQUEST[:2] + b"\x84\0\0\1\0\1\0\0\0\0" + QUESTION + b"\0\x21\0\1"
            + b"\xc0\x0c\0\x21\0\1\0\0\0\0\0\x13\1" + b"IMPRIMANTE     \0\0\0"
        ]],
        {"netbios.name": "IMPRIMANTE"},
        "built: [RFC 1002] 4.2.1.2 and 4.2.18",
    ),
    Told(
        "a host that has no names",
        PROBE,
        [[status(unit=bytes(6))]],
        {},
        "built: [RFC 1002] 4.2.18",
    ),
)  # fmt: skip


def test_impacket_asks_the_same() -> None:
    theirs = nmb.NODE_STATUS_REQUEST()
    theirs["NAME_TRN_ID"] = int.from_bytes(REQUEST[:2], "big")
    theirs["QUESTION_NAME"] = nmb.encode_name("*", nmb.TYPE_WORKSTATION, None)
    assert theirs.getData() == REQUEST


@pytest.mark.parametrize("answer", [XP, NT4, NMBD, DOMAIN_CONTROLLER], ids=["XP", "NT 4", "nmbd", "AD"])
def test_impacket_reads_the_same_names(answer: bytes) -> None:
    theirs = nmb.NBNodeStatusResponse(nmb.NAME_SERVICE_PACKET(answer)["ANSWERS"])
    ours = parse_status(answer)
    assert [(entry["NAME"], entry["TYPE"]) for entry in theirs.entries] == [
        (entry.name, entry.kind[0]) for entry in ours.names
    ]
    assert theirs.get_mac() == ours.unit.hex("-").upper()


@pytest.mark.parametrize("answer", [XP, NT4, WINDOWS_98], ids=["XP", "NT 4", "98"])
def test_people_are_neither_learnt_nor_kept(answer: bytes) -> None:
    assert b"SOMEBODY" in answer
    (kept,) = redact((answer,))
    assert b"SOMEBODY" not in kept
    assert COUNTERS not in kept
    assert len(kept) == len(answer)
    learnt, known = facts(parse_status(kept)), facts(parse_status(answer))
    assert [learnt[key] for key in PROBE.keys[:2]] == [known[key] for key in PROBE.keys[:2]]


def test_of_an_answer_that_cannot_be_read_to_its_last_name_nothing_is_kept() -> None:
    cut = XP[: XP.index(b"SOMEBODY") + 9]
    assert redact((cut, b"SOMEBODY", XP[:40])) == (b"", b"", b"")


def test_a_name_that_claims_to_be_a_file_servers_is_kept_and_any_other_is_not() -> None:
    for suffix in range(256):
        (kept,) = redact((status(("SOMEBODY", suffix, 0x0400)),))
        assert (b"SOMEBODY" in kept) == (suffix in {0x00, 0x20, 0x1B, 0x1D})


@pytest.mark.parametrize(
    "stray",
    [
        b"",
        REQUEST,
        b"XX" + XP[2:],
        XP[:2],
        XP[:2] + b"\xac" + XP[3:],  # the response to a registration, from a name server
    ],
    ids=["empty", "our own", "another's", "cut", "another answer"],
)
def test_other_datagrams_are_not_the_answer(stray: bytes) -> None:
    assert answers(stray) is None


@pytest.mark.parametrize(
    "answer",
    [
        REQUEST[:2] + b"\x84\3" + bytes(8),
        REQUEST[:2] + b"\x84\0\0\0\0\0" + bytes(4),
        REQUEST[:2] + b"\x84\0\0\2\0\1" + bytes(4),
        XP.replace(b"\0\x21\0\1", b"\0\x20\0\1"),
        status(("X", 0, 0))[:70],
        REQUEST[:2] + b"\x84\0\0\0\0\1\0\0\0\0" + b"\x3f" * 600,
    ],
    ids=["refused", "no record", "two questions", "an address", "cut", "a name without end"],
)
def test_what_is_no_node_status_is_an_error(answer: bytes) -> None:
    heard = Replay([[answer]]).hold(PROBE, Endpoint("192.0.2.1", 137, PROBE.transport))
    assert isinstance(heard.error, ProtocolError)
    assert not heard.evidence


def test_a_group_address_is_no_mac_address() -> None:
    assert "netbios.mac" not in facts(parse_status(status(("X", 0, 0), unit=b"\xff" * 6)))


def test_a_name_in_a_code_page_is_printable() -> None:
    assert facts(parse_status(status(("CAFÉ\x1b[31m", 0, 0)))) == {
        "netbios.name": "CAFÉ\ufffd[31m",
        "netbios.mac": "00:0b:cd:11:22:33",
    }


def test_the_question_is_what_nbtstat_asks() -> None:
    assert len(REQUEST) == netbios.PROBE.size == 50
