"""Hosts that mean harm: whatever they send, one outcome, bounded memory, and nothing that anything obeys."""

from __future__ import annotations

import csv
import io
import json
import re
import socket
import struct
import subprocess
import threading
import unicodedata
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.cli.process import environment
from tests.integration.product import Product
from tests.integration.recordings import replayed
from tests.integration.screens import into_a_pipe, on_a_terminal
from tests.measuring import measured
from tests.probes import made
from tests.simulator.process import running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MEGABYTES = 300

OUTCOMES = {
    "tarpit": {"stalled"},
    "drip": {"stalled"},
    "noise": {"foreign"},
    "reset": {"reset"},
    "endless": {"foreign", "excessive"},
    "gigantic": {"foreign", "excessive", "stalled"},
}
ODD = ",".join(f"{kind}=4" for kind in OUTCOMES)


def scanned(product: Product) -> tuple[int, float]:
    """Scan to the end; the exit code, and the most memory that it ever had, in megabytes."""
    command = measured(product.command("scan", "--profile", "lab"))
    done = subprocess.run(
        command,
        cwd=product.folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    return done.returncode, int(done.stderr.split()[-1]) / 1024


def outcomes(product: Product) -> dict[str, list[str]]:
    """By address, the outcome of every observation of SMB, in the order of the ports that were asked."""
    found: dict[str, list[str]] = {}
    asked = "SELECT address, outcome FROM observations WHERE probe = 'smb' ORDER BY id"
    for address, outcome in product.ask(asked):
        found.setdefault(address, []).append(outcome)
    return found


def others(product: Product, address: str) -> set[str]:
    """The outcomes of every other probe with one host: it may have wanted the host to speak first."""
    asked = f"SELECT outcome FROM observations WHERE probe <> 'smb' AND address = '{address}'"  # noqa: S608 - an address of the simulator's
    return {outcome for (outcome,) in product.ask(asked)}


def test_each_odd_host_is_one_outcome_and_the_scan_goes_on(tmp_path: Path) -> None:
    with running(tmp_path, "--hosts", "44", "--wards", "1", "--mix", f"{ODD},xp=20") as simulated:
        product = Product(tmp_path)
        code, megabytes = scanned(product)
    assert code == 0
    assert megabytes < MEGABYTES
    found = outcomes(product)
    for row in simulated.truth:
        said = found[row["address"]]
        if row["personality"] == "xp":
            assert said == ["answered"]
        else:
            assert set(said) <= OUTCOMES[row["personality"]], row
            allowed = OUTCOMES[row["personality"]] | {"stalled", "silent"}
            assert others(product, row["address"]) <= allowed, row
    asked = product.ask("SELECT count(*), count(DISTINCT address || ':' || port) FROM observations")
    assert asked[0][0] == asked[0][1], "each port of a host that is there is asked once"
    (xp,) = product.counted("--os", "Windows XP")
    assert (xp["certain"], xp["probable"], xp["to_verify"], xp["seen"]) == (20, 0, 0, 44)
    assert product.ask("SELECT state FROM scans") == [("done",)]


FLOODS = {
    "zeros": bytes(1 << 16),
    "keep-alives": b"\x85\0\0\0" * (1 << 14),
    "messages of 16 MB": b"\0\xff\xff\xff\xffSMB" + bytes((1 << 16) - 8),
    "messages of 64 KB": b"\0\0\xff\xf0\xfeSMB" + bytes((1 << 16) - 8),
    "half an SMB 1 header": b"\0\0\xff\xf0\xffSMBr" + bytes((1 << 16) - 9),
    "granted sessions": b"\x82\0\0\0" * (1 << 14),
}


@contextmanager
def flooding(address: str, port: int, chunk: bytes) -> Iterator[int]:
    """A host that sends as fast as it can to everyone who connects, asked or not, until it is hung up on."""
    with socket.create_server((address, port)) as listening:

        def flood() -> None:
            while True:
                try:
                    caller, _ = listening.accept()
                except OSError:
                    return
                with caller:
                    try:
                        while True:
                            caller.sendall(chunk)
                    except OSError:
                        continue

        thread = threading.Thread(target=flood)
        thread.start()
        try:
            yield listening.getsockname()[1]
        finally:
            listening.shutdown(socket.SHUT_RDWR)
            thread.join(timeout=30)
            assert not thread.is_alive()


def test_endless_data_at_full_speed_is_bounded_in_memory(tmp_path: Path) -> None:
    product = Product(tmp_path)
    hosts = {f"127.81.0.{number}": kind for number, kind in enumerate([*FLOODS] * 4, 1)}
    with ExitStack() as floods:
        ports: list[int] = []
        for address, kind in hosts.items():
            known = ports[0] if ports else 0
            ports.append(floods.enter_context(flooding(address, known, FLOODS[kind])))
        product.site([f"{address}/32" for address in hosts], [ports[0]])
        code, megabytes = scanned(product)
    assert code == 0
    assert megabytes < MEGABYTES
    found = outcomes(product)
    assert set(found) == set(hosts)
    for address, kind in hosts.items():
        assert len(found[address]) == 1, kind
        assert found[address][0] in {"foreign", "excessive", "closed", "stalled"}, kind


LONGEST_DNS = ".".join(["a" * 63, "b" * 63, "c" * 63, "d" * 61, "e"])
HARMFUL = (
    "\x1b]0;owned\x07\x1b[2J\x1b[31mred",
    "\x9b31m\x9d0;c1\x9c",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(A1)",
    " =1+1",
    '"=1+1',
    "\uff1d1+1",
    "\u202egnp.exe",
    "a\u2066b\u2069\u200f",
    "two\r\nlines\tand\vmore",
    "line\u2028separators\u2029",
    "bell\x07\x08\x7f",
    ";=1+1;,=2+2",
)
NAMES = (*HARMFUL, "ABCDEFGHIJKLMNO", LONGEST_DNS)
ADDRESSES = {name: f"127.82.0.{number}" for number, name in enumerate(NAMES, 1)}
TURNS_TEXT = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
OBEYED = re.compile(r"^[\s\"'`]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
OUR_COLOURS = re.compile(r"\x1b\[[\d;]*m")


def wrapped(message: bytes) -> str:
    return (struct.pack(">I", len(message)) + message).hex()


def calling_itself(name: str) -> dict[str, str]:
    """The answers of a host that says this name wherever it says one, over SMB 2 and over SMB 1."""
    challenge = made.challenge(
        target=name.encode("utf-16-le"), info=made.pairs(dict.fromkeys(range(1, 6), name))
    )
    return {
        "wildcard": wrapped(made.smb2_negotiate(0x02FF)),
        "smb2": wrapped(made.smb2_negotiate(0x0302)),
        "smb2 setup": wrapped(made.smb2_setup(challenge)),
        "smb1": wrapped(made.smb1_negotiate(b"8 bytes!" + made.utf16(name, name))),
        "smb1 setup": wrapped(made.smb1_setup(b"\0" + made.utf16(name, name, name))),
    }


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Product:
    product = Product(tmp_path_factory.mktemp("named"))
    rows = [
        {"address": address, "port": 0, "service": 445, "answers": calling_itself(name)}
        for name, address in ADDRESSES.items()
    ]
    with replayed(rows) as ports:
        product.site([f"{address}/32" for address in ADDRESSES.values()], [next(iter(ports.values()))])
        product.run("scan", "--profile", "lab")
    return product


def demand_inert(text: str, allowed: str = "\n") -> None:
    """No character that a terminal obeys, and none that turns text around or breaks its lines."""
    for character in set(text) - set(allowed):
        assert unicodedata.category(character) not in {"Cc", "Zl", "Zp", "Cs"}, repr(character)
        assert character not in TURNS_TEXT, repr(character)


COMMANDS = (
    ("count",),
    ("count", "--format", "csv"),
    ("assets",),
    ("assets", "--json"),
    ("export", "jsonl", "--out", "-"),
    ("export", "csv", "--out", "-", "--dialect", "rfc4180"),
    ("export", "remediation", "--out", "-"),
    ("explain", ADDRESSES[HARMFUL[0]]),
    ("explain", ADDRESSES[HARMFUL[9]], "--json"),
)


def test_all_names_were_heard(named: Product) -> None:
    known = named.exported()
    assert set(known) == set(ADDRESSES.values())
    for row in known.values():
        assert row["evidence"]["ntlm.netbios_name"]
        assert row["evidence"]["smb.native_os"]
    assert known[ADDRESSES["ABCDEFGHIJKLMNO"]]["name"] == "ABCDEFGHIJKLMNO"
    assert known[ADDRESSES[LONGEST_DNS]]["evidence"]["ntlm.dns_name"][0].startswith("a" * 63 + ".b")
    assert known[ADDRESSES[HARMFUL[0]]]["evidence"]["ntlm.dns_name"] == [
        "\ufffd]0;owned\ufffd\ufffd[2J\ufffd[31mred"
    ]
    assert known[ADDRESSES["@SUM(A1)"]]["evidence"]["ntlm.dns_name"] == ["@SUM(A1)"], (
        "evidence is as it was heard"
    )


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_nothing_that_a_terminal_obeys_reaches_it(named: Product, words: tuple[str, ...]) -> None:
    demand_inert(on_a_terminal(named, *words, NO_COLOR="1"), "\r\n")
    demand_inert(into_a_pipe(named, *words), "\r\n")


@pytest.mark.parametrize("command", ["assets", "explain"])
def test_the_only_colours_are_ours(named: Product, command: str) -> None:
    words = (command,) if command == "assets" else (command, ADDRESSES[HARMFUL[0]])
    coloured = on_a_terminal(named, *words)
    assert OUR_COLOURS.search(coloured)
    demand_inert(OUR_COLOURS.sub("", coloured), "\r\n")
    assert "\x1b[31mred" not in coloured


def test_no_control_character_is_stored(named: Product) -> None:
    for (text,) in named.ask(
        "SELECT value FROM evidence UNION SELECT name FROM assets UNION SELECT fqdn FROM assets"
    ):
        demand_inert(text, "")


@pytest.mark.parametrize("dialect", ["excel-fr", "rfc4180"])
@pytest.mark.parametrize("form", ["csv", "remediation"])
def test_no_cell_runs_in_a_spreadsheet(named: Product, form: str, dialect: str) -> None:
    chosen = ("--dialect", dialect) if form == "csv" else ()
    text = into_a_pipe(named, "export", form, "--out", "-", *chosen)
    assert "SUM(A1)" in text, "the names are there, made harmless"
    for separator in ";,\t":
        for row in csv.reader(io.StringIO(text.removeprefix("\ufeff")), delimiter=separator):
            for cell in row:
                assert not OBEYED.match(cell) or cell.lstrip().startswith("'"), cell
    demand_inert(text.removeprefix("\ufeff"), "\r\n")


def test_a_machine_form_gives_the_names_back(named: Product) -> None:
    for line in into_a_pipe(named, "export", "jsonl", "--out", "-", "--quiet").splitlines():
        assert json.loads(line)["ip"] in set(ADDRESSES.values())
