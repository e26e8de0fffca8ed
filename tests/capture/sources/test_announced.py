"""CDP, LLDP and browser announcements without IP: of real captures, made by hand, cut and damaged."""

from __future__ import annotations

import struct
import tomllib
from ipaddress import IPv4Address
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scapy.contrib.cdp import (
    CDPAddrRecordIPv4,
    CDPAddrRecordIPv6,
    CDPMsgAddr,
    CDPMsgDeviceID,
    CDPMsgMgmtAddr,
    CDPMsgPlatform,
    CDPMsgPortID,
    CDPMsgSoftwareVersion,
    CDPv2_HDR,
)
from scapy.contrib.lldp import (
    LLDPDUChassisID,
    LLDPDUEndOfLLDPDU,
    LLDPDUManagementAddress,
    LLDPDUPortID,
    LLDPDUSystemDescription,
    LLDPDUSystemName,
    LLDPDUTimeToLive,
)
from scapy.layers.l2 import LLC, SNAP, Dot3, Ether
from scapy.packet import Packet as Built
from scapy.packet import Raw

from scanner.capture.sources import browser_frames, cdp, lldp
from scanner.capture.telling import FrameSource, Payload
from scanner.data import data_directories
from scanner.errors import ProbeError
from scanner.fingerprints import recognise
from scanner.fingerprints.reading import read_file
from tests.capture.framed import CARD, OTHER, capture, frame, heard
from tests.corpus import CORPUS

IOS: Final = (
    "Cisco IOS Software, C2960 Software (C2960-LANBASEK9-M), Version 12.2(55)SE7, RELEASE SOFTWARE (fc1)"
)
SUPPORT: Final = "Technical Support: http://www.cisco.com/techsupport"
_IOS: Final = f"{IOS}\n{SUPPORT}\nCompiled Mon 28-Jan-13 10:28 by PERSONNE-NOMMEE"
CISCO: Final = (
    Dot3(src=CARD, dst="01:00:0c:cc:cc:cc") / LLC(dsap=0xAA, ssap=0xAA, ctrl=3) / SNAP(OUI=0x0C, code=0x2000)
)
SAID: Final = (
    CDPMsgDeviceID(val=b"sw-cardio.demo.example")
    / CDPMsgSoftwareVersion(val=_IOS.encode())
    / CDPMsgPlatform(val=b"cisco WS-C2960-24TT-L")
    / CDPMsgPortID(iface=b"FastEthernet0/1")
)
FOUND: Final = {
    "cdp.software": (f"{IOS} {SUPPORT}",),
    "cdp.platform": ("cisco WS-C2960-24TT-L",),
    "cdp.name": ("sw-cardio.demo.example",),
}
NOBODY: Final = str(IPv4Address(0))
_FOUR: Final = CDPAddrRecordIPv4(addr="10.0.0.9")
_SIX: Final = CDPAddrRecordIPv6(addr="fd00::9")
_CHASSIS: Final = LLDPDUChassisID(subtype=4, id=CARD)
_PORT: Final = LLDPDUPortID(subtype=5, id=b"1/1") / LLDPDUTimeToLive(ttl=120)
NEAREST: Final = Ether(src=OTHER, dst="01:80:c2:00:00:0e", type=0x88CC)


def _spoken(*addresses: Built) -> Built:
    built = CISCO / CDPv2_HDR(msg=[]) / SAID
    for each in addresses:
        built = built / each
    return built


@pytest.mark.parametrize(
    ("addresses", "owner"),
    [
        ((), CARD),
        ((CDPMsgAddr(naddr=1, addr=[_FOUR]),), "10.0.0.9"),
        ((CDPMsgAddr(naddr=1, addr=[_SIX]),), "fd00::9"),
        (
            (
                CDPMsgAddr(naddr=1, addr=[CDPAddrRecordIPv4(addr="10.0.0.1")]),
                CDPMsgMgmtAddr(naddr=1, addr=[_FOUR]),
            ),
            "10.0.0.9",
        ),
        ((CDPMsgAddr(naddr=2, addr=[CDPAddrRecordIPv4(addr=NOBODY), _FOUR]),), "10.0.0.9"),
        ((CDPMsgAddr(naddr=9, addr=[CDPAddrRecordIPv4(addr=NOBODY)]),), CARD),
    ],
)
def test_cdp_is_told_of_where_a_device_is_managed(addresses: tuple[Built, ...], owner: str) -> None:
    found = heard([frame(_spoken(*addresses))])
    told = FOUND if owner == CARD else FOUND | {"management.address": (owner,)}
    assert found == {(CARD, 0, "cdp"): told}


def test_cdp_over_a_line_without_cards() -> None:
    data = bytes(CDPv2_HDR(msg=[]) / SAID / CDPMsgAddr(naddr=1, addr=[_FOUR]))
    assert heard([frame(b"\x8f\0\x20\0" + data, 104)]) == {
        ("10.0.0.9", 0, "cdp"): FOUND | {"management.address": ("10.0.0.9",)}
    }
    assert heard([frame(b"\x8f\0\x20\0" + bytes(CDPv2_HDR(msg=[]) / SAID), 104)]) == {}


