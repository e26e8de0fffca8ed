"""SNMP: a real Net-SNMP, agents of Windows as they answer, and what must never be kept: the community."""

from __future__ import annotations

import csv
from datetime import date
from typing import TYPE_CHECKING

import pytest

from scanner.classify import default_classifier
from scanner.errors import LimitError, PeerClosedError, ProbeError, ProtocolError
from scanner.lifecycle import judge, load_lifecycle
from scanner.model import Certainty, Endpoint, Status, Transport
from scanner.probes import Peer, Send, der, lines, snmp
from scanner.probes.snmp import PROBE
from scanner.wire import Reader
from tests.corpus import CORPUS
from tests.probes.told import Told

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.probes.conversation import Answer, Heard

COMMUNITY = "ward-reader"
NET_SNMP = "recorded from Debian's snmpd 5.9.3 with the community ward-reader"
UNUSABLE = "[RFC 3416] section 3"

SYSTEM = bytes.fromhex(
    "308190020101040b776172642d726561646572a27e020256470201000201003072304506082b0601020101010004394c"
    "696e757820766d20362e31382e34342d66632d7636353720233120534d5020505245454d50545f44594e414d49432040"
    "30207838365f3634301606082b06010201010200060a2b06010401bf0803020a301106082b0601020101050004057061"
    "637331"
)
ENGINE = bytes.fromhex(
    "306d020103300f02025648020300ffe30401000201030421301f041180001f88805c4089260719086b00000000020101"
    "0201060400040004003034041180001f88805c4089260719086b000000000400a81d020256480201000201003011300f"
    "060a2b060106030f01010400410102"
)
ENGINE_FACTS = {
    "snmp.engine_id": "80001f88805c4089260719086b00000000",
    "snmp.enterprise": "8072",
    "snmp.engine_boots": "1",
}
SYSTEM_FACTS = {
    "snmp.sysdescr": "Linux vm 6.18.44-fc-v657 #1 SMP PREEMPT_DYNAMIC @0 x86_64",
    "snmp.sysobjectid": "1.3.6.1.4.1.8072.3.2.10",
    "snmp.sysname": "pacs1",
}

XP = (
    "Hardware: x86 Family 15 Model 2 Stepping 7 AT/AT COMPATIBLE - "
    "Software: Windows 2000 Version 5.1 (Build 2600 Uniprocessor Free)"
)
NT4 = (
    "Hardware: x86 Family 6 Model 8 Stepping 3 AT/AT COMPATIBLE  - "
    "Software: Windows NT Version 4.0  (Build Number: 1381 Uniprocessor Free )"
)
WORKSTATION = "1.3.6.1.4.1.311.1.1.3.1.1"


def response(
    version: int, request: int, *bindings: tuple[str, bytes], status: int = 0, community: str = COMMUNITY
) -> bytes:
    """A Response-PDU ([RFC 3416] section 3, [RFC 1157] section 4.1.3)."""
    listed = [der.element(der.SEQUENCE, der.object_identifier(name), value) for name, value in bindings]
    pdu = der.element(
        0xA2,
        der.integer(request),
        der.integer(status),
        der.integer(0),
        der.element(der.SEQUENCE, *listed),
    )
    return der.element(der.SEQUENCE, der.integer(version), der.element(der.OCTETS, community.encode()), pdu)


def system(version: int, request: int, description: str, kind: str, name: str) -> bytes:
    values = [
        der.element(der.OCTETS, description.encode()),
        der.object_identifier(kind),
        der.element(der.OCTETS, name.encode()),
    ]
    return response(version, request, *zip(snmp.OBJECTS, values, strict=True))


def facts(description: str, kind: str, name: str) -> dict[str, str]:
    return {"snmp.sysdescr": description, "snmp.sysobjectid": kind, "snmp.sysname": name}


