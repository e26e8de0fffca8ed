"""DICOM, HL7, RTSP and PJL by listening: what devices say of themselves, and where it ends."""

from __future__ import annotations

import csv
import json
import random
import struct
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.capture.sources import hl7
from scanner.capture.telling import Direction, Hear, Side, Skip, Told
from scanner.errors import ProbeError, ProtocolError
from tests.capture.spoken import Heard, heard, spoilt, stream, stream_source
from tests.corpus import CORPUS
from tests.probes import test_dicom

if TYPE_CHECKING:
    from collections.abc import Iterator

SENDER, RECEIVER = "10.0.0.9", "10.0.0.1"


def from_client(port: int, *parts: bytes) -> list[Heard]:
    """What is learnt where a client says this."""
    return heard(stream(SENDER, 50000, RECEIVER, port, *parts))


def from_server(port: int, *parts: bytes) -> list[Heard]:
    """What is learnt where a server answers this."""
    asked = stream(SENDER, 50000, RECEIVER, port)
    opened, *rest = stream(RECEIVER, port, SENDER, 50000, *parts)
    data = bytearray(opened.data)
    data[47] = 18  # SYN and ACK
    return heard([*asked, opened._replace(data=bytes(data)), *rest])


def item(kind: int, *content: bytes) -> bytes:
    """[PS3.8] 9.3.2."""
    data = b"".join(content)
    return struct.pack(">BxH", kind, len(data)) + data


def association(kind: int, *user: bytes, contexts: int = 1) -> bytes:
    """A request or an acceptance with so many contexts ([PS3.8] 9.3.2 and 9.3.3)."""
    context = item(0x20, b"\1\0\0\0", item(0x30, b"1.2.840.10008.1.1"), item(0x40, b"1.2.840.10008.1.2") * 20)
    items = item(0x10, b"1.2.840.10008.3.1.1.1") + context * contexts + item(0x50, *user)
    body = struct.pack(">HH16s16s32x", 1, 0, b"PACS".ljust(16), b"CT1_RAD".ljust(16)) + items
    return struct.pack(">BxI", kind, len(body)) + body


CT = association(1, item(0x52, b"1.3.12.2.1107.5.1.4"), item(0x55, b"SIEMENS_S5VA47A"))
CT_SAID = {"dicom.class_uid": ("1.3.12.2.1107.5.1.4",), "dicom.version": ("SIEMENS_S5VA47A",)}


def _recorded() -> list[dict[str, Any]]:
    file = CORPUS and CORPUS / "dicom" / "index.json"
    listed: list[dict[str, Any]] = json.loads(file.read_text()) if file else []
    return [each for each in listed if "ASSOCIATE" in each["what"]]


