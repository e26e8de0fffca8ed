"""The telnet probe: options, the text before the login prompt, NTLM where it is offered ([RFC 854]).

Every option is refused but authentication ([RFC 2941]): Windows offers NTLM there ([MS-TNAP] 2.2), and its
challenge says more than its banner. Nothing is ever typed.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final

from scanner.errors import LimitError, ProbeError, ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, ntlm, replies
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.probes import Conversation, Peer

_WILL, _WONT, _DO, _DONT = b"\xfb", b"\xfc", b"\xfd", b"\xfe"
_IAC: Final = b"\xff"
_VERBS: Final = {_WILL: "will", _DO: "do"}
_COMMAND: Final = re.compile(
    rb"\xff(?:(?P<verb>[\xfb-\xfe])(?P<option>.)|\xfa(?P<inside>(?:[^\xff]|\xff\xff)*)\xff\xf0|[\xec-\xf9\xff])",
    re.DOTALL,
)
"""[RFC 854]: a negotiation, a subnegotiation, or a command of two bytes; a byte 255 of data is doubled."""
_PROMPT: Final = re.compile(
    rb"(?:log ?in(?: name)?|user ?(?:name|id)?|account(?: name)?|pass ?(?:word|code)|utilisateur|mot de passe"
    rb") ?:|press [^\r\n]{0,40}(?:enter|return|key)|[\r\n\0][\w.()@-]{0,48}> ?\Z",
    re.IGNORECASE,
)
"""Where a server awaits that somebody types; telnet has no other end of a message."""
_NOISE: Final = re.compile(rb"[\x01-\x06\x0e-\x1a\x1c-\x1f]")
_NO_COMMAND: Final = re.compile(rb"\xff[\0-\xeb]")
PASSED: Final = b"\x7f"
"""What stands in the place of a command's bytes."""
_ESCAPE: Final = re.compile(rb"\x1b\[[0-9;?]*[@-~]")
_LINE_END: Final = re.compile(rb"[\r\n\0]+")
_ENOUGH: Final = 2048
_MOST: Final = 4096
_LISTED: Final = 24
_ANSWERED: Final = 64
ROUNDS: Final = 12
"""Most messages of a server that are listened to."""

_AUTHENTICATION: Final = b"\x25"
_IS, _SEND, _REPLY = 0, 1, 2
_NTLM: Final = 0x0F
_CHALLENGE: Final = 1
_NEGOTIATE: Final = struct.pack("<BBBBII", _IS, _NTLM, 0, 0, len(ntlm.NEGOTIATE), 2) + ntlm.NEGOTIATE
"""[MS-TNAP] 2.2.2: IS, the type, no modifier, NTLM_NEGOTIATE, the size, the type of buffer, the message."""
_NULL: Final = bytes([_IS, 0, 0])
"""[RFC 2941] section 2: no type that is listed is known here."""


def split(heard: bytes) -> tuple[bytes, bytes]:
    """What is no command, at its place, and what follows it: a command that is not whole."""
    plain, iac, rest = _COMMAND.sub(lambda command: PASSED * len(command[0]), heard).partition(_IAC)
    return plain, iac + rest


class Ear:
    """The framing, and what it was last shown: who falls silent may have said all that there is to say."""

    heard = b""

    def __call__(self, received: bytes) -> int | None:
        """The length of what is to be answered: up to a prompt, or to the last command."""
        self.heard = received = received[:_MOST]
        text, rest = split(received)
        if prompt := _PROMPT.search(text):
            return prompt.end()
        asking = [each for each in _COMMAND.finditer(received) if each["verb"] or each["inside"]]
        if asking:
            return asking[-1].end()
        if _NOISE.search(text) or _NO_COMMAND.match(rest):
            raise ProtocolError(f"not telnet: {received[:16].hex()}")
        return _ENOUGH if len(received) > _ENOUGH else None