GIVEN = {"community": (COMMUNITY,)}
CONVERSATIONS = (
    Told(
        "Net-SNMP without a community",
        PROBE,
        [[ENGINE.replace(b"VH", b"VE")]],
        ENGINE_FACTS,
        "recorded from Debian's snmpd 5.9.3, its request's id changed",
    ),
    Told(
        "Net-SNMP with the second of two communities",
        PROBE,
        [[LimitError(), LimitError(), SYSTEM, ENGINE]],
        {**SYSTEM_FACTS, **ENGINE_FACTS},
        NET_SNMP,
        given={"community": ("other", COMMUNITY)},
    ),
    Told(
        "Windows XP, which has no SNMPv3",
        PROBE,
        [[system(1, 0x5645, XP, WORKSTATION, "ECHO-3"), LimitError()]],
        facts(XP, WORKSTATION, "ECHO-3"),
        "[RFC 3416] section 3, with the words of Windows XP",
        given=GIVEN,
    ),
    Told(
        "Windows NT 4, which has SNMPv1 alone",
        PROBE,
        [[LimitError(), system(0, 0x5646, NT4, WORKSTATION, "LAB-2"), LimitError()]],
        facts(NT4, WORKSTATION, "LAB-2"),
        "[RFC 1157] section 4.1.3, with the words of Windows NT 4.0",
        given=GIVEN,
    ),
)


def hold(*answers: Answer, community: tuple[str, ...] = (COMMUNITY,)) -> Heard:
    told = Told("made here", PROBE, [answers], {}, UNUSABLE, given={"community": community})
    return told.hold()


# --- what is said


def test_at_most_three_communities_are_tried_in_both_versions() -> None:
    heard = hold(*[LimitError()] * 9, community=("one", "two", "three", "four"))
    said = heard.said
    assert len(said) == PROBE.exchanges == 7
    tried = []
    for request in said[:-1]:
        message = der.enter(Reader(request), der.SEQUENCE, "")
        version = der.number(der.enter(message, der.INTEGER, ""))
        tried.append((version, der.enter(message, der.OCTETS, "").rest()))
    assert tried == [(version, name) for name in (b"one", b"two", b"three") for version in (1, 0)]


def test_the_longest_communities_fit_into_what_is_declared() -> None:
    heard = hold(*[LimitError()] * 7, community=tuple(letter * 255 for letter in "abc"))
    said = heard.said
    assert PROBE.size * 0.9 < sum(map(len, said)) <= PROBE.size


def test_without_a_community_none_is_guessed() -> None:
    heard = hold(LimitError(), community=())
    assert heard.said == [snmp.discovery(0x5645)]
    assert b"public" not in snmp.discovery(0x5645)


def test_every_request_has_an_id_of_its_own() -> None:
    sends = []
    conversation = PROBE.converse(peer(COMMUNITY))
    step = next(conversation)
    while True:
        assert isinstance(step, Send)
        sends.append(step)
        try:
            step = conversation.throw(LimitError())
        except LimitError:
            break
    answers = [SYSTEM.replace(b"VG", b"V" + bytes([0x45 + number])) for number in range(2)]
    assert [sends[0].until(each) for each in answers] == [len(SYSTEM), None]
    assert sends[1].until(response(0, 0x5646)) is not None
    assert sends[1].until(response(1, 0x5646)) is None, "it answers the version that was not asked"


def peer(*communities: str) -> Peer:
    return Peer(Endpoint("192.0.2.1", 161, Transport.UDP), {}, {"community": communities})


# --- the community is a secret


@pytest.mark.parametrize(
    "answers",
    [
        [SYSTEM.replace(b"VG", b"VE"), ENGINE.replace(b"VH", b"VF")],
        [response(1, 0x5645, status=16), LimitError(), LimitError()],
        [SYSTEM[:40]],
        [SYSTEM.replace(b"VG", b"VE").replace(b"\xa2", b"\xa5")],
        [der.element(der.SEQUENCE, der.integer(1), der.element(0x24, COMMUNITY.encode()), b"")],
        [PeerClosedError()],
    ],
)
def test_it_stands_in_nothing_that_is_kept(answers: list[Answer]) -> None:
    heard = hold(*answers)
    kept = [
        repr(heard.evidence),
        repr(heard.error),
        repr(PROBE.redact(tuple(heard.raw))),
        repr(peer(COMMUNITY)),
    ]
    assert not [each for each in kept if COMMUNITY in each]


def test_what_is_left_of_an_answer_can_still_be_read() -> None:
    (kept, engine) = PROBE.redact((SYSTEM, ENGINE))
    assert COMMUNITY.encode() not in kept
    assert snmp.parse_system(snmp.parse_message(kept).content) == SYSTEM_FACTS
    assert engine == ENGINE


@pytest.mark.parametrize(
    "raw", [b"", b"\x30", b"\x30\x03\x02\x01\x01", SYSTEM[:30], b"\x30\x05\x02\x01\x01\x05\0"]
)
def test_of_what_cannot_be_read_nothing_is_kept(raw: bytes) -> None:
    assert PROBE.redact((raw,)) == (b"",)


