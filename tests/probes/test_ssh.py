"""SSH: servers of this and the last decade, those of SSH 1, and what is none."""

from __future__ import annotations

import struct
import tomllib
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from scanner.errors import LimitError, PeerClosedError, ProbeError, ProtocolError
from scanner.model import Endpoint
from scanner.probes.ssh import PROBE, identification, packet, parse_kexinit
from tests.probes.conversation import Answer, Heard, Replay
from tests.probes.told import Told

HOSTS = tomllib.loads((Path(__file__).parent / "ssh_hosts.toml").read_text(encoding="utf-8"))["host"]
LISTS = ("kex", "hostkeys", "ciphers")


def told(host: dict[str, str]) -> Told:
    answers = [b64decode(host[part]) for part in ("greeting", "kexinit", "reply") if part in host]
    _, protocol, banner = answers[0].decode().strip().split("-", 2)
    said: dict[str, Any] = {"ssh.protocol": protocol, "ssh.banner": banner}
    said |= {f"ssh.{name}": tuple(host[name].split(",")) for name in LISTS}
    if "reply" in host:
        return Told(host["name"], PROBE, [answers], {**said, "ssh.hostkey": host["hostkey"]}, host["source"])
    return Told(host["name"], PROBE, [answers], said, host["source"], error=PeerClosedError)


CONVERSATIONS = (
    *map(told, HOSTS),
    Told(
        "SSH 1 alone, after a warning",
        PROBE,
        [[b"Authorised staff only\r\n\r\nSSH-1.5-1.2.27\n"]],
        {"ssh.protocol": "1.5", "ssh.banner": "1.2.27"},
        "[RFC 4253] 4.2 and 5.1",
    ),
)
BY_NAME = {each.name: each for each in CONVERSATIONS}
DROPBEAR = BY_NAME["Dropbear 2022.83"]
GREETING, KEXINIT, REPLY = (each for each in DROPBEAR.connections[0] if isinstance(each, bytes))
IGNORED = bytes.fromhex("0000000c 05 02 00000001 00") + bytes(5)


def hold(*answers: Answer) -> Heard:
    return Replay([answers]).hold(PROBE, Endpoint("192.0.2.1", 22))


def wrapped(kind: int, content: bytes) -> bytes:
    padding = 4 + -(len(content) + 10) % 8
    return struct.pack(">IBB", len(content) + 2 + padding, padding, kind) + content + bytes(padding)


def string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def offer(*lists: bytes) -> bytes:
    padded = [*lists, *[b"none"] * (10 - len(lists))]
    return wrapped(20, bytes(16) + b"".join(map(string, padded)) + bytes(5))


# --- what is said


def test_our_packets_are_those_of_the_specification() -> None:
    said = DROPBEAR.hold().said
    assert said[0] == b"SSH-2.0-vetuste\r\n"
    first = packet(said[1])
    assert first is not None
    assert first % 8 == 0 == len(said[1]) % 8
    ours = parse_kexinit(said[1][:first])
    assert ours[:3] == (("curve25519-sha256",), ("ssh-ed25519",), ("chacha20-poly1305@openssh.com",))
    theirs = parse_kexinit(KEXINIT)
    assert all(set(mine) <= set(other) for mine, other in zip(ours, theirs, strict=True))
    length, padding, kind = struct.unpack_from(">IBB", said[1], first)
    assert (length + 4, kind) == (len(said[1]) - first, 30)
    assert padding >= 4
    assert said[1][first + 6 : first + 42] == string(b"\x09" + bytes(31))


@pytest.mark.parametrize(
    ("kex", "size"),
    [
        ("ecdh-sha2-nistp256", 65),
        ("diffie-hellman-group14-sha1", 256),
        ("diffie-hellman-group14-sha256", 256),
        ("diffie-hellman-group1-sha1", 128),
    ],
)
def test_the_public_value_fits_the_exchange(kex: str, size: int) -> None:
    heard = hold(GREETING, offer(b"unknown@example," + kex.encode(), b"ssh-dss,ssh-rsa"), REPLY)
    assert heard.error is None
    assert "ssh.hostkey" in heard.evidence
    begun = packet(heard.said[1])
    assert begun is not None
    assert heard.said[1][begun + 6 : begun + 10] == struct.pack(">I", size)
    assert parse_kexinit(heard.said[1][:begun])[1] == ("ssh-rsa",)


