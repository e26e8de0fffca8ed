"""DICOM: real acceptors, recorded PDUs, the devices that others saw, and other protocols on the port."""

from __future__ import annotations

import csv
import struct
from typing import TYPE_CHECKING

import pytest

from scanner.classify import default_classifier
from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.lifecycle import load_lifecycle
from scanner.probes import dicom
from scanner.probes.dicom import PROBE
from tests.corpus import CORPUS
from tests.probes.told import Told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.probes.conversation import Answer, Heard

STORESCP = bytes.fromhex(
    "0200000000b80001000053544f5245534350202020202020202056455455535445202020202020202020000000000000"
    "0000000000000000000000000000000000000000000000000000"
    "10000015312e322e3834302e31303030382e332e312e312e31"
    "210000190100000040000011312e322e3834302e31303030382e312e32"
    "5000003a510000040000400052"
    "00001b312e322e3237362e302e373233303031302e332e302e332e362e37"
    "5500000f4f464649535f44434d544b5f333637"
)
DCMTK_360 = bytes.fromhex(
    "0200000000b800010000414e592d5343502020202020202020204543484f534355202020202020202020000000000000"
    "000000000000000000000000000000000000000000000000000010000015312e322e3834302e31303030382e332e312e"
    "312e31210000190100000040000011312e322e3834302e31303030382e312e325000003a51000004000040005200001b"
    "312e322e3237362e302e373233303031302e332e302e332e362e305500000f4f464649535f44434d544b5f333630"
)
RELEASED = bytes.fromhex("0600000000040000 0000")
REJECTED = bytes.fromhex("0300000000040001 0107")
ABORTED = bytes.fromhex("0700000000040000 0200")
GIVEN = {"ae_title": ("STORESCP",)}


def facts(uid: str, version: str) -> dict[str, str]:
    return {"dicom.result": "accepted", "dicom.class_uid": uid, "dicom.version": version}


CONVERSATIONS = (
    Told(
        "storescp",
        PROBE,
        [[STORESCP, RELEASED]],
        facts("1.2.276.0.7230010.3.0.3.6.7", "OFFIS_DCMTK_367"),
        "recorded from Debian's DCMTK 3.6.7",
        given=GIVEN,
    ),
    Told(
        "DCMTK 3.6.0 that closes instead of releasing",
        PROBE,
        [[DCMTK_360, PeerClosedError()]],
        facts("1.2.276.0.7230010.3.0.3.6.0", "OFFIS_DCMTK_360"),
        "pynetdicom's test vectors (MIT)",
        given=GIVEN,
    ),
    Told(
        "Orthanc that is called by another title",
        PROBE,
        [[REJECTED]],
        {"dicom.result": "rejected 1/1/7"},
        "recorded from Debian's Orthanc 1.10.1",
        given=GIVEN,
    ),
    Told(
        "an abort",
        PROBE,
        [[ABORTED]],
        {"dicom.result": "aborted 2/0"},
        "[PS3.8] 9.3.8",
        service=11112,
        given=GIVEN,
    ),
)


def item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def accepted(*items: bytes) -> bytes:
    body = bytes(68) + b"".join(items)
    return struct.pack(">BxI", 2, len(body)) + body


def hold(*answers: Answer, given: Mapping[str, tuple[str, ...]] = GIVEN) -> Heard:
    return Told("made here", PROBE, [answers], {}, "made here", given=given).hold()


# --- what is said


def test_the_request_is_the_documented_one() -> None:
    assert PROBE.needs == ("ae_title",)
    said, release = hold(STORESCP, RELEASED).said
    kind, length = struct.unpack_from(">BxI", said)
    assert (kind, length) == (1, len(said) - 6)
    assert said[6:8] == b"\0\1"
    assert (said[10:26], said[26:42]) == (b"STORESCP        ", b"VETUSTE         ")
    assert said[42:74] == bytes(32)
    items = dict(split(said[74:]))
    assert items.keys() == {0x10, 0x20, 0x50}
    assert items[0x10] == b"1.2.840.10008.3.1.1.1"
    assert items[0x20][0] % 2 == 1, "[PS3.8] 9.3.2.2: contexts have odd numbers"
    assert split(items[0x20][4:]) == [(0x30, b"1.2.840.10008.1.1"), (0x40, b"1.2.840.10008.1.2")]
    assert [kind for kind, _ in split(items[0x50])] == [0x51, 0x52, 0x55]
    assert release == bytes.fromhex("05 00 00000004 00000000")


def split(raw: bytes) -> list[tuple[int, bytes]]:
    found = []
    while raw:
        kind, length = struct.unpack_from(">BxH", raw)
        found.append((kind, raw[4 : 4 + length]))
        raw = raw[4 + length :]
    return found


