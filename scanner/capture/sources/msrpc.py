"""Microsoft's RPC over TCP ([MS-RPCE] 2.2.2), on whatever port: what both ends say when they bind.

Of calls, only the one by which object exporters are asked for their version is read ([MS-DCOM] 3.1.2.5.1.6).
"""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import Hear, Side, Skip, StreamSource, Told
from scanner.errors import ProtocolError
from scanner.probes import dcerpc, msrpc, ntlm, ntlm_client, spnego

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing
    from scanner.probes import Framing

_HEADER: Final = 16
_LONGEST: Final = 1 << 14
_PATIENCE: Final = 6
"""So many fragments of one end, and it ends."""
_BINDS: Final = frozenset({dcerpc.BIND, dcerpc.ALTER})
_ANSWERS: Final = frozenset({dcerpc.BIND_ACK, dcerpc.ALTER_ANSWER})
_OF_SERVERS: Final = _ANSWERS | {dcerpc.RESPONSE}

_Evidence = dict[str, str | tuple[str, ...]]


class _Shared:
    """What a client asked, so that its server's answers can be understood."""

    def __init__(self) -> None:
        self.are_wide: tuple[bool, ...] = ()
        """For each context whether it offers the transfer syntax of 64-bit systems, and no other."""
        self.exporter = -1
        """The number of the context of the object exporter."""
        self.alive: set[int] = set()
        """Calls that ask it for its version."""


def hear(direction: Direction) -> Hearing:
    """The binds of one direction, or the answers to them."""
    shared = direction.shared.setdefault("msrpc", _Shared())
    if not isinstance(shared, _Shared):
        return
    for _ in range(_PATIENCE):
        head = yield Hear(_exactly(_HEADER))
        kind, length = head[2], int.from_bytes(head[8:10], "little")
        if head[0] != 5 or head[4:8] != b"\x10\0\0\0" or length < _HEADER:  # noqa: PLR2004 - RPC's version
            raise ProtocolError(f"not RPC: {head.hex()}")
        if not _tells(kind, int.from_bytes(head[12:], "little"), shared) or length > _LONGEST:
            yield Skip(length - _HEADER)
            continue
        message = head + (yield Hear(_exactly(length - _HEADER)))
        evidence = _answered(message, shared) if kind in _OF_SERVERS else _asked(message, shared)
        if evidence:
            yield Told(evidence, Side.SERVER if kind in _OF_SERVERS else Side.CLIENT)
        if kind == dcerpc.AUTH3 or "ntlm.challenge" in evidence:
            return


def _tells(kind: int, call: int, shared: _Shared) -> bool:
    """Whether a fragment may tell something."""
    if kind == dcerpc.REQUEST:
        return shared.exporter >= 0
    if kind == dcerpc.RESPONSE:
        return call in shared.alive
    return kind in _BINDS or kind in _ANSWERS or kind == dcerpc.AUTH3


def _asked(message: bytes, shared: _Shared) -> _Evidence:
    """What a client tells: NTLM's first or last message, if any."""
    kind, call, body, token = next(dcerpc.fragments(message))
    if kind in _BINDS:
        offers = dcerpc.parse_offers(body)
        shared.are_wide = tuple(transfers == (dcerpc.NDR64,) for _, transfers in offers)
        exporters = [number for number, (interface, _) in enumerate(offers) if interface == msrpc.EXPORTER]
        shared.exporter = exporters[0] if exporters else -1
    elif kind == dcerpc.REQUEST:
        body.skip(4)
        if (body.u16(), body.u16()) == (shared.exporter, msrpc.ALIVE) and len(shared.alive) < _PATIENCE:
            shared.alive.add(call)
        return {}
    return _token_facts(token)


def _answered(message: bytes, shared: _Shared) -> _Evidence:
    """The challenge, and that the transfer syntax of 64-bit systems was agreed; that it was not says nothing.

    Other interfaces than the mapper's may be of a 32-bit program on such a system.
    """
    kind, call, *_ = next(dcerpc.fragments(message))
    if kind == dcerpc.RESPONSE:
        return _alive(dcerpc.parse_response(message, call))
    bound = dcerpc.parse_bind_answer(message)
    evidence = _token_facts(bound.token)
    answers = zip(shared.are_wide, bound.results, strict=False)
    if any(is_wide and answer[0] == dcerpc.ACCEPTED for is_wide, answer in answers):
        evidence["msrpc.ndr64"] = "yes"
    return evidence


def _alive(stub: bytes | None) -> _Evidence:
    if stub is None:
        return {}
    exporter = msrpc.parse_server_alive(stub)
    evidence: _Evidence = {"msrpc.com_version": exporter.version}
    return evidence | {"msrpc.addresses": exporter.addresses} if exporter.addresses else evidence


def _token_facts(token: bytes) -> _Evidence:
    """What NTLM in an auth verifier tells, by itself or in SPNEGO; of a ticket, nothing."""
    with suppress(ProtocolError):
        found = spnego.ntlm_token(token) if token else None
        return {**ntlm_client.facts(found)[0]} if found else {}
    return {}


def _exactly(length: int) -> Framing:
    return lambda received: length if len(received) >= length else None


_BEGINS: Final = re.compile(rb"\x05[\x00\x01][\x0b\x0c\x0e\x0f\x10][\x00-\xff]\x10\x00\x00\x00", re.DOTALL)

_KEYS: Final = ("msrpc.ndr64", "msrpc.com_version", "msrpc.addresses", *ntlm.KEYS)

SOURCES: Final = (StreamSource("msrpc", _KEYS, _BEGINS, hear),)