class Course:
    """What a server said and asked for so far."""

    def __init__(self) -> None:
        self.text = b""
        self.options: list[str] = []
        self.answered: set[bytes] = set()
        self.challenge = b""

    def hear(self, heard: bytes) -> None:
        """Note the text in it."""
        self.text += split(heard)[0].replace(PASSED, b"")

    def take(self, heard: bytes) -> bytes:
        """Note what is heard; what is to be answered comes back. Nothing is answered twice ([RFC 854])."""
        self.hear(heard)
        answers = b""
        for command in _COMMAND.finditer(heard):
            if command["verb"]:
                answers += self._negotiated(command["verb"], command["option"])
            elif command["inside"]:
                answers += self._authenticated(command["inside"].replace(_IAC * 2, _IAC))
        return answers

    def _negotiated(self, verb: bytes, option: bytes) -> bytes:
        if verb not in _VERBS or verb + option in self.answered or len(self.answered) >= _ANSWERED:
            return b""
        self.answered.add(verb + option)
        self.options.append(f"{_VERBS[verb]} {option[0]}")
        if verb == _DO and option == _AUTHENTICATION:
            return _IAC + _WILL + option
        return _IAC + (_WONT if verb == _DO else _DONT) + option

    def _authenticated(self, inside: bytes) -> bytes:
        """A list of types is answered with NTLM or with none of them, a challenge is kept ([MS-TNAP] 2.2)."""
        reader = Reader(inside)
        if reader.bytes(1) != _AUTHENTICATION or not reader.remaining:
            return b""
        verb = reader.u8()
        if verb == _SEND and _AUTHENTICATION not in self.answered:
            self.answered.add(_AUTHENTICATION)
            said = _NEGOTIATE if _NTLM in reader.rest()[::2] else _NULL
            return _IAC + b"\xfa" + _AUTHENTICATION + said.replace(_IAC, _IAC * 2) + _IAC + b"\xf0"
        if verb == _REPLY and reader.rest()[:3] == bytes([_NTLM, 0, _CHALLENGE]):
            reader.seek(5)
            size = reader.u32()
            reader.skip(4)
            self.challenge = reader.bytes(size)
        return b""

    def is_over(self, heard: bytes) -> bool:
        """Whether nothing more is to be learnt after what was heard last."""
        return bool(self.challenge or _PROMPT.search(split(heard)[0]) or len(self.text) >= _ENOUGH)

    def facts(self) -> Mapping[str, str | tuple[str, ...]]:
        """The evidence in it but for the challenge: the last lines are those that stand before the prompt."""
        said = [line for line in _LINE_END.split(_ESCAPE.sub(b"", self.text)) if line.strip()]
        found: dict[str, str | tuple[str, ...]] = {
            "telnet.options": " ".join(self.options[:_LISTED]),
            "telnet.banner": replies.texts(said[-16:]),
        }
        return {key: value for key, value in found.items() if value}


def converse(_peer: Peer) -> Conversation:
    """The server speaks first; it is heard up to its prompt, its challenge, or its silence."""
    course, ear, ended = Course(), Ear(), None
    try:
        yield from _listen(course, ear)
    except ProbeError as error:
        ended = error
        if not isinstance(error, ProtocolError):
            course.hear(ear.heard)
    facts = course.facts()
    if facts:
        yield Learnt(facts)
    if course.challenge:
        yield Learnt(ntlm.facts(course.challenge))
    if ended and not (facts and isinstance(ended, LimitError)):
        raise ended  # but a server that greets, and then waits in silence, has done all that it does


def _listen(course: Course, ear: Ear) -> Conversation:
    answers = b""
    for _ in range(ROUNDS):
        heard = yield Send(answers, ear)
        ear.heard = b""
        answers = course.take(heard)
        if course.is_over(heard):
            return


PROBE: Final = Probe(
    "telnet",
    Transport.TCP,
    (23,),
    ("telnet.banner", "telnet.options", *ntlm.KEYS),
    converse,
    rank=44,
    exchanges=ROUNDS,
    size=3 * _ANSWERED + 2 * len(_NEGOTIATE),
    logs=(
        "That somebody connected and left before typing a name: on Unix a line of telnetd or of the super "
        "server in the system's log, on Windows what tlntadmn config audit= switches on; where NTLM is "
        "offered, one logon that was broken off, without a name."
    ),
    trouble=(
        "Devices that allow one session at a time (serial servers, old printers) refuse others while this "
        "one lasts: a second, or a few where they say nothing."
    ),
)
