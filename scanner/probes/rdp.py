"""The RDP probe: which security a remote desktop agrees to, and what it tells before anyone logs on.

A connection request asks for what common clients ask for ([MS-RDPBCGR] 2.2.1.1). XP and older do not
negotiate, and that is all. Where TLS alone is agreed to, a ClientHello of ours reads version and certificate;
where CredSSP is, TLS begins in earnest, and inside of it NTLM goes as far as the challenge. A second
connection then asks whether the host would do without: whether it insists on network level authentication.
"""

from __future__ import annotations

import re
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.errors import PeerClosedError, ProbeError, ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Reconnect, Send, credssp, ntlm, spnego, tls
from scanner.probes.der import framing
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    from scanner.probes import Conversation, Peer, Step

_TLS: Final = 1
_HYBRID: Final = 2
_HYBRID_EX: Final = 8
_SELECTED: Final[Mapping[int, str]] = {
    0: "rdp", _TLS: "tls", _HYBRID: "hybrid", 4: "rdstls", _HYBRID_EX: "hybrid-ex", 16: "rdsaad",
}  # fmt: skip
"""[MS-RDPBCGR] 2.2.1.2.1; hybrid is CredSSP."""
_FLAGS: Final = (
    (0x01, "extended-client-data"), (0x02, "graphics"), (0x08, "restricted-admin"), (0x10, "remote-guard"),
)  # fmt: skip
"""[MS-RDPBCGR] 2.2.1.2.1."""
_RESPONSE: Final = 2
_FAILURE: Final = 3
_NEEDS_NLA: Final = frozenset({5, 6})
"""HYBRID_REQUIRED_BY_SERVER and SSL_WITH_USER_AUTH_REQUIRED_BY_SERVER ([MS-RDPBCGR] 2.2.1.2.2)."""
_HAS_NO_TLS: Final = frozenset({2, 3})
"""SSL_NOT_ALLOWED_BY_SERVER and SSL_CERT_NOT_ON_SERVER."""
_NEGOTIATION: Final = struct.Struct("<BBHI")
_CONFIRM: Final = 0xD0
_SHORTEST: Final = 11
_LONGEST: Final = 64

_VERSION: Final = "rdp.tls"
_CHALLENGE: Final = re.compile(rb"(NTLMSSP\x00\x02\x00\x00\x00.{12}).{8}", re.DOTALL)


KEYS: Final = (
    "rdp.negotiation", "rdp.nla", "rdp.flags", "rdp.confirm", "rdp.credssp", _VERSION, *tls.KEYS, *ntlm.KEYS,
)  # fmt: skip


class Confirm(NamedTuple):
    """A connection confirm ([MS-RDPBCGR] 2.2.1.2)."""

    kind: int
    """Of its negotiation; 0 where it has none."""
    flags: int
    value: int
    """What is selected, or why nothing is."""

    def selects(self, *protocols: int) -> bool:
        """Whether it agrees to one of these."""
        return self.kind == _RESPONSE and self.value in protocols

    @property
    def negotiation(self) -> str:
        """In a word."""
        if self.kind == _RESPONSE:
            return _SELECTED.get(self.value, f"protocol {self.value:#x}")
        return f"failure {self.value}" if self.kind == _FAILURE else "none"

    @property
    def nla(self) -> str:
        """What it tells of network level authentication; nothing where it does not."""
        if self.kind == _FAILURE:
            return "required" if self.value in _NEEDS_NLA else "no" if self.value in _HAS_NO_TLS else ""
        return "no" if not self.kind or self.value in {0, _TLS} else ""

    @property
    def named_flags(self) -> tuple[str, ...]:
        """The flags of a response."""
        return tuple(name for bit, name in _FLAGS if self.kind == _RESPONSE and self.flags & bit)


def connection_request(protocols: int) -> bytes:
    """[MS-RDPBCGR] 2.2.1.1: TPKT, X.224 and a negotiation; neither cookie nor routing token."""
    return bytes.fromhex("03000013 0ee00000000000") + _NEGOTIATION.pack(1, 0, _NEGOTIATION.size, protocols)


REQUEST: Final = connection_request(_TLS | _HYBRID | _HYBRID_EX)
WITHOUT_NLA: Final = connection_request(_TLS)


def confirm_framing(received: bytes) -> int | None:
    """The framing of a connection confirm: a TPKT ([RFC 1006] section 6) of a length that one can have.

    Raises:
        ProtocolError: it is something else.
    """
    length = int.from_bytes(received[2:4], "big") if len(received) >= 4 else _SHORTEST  # noqa: PLR2004 - its head
    if not b"\3\0".startswith(received[:2]) or not _SHORTEST <= length <= _LONGEST:
        raise ProtocolError(f"not a connection confirm: {received[:16].hex()}")
    return length if len(received) >= length else None


