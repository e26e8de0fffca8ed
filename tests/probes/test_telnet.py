"""Telnet: prompts, options, NTLM as Windows offers it, servers that fall silent, and what is no telnet."""

from __future__ import annotations

import struct

import pytest

from scanner.errors import LimitError, PeerClosedError, ProtocolError
from scanner.model import Endpoint
from scanner.probes import ntlm
from scanner.probes.telnet import PROBE
from tests.probes import made, mail
from tests.probes.conversation import Answer, Heard, Replay
from tests.probes.told import Told

XP_OPTIONS = bytes.fromhex("fffd25 fffb01 fffb03 fffd27 fffd1f fffd00 fffb00")
XP_ORDER = "do 37 will 1 will 3 do 39 do 31 do 0 will 0"
WINDOWS_2000 = (
    b"Microsoft (R) Windows NT (TM) Version 4.00 (Build 1381)\r\nWelcome to Microsoft Telnet Service \r\n"
    b"Telnet Server Build 5.00.99034.1\n\r\n\rlogin:"
)
LIST = bytes.fromhex("fffa25 01 0f00 fff0")


def carried(token: bytes, command: int = 1) -> bytes:
    """A REPLY ([MS-TNAP] 2.2.2)."""
    inside = struct.pack("<BBBBII", 2, 0x0F, 0, command, len(token), 2) + token
    return b"\xff\xfa\x25" + inside.replace(b"\xff", b"\xff\xff") + b"\xff\xf0"


def single(options: bytes) -> list[bytes]:
    """One command a message, as the harness wants it that goes byte by byte."""
    return [options[start : start + 3] for start in range(0, len(options), 3)]


CONVERSATIONS = (
    Told(
        "Windows XP or later with NTLM",
        PROBE,
        [[*single(XP_OPTIONS), LIST, carried(made.challenge())]],
        {"telnet.options": XP_ORDER, **mail.XP_FACTS},
        "facts/banners.csv, telnet-004; [MS-TNAP] 2.2.1, 2.2.2 and 4.1",
    ),
    Told(
        "Windows 2000 without NTLM",
        PROBE,
        [
            [
                b"\xff\xfb\x01",
                WINDOWS_2000,
            ]
        ],
        {
            "telnet.options": "will 1",
            "telnet.banner": (
                "Microsoft (R) Windows NT (TM) Version 4.00 (Build 1381)",
                "Welcome to Microsoft Telnet Service",
                "Telnet Server Build 5.00.99034.1",
                "login:",
            ),
        },
        "corpus/banners.csv, telnet_banners",
    ),
    Told(
        "telnetd of Debian 12",
        PROBE,
        [
            [
                *single(bytes.fromhex("fffb25 fffb26 fffd18 fffd20 fffd23 fffd27 fffd24")),
                b"\r\nLinux 6.18.44 (localhost) (pts/0)\r\n\r\nward7 login:",
            ]
        ],
        {
            "telnet.options": "will 37 will 38 do 24 do 32 do 35 do 39 do 36",
            "telnet.banner": ("Linux 6.18.44 (localhost) (pts/0)", "ward7 login:"),
        },
        "recorded on loopback",
    ),
    Told(
        "a device that negotiates nothing and clears the screen",
        PROBE,
        [[b"\x1b[2J\x1b[1;1HUser Access Verification\r\n\r\nUsername:"]],
        {"telnet.banner": ("User Access Verification", "Username:")},
        "[RFC 854], ECMA-48",
    ),
    Told(
        "authentication of another kind",
        PROBE,
        [[b"\xff\xfd\x25", bytes.fromhex("fffa25 01 0206 0205 fff0"), b"ward7 login:"]],
        {"telnet.options": "do 37", "telnet.banner": ("ward7 login:",)},
        "[RFC 2941] section 2",
    ),
)


def hold(*answers: Answer) -> Heard:
    return Replay([answers]).hold(PROBE, Endpoint("192.0.2.1", 23))


def test_every_option_is_refused_but_authentication() -> None:
    heard = hold(XP_OPTIONS, PeerClosedError())
    assert heard.said == [bytes.fromhex("fffb25 fffe01 fffe03 fffc27 fffc1f fffc00 fffe00")]


def test_a_burst_is_answered_at_once() -> None:
    heard = hold(XP_OPTIONS + LIST, carried(made.challenge()))
    assert heard.exchanges == 2
    assert heard.evidence == CONVERSATIONS[0].evidence