# --- what is heard


def test_an_error_tells_nothing_and_the_other_version_is_asked() -> None:
    heard = hold(
        response(1, 0x5645, status=16),
        system(0, 0x5646, NT4, WORKSTATION, "LAB-2"),
        LimitError(),
    )
    assert heard.evidence == facts(NT4, WORKSTATION, "LAB-2")
    assert heard.error is None


def test_objects_that_are_missing_are_left_out() -> None:
    missing = response(1, 0x5645, *zip(snmp.OBJECTS, [b"\x80\0", b"\x81\0", b"\x04\2PC"], strict=True))
    heard = hold(missing, LimitError())
    assert heard.evidence == {"snmp.sysname": "PC"}


def test_objects_that_nobody_asked_for_are_not_kept() -> None:
    contact = ("1.3.6.1.2.1.1.4.0", b"\x04\x04name")
    heard = hold(response(1, 0x5645, contact, (next(iter(snmp.OBJECTS)), b"\x04\2PC")), LimitError())
    assert heard.evidence == {"snmp.sysdescr": "PC"}


def test_a_description_of_several_lines_becomes_one() -> None:
    words = b"Cisco IOS Software, C1700 Software (C1700-Y-M), Version 12.3(11)YZ2\r\nTechnical Support\n"
    answer = response(1, 0x5645, (next(iter(snmp.OBJECTS)), der.element(der.OCTETS, words)))
    heard = hold(answer, LimitError())
    assert heard.evidence == {"snmp.sysdescr": lines.text(words.replace(b"\r\n", b" "))}


def engine(identity: bytes, boots: int) -> bytes:
    nothing = der.element(der.OCTETS)
    usm = der.element(
        der.SEQUENCE, der.element(der.OCTETS, identity), der.integer(boots), der.integer(9), *[nothing] * 3
    )
    header = der.element(der.SEQUENCE, der.integer(0x5645))
    return der.element(der.SEQUENCE, der.integer(3), header, der.element(der.OCTETS, usm))


@pytest.mark.parametrize(
    ("identity", "enterprise"),
    [
        (bytes.fromhex("80000009030050569a1b2c"), "9"),
        (bytes.fromhex("000000090200005056000000"), "9"),
        (bytes.fromhex("80000e0803") + b"12345", "3592"),
    ],
)
def test_the_enterprise_stands_in_ids_of_both_forms(identity: bytes, enterprise: str) -> None:
    found = snmp.parse_engine(snmp.parse_message(engine(identity, 7)).content)
    assert found == {
        "snmp.engine_id": identity.hex(),
        "snmp.enterprise": enterprise,
        "snmp.engine_boots": "7",
    }


@pytest.mark.parametrize(
    "answer",
    [engine(b"abcd", 1), engine(bytes(33), 1), engine(bytes(12), 1 << 31), engine(bytes(12), 1 << 32000)],
    ids=["too short", "too long", "too many boots", "boots without end"],
)
def test_what_no_engine_says_is_refused(answer: bytes) -> None:
    heard = hold(answer, community=())
    assert isinstance(heard.error, ProtocolError)
    assert not heard.evidence


@pytest.mark.parametrize(
    "datagram",
    [
        b"\x56\x45\x84\0\0\0\0\0\0\0\0\0",
        b"HTTP/1.1 200 OK\r\n\r\n",
        b"\x30\x84\xff\xff\xff\xff\x02\x01",
        b"\x30",
    ],
)
def test_what_is_none_of_snmp_is_not_waited_for(datagram: bytes) -> None:
    for framing in (snmp.answers(1, 0x5645), snmp.answers(3, 0x5645)):
        with pytest.raises(ProtocolError):
            framing(datagram)


@pytest.mark.parametrize(
    "answers", [[PeerClosedError()], [LimitError(), PeerClosedError()], [LimitError()] * 3]
)
def test_silence_and_a_closed_port_are_told_as_such(answers: list[ProbeError]) -> None:
    heard = hold(*answers)
    assert type(heard.error) is type(answers[-1])
    assert heard.exchanges == len(answers)
    assert not heard.evidence


