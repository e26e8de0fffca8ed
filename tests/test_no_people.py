"""Names of people that machines bear are neither stored nor exported.

The names of the corpus are taken from it when the test runs: those that somebody logged on with in one of its
captures. The rest are planted: a mark where a protocol has a person's name.
"""

from __future__ import annotations

import io
import sqlite3
import struct
import zipfile
from contextlib import closing
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest

from scanner.classify import default_classifier
from scanner.exports import Options, formats
from scanner.inventory import Recorder, assets_rows, open_inventory
from scanner.inventory.answers import unpack
from scanner.model import Attempt, Endpoint, HostRecord, Observation, Outcome
from tests.corpus import CORPUS
from tests.probes.test_mysql import packet
from tests.probes.test_netbios import status
from tests.probes.told import all_told

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from scanner.probes import Probe

Heard: TypeAlias = "tuple[Probe, dict[str, tuple[str, ...]], tuple[bytes, ...], str]"
"""A probe, the evidence that it learnt, the answers as they came, and how it ended."""
MARK: Final = "Zqxpersonne"
"""What stands for a person: nothing else is called so."""
WHEN: Final = datetime(2026, 11, 20, 22, tzinfo=UTC)
_AUTHENTICATE: Final = b"NTLMSSP\0\3\0\0\0"
TOLD = all_told()
PROBES: dict[str, Probe] = {told.probe.name: told.probe for told in TOLD.values()}


def logged_on() -> set[str]:
    """Everybody who logs on in the corpus ([MS-NLMP] 2.2.1.3), but for accounts that every Windows has."""
    found: set[str] = set()
    for file in sorted(CORPUS.rglob("*")) if CORPUS else ():
        if file.suffix in {".bin", ".pcap"}:
            found |= set(_names(file.read_bytes()))
    return {name for name in found if len(name) >= 4} - {"administrator", "administrateur", "guest", "user"}


def _names(data: bytes) -> Iterator[str]:
    at = data.find(_AUTHENTICATE)
    while at >= 0:
        message = data[at : at + 2048]
        if len(message) >= 64:
            length, _, offset = struct.unpack_from("<HHI", message, 36)
            unicode = message[60] & 1
            name = message[offset : offset + length] if length <= 128 and 64 <= offset <= 1024 else b""
            text = name.decode("utf-16-le" if unicode else "latin-1", "ignore")
            if text.isprintable():
                yield text.casefold()
        at = data.find(_AUTHENTICATE, at + 1)


def record(file: Path, heard: Iterable[Heard]) -> None:
    """Write what was heard as a scan does, each in a machine of its own."""
    with (
        open_inventory(f"sqlite:///{file}", create=True) as inventory,
        Recorder(inventory, None, profile="lab", scope="", versions={}, started=WHEN) as scan,
    ):
        for number, (probe, evidence, raw, detail) in enumerate(heard):
            end = Endpoint(f"10.0.{number // 250}.{number % 250 + 1}", 1, probe.transport)
            kept = probe.redact(raw)
            seen = Observation(end, probe.name, WHEN, Outcome.ANSWERED, evidence, detail, 1, kept)
            scan.record(HostRecord(end.address, "", (seen,), default_classifier().classify(evidence)))
            scan.sent([Attempt(end, probe.name, WHEN, Outcome.ANSWERED, 1, sum(map(len, raw)))])


def members(archive: io.BytesIO) -> str:
    """The names and texts of what a ZIP archive holds."""
    with zipfile.ZipFile(archive) as opened:
        return "\n".join(f"{name}\n{opened.read(name).decode()}" for name in opened.namelist())


def everything(file: Path) -> str:
    """All that is stored, raw answers unpacked and read as every text that they may be, and all exports."""
    parts: list[str] = []
    with closing(sqlite3.connect(file)) as connection:
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        for table in tables:
            for row in connection.execute(f"SELECT * FROM {table}"):  # noqa: S608 - names of the schema
                parts += [value for value in row if isinstance(value, str)]
        for (raw,) in connection.execute("SELECT raw FROM observations WHERE raw IS NOT NULL"):
            for answer in unpack(raw):
                parts += [answer.decode("latin-1")]
                parts += [answer[start:].decode("utf-16-le", "replace") for start in (0, 1)]
    with open_inventory(f"sqlite:///{file}") as inventory:
        for form in formats():
            stream = io.BytesIO() if form.binary else io.StringIO(newline="")
            today = date(2026, 11, 23)
            form.write(assets_rows(inventory, today=today, evidence=True), stream, Options(today))
            parts.append(stream.getvalue() if isinstance(stream, io.StringIO) else members(stream))
    return "\n".join(parts).casefold()


