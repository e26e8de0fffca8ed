"""SMB in either direction: file servers answer who they are, and clients say who asks.

Which end speaks is in every message, so that one direction tells by itself, from its middle on as well. It
ends with the session's setup, or when some messages told nothing.
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.capture import netbios_names
from scanner.capture.telling import Hear, Side, Skip, StreamSource, Told
from scanner.errors import ProtocolError
from scanner.probes import ntlm_client, smb, smb1, smb2, smb_client, spnego
from scanner.wire import Reader, printable

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from scanner.capture.telling import Direction, Hearing
    from scanner.probes import Framing

_MESSAGE: Final = 0x00
_REQUEST: Final = 0x81
_POSITIVE: Final = 0x82
_KEEP_ALIVE: Final = 0x85
_SESSION: Final = 4
"""Bytes of the session service's header ([RFC 1002] 4.3.1)."""
_HEAD: Final = 32
"""As many bytes of every message are looked at: the header of SMB 1, and of SMB 2 the part that matters."""
_LONGEST: Final = 1 << 15
"""A session setup with a ticket of Kerberos stays below; what is longer is passed over."""
_NAMES: Final = 68
"""Two names without a scope."""
_PATIENCE: Final = 8
"""So many messages that tell nothing, one after the other, and it ends."""

_LANMAN_WORDS: Final = 13
"""Of an answer in a dialect before NT's ([MS-CIFS] 2.2.4.52.2), which tells little more."""
_SMB1_NEGOTIATE: Final = 0x72
_SMB1_SETUP: Final = 0x73
_DIALECTS: Final = "smb.dialects"
_CALLED: Final = "netbios.called"

_Evidence = dict[str, str | tuple[str, ...]]


class _Learnt(NamedTuple):
    """What one message told."""

    evidence: _Evidence
    is_last: bool = False
    """Whether nothing more is to be learnt of this end."""


_NOTHING: Final = _Learnt({})


def hear(direction: Direction) -> Hearing:
    """Every message of a direction, until there is nothing more to learn."""
    patience = _PATIENCE
    while patience:
        head = yield Hear(_exactly(_SESSION))
        length = int.from_bytes(head[1:])
        if head[0] == _MESSAGE and length > _HEAD:
            start = yield Hear(_exactly(_HEAD))
            read = _reading(start)
            if read is None or length > _LONGEST:
                yield Skip(length - _HEAD)
                patience -= 1
                continue
            side, parse = read
            learnt = parse(start + (yield Hear(_exactly(length - _HEAD))), direction)
            evidence = {key: value for key, value in learnt.evidence.items() if value}
            if evidence:
                yield Told(evidence, side)
            if learnt.is_last:
                return
        elif not (yield from _session(head[0], length, direction)):
            return
        patience -= 1


def _session(kind: int, length: int, direction: Direction) -> Generator[Hear | Skip | Told, bytes, bool]:
    """A packet of the session service that is no message; whether more may follow."""
    if kind == _REQUEST and length >= _NAMES:
        reader = Reader((yield Hear(_exactly(length), _LONGEST)))
        called, caller = netbios_names.encoded(reader), netbios_names.encoded(reader)
        direction.shared[_CALLED] = netbios_names.of_sender(called)
        if names := netbios_names.of_sender(caller):
            yield Told(names, Side.CLIENT)
        return True
    if kind == _POSITIVE and not length:
        called_name = direction.shared.get(_CALLED)
        if isinstance(called_name, dict) and called_name:
            yield Told(called_name, Side.SERVER)
        return True
    return kind == _KEEP_ALIVE and not length


def _reading(start: bytes) -> tuple[Side, Callable[[bytes, Direction], _Learnt]] | None:
    """Who sends a message that begins so, and what reads it; None: it tells nothing.

    Raises:
        ProtocolError: it is none, or encrypted or compressed, as all that follows will be.
    """
    if start.startswith(smb1.MAGIC):
        command, is_reply = start[4], bool(start[9] & 0x80)
    elif start.startswith(smb2.MAGIC):
        command, is_reply = -1 - int.from_bytes(start[12:14], "little"), bool(start[16] & 1)
    else:
        raise ProtocolError(f"not SMB: {start[:4].hex()}")
    read = _ANSWERS.get(command) if is_reply else _REQUESTS.get(command)
    return None if read is None else (Side.SERVER if is_reply else Side.CLIENT, read)