def test_who_compiled_it_is_nobodys_business() -> None:
    assert "PERSONNE" not in repr(heard([frame(_spoken())]))
    own = "IOS (tm) C2600 Software (C2600-I-M), Experimental Version 12.0(1) [personne-nommee 101]\nCopyright"
    told = heard([frame(CISCO / CDPv2_HDR(msg=[]) / CDPMsgSoftwareVersion(val=own.encode()))])
    (software,) = told[CARD, 0, "cdp"]["cdp.software"]
    assert software.endswith("12.0(1) Copyright")


def test_the_words_are_those_of_sysdescr() -> None:
    data = data_directories()[0]
    words = data / "snmp.sysdescr" / "network.toml"
    assert "cdp.software" in tomllib.loads(words.read_text(encoding="utf-8"))["also"]
    (made,) = (each for each in read_file(words) if each.name == "Cisco IOS")
    found = recognise(made, FOUND["cdp.software"][0])
    assert found is not None
    assert found.names["version"] == "12.2(55)SE7"


@pytest.mark.parametrize(
    ("platform", "device"),
    [
        ("cisco WS-C2960-24TT-L", "switch"),
        ("cisco 7206VXR", "router"),
        ("Cisco IP Phone 7940", "IP phone"),
        ("cisco AIR-CAP3602I-E-K9", "wireless access point"),
    ],
)
def test_platforms(platform: str, device: str) -> None:
    data = data_directories()[0]
    found = (recognise(each, platform) for each in read_file(data / "cdp.platform.toml"))
    first = next(each for each in found if each is not None)
    assert first.names["device"] == device


def managed_at(family: int, address: bytes) -> Built:
    """An address of a device, of a family of https://www.iana.org/assignments/address-family-numbers."""
    return LLDPDUManagementAddress(management_address_subtype=family, management_address=address)


@pytest.mark.parametrize(
    ("managed", "owner"),
    [
        ((), CARD),
        ((managed_at(1, bytes((10, 0, 0, 9))),), "10.0.0.9"),
        ((managed_at(2, b"\xfd" + bytes(14) + b"\x09"),), "fd00::9"),
        ((managed_at(6, bytes.fromhex("001ef673598b")),), CARD),
        (
            (
                managed_at(1, bytes(4)),
                managed_at(1, bytes((10, 0, 0, 9))),
            ),
            "10.0.0.9",
        ),
    ],
)
def test_lldp_is_told_of_where_a_device_is_managed(managed: tuple[Built, ...], owner: str) -> None:
    built = NEAREST / _CHASSIS / _PORT / LLDPDUSystemName(system_name=b"sw-cardio")
    built = built / LLDPDUSystemDescription(description=_IOS.encode())
    for each in managed:
        built = built / each
    told = {
        "snmp.sysdescr": FOUND["cdp.software"],
        "snmp.sysname": ("sw-cardio",),
        "mac.address": (CARD,),  # that of the whole; the frame's is its port's
    }
    if owner != CARD:
        told["management.address"] = (owner,)
    assert heard([frame(built / LLDPDUEndOfLLDPDU())]) == {(OTHER, 0, "lldp"): told}


def test_a_chassis_that_is_no_card_leaves_the_frames() -> None:
    built = (
        NEAREST
        / LLDPDUChassisID(subtype=7, id=b"rack 4")
        / _PORT
        / LLDPDUSystemName(system_name=b"sw-cardio")
    )
    assert heard([frame(built)]) == {(OTHER, 0, "lldp"): {"snmp.sysname": ("sw-cardio",)}}


def test_a_chassis_alone_tells_nothing() -> None:
    assert heard([frame(NEAREST / _CHASSIS / _PORT / LLDPDUEndOfLLDPDU())]) == {}


def announcement() -> bytes:
    """A host's, from the header of SMB ([MS-BRWS] 2.2.1, [MS-CIFS] 2.2.4.33.1)."""
    host = (
        struct.pack("<BBI16sBBIHH", 1, 0, 720_000, b"RADIOLOGIE-3", 5, 1, 0x1003, 0x010F, 0xAA55)
        + b"PERSONNE-NOMMEE\0"
    )
    slot = b"\\MAILSLOT\\BROWSE\0"
    words = struct.pack(
        "<HHHHBBHIHHHHHBBHHH",
        0,
        len(host),
        0,
        0,
        0,
        0,
        0,
        1000,
        0,
        0,
        0,
        len(host),
        69 + len(slot),
        3,
        0,
        1,
        1,
        2,
    )
    return (
        b"\xffSMB\x25" + bytes(27) + b"\x11" + words + struct.pack("<H", len(slot) + len(host)) + slot + host
    )