def test_the_longest_names_fit_what_is_declared() -> None:
    names = [b"diffie-hellman-group14-sha256", b"ecdsa-sha2-nistp256", *[b"x" * 64] * 6]
    heard = hold(GREETING, offer(*names), REPLY)
    assert heard.error is None
    assert sum(map(len, heard.said)) <= PROBE.size


# --- what is not usual


def test_messages_that_need_no_answer_are_passed_over() -> None:
    heard = hold(GREETING, IGNORED + KEXINIT, IGNORED * 3 + REPLY)
    assert heard.evidence == DROPBEAR.evidence


@pytest.mark.parametrize(
    "lists",
    [
        (b"diffie-hellman-group-exchange-sha256", b"ssh-rsa"),
        (b"curve25519-sha256", b"ssh-rsa-cert-v01@openssh.com"),
    ],
)
def test_an_exchange_that_is_not_known_is_not_begun(lists: tuple[bytes, bytes]) -> None:
    heard = hold(GREETING, offer(*lists))
    assert (heard.error, heard.exchanges) == (None, 2)
    assert heard.evidence["ssh.kex"] == (lists[0].decode(),)


def test_a_server_that_offers_nothing_is_asked_nothing() -> None:
    heard = hold(GREETING, offer(*[b""] * 10))
    assert heard.error is None
    assert heard.evidence.keys() == {"ssh.protocol", "ssh.banner"}


def test_names_are_kept_in_bounds() -> None:
    heard = hold(GREETING, offer(b",".join([b"a" * 500] * 66), b"b\x1b[2J\xff", b",,c,"))
    assert heard.evidence["ssh.kex"] == ("a" * 64,) * 64
    assert heard.evidence["ssh.hostkeys"] == ("b\ufffd[2J\xff",)


def test_what_is_known_stands_when_the_server_refuses() -> None:
    reason = wrapped(1, struct.pack(">I", 11) + string(b"too many connections") + string(b""))
    for answers in ([GREETING, reason], [GREETING, KEXINIT, reason], [GREETING, LimitError()]):
        heard = hold(*answers)
        assert isinstance(heard.error, ProbeError)
        assert heard.evidence["ssh.banner"] == "dropbear_2022.83"
    assert "too many connections" in str(hold(GREETING, reason).error)


@pytest.mark.parametrize("software", [b"", b"-", b"OpenSSH_for_Windows_7.7"])
def test_the_software_may_be_anything(software: bytes) -> None:
    heard = hold(b"SSH-2.0-" + software + b"\r\n", PeerClosedError())
    assert heard.evidence.get("ssh.banner", "") == software.decode()


# --- what is no SSH


@pytest.mark.parametrize(
    "received",
    [
        b"\x00\x00\x00\x55\xffSMB",
        b"\x16\x03\x01\x00\x00",
        b"SSH-2.0-" + b"x" * 300,
        b"a\r\n" * 2000,
        b"SSH-2.0-a\0",
    ],
)
def test_noise_is_not_waited_for(received: bytes) -> None:
    with pytest.raises(ProtocolError):
        identification(received)


@pytest.mark.parametrize("said", [b"SSH-\n", b"SSH-2.0\r\n", b"SSH--x\n", b"SSH-2 0-x\n"])
def test_an_identification_of_another_form_is_refused(said: bytes) -> None:
    assert isinstance(hold(said).error, ProtocolError)


@pytest.mark.parametrize(
    "head", ["ffffffff 04 14", "0000000b 04 14", "000088b9 04 14", "0000000c 0b 14", "48545450 2f 31"]
)
def test_a_packet_of_an_impossible_length_is_refused_at_once(head: str) -> None:
    with pytest.raises(ProtocolError):
        packet(bytes.fromhex(head))


@pytest.mark.parametrize("length", [0xFFFFFFFF, 0x100, 0x7F])
def test_lengths_inside_a_packet_are_not_trusted(length: int) -> None:
    for spoilt in (
        wrapped(20, bytes(16) + struct.pack(">I", length) + b"curve"),
        wrapped(31, struct.pack(">I", length) + b"ssh-rsa"),
        wrapped(31, string(struct.pack(">I", length) + b"ssh-rsa")),
    ):
        answers = [GREETING, spoilt] if spoilt[5] == 20 else [GREETING, KEXINIT, spoilt]
        assert isinstance(hold(*answers).error, ProtocolError)