def test_objects_of_any_length_are_cut() -> None:
    long = der.element(der.OID, bytes([0x2B, *[0xFF] * 125, 0x7F]))
    answer = response(1, 0x5645, *zip(list(snmp.OBJECTS)[:2], [b"\x04\2PC", long], strict=True))
    heard = hold(answer, LimitError())
    assert len(heard.evidence["snmp.sysobjectid"]) == 256


# --- what it means

RELEASES = load_lifecycle().releases
TODAY = date(2026, 11, 24)


def test_windows_2000_version_5_1_is_xp_and_what_is_built_on_it() -> None:
    identity = default_classifier().classify({"snmp.sysdescr": (XP,), "snmp.sysobjectid": (WORKSTATION,)})
    assert {RELEASES[name].product for name in identity.candidates} == {"Windows XP"}
    assert {"windows-xp-sp3", "windows-posready-2009"} <= set(identity.candidates)
    assert identity.certainty is Certainty.CERTAIN
    assert judge([RELEASES[name] for name in identity.candidates], TODAY).status is Status.UNSUPPORTED


@pytest.mark.parametrize(
    ("kind", "roles"),
    [
        (WORKSTATION, {"client", "embedded"}),
        (WORKSTATION[:-1] + "2", {"server"}),
        (WORKSTATION[:-1] + "3", {"server"}),
    ],
)
def test_one_build_is_a_client_or_a_server_by_its_object(kind: str, roles: set[str]) -> None:
    seven = "Hardware: AMD64 Family 6 - Software: Windows Version 6.1 (Build 7601 Multiprocessor Free)"
    identity = default_classifier().classify({"snmp.sysdescr": (seven,), "snmp.sysobjectid": (kind,)})
    assert identity.candidates
    assert {RELEASES[name].role for name in identity.candidates} <= roles


def test_what_only_names_leaves_no_candidate_and_names() -> None:
    identity = default_classifier().classify(
        {"snmp.sysdescr": ("Lexmark T522 version 54.10.33 kernel 2.4.0-test6",)}
    )
    assert (identity.candidates, identity.certainty) == ((), Certainty.HINT)
    assert identity.attributes["vendor"] == "Lexmark"
    assert "it fits" in identity.reasons[0].render("en")


def test_what_only_names_never_renames_what_a_host_says_to_be() -> None:
    named = {"snmp.sysobjectid": ("1.3.6.1.4.1.9.1.2",), "snmp.sysdescr": (XP,)}
    attributes = default_classifier().classify(named).attributes
    assert (attributes["vendor"], attributes["family"], attributes["product"]) == (
        "Microsoft",
        "Windows",
        "Windows XP",
    )
    assert attributes["device"] == "network device"


def collected() -> Iterator[tuple[str, str, str]]:
    """Descriptions that others collected: the words, the object, and whether it is Windows."""
    if CORPUS is None:
        return
    with (CORPUS / "snmp_sysdescr.csv").open(newline="", encoding="utf-8") as opened:
        for row in csv.DictReader(opened):
            windows = "Windows" in row["expected_os"] or row["expected_os"] == "windows"
            yield row["sysdescr"], row["sysobjectid"], "Windows" if windows else ""
    with (CORPUS / "banners.csv").open(newline="", encoding="utf-8") as opened:
        for row in csv.DictReader(opened):
            if row["kind"] == "snmp.sys_description" and row["encoding"] == "text":
                panel = row["os_product"] == "Windows CE"
                windows = row["os_vendor"] == "Microsoft" and "S7-" not in row["banner"]
                yield row["banner"], "", "Windows CE" if panel else "Windows" if windows else ""


def test_what_others_collected_is_windows_where_it_is_and_nowhere_else() -> None:
    heard = named = 0
    for words, kind, family in collected():
        said = {
            "snmp.sysdescr": (lines.text(words.replace("\n", " ").encode()),),
            "snmp.sysobjectid": (kind,),
        }
        identity = default_classifier().classify(said)
        families = {RELEASES[name].family for name in identity.candidates}
        windows = families & {"Windows", "Windows CE"}
        assert windows == ({family} if family else set()), words
        heard += 1
        named += bool(identity.candidates or identity.attributes)
    assert CORPUS is None or named > 600 > heard - named


def test_a_probe_error_of_another_kind_is_never_swallowed() -> None:
    class OtherError(ProbeError):
        """Another."""

    conversation = PROBE.converse(peer(COMMUNITY))
    next(conversation)
    with pytest.raises(OtherError):
        conversation.throw(OtherError())