@pytest.mark.parametrize(
    ("given", "called", "calling"),
    [
        ({"ae_title": ("PACS", "OTHER")}, b"PACS            ", b"VETUSTE         "),
        ({"ae_title": ("PACS",), "calling_ae_title": ("SCANNER",)}, b"PACS            ", b"SCANNER         "),
        ({"ae_title": ("A TITLE THAT IS TOO LONG",)}, b"A TITLE THAT IS ", b"VETUSTE         "),
        ({"ae_title": ("RÉA",)}, b"R?A             ", b"VETUSTE         "),
    ],
)
def test_titles_are_those_of_the_site(
    given: Mapping[str, tuple[str, ...]], called: bytes, calling: bytes
) -> None:
    (said,) = hold(REJECTED, given=given).said
    assert (said[10:26], said[26:42]) == (called, calling)


def test_what_is_refused_is_not_released() -> None:
    assert len(hold(REJECTED).said) == len(hold(ABORTED).said) == 1
    assert hold(STORESCP, RELEASED).exchanges == PROBE.exchanges == 2
    assert sum(map(len, hold(STORESCP, RELEASED).said)) <= PROBE.size


# --- what is heard


def test_an_implementation_may_say_nothing_of_itself() -> None:
    assert hold(accepted(item(0x10, b"1.2")), RELEASED).evidence == {"dicom.result": "accepted"}
    assert hold(accepted(item(0x50, item(0x52, b"\0"))), RELEASED).evidence == {"dicom.result": "accepted"}


def test_padding_is_not_part_of_an_identifier() -> None:
    user = item(0x50, item(0x52, b"1.2.840.113619.6.5\0") + item(0x55, b"LOGIQE10_1 "))
    assert hold(accepted(user), RELEASED).evidence == facts("1.2.840.113619.6.5", "LOGIQE10_1")


@pytest.mark.parametrize("failure", [LimitError(), PeerClosedError()])
def test_what_was_told_stands_where_the_release_is_not_answered(failure: Answer) -> None:
    heard = hold(STORESCP, failure)
    assert heard.evidence
    assert heard.error is None


@pytest.mark.parametrize("failure", [LimitError(), PeerClosedError()])
def test_silence_is_told_as_such(failure: LimitError | PeerClosedError) -> None:
    assert hold(failure).error is failure


@pytest.mark.parametrize(
    "received",
    [b"SSH-2.0-", b"\x16\x03\x01", b"\x05\0\0\0\0\x04", b"\x02\0\0\0\x20\0", b"\x02\0\xff\xff\xff\xff"],
    ids=["SSH", "TLS", "a request", "too long", "longest"],
)
def test_another_protocol_is_not_waited_for(received: bytes) -> None:
    with pytest.raises(ProtocolError):
        dicom.pdu(2, 3, 7)(received)


@pytest.mark.parametrize(
    "answer",
    [
        accepted(b"\x50"),
        accepted(item(0x50, b"\x52\0\0\x09" + b"1.2")),
        bytes.fromhex("02 00 00000004 00010000"),
    ],
    ids=["half a head", "longer than what holds it", "too short"],
)
def test_broken_items_are_refused(answer: bytes) -> None:
    assert isinstance(hold(answer).error, ProtocolError)


# --- what it means


@pytest.mark.parametrize(
    ("said", "vendor"),
    [
        ({"dicom.class_uid": ("1.2.840.113619.6.5",)}, "GE HealthCare"),
        ({"dicom.version": ("SIEMENS_S5VA47A",)}, "Siemens Healthineers"),
        ({"dicom.class_uid": ("1.2.276.0.7230010.3.0.3.6.7",), "dicom.version": ("OFFIS_DCMTK_367",)}, None),
    ],
)
def test_a_device_is_fragile_and_a_toolkit_is_nobody(
    said: Mapping[str, tuple[str, ...]], vendor: str | None
) -> None:
    identity = default_classifier().classify(said)
    assert identity.candidates == ()
    assert identity.attributes.get("vendor") == vendor
    assert ("fragile" in identity.attributes) == bool(vendor)


def test_what_others_saw_is_known_where_it_says_so() -> None:
    if CORPUS is None:
        return
    with (CORPUS / "dicom" / "observed_peers.csv").open(newline="", encoding="utf-8") as opened:
        for row in csv.DictReader(opened):
            said = {
                "dicom.class_uid": (row["implementation_class_uid"],),
                "dicom.version": (row["implementation_version_name"],),
            }
            identity = default_classifier().classify(said)
            families = {load_lifecycle().releases[name].family for name in identity.candidates}
            assert families == ({row["os_family"]} if row["os_family"] else set()), row["device"]
            assert identity.attributes["device"]


def test_recorded_answers_are_read_as_others_read_them() -> None:
    if CORPUS is None:
        return
    folder = CORPUS / "dicom"
    read = {
        file: dicom.parse_answer((folder / f"{file}.bin").read_bytes())
        for file in ("a_associate_ac", "a_associate_rj", "a_abort")
    }
    assert read["a_associate_ac"] == facts("1.2.276.0.7230010.3.0.3.6.0", "OFFIS_DCMTK_360")
    assert read["a_associate_rj"]["dicom.result"].startswith("rejected ")
    assert read["a_abort"]["dicom.result"].startswith("aborted ")
    assert dicom.pdu(6, 7)((folder / "a_release_rp.bin").read_bytes()) == 10
    assert (folder / "a_release_rq.bin").read_bytes() == dicom.RELEASE
