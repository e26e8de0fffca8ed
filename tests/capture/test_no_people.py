"""Nobody who is named on the wire comes out of the ear: patients, users, and who looks after a machine.

To add a protocol: one line in ``SPOKEN``, with the words of :data:`PERSON` or :data:`PATIENT` wherever it has
a person, and what must come out all the same, so that it is known to have been heard.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, TypeAlias

import pytest

from scanner.probes import der, snmp
from tests.capture import test_datagrams as said
from tests.capture import test_dhcp, test_dhcpv6
from tests.capture import test_streams_of_devices as devices
from tests.capture.spoken import datagram, heard, stream

if TYPE_CHECKING:
    from scanner.capture.telling import Frame

PERSON, PATIENT = "PERSONNE-NOMMEE", "PATIENT-SECRET"
FORBIDDEN = ("personne", "nommee", "patient", "secret", "19520229", "2820299999")
HOST, OTHER = "10.0.0.9", "10.0.0.1"
Spoken: TypeAlias = "tuple[list[Frame], str]"


def over_udp(source_port: int, target_port: int, data: bytes) -> list[Frame]:
    """One datagram of the host."""
    return [datagram(HOST, source_port, OTHER, target_port, data)]


def over_tcp(port: int, *parts: bytes) -> list[Frame]:
    """What a client says, with and without the beginning of the connection, in order and not."""
    opened = stream(HOST, 50000, OTHER, port, *parts)
    later = stream(HOST, 50001, OTHER, port, *parts)[1:]
    mixed = stream(HOST, 50002, OTHER, port, *parts)
    return [*opened, *later, mixed[0], *reversed(mixed[1:])]


def dataset(*elements: tuple[int, int, str, str]) -> bytes:
    """Elements of an object in explicit VR, little-endian ([PS3.5] 7.1.2)."""
    return b"".join(
        struct.pack("<HH2sH", group, element, kind.encode(), len(value)) + value.encode()
        for group, element, kind, value in elements
    )


def data_pdu(content: bytes) -> bytes:
    """P-DATA-TF with one fragment ([PS3.8] 9.3.5)."""
    value = struct.pack(">IBB", len(content) + 2, 1, 2) + content
    return struct.pack(">BxI", 4, len(value)) + value


STORED = data_pdu(
    dataset(
        (0x0008, 0x0090, "PN", PERSON),
        (0x0010, 0x0010, "PN", f"{PATIENT}^{PERSON}"),
        (0x0010, 0x0020, "LO", "2820299999"),
        (0x0010, 0x0030, "DA", "19520229"),
    )
)
IDENTITY = devices.item(0x58, b"\2\0" + struct.pack(">H", len(PERSON)) + PERSON.encode() + b"\0\6secret")
MODALITY = devices.association(
    1, devices.item(0x52, b"1.3.12.2.1107.5.1.4"), IDENTITY, devices.item(0x55, b"SIEMENS_S5VA47A")
)


def hl7(kind: str, *segments: str, end: str = "\r") -> bytes:
    """A message with people in every segment after its first, and in fields of that."""
    header = f"MSH|^~\\&|PIIC iX^{PERSON}|{PERSON}|RIS|{PERSON}|20261124|{PERSON}|{kind}|1|P|2.6"
    return ("\x0b" + end.join((header, *segments, "")) + "\x1c\r").encode()


PEOPLE = (
    f"PID|1||2820299999^^^CHU||{PATIENT}^{PERSON}||19520229|F|||1 RUE {PATIENT}",
    f"NK1|1|{PERSON}^{PATIENT}|MERE",
    f"PV1|1|I|REA^1^{PATIENT}||||{PERSON}",
    f"OBX|1|TX|1^{PATIENT}||{PATIENT}",
)
BINDINGS = (
    ("1.3.6.1.2.1.1.1.0", "Hardware: x86 - Software: Windows 2000 Version 5.1 (Build 2600)"),
    ("1.3.6.1.2.1.1.4.0", PERSON),
    ("1.3.6.1.2.1.1.5.0", f"PC-DE-{PERSON}"),
    ("1.3.6.1.2.1.1.6.0", f"BUREAU DE {PERSON}"),
)
AGENT = snmp.message(
    PERSON,
    snmp.V2C,
    der.element(
        0xA2,
        *map(der.integer, (1, 0, 0)),
        der.element(
            der.SEQUENCE,
            *(
                der.element(
                    der.SEQUENCE, der.object_identifier(name), der.element(der.OCTETS, value.encode())
                )
                for name, value in BINDINGS
            ),
        ),
    ),
)
IPAD = said.records(
    said.record(
        said.name(f"{PERSON}'s iPad", "_device-info", "_tcp", "local"),
        16,
        b"\x0dmodel=iPad8,5\x10owner=" + PERSON[:10].encode(),
    ),
    said.record(
        said.name(f"{PERSON}'s iPad", "_ssh", "_tcp", "local"),
        33,
        bytes(4) + b"\0\x16" + said.name(f"{PERSON}s-iPad", "local"),
    ),
    said.record(
        said.name("_ssh", "_tcp", "local"), 12, said.name(f"{PERSON}'s iPad", "_ssh", "_tcp", "local")
    ),
    said.record(said.name(f"{PERSON}s-iPad", "local"), 1, b"\x0a\0\0\x09"),
)
DEVICE = said.search(
    "NTS: ssdp:alive",
    f"LOCATION: http://10.0.0.9/{PERSON}",
    f"X-Friendly-Name: {PERSON}",
    f"USN: uuid:{PERSON}",
    "SERVER: Linux UPnP/1.0",
    start="NOTIFY * HTTP/1.1",
)
XP = {
    **test_dhcp.XP,
    53: b"\1",
    61: b"\0" + PERSON.encode(),
    77: PERSON.encode(),
    56: PERSON.encode(),
    82: PERSON.encode(),
}
OWNED = said.sip(
    "REGISTER sip:chu.example SIP/2.0",
    f"User-Agent: LinphoneAndroid/5.0.10 ({PERSON}'s Galaxy) LinphoneSDK/5.2 (iPhone de {PERSON})",
)
CLOCK = said.VARIABLES + b', owner="' + PERSON.encode() + b'"'
V6 = test_dhcpv6.client(1, test_dhcpv6.option(15, PERSON.encode()), test_dhcpv6.option(37, PERSON.encode()))

SPOKEN: dict[str, Spoken] = {
    "an image that is stored": (over_tcp(104, MODALITY, STORED), "SIEMENS_S5VA47A"),
    "an image in the same segment": (over_tcp(11112, MODALITY + STORED, STORED), "SIEMENS_S5VA47A"),
    "an image, met in the middle": (over_tcp(104, STORED, STORED, MODALITY + STORED), "SIEMENS_S5VA47A"),
    "a patient comes in": (over_tcp(2575, hl7("ADT^A01", *PEOPLE), hl7("ADT^A03", *PEOPLE)), "PIIC iX"),
    "a result": (
        over_tcp(6661, *(hl7("ORU^R01", *PEOPLE)[at : at + 20] for at in range(0, 400, 20))),
        "PIIC iX",
    ),
    "a message with other ends of lines": (over_tcp(2575, hl7("ORU^R01", *PEOPLE, end="\n")), "PIIC iX"),
    "a message, met in the middle": (
        over_tcp(2575, hl7("ORU^R01", *PEOPLE)[60:], hl7("ORU^R01", *PEOPLE)),
        "PIIC iX",
    ),
    "who looks after an agent": (over_udp(161, 50000, AGENT), "Build 2600"),
    "a trap and its community": (
        over_udp(50000, 162, said.trap(0).replace(b"SECRET-COMMUNI", PERSON.encode()[:14])),
        "311",
    ),
    "somebody's tablet": (over_udp(5353, 5353, IPAD), "iPad8,5"),
    "somebody's device": (over_udp(50000, 1900, DEVICE), "Linux UPnP/1.0"),
    "a client's other words": (
        over_udp(68, 67, test_dhcp.message(XP, name=PERSON.encode(), file=PERSON.encode())),
        "RADIO-XP",
    ),
    "a client's other words in DHCPv6": (over_udp(546, 547, V6), "MSFT 5.0"),
    "who is looked for": (over_udp(50000, 389, said.PING), "RADIO-XP"),
    "who has a telephone": (over_udp(5060, 5060, said.REGISTER), "Aastra"),
    "whose computer a telephone is": (over_udp(5060, 5060, OWNED), "LinphoneAndroid/5.0.10 LinphoneSDK/5.2"),
    "who is called": (over_udp(5060, 5060, said.REGISTERED), "FPBX"),
    "whose clock it is": (over_udp(123, 50000, said.ntp(CLOCK)), "Linux/2.6.32"),
    "a question for a name": (
        over_udp(50000, 53, said.records(question=said.name(PERSON, "fr") + b"\0\1\0\1")),
        "",
    ),
    "an answer with a name": (
        over_udp(
            53,
            50000,
            said.records(
                said.record(b"\xc0\x0c", 16, b"\x0f" + PERSON.encode()),
                question=said.name(PERSON) + b"\0\x10\0\1",
            ),
        ),
        "",
    ),
    "what is printed": (over_tcp(9100, b"@PJL INFO ID\r\n" + PATIENT.encode() + b"\r\n"), ""),
}


@pytest.mark.parametrize("what", SPOKEN)
def test_nobody_comes_out(what: str) -> None:
    frames, expected = SPOKEN[what]
    assert any(word in frame.data.decode("latin-1").casefold() for frame in frames for word in FORBIDDEN)
    kept = repr(heard(frames))
    assert expected in kept
    assert [word for word in FORBIDDEN if word in kept.casefold()] == []


@pytest.mark.parametrize("what", SPOKEN)
def test_nobody_comes_out_where_something_is_missing(what: str) -> None:
    """Each frame left out once, and each cut short: whoever listens loses some."""
    frames, _ = SPOKEN[what]
    for place, frame in enumerate(frames):
        for rest in ([], [frame._replace(data=frame.data[: len(frame.data) * 2 // 3])]):
            kept = repr(heard([*frames[:place], *rest, *frames[place + 1 :]])).casefold()
            assert [word for word in FORBIDDEN if word in kept] == []