def test_ntlm_is_asked_for_and_nobody_logs_on() -> None:
    said = hold(XP_OPTIONS, LIST, carried(made.challenge()), b"never asked for").said
    inside = struct.pack("<BBBBII", 0, 0x0F, 0, 0, len(ntlm.NEGOTIATE), 2) + ntlm.NEGOTIATE
    assert said[1:] == [b"\xff\xfa\x25" + inside + b"\xff\xf0"]
    assert b"\xff" not in inside


def test_other_kinds_of_authentication_are_declined() -> None:
    assert CONVERSATIONS[-1].hold().said == [b"\xff\xfb\x25", bytes.fromhex("fffa25 00 0000 fff0")]


def test_a_doubled_byte_in_a_challenge_is_one() -> None:
    token = made.challenge(version=struct.pack("<BBHI", 6, 1, 0xFFFF, 0x0F000000))
    assert hold(XP_OPTIONS, LIST, carried(token)).evidence["ntlm.version"] == "6.1.65535"


def test_nothing_is_answered_twice() -> None:
    heard = hold(
        b"\xff\xfd\x01" * 50 + b"\xff\xfc\x01\xff\xfe\x01", b"\xff\xfd\x01", LIST * 2, LIST, b"login:"
    )
    assert heard.evidence["telnet.options"] == "do 1"
    assert len(heard.said) == 2


def test_the_most_is_what_is_declared() -> None:
    options = b"".join(bytes([0xFF, verb, option]) for option in range(255) for verb in (0xFB, 0xFD))
    heard = hold(options, LIST, *[options] * 20)
    assert heard.exchanges == PROBE.exchanges
    assert sum(map(len, heard.said)) <= PROBE.size
    assert len(heard.evidence["telnet.options"]) <= 256


@pytest.mark.parametrize("end", [LimitError(), PeerClosedError()])
def test_what_was_learnt_stands_when_nothing_more_comes(end: Answer) -> None:
    heard = hold(b"\xff\xfb\x01", end)
    assert heard.evidence == {"telnet.options": "will 1"}
    assert isinstance(heard.error, PeerClosedError) is isinstance(end, PeerClosedError)


def test_text_without_a_prompt_is_kept_when_nothing_more_comes() -> None:
    heard = hold(b"\xff\xfb\x01", b"HP JetDirect\r\nPassword is not set\r\n\r\nPlease type \xff")
    assert heard.evidence["telnet.banner"] == ("HP JetDirect", "Password is not set", "Please type")
    assert isinstance(heard.error, PeerClosedError)


def test_silence_from_the_beginning_is_silence() -> None:
    heard = hold(LimitError())
    assert isinstance(heard.error, LimitError)
    assert not heard.evidence


@pytest.mark.parametrize(
    "end",
    [
        b"ward7 login:",
        b"Username:",
        b"User Name :",
        b"Password:",
        b"Mot de passe :",
        b"Account Name:",
        b"Press any key",
        b"\r\nRouter>",
        b"\r\nswitch-2(config)>",
    ],
)
def test_a_prompt_ends_it(end: bytes) -> None:
    heard = hold(b"hello\r\n" + end, b"never asked for")
    assert (heard.error, heard.exchanges) == (None, 1)
    assert heard.evidence["telnet.banner"][-1] == end.decode().strip()


def test_a_long_text_is_cut_and_its_end_is_kept() -> None:
    heard = hold(b"".join(b"line %d\r\n" % number for number in range(400)))
    assert heard.error is None
    assert len(heard.evidence["telnet.banner"]) == 16
    assert heard.exchanges == 1


@pytest.mark.parametrize("said", [b"\x16\x03\x01\x00\x2a\x02", b"\x00\x00\x00\x55\xffSMBr", b"\x04\x00"])
def test_noise_is_not_waited_for(said: bytes) -> None:
    heard = hold(said)
    assert isinstance(heard.error, ProtocolError)
    assert not heard.evidence


@pytest.mark.parametrize("size", [0xFFFFFFFF, 0x10000, 1])
def test_the_size_of_a_challenge_is_not_trusted(size: int) -> None:
    spoilt = bytearray(carried(made.challenge()))
    spoilt[7:11] = struct.pack("<I", size).replace(b"\xff", b"\xff\xff")
    heard = hold(XP_OPTIONS, LIST, bytes(spoilt))
    assert isinstance(heard.error, ProtocolError)
    assert heard.evidence == {"telnet.options": XP_ORDER}


@pytest.mark.parametrize("inside", ["25", "2502", "25020f", "25020f0001", "2503", "18", "1801"])
def test_short_subnegotiations_do_no_harm(inside: str) -> None:
    heard = hold(b"\xff\xfa" + bytes.fromhex(inside) + b"\xff\xf0", b"login:")
    assert heard.error is None or isinstance(heard.error, ProtocolError)