def test_nobody_of_the_corpus_and_of_the_conversations_is_kept(tmp_path: Path) -> None:
    heard = []
    for told in TOLD.values():
        talk = told.hold()
        evidence = {
            key: (value,) if isinstance(value, str) else tuple(value) for key, value in talk.evidence.items()
        }
        heard.append((told.probe, evidence, tuple(talk.raw), str(talk.error or "")))
    record(tmp_path / "i.db", heard)
    kept = everything(tmp_path / "i.db")
    assert "radio-xp" in kept  # names of machines are
    people = {"somebody", *logged_on()}
    assert CORPUS is None or len(people) > 5
    assert {name for name in people if name in kept} == set()


def _lines(*lines: str) -> bytes:
    return "\r\n".join((*lines, "", "")).encode()


PLANTED: dict[str, tuple[str, bytes]] = {
    "who is logged on, in a node status": (
        "netbios",
        status(("PC-7", 0, 0x0400), (MARK.upper(), 3, 0x0400), (MARK.upper(), 5, 0x0400)),
    ),
    "the counters behind it, which may be anything": (
        "netbios",
        status(("PC-7", 0, 0x0400), counters=MARK.encode().ljust(40)),
    ),
    "a session, a user and an address with a name, in HTTP": (
        "http",
        _lines(
            "HTTP/1.1 302 Found",
            f"Set-Cookie: user={MARK}",
            f"X-Remote-User: {MARK}",
            f"Location: /home?user={MARK}",
            f'WWW-Authenticate: Basic realm="x"\r\nX-Powered-By-Name: {MARK}',
        ),
    ),
    "the body of a page": ("http", f"<html><body>Bonjour {MARK}</body></html>".encode()),
    "the account that an error of MySQL quotes": (
        "mysql",
        packet(b"\xff\x15\x04#28000Access denied for user '" + MARK.encode() + b"'@'10.0.0.1'"),
    ),
    "a device that bears its owner's name, in SSDP": (
        "ssdp",
        _lines("HTTP/1.1 200 OK", "SERVER: Linux UPnP/1.0", f"01-NLS: {MARK}", f"X-Friendly-Name: {MARK}"),
    ),
    "anything over mDNS": ("mdns", b"\0\0\x84\0\0\0\0\1\0\0\0\0" + MARK.encode()),
    "a certificate": ("tls", b"\x16\x03\x03\0\x20\x0b\0\0\x1c" + MARK.encode()),
    "a certificate over RDP": ("rdp", b"\x16\x03\x03\0\x20\x0b\0\0\x1c" + MARK.encode()),
    "a certificate over LDAP": ("ldap", b"\x16\x03\x03\0\x20\x0b\0\0\x1c" + MARK.encode()),
    "an annotation of an endpoint": ("msrpc", b"\5\0\2\3" + MARK.encode().ljust(60)),
    "what is no SMB": ("smb", MARK.encode().ljust(60)),
    "an issuer in PKU2U's metadata": (
        "smb",
        b"\0\0\0\x80\xfeSMB"
        + bytes(64)
        + b"NEGOEXTS"
        + struct.pack("<IIII", 2, 0, 40, 100)
        + bytes(16)
        + MARK.encode().ljust(60),
    ),
    "a community of SNMP that is somebody's name": (
        "snmp",
        b"\x30\x14\x02\x01\x01\x04\x0b" + MARK.encode() + b"\xa2\x02\x05\0",
    ),
}


@pytest.mark.parametrize("where", PLANTED)
def test_a_person_is_taken_out_of_an_answer(where: str) -> None:
    name, answer = PLANTED[where]
    assert MARK.casefold().encode() in answer.lower()
    kept = b"".join(PROBES[name].redact((answer,)))
    assert MARK.casefold().encode() not in kept.lower()


def test_nobody_who_is_planted_comes_into_the_inventory(tmp_path: Path) -> None:
    heard: list[Heard] = [(PROBES[name], {}, (answer,), "") for name, answer in PLANTED.values()]
    record(tmp_path / "i.db", heard)
    assert MARK.casefold() not in everything(tmp_path / "i.db")


def test_what_a_banner_says_cannot_be_told_from_a_name(tmp_path: Path) -> None:
    """So the search finds what is there; and so far goes the promise: free text is kept as it was said."""
    banners = {"ftp": f"220 {MARK}\r\n", "ssh": f"SSH-2.0-OpenSSH_9.2 {MARK}\r\n"}
    record(tmp_path / "i.db", [(PROBES[name], {}, (said.encode(),), "") for name, said in banners.items()])
    assert everything(tmp_path / "i.db").count(MARK.casefold()) == len(banners)