def parse_confirm(answer: bytes) -> Confirm:
    """Read a connection confirm.

    Raises:
        ProtocolError: it is something else.
    """
    reader = Reader(answer)
    reader.skip(5)
    code = reader.u8()
    reader.skip(5)
    if code & 0xF0 != _CONFIRM:
        raise ProtocolError(f"not a connection confirm: {answer[:16].hex()}")
    if not reader.remaining:
        return Confirm(0, 0, 0)
    kind, flags, _, value = _NEGOTIATION.unpack(reader.bytes(_NEGOTIATION.size))
    if kind not in {_RESPONSE, _FAILURE}:
        raise ProtocolError(f"not a negotiation of RDP: {answer.hex()}")
    return Confirm(kind, flags, value)


def converse(_peer: Peer) -> Conversation:
    """The conversation with one host."""
    answer = yield Send(REQUEST, confirm_framing)
    confirm = parse_confirm(answer)
    told: dict[str, str | tuple[str, ...]] = {
        "rdp.confirm": answer.hex(),
        "rdp.negotiation": confirm.negotiation,
        "rdp.flags": confirm.named_flags,
        "rdp.nla": confirm.nla,
    }
    yield Learnt({key: value for key, value in told.items() if value})
    if confirm.selects(_TLS):
        yield from tls.agree(_VERSION, _begin_again)
    elif confirm.selects(_HYBRID, _HYBRID_EX):
        try:
            nla = yield from _authenticate()
        except ProbeError:
            yield Learnt({"rdp.nla": "supported"})
            raise
        yield Learnt({"rdp.nla": nla})


def _begin_again() -> Conversation:
    """A second connection, up to where TLS begins."""
    confirm = parse_confirm((yield Send(REQUEST, confirm_framing)))
    if not confirm.selects(_TLS, _HYBRID, _HYBRID_EX):
        raise ProtocolError(f"the second time it agrees to something else: {confirm.negotiation}")


def _authenticate() -> Generator[Step, bytes, str]:
    """TLS, and CredSSP up to the challenge inside of it; then what becomes of the wish to do without."""
    try:
        yield from tls.secure(_VERSION)
    except (PeerClosedError, ProtocolError):  # a TLS that this machine no longer speaks can still be read
        yield Reconnect()
        yield from _begin_again()
        yield from tls.ask_once(_VERSION)
        return "supported"
    with suppress(PeerClosedError, ProtocolError):  # NTLM may be forbidden; the rest does not depend on it
        yield from _challenge()
    return (yield from _without_nla())


def _challenge() -> Conversation:
    version, token = credssp.parse((yield Send(credssp.REQUEST, framing)))
    if version:
        yield Learnt({"rdp.credssp": version})
    challenge = spnego.answer_token(token) if token else None
    if challenge:
        yield Learnt(ntlm.facts(challenge))


def _without_nla() -> Generator[Step, bytes, str]:
    """Whether the host agrees to TLS alone: how much it wants network level authentication."""
    try:
        yield Reconnect()
        confirm = parse_confirm((yield Send(WITHOUT_NLA, confirm_framing)))
    except ProbeError:
        return "supported"
    return confirm.nla if confirm.nla == "required" else "optional" if confirm.selects(_TLS) else "supported"


def redact(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Answers without certificates and without NTLM's challenge."""
    return tuple(map(_redacted, raw))


def _redacted(answer: bytes) -> bytes:
    if answer.startswith(b"\3\0"):
        return answer[:_LONGEST]
    if answer.startswith(b"\x30"):
        kept, found = _CHALLENGE.subn(rb"\1" + bytes(8), answer)
        return kept if found else b""
    return tls.redacted(answer)


PROBE: Final = Probe(
    "rdp",
    Transport.TCP,
    (3389,),
    KEYS,
    converse,
    rank=30,
    exchanges=5,
    connections=2,
    size=512,  # 284: two requests and both hellos
    hears=1 << 14,
    logs=(
        "The connection: Windows as event 261 of Microsoft-Windows-TerminalServices-RemoteConnectionManager/"
        "Operational (described by Cyber Triage) and, in later releases, with the scanner's address as event "
        "131 of Microsoft-Windows-RemoteDesktopServices-RdpCoreTS/Operational; xrdp in xrdp.log. Windows up "
        "to Server 2008 R2 may log that it ended early as event 50 or 56 of TermDD in the system log "
        "(Microsoft: The Curious Case of Event ID 56 with Source TermDD). No logon is logged: nobody logs on."
    ),
    trouble=(
        "None with what is sent. The known flaws of this service lie in malformed messages (MS05-041, "
        "MS12-020) and in channels that are opened later (CVE-2019-0708); neither is ever sent. The "
        "conversation ends before a session begins, so whoever works at the machine is not disturbed."
    ),
    redact=redact,
)
