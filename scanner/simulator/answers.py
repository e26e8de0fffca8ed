"""What a machine answers to one message of SMB. Connections hold no state that decides over it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.simulator import ntlm, smb1, smb2, spnego

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.simulator.machine import Machine

_SUCCESS: Final = 0
_MORE: Final = 0xC0000016
_INVALID: Final = 0xC000000D
_DENIED: Final = 0xC0000022
_LOGON_FAILURE: Final = 0xC000006D
_UNSUPPORTED: Final = 0xC00000BB

_UID: Final = 0x0800
_NULL_SESSION: Final = 2


class End(Enum):
    """What becomes of the connection after an answer."""

    OPEN = "open"
    CLOSE = "close"
    RESET = "reset"


Reply: TypeAlias = tuple[bytes, End]
"""An answer, empty where nothing is said, and what follows it."""

RESET: Final[Reply] = (b"", End.RESET)


@dataclass(frozen=True, slots=True)
class Situation:
    """Who answers, and what it needs to answer."""

    machine: Machine
    netbios: bool
    """Whether this runs over a NetBIOS session."""
    now: Callable[[], int]
    """The machine's clock, as a FILETIME."""
    random: Callable[[int], bytes]
    """Gives that many random bytes."""


def reply(situation: Situation, message: bytes) -> Reply:
    """What is said to a message, from its SMB header on."""
    second = smb2.read(message) if situation.machine.personality.dialect else None
    if second is not None:
        return _smb2(situation, second), End.OPEN
    first = smb1.read(message)
    if first is None:
        return RESET
    if first.command == smb1.NEGOTIATE:
        return _smb1_negotiate(situation, first)
    if not situation.machine.personality.smb1:
        return RESET
    return _smb1(situation, first), End.OPEN


def _smb1(situation: Situation, request: smb1.Request) -> bytes:
    if request.command == smb1.SESSION_SETUP:
        if request.words == 12:  # noqa: PLR2004 - with extended security, [MS-SMB] 2.2.4.6.1
            return _extended_setup(situation, request)
        return _plain_setup(situation.machine, request)
    if request.command in {smb1.LOGOFF, smb1.TREE_DISCONNECT, smb1.ECHO}:
        return smb1.done(request)
    return smb1.refused(request, _DENIED)


def _smb1_negotiate(situation: Situation, request: smb1.Request) -> Reply:
    machine, kind = situation.machine, situation.machine.personality
    offered = smb1.dialects(request)
    dialect = smb2.multi_protocol(kind, offered)
    if dialect:
        leftover = request.message[124:128] if kind.reuses_buffer else b""
        return _smb2_negotiated(situation, smb2.MULTI_PROTOCOL, dialect, None, leftover), End.OPEN
    if not kind.smb1:
        return (smb1.no_dialect(request), End.CLOSE) if kind.samba else RESET
    index = smb1.agreed(kind, offered)
    if index is None:
        return smb1.no_dialect(request), End.OPEN
    if not kind.extended or not request.flags2 & smb1.EXTENDED:
        security = situation.random(8)
    else:
        # Servers before Vista offer nothing here ([MS-SMB] 2.2.4.5.2.1).
        security = _offer(situation) if kind.timestamp else b""
    return smb1.negotiated(machine, request, index, security, situation.now()), End.OPEN


def _offer(situation: Situation) -> bytes:
    """The offer of authentication."""
    kind, joined = situation.machine.personality, situation.machine.joined
    token = spnego.negoex(situation.random(16), situation.random(32)) if kind.token else b""
    before, after = spnego.offer_around(
        len(token), exts=kind.negoex, kerberos=kind.kerberos or joined, hint=kind.samba or joined
    )
    return before + token + after


def _extended_setup(situation: Situation, request: smb1.Request) -> bytes:
    if not situation.machine.personality.extended:
        return smb1.refused(request, _INVALID)
    status, blob = authenticate(situation, smb1.security_blob(request))
    if status not in {_SUCCESS, _MORE}:
        return smb1.refused(request, status)
    return smb1.session_answer(situation.machine, request, status, blob, request.uid or _UID)


def _plain_setup(machine: Machine, request: smb1.Request) -> bytes:
    if request.words != 13:  # noqa: PLR2004 - [MS-CIFS] 2.2.4.53.1
        return smb1.refused(request, _INVALID)
    if not smb1.plain_is_anonymous(request) and not machine.guests:
        return smb1.refused(request, _LOGON_FAILURE)
    return smb1.plain_session_answer(machine, request, _UID)


def authenticate(situation: Situation, blob: bytes) -> tuple[int, bytes]:
    """Status and token with which a security blob is answered; only nobody gets in."""
    message = spnego.ntlm_inside(blob)
    wrapped = not blob.startswith(ntlm.SIGNATURE)
    kind = ntlm.kind(message)
    if kind == ntlm.NEGOTIATE:
        token = ntlm.challenge(situation.machine, message, situation.random(8), situation.now())
        return _MORE, spnego.answer(token) if wrapped else token
    if kind == ntlm.AUTHENTICATE:
        if ntlm.is_anonymous(message) or situation.machine.guests:
            return _SUCCESS, spnego.ACCEPTED if wrapped else b""
        return _LOGON_FAILURE, b""
    if spnego.names_ntlm(blob):
        return _MORE, spnego.answer(b"")
    return _INVALID, b""


def challenged(situation: Situation, blob: bytes) -> bytes:
    """The token that a client's first one is answered with, whatever carries them; empty: there is none."""
    status, token = authenticate(situation, blob)
    return token if status == _MORE else b""


def _smb2(situation: Situation, request: smb2.Request) -> bytes:
    kind = situation.machine.personality
    if request.command == smb2.NEGOTIATE:
        offer = smb2.offered(request)
        common = [number for number in kind.dialects if number in offer.dialects]
        if not common:
            return smb2.refused(request, _UNSUPPORTED, short=kind.short_error)
        return _smb2_negotiated(situation, request, common[-1], offer)
    if request.command == smb2.SESSION_SETUP:
        return _smb2_session(situation, request)
    if request.command in {smb2.LOGOFF, smb2.TREE_DISCONNECT, smb2.ECHO}:
        return smb2.done(request)
    if request.command == smb2.CANCEL:
        return b""
    return smb2.refused(request, _DENIED, short=kind.short_error)


def _smb2_negotiated(
    situation: Situation,
    request: smb2.Request,
    dialect: int,
    offer: smb2.Offer | None,
    leftover: bytes = b"",
) -> bytes:
    return smb2.negotiated(
        situation.machine,
        request,
        dialect,
        offer,
        blob=_offer(situation),
        now=situation.now(),
        netbios=situation.netbios,
        salt=situation.random(32),
        reserved=leftover,
    )


def _smb2_session(situation: Situation, request: smb2.Request) -> bytes:
    kind = situation.machine.personality
    status, blob = authenticate(situation, smb2.security_blob(request))
    if status not in {_SUCCESS, _MORE}:
        return smb2.refused(request, status, short=kind.short_error)
    granted = max(1, request.credits) if status == _SUCCESS or kind.early_credits else 1
    flags = _NULL_SESSION if status == _SUCCESS and not kind.samba else 0
    return smb2.session_answer(request, status, blob, granted, flags)
