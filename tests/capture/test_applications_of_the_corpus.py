"""What protocols over TCP tell in real captures, held against what Wireshark reads in them."""

from __future__ import annotations

import re
import struct
import subprocess
from collections import defaultdict
from typing import TYPE_CHECKING, Final, TypeAlias

import pytest

from scanner.capture.ear import Ear
from tests.capture.flows import recorded
from tests.corpus import CORPUS

if TYPE_CHECKING:
    from pathlib import Path

Said: TypeAlias = "dict[tuple[str, str], set[str]]"
"""By address and evidence key: the values."""
FIELDS: Final = (
    "ip.src", "http.user_agent", "http.server", "ssh.protocol", "rdp.client.build", "vnc.server_proto_ver",
    "ftp.response.arg", "smtp.rsp.parameter", "tls.handshake.version", "http.request.uri", "ip.dst",
)  # fmt: skip
KEYS: Final = {
    "http.user_agent": "http.user_agent", "http.server": "http.server", "ssh.protocol": "ssh.banner",
    "rdp.client.build": "rdp.client_build", "vnc.server_proto_ver": "vnc.version",
    "ftp.response.arg": "ftp.banner", "smtp.rsp.parameter": "smtp.banner",
}  # fmt: skip
WANTED: Final = (
    "tcp && !vxlan && !geneve && !mpls && (ssh.protocol || rdp.client.build || vnc.server_proto_ver"
    " || http.user_agent || ftp.response.code == 220 || smtp.response.code == 220 || http.server)"
)
FEW: Final = "!(http.request_number > 4)"
"""Requests of one connection that are heard."""
ATTACK: Final = "${jndi:"
RELAYED: Final = 'http.response.line matches "(?i)^(via|age|x-cache)"'
RESET: Final = ("192.168.1.43", "http.user_agent")
"""A capture of evasion: the server says that the connection is over, and goes on."""
ANEW: Final = ("212.237.249.17", "http.server")
"""A port that is used again after a reset: Wireshark takes what follows for sent twice."""


def lines(file: Path, wanted: str, *fields: str) -> list[list[str]]:
    """These fields of the packets that Wireshark finds, the first of several each."""
    options = [option for field in fields for option in ("-e", field)]
    whole = ["-o", "http.desegment_body:FALSE"]  # of a body that is cut, the head is read all the same
    line = ["tshark", "-r", str(file), *whole, "-Y", wanted, "-T", "fields", "-E", "occurrence=f", *options]
    done = subprocess.run(line, capture_output=True, text=True, check=True)
    return [row.split("\t") for row in done.stdout.splitlines()]


def shown(field: str, said: str) -> str:
    """A field of Wireshark as the evidence has it."""
    said = " ".join(said.split(" ")).strip()
    if field == "ssh.protocol":
        return said.split("-", 2)[2]
    if field == "vnc.server_proto_ver":
        return ".".join(str(int(part)) for part in said.split("."))
    if field == "rdp.client.build":
        return str(int(said, 0))
    return said[:256]


TUNNELLED: Final = re.compile("geneve|vxlan|erspan")


@pytest.fixture(scope="module")
def joined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All captures of Ethernet in one file; of a tunnel the program names the outer addresses first."""
    assert CORPUS is not None
    classic = b"\xd4\xc3\xb2\xa1"
    files = [
        str(file)
        for file in sorted((CORPUS / "pcap").glob("*.pcap"))
        if not TUNNELLED.search(file.name)
        and (head := file.read_bytes()[:24])[:4] == classic
        and struct.unpack("<I", head[20:])[0] == 1
    ]
    assert len(files) > 60
    made = tmp_path_factory.mktemp("joined") / "joined.pcap"
    subprocess.run(["mergecap", "-a", "-F", "pcap", "-w", str(made), *files], check=True)
    return made


@pytest.fixture(scope="module")
def told(joined: Path) -> Said:
    """What the ear learns."""
    found: Said = defaultdict(set)
    for seen in Ear().hear(recorded(joined)):
        for key, values in seen.evidence.items():
            found[seen.endpoint.address, key].update(values)
    return found


@pytest.fixture(scope="module")
def read(joined: Path) -> tuple[Said, Said]:
    """What Wireshark reads, and what of it is of no proxy."""
    everything: Said = defaultdict(set)
    own: Said = defaultdict(set)
    relayed = {tuple(row) for row in lines(joined, RELAYED, "ip.src", "http.server")}
    rows = [dict(zip(FIELDS, row, strict=True)) for row in lines(joined, f"{WANTED} && {FEW}", *FIELDS)]
    proxies = {row["ip.dst"] for row in rows if row["http.request.uri"].startswith("http:")}
    for row in rows:
        for field, key in KEYS.items():
            if not (said := row[field]) or said.startswith(ATTACK):
                continue
            everything[row["ip.src"], key].add(shown(field, said))
            is_relayed = (row["ip.src"], said) in relayed or row["ip.src"] in proxies
            if not is_relayed and (row["ip.src"], key) != RESET:
                own[row["ip.src"], key].add(shown(field, said))
    return everything, own


def test_what_wireshark_reads_is_heard(told: Said, read: tuple[Said, Said]) -> None:
    missing = {where: said - told[where] for where, said in read[1].items() if said - told[where]}
    assert not missing
    assert len(read[1]) > 60


def test_nothing_is_heard_that_wireshark_does_not_read(told: Said, read: tuple[Said, Said]) -> None:
    heard = {where: said for where, said in told.items() if where[1] in KEYS.values() and where != ANEW}
    assert not {where: said - read[0][where] for where, said in heard.items() if said - read[0][where]}