def ipx(socket: int, before: bytes, *, hops: int = 0, node: str = CARD) -> bytes:
    """An IPX packet of that socket: its header, and what stands before the names."""
    ends = struct.pack(
        ">4s6sH4s6sH", bytes(4), b"\xff" * 6, socket, bytes(4), bytes.fromhex(node.replace(":", "")), socket
    )
    data = before + b"RADIOLOGIE-3   \0" + b"WORKGROUP      \x1e" + announcement()
    return struct.pack(">HHBB", 0xFFFF, 30 + len(data), hops, 4) + ends + data


NETBEUI: Final = struct.pack("<HHBBHHH", 44, 0xEFFF, 8, 0, 0, 0, 0) + bytes(32) + announcement()
BROWSED: Final = {
    "NetBEUI": Dot3(src=CARD) / Raw(b"\xf0\xf0\x03" + NETBEUI),
    "IPX alone": Dot3(src=CARD) / Raw(ipx(0x0455, b"\0\x0b")),
    "IPX over LLC": Dot3(src=CARD) / Raw(b"\xe0\xe0\x03" + ipx(0x0455, b"\0\x0b")),
    "IPX in Ethernet": Ether(src=CARD, type=0x8137) / Raw(ipx(0x0553, bytes(32) + b"\xfc\1\0\0")),
    "IPX over SNAP": Dot3(src=CARD)
    / Raw(b"\xaa\xaa\x03\0\0\0\x81\x37" + ipx(0x0553, bytes(32) + b"\xfc\1\0\0")),
    "from beyond a router": Dot3(src=OTHER) / Raw(b"\xe0\xe0\x03" + ipx(0x0455, b"\0\x0b", hops=1)),
    "from its own network": Dot3(src=CARD) / Raw(ipx(0x0455, b"\0\x0b", node="00:00:00:00:00:01")),
}


@pytest.mark.parametrize("name", BROWSED)
def test_machines_without_ip_announce_themselves(name: str) -> None:
    found = heard([frame(BROWSED[name])])
    told = found.pop((CARD, 0, "browser"))
    assert found == {}
    assert told["browser.version"] == ("5.1",)
    assert told["netbios.name"] == ("RADIOLOGIE-3",)
    assert "PERSONNE" not in repr(told)


def test_nobodys_announcement() -> None:
    beyond = ipx(0x0455, b"\0\x0b", hops=1, node="00:00:00:00:00:01")
    for data in (beyond, ipx(0x0452, b"\0\x0b"), ipx(0x0553, b"")):
        assert heard([frame(Dot3(src=CARD) / Raw(data))]) == {}


PAYLOADS: Final = [
    (cdp.SOURCES[0], 0, bytes(_spoken(CDPMsgAddr(naddr=1, addr=[_FOUR])))[14:]),
    (
        lldp.SOURCES[0],
        0x88CC,
        bytes(NEAREST / _CHASSIS / _PORT / LLDPDUSystemName(system_name=b"sw") / LLDPDUEndOfLLDPDU())[14:],
    ),
    *(
        (browser_frames.SOURCES[0], 0, bytes(BROWSED[name])[14:])
        for name in ("NetBEUI", "IPX over LLC", "IPX alone")
    ),
    (browser_frames.SOURCES[0], 0x8137, bytes(BROWSED["IPX in Ethernet"])[14:]),
]


@pytest.mark.parametrize(("source", "kind", "data"), PAYLOADS)
def test_cut_and_damaged_frames_raise_nothing_else(source: FrameSource, kind: int, data: bytes) -> None:
    for place in range(len(data)):
        for damaged in (
            data[:place],
            *(data[:place] + bytes((value,)) + data[place + 1 :] for value in (0, 1, 0xFF)),
        ):
            _told(source, kind, damaged)


@given(st.sampled_from(PAYLOADS), st.integers(0, 60), st.binary(max_size=80))
def test_any_bytes(payload: tuple[FrameSource, int, bytes], kept: int, data: bytes) -> None:
    source, kind, whole = payload
    _told(source, kind, whole[:kept] + data)


def _told(source: FrameSource, kind: int, data: bytes) -> None:
    try:
        for told in source.hear(Payload(kind, data, bytes.fromhex("001ef673598b"))):
            assert told.address
            assert set(told.evidence) <= set(source.keys)
    except ProbeError:
        pass


if CORPUS:

    def test_devices_of_the_captures() -> None:
        found = heard(capture("wireshark-lldp"))
        assert {key[0] for key in found if key[2] == "lldp"} == {"00:01:30:f9:ad:a0", "00:13:21:57:ca:7f"}
        found = heard(capture("mpls-basic"))
        assert found["00:30:96:05:28:38", 0, "cdp"]["cdp.platform"] == ("cisco 7206VXR",)
        found = heard(capture("tcpdump__ipx"))
        assert found["00:03:47:1b:c1:a8", 0, "browser"]["netbios.name"] == ("ADMINTEST",)
        assert {found[key]["browser.version"] for key in found if key[2] == "browser"} == {("5.0",)}
