"""One connection with a simulated machine: bytes of a client in, bytes of the machine out."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING, Final

from scanner.simulator import netbios, ntlm, smb1, smb2, spnego

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.simulator.machine import Machine

DIRECT: Final = 445
NETBIOS: Final = 139

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


class Dialogue:
    """What a machine answers on one connection.

    Args:
        machine: who answers.
        service: 445 or 139, whatever port the simulator really uses.
        now: the machine's clock, as a FILETIME.
        random: gives that many random bytes.
    """

    __slots__ = ("_called", "_machine", "_now", "_random", "_service", "end")

    def __init__(
        self, machine: Machine, service: int, now: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        self._machine = machine
        self._service = service
        self._now = now
        self._random = random
        self._called = service == DIRECT
        self.end = End.OPEN

    def answer(self, frame: bytes) -> bytes:
        """What is said to one whole message, its session header included; :attr:`end` says what follows."""
        if frame[0] == netbios.MESSAGE and self._called:
            said = self._message(frame[4:])
            return netbios.framed(said) if said else b""
        if frame[0] == netbios.KEEP_ALIVE:
            return b""
        if frame[0] == netbios.REQUEST and self._service == NETBIOS:
            said = netbios.called(self._machine, frame)
            self._called = said == netbios.POSITIVE
            self.end = End.OPEN if self._called else End.CLOSE
            return said
        return self._reset()

    def _reset(self) -> bytes:
        self.end = End.RESET
        return b""

    def _message(self, message: bytes) -> bytes:
        second = smb2.read(message) if self._machine.personality.dialect else None
        if second is not None:
            return self._smb2(second)
        first = smb1.read(message)
        if first is None:
            return self._reset()
        return self._smb1(first)

    def _smb1(self, request: smb1.Request) -> bytes:
        if request.command == smb1.NEGOTIATE:
            return self._negotiate(request)
        if not self._machine.personality.smb1:
            return self._reset()
        if request.command == smb1.SESSION_SETUP:
            extended = request.words == 12  # noqa: PLR2004 - [MS-SMB] 2.2.4.6.1
            return self._extended_setup(request) if extended else self._plain_setup(request)
        if request.command in {smb1.LOGOFF, smb1.TREE_DISCONNECT, smb1.ECHO}:
            return smb1.done(request)
        return smb1.refused(request, _DENIED)

    def _negotiate(self, request: smb1.Request) -> bytes:
        machine, kind = self._machine, self._machine.personality
        offered = smb1.dialects(request)
        dialect = smb2.multi_protocol(kind, offered)
        if dialect:
            return self._smb2_negotiated(smb2.MULTI_PROTOCOL, dialect, None, request.message[124:128])
        if not kind.smb1:
            if kind.samba:
                self.end = End.CLOSE
                return smb1.no_dialect(request)
            return self._reset()
        index = smb1.agreed(kind, offered)
        if index is None:
            return smb1.no_dialect(request)
        security = (
            self._offer(smb2=False) if kind.extended and request.flags2 & smb1.EXTENDED else self._random(8)
        )
        return smb1.negotiated(machine, request, index, security, self._now())

    def _offer(self, *, smb2: bool) -> bytes:
        """The offer of authentication; in SMB1 servers before Vista send none ([MS-SMB] 2.2.4.5.2.1)."""
        kind = self._machine.personality
        if not smb2 and not kind.timestamp:
            return b""
        token = spnego.negoex(self._random(16), self._random(32)) if kind.token else b""
        before, after = spnego.offer_around(
            len(token),
            exts=kind.negoex,
            kerberos=kind.kerberos or self._machine.joined,
            hint=kind.samba or self._machine.joined,
        )
        return before + token + after

    def _extended_setup(self, request: smb1.Request) -> bytes:
        if not self._machine.personality.extended:
            return smb1.refused(request, _INVALID)
        status, blob = self._authenticate(smb1.security_blob(request))
        if status not in {_SUCCESS, _MORE}:
            return smb1.refused(request, status)
        return smb1.session_answer(self._machine, request, status, blob, request.uid or _UID)

    def _plain_setup(self, request: smb1.Request) -> bytes:
        if request.words != 13:  # noqa: PLR2004 - [MS-CIFS] 2.2.4.53.1
            return smb1.refused(request, _INVALID)
        if not smb1.plain_is_anonymous(request) and not self._machine.guests:
            return smb1.refused(request, _LOGON_FAILURE)
        return smb1.plain_session_answer(self._machine, request, _UID)

    def _authenticate(self, blob: bytes) -> tuple[int, bytes]:
        """Status and token with which a security blob is answered; only nobody gets in."""
        message = spnego.ntlm_inside(blob)
        wrapped = not blob.startswith(ntlm.SIGNATURE)
        kind = ntlm.kind(message)
        if kind == ntlm.NEGOTIATE:
            token = ntlm.challenge(self._machine, message, self._random(8), self._now())
            return _MORE, spnego.answer(token) if wrapped else token
        if kind == ntlm.AUTHENTICATE:
            if ntlm.is_anonymous(message) or self._machine.guests:
                return _SUCCESS, spnego.ACCEPTED if wrapped else b""
            return _LOGON_FAILURE, b""
        if spnego.names_ntlm(blob):
            return _MORE, spnego.answer(b"")
        return _INVALID, b""

    def _smb2(self, request: smb2.Request) -> bytes:
        short = self._machine.personality.short_error
        if request.command == smb2.NEGOTIATE:
            offer = smb2.offered(request)
            common = [number for number in self._machine.personality.dialects if number in offer.dialects]
            if not common:
                return smb2.refused(request, _UNSUPPORTED, short=short)
            return self._smb2_negotiated(request, common[-1], offer)
        if request.command == smb2.SESSION_SETUP:
            return self._smb2_session(request)
        if request.command in {smb2.LOGOFF, smb2.TREE_DISCONNECT, smb2.ECHO}:
            return smb2.done(request)
        if request.command == smb2.CANCEL:
            return b""
        return smb2.refused(request, _DENIED, short=short)

    def _smb2_negotiated(
        self, request: smb2.Request, dialect: int, offer: smb2.Offer | None, leftover: bytes = b""
    ) -> bytes:
        return smb2.negotiated(
            self._machine,
            request,
            dialect,
            offer,
            blob=self._offer(smb2=True),
            now=self._now(),
            netbios=self._service == NETBIOS,
            salt=self._random(32),
            reserved=leftover if self._machine.personality.reuses_buffer else b"",
        )

    def _smb2_session(self, request: smb2.Request) -> bytes:
        kind = self._machine.personality
        status, blob = self._authenticate(smb2.security_blob(request))
        if status not in {_SUCCESS, _MORE}:
            return smb2.refused(request, status, short=kind.short_error)
        granted = max(1, request.credits) if status == _SUCCESS or kind.early_credits else 1
        flags = _NULL_SESSION if status == _SUCCESS and not kind.samba else 0
        return smb2.session_answer(request, status, blob, granted, flags)