@pytest.mark.parametrize("pdu", _recorded(), ids=lambda pdu: pdu["file"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_associations_of_others(pdu: dict[str, Any], size: int) -> None:
    assert CORPUS
    data = (CORPUS / "dicom" / pdu["file"]).read_bytes()
    first = 1000 if size == 1000 else 6  # the header comes whole, be it alone
    parts = [data[:first], *(data[at : at + size] for at in range(first, len(data), size))]
    found = from_client(11112, *parts) if data[0] == 1 else from_server(104, *parts)
    ((address, port, said),) = found
    assert (address, port) == ((SENDER, 0) if data[0] == 1 else (RECEIVER, 104))
    assert said.get("dicom.class_uid", ("",)) == (pdu["implementation_class_uid"],)
    assert said.get("dicom.version", ("",)) == (pdu["implementation_version_name"],)


def test_both_ends_on_any_port() -> None:
    assert from_client(4006, CT) == [(SENDER, 0, CT_SAID)]
    assert from_server(4006, test_dicom.STORESCP)[0][:2] == (RECEIVER, 4006)


def test_a_capture_that_begins_later() -> None:
    assert heard(stream(SENDER, 50000, RECEIVER, 104, CT)[1:]) == [(SENDER, 0, CT_SAID)]


def test_many_contexts() -> None:
    request = association(1, item(0x52, b"1.2.3"), contexts=128)
    assert len(request) > 1 << 14
    parts = [request[at : at + 1460] for at in range(0, len(request), 1460)]
    assert from_client(104, *parts) == [(SENDER, 0, {"dicom.class_uid": ("1.2.3",)})]


def test_a_header_by_itself_that_another_protocol_has_too() -> None:
    assert from_client(104, CT[:6], bytes(2) + CT[8:]) == []
    assert from_client(104, CT[:6], CT[6:]) == [(SENDER, 0, CT_SAID)]


def test_titles_are_not_kept() -> None:
    assert "CT1_RAD" not in repr(from_client(104, CT))


@pytest.mark.parametrize(
    "data", [b"\1\0\0\0\0\x0a\0\1\0\0" + bytes(4), b"\1\0\0\1\0\0\0\2\0\0" + bytes(80), b"\4\0" + CT[2:]]
)
def test_what_is_no_association(data: bytes) -> None:
    assert from_client(104, data) == []


MESSAGE = (
    b"\x0bMSH|^~\\&|PIIC iX^1.2.3^ISO|REA|RIS|CHU|20261124||ORU^R01|1|P|2.6\rPID|1||PATIENT-SECRET\r\x1c\r"
)
ACKNOWLEDGED = b"\x0bMSH|^~\\&|MIRTH|CHU|PIIC iX|REA|20261124||ACK|1|P|2.6\rMSA|AA|1\r\x1c\r"


def test_both_ends_of_hl7() -> None:
    assert from_client(2575, MESSAGE) == [(SENDER, 0, {"hl7.sending_application": ("PIIC iX",)})]
    assert from_server(6661, ACKNOWLEDGED) == [(RECEIVER, 6661, {"hl7.sending_application": ("MIRTH",)})]


@pytest.mark.parametrize("size", [1, 2, 5, 30])
def test_a_message_in_pieces(size: int) -> None:
    first = 1 if size == 1 else max(size, 5)
    parts = [MESSAGE[:first], *(MESSAGE[at : at + size] for at in range(first, len(MESSAGE), size))]
    assert from_client(2575, *parts) == [(SENDER, 0, {"hl7.sending_application": ("PIIC iX",)})]


def test_later_messages_are_not_heard() -> None:
    other = MESSAGE.replace(b"PIIC iX", b"OTHER")
    assert len(from_client(2575, MESSAGE, other, MESSAGE + other)) == 1


def test_a_connection_that_is_hours_old() -> None:
    frames = stream(SENDER, 50000, RECEIVER, 2575, MESSAGE[30:], MESSAGE)[1:]
    assert heard(frames) == [(SENDER, 0, {"hl7.sending_application": ("PIIC iX",)})]


@pytest.mark.parametrize(
    ("segment", "name"),
    [
        (b"\x0bMSH|^~\\&|\r", ""),
        (b"\x0bMSH|^~\\&|A\n", "A"),
        (b"\x0bMSH|^~\\&#|A|B\r", "A"),
        (b"\x0bMSH$%~\\&$A%1$B\r", "A"),
        ("\x0bMSH|^~\\&|Dräger^1|B\r".encode(), "Dräger"),
        ("\x0bMSH|^~\\&|Dräger^1|B\r".encode("latin-1"), "Dräger"),
        (b"\x0bMSH|^~\\&|PIIC\r|PATIENT-SECRET", "PIIC"),
    ],
)
def test_the_separators_are_those_of_the_message(segment: bytes, name: str) -> None:
    length = hl7.header(segment)
    assert length is None or hl7.parse_application(segment[:length]) == name


@pytest.mark.parametrize(
    "segment", [b"\x0bMSHABCDEFGHIJ\r", b"\x0bMSH|^~\\&\r", b"\x0bMSH|ABCD|X\r", b"\x0b" + b"|" * 40]
)
def test_what_is_no_message(segment: bytes) -> None:
    with pytest.raises(ProtocolError):
        hl7.parse_application(segment[: hl7.header(segment)])


def test_a_header_that_does_not_end_is_not_waited_for() -> None:
    with pytest.raises(ProtocolError):
        hl7.header(b"\x0bMSH|^~\\&|" + b"A" * 5000)


@given(st.binary(max_size=60))
def test_nothing_after_the_first_segment_matters(rest: bytes) -> None:
    header = MESSAGE[: MESSAGE.index(b"\r") + 1]
    assert hl7.header(header + rest) == len(header)


CAMERA = b"RTSP/1.0 200 OK\r\nCSeq: 1\r\nServer: Rtsp Server/2.0\r\nPublic: OPTIONS\r\n\r\n"
PRINTER = b'@PJL INFO ID\r\n"HP LaserJet 4050 Series"\r\n\x0c'


def test_a_camera() -> None:
    assert from_server(554, CAMERA) == [(RECEIVER, 554, {"rtsp.server": ("Rtsp Server/2.0",)})]
    assert from_server(554, CAMERA.replace(b"Server", b"Date")) == []


def test_a_printer_answers_and_what_is_printed_is_not_heard() -> None:
    said = {"pjl.id": ('"HP LaserJet 4050 Series"',)}
    assert from_server(9100, PRINTER) == [(RECEIVER, 9100, said)]
    assert from_client(9100, b"@PJL INFO ID\r\nPATIENT-SECRET\r\n") == []
    assert from_server(9200, PRINTER) == []


def _spoken(name: str, data: bytes) -> Iterator[Told]:
    """What a source tells of bytes that came all at once."""
    ears = stream_source(name).hear(Direction(RECEIVER, 9100, SENDER, 50000, Side.SERVER))
    step, message = next(ears, None), b""
    while step is not None:
        if isinstance(step, Told):
            yield step
            message = b""
        elif isinstance(step, Hear):
            length = step.until(data)
            if length is None:
                return
            message, data = data[:length], data[length:]
        else:
            assert isinstance(step, Skip)
        try:
            step = ears.send(message)
        except StopIteration:
            return


@pytest.mark.parametrize(
    ("name", "data"),
    [("dicom", CT), ("dicom", test_dicom.REJECTED), ("hl7", MESSAGE), ("rtsp", CAMERA), ("pjl", PRINTER)],
)
def test_nothing_but_its_own_errors(name: str, data: bytes) -> None:
    keys = set(stream_source(name).keys)
    for each in spoilt(data, 1000):
        try:
            assert {key for told in _spoken(name, each) for key in told.evidence} <= keys
        except ProbeError:
            continue


def test_damaged_segments_do_not_stop_the_ear() -> None:
    chance = random.Random(5)
    for each in [*spoilt(MESSAGE, 100), *spoilt(CT[:200], 100)]:
        cut = chance.randrange(len(each) + 1)
        from_client(104, each[:cut], each[cut:])


def test_devices_that_were_observed_are_told_as_they_are() -> None:
    file = CORPUS and CORPUS / "dicom" / "observed_peers.csv"
    if not file:
        return
    for row in csv.DictReader(file.read_text().splitlines()):
        uid, version = row["implementation_class_uid"], row["implementation_version_name"]
        user = [item(kind, said.encode()) for kind, said in ((0x52, uid), (0x55, version)) if said]
        found = from_client(104, association(1, *user))
        expected = {"dicom.class_uid": (uid,), "dicom.version": (version,)}
        assert found == [(SENDER, 0, {key: said for key, said in expected.items() if said[0]})]