def _smb1_answer(message: bytes, direction: Direction) -> _Learnt:
    if message[_HEAD] == _LANMAN_WORDS:
        return _Learnt({"smb.smb1": "yes"})
    negotiated = smb1.parse_negotiate(message)
    if negotiated is None:
        return _Learnt({}, is_last=True)
    evidence = smb.smb1_facts(negotiated)
    if not negotiated.extended:
        evidence["smb.security"] = ""  # the client may not have asked for more
    offered = direction.shared.get(_DIALECTS)
    if isinstance(offered, tuple):
        named = offered[negotiated.dialect_index :][:1]
        evidence["smb.dialect"] = printable(named[0]) if named and isinstance(named[0], str) else ""
    return _Learnt(evidence)


def _smb1_set_up(message: bytes, _direction: Direction) -> _Learnt:
    setup = smb1.parse_session_setup(message)
    evidence = smb.setup_facts(setup) | _token_facts(setup.blob)
    return _Learnt(evidence, is_last=bool(evidence["smb.native_os"]))


def _smb2_answer(message: bytes, direction: Direction) -> _Learnt:
    """A server agrees to what its client can: a dialect tells the server's age where more was offered."""
    negotiated = smb2.parse_negotiate(message)
    evidence = smb.host_facts(negotiated)
    offered = direction.shared.get(_DIALECTS)
    newest = max(smb2.DIALECTS)
    is_own = isinstance(offered, tuple) and newest in offered
    if negotiated.dialect == newest or (is_own and negotiated.dialect != smb2.WILDCARD):
        evidence |= smb.dialect_facts(negotiated)
    return _Learnt(evidence)


def _smb2_set_up(message: bytes, _direction: Direction) -> _Learnt:
    setup = smb2.parse_session_setup(message)
    return _Learnt(_token_facts(setup.blob), is_last=not setup.pending)


def _smb1_offer(message: bytes, direction: Direction) -> _Learnt:
    direction.shared[_DIALECTS] = smb_client.parse_dialects(message)
    return _NOTHING


def _smb1_setting_up(message: bytes, _direction: Direction) -> _Learnt:
    setup = smb_client.parse_session_setup(message)
    evidence: _Evidence = {"smb.native_os": setup.native_os, "smb.native_lm": setup.native_lm}
    return _Learnt(evidence | _token_facts(setup.blob), is_last=not _goes_on(setup.blob))


def _smb2_offer(message: bytes, direction: Direction) -> _Learnt:
    direction.shared[_DIALECTS] = smb_client.parse_smb2_dialects(message)
    return _NOTHING


def _smb2_setting_up(message: bytes, _direction: Direction) -> _Learnt:
    blob = smb_client.parse_smb2_setup(message)
    return _Learnt(_token_facts(blob), is_last=not _goes_on(blob))


def _token_facts(blob: bytes) -> _Evidence:
    """What NTLM in a security token tells; of a ticket, or of what is neither, nothing."""
    with suppress(ProtocolError):
        token = spnego.ntlm_token(blob) if blob else None
        return {**ntlm_client.facts(token)[0]} if token else {}
    return {}


def _goes_on(blob: bytes) -> bool:
    """Whether the client has more to say: NTLM takes two messages, and it may follow an offer of others."""
    with suppress(ProtocolError):
        token = spnego.ntlm_token(blob) if blob else None
        return bool(blob) and (token is None or token[8:9] == b"\1")
    return False


_ANSWERS: Final[Mapping[int, Callable[[bytes, Direction], _Learnt]]] = {
    _SMB1_NEGOTIATE: _smb1_answer,
    _SMB1_SETUP: _smb1_set_up,
    -1: _smb2_answer,
    -2: _smb2_set_up,
}
_REQUESTS: Final[Mapping[int, Callable[[bytes, Direction], _Learnt]]] = {
    _SMB1_NEGOTIATE: _smb1_offer,
    _SMB1_SETUP: _smb1_setting_up,
    -1: _smb2_offer,
    -2: _smb2_setting_up,
}
"""By the command of SMB 1; those of SMB 2 are counted downwards from -1."""


def _exactly(length: int) -> Framing:
    return lambda received: length if len(received) >= length else None


_BEGINS: Final = re.compile(
    rb"\x00[\x00-\xff]{3}[\xfe\xff]SMB|\x81\x00[\x00-\xff]{2}\x20[A-P]{32}", re.DOTALL
)
_ON_ITS_PORTS: Final = re.compile(
    rb"\x82\x00\x00\x00(?:\x00|\Z)|\x85\x00\x00\x00|\x00[\x00-\xff]{0,6}\Z", re.DOTALL
)
"""What looks like much else: the header by itself, and what the session service sends before SMB."""

SOURCES: Final = (
    StreamSource("smb", smb.KEYS, _BEGINS, hear),
    StreamSource("smb", smb.KEYS, _ON_ITS_PORTS, hear, (smb.DIRECT, smb.NETBIOS)),
)
