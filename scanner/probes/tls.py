"""The TLS probe: version, cipher and certificate of whatever speaks TLS; the handshake is left there.

A ClientHello of ours asks first (``tls_hello``). Where it is refused, a second connection asks as old
clients do or, where the server wants TLS 1.3 alone, shakes hands in earnest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.errors import LimitError, PeerClosedError, ProbeError, ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Reconnect, Secure, Send, tls_hello, x509

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from scanner.probes import Conversation, Peer, Step

KEYS: Final = ("tls.cipher", *x509.KEYS)
"""The evidence keys of :func:`agree`, besides the one for the version."""
_HUNG_UP: Final = tls_hello.Refusal(0, -1)


def agree(version_key: str, begin: Callable[[], Conversation]) -> Conversation:
    """Learn what TLS tells on this connection; where that is refused, ask in another way on a second one.

    Args:
        version_key: the evidence key of the version.
        begin: what a new connection begins with.

    Raises:
        ProtocolError, PeerClosedError: there is no TLS, or none that could be agreed to.
    """
    refused = yield from ask(version_key, tls_hello.HELLO)
    if refused is None:
        return
    try:
        yield Reconnect()
    except LimitError:
        raise _error(refused) from None
    yield from begin()
    if refused.is_modern:
        yield from secure(version_key)
    else:
        yield from ask_once(version_key, tls_hello.OLD_HELLO)


def ask_once(version_key: str, hello: bytes = tls_hello.HELLO) -> Conversation:
    """Learn what TLS tells on this connection, or fail.

    Raises:
        ProtocolError, PeerClosedError: there is no TLS, or none that could be agreed to.
    """
    refused = yield from ask(version_key, hello)
    if refused is not None:
        raise _error(refused)


def ask(version_key: str, hello: bytes) -> Generator[Step, bytes, tls_hello.Refusal | None]:
    """Say a ClientHello, and learn what is answered; how the server refuses, where it does."""
    try:
        said, refused = tls_hello.read((yield Send(hello, tls_hello.framing(tls_hello.hello_is_whole))))
    except PeerClosedError:
        return _HUNG_UP
    if refused is not None:
        return refused
    agreed = tls_hello.parse_hello(said)
    yield Learnt({version_key: agreed.versions, "tls.cipher": agreed.cipher})
    certificate = tls_hello.certificate(said)
    if certificate is None:
        rest = yield Send(b"", tls_hello.framing(tls_hello.certificate_is_whole, said))
        more, refused = tls_hello.read(rest)
        if refused is not None:
            raise _error(refused)
        certificate = tls_hello.certificate(said + more)
    if certificate:
        yield Learnt(x509.facts(certificate))
    return None


def secure(version_key: str) -> Conversation:
    """Begin TLS in earnest, and learn the version and the certificate."""
    answer = yield Secure()
    version = tls_hello.VERSIONS.get(int.from_bytes(answer[:2], "big"))
    learnt = {**({version_key: (version,)} if version else {}), **x509.facts(answer[2:])}
    if learnt:
        yield Learnt(learnt)


def _error(refused: tls_hello.Refusal) -> ProbeError:
    if refused == _HUNG_UP:
        return PeerClosedError()
    return ProtocolError(f"TLS is refused with alert {refused.alert}")


def redact(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Answers without certificates, which are long and may name people: what they tell is evidence."""
    return tuple(map(redacted, raw))


def redacted(answer: bytes) -> bytes:
    """One answer: a ServerHello and no more, an alert, or the version that ``Secure`` tells."""
    kind, message = answer[:2], answer[5:6]
    if kind == b"\x16\x03" and message == b"\x02":
        return answer[: 9 + min(int.from_bytes(answer[6:9], "big"), tls_hello.LONGEST_HELLO)]
    return answer[: {b"\x15\x03": 7}.get(kind, 2 if answer[:1] == b"\x03" else 0)]


def _begin() -> Conversation:
    """On ports where TLS begins at once, nothing goes before."""
    yield from ()


def converse(_peer: Peer) -> Conversation:
    """The conversation with one host: TLS begins with the connection."""
    yield from agree("tls.version", _begin)


PROBE: Final = Probe(
    "tls",
    Transport.TCP,
    (443, 8443, 636, 993, 5986),
    ("tls.version", *KEYS),
    converse,
    rank=42,
    exchanges=3,
    connections=2,
    size=512,  # 246: both hellos
    hears=1 << 16,
    logs=(
        "A connection whose handshake was not finished: most web and mail servers log it for information "
        "(nginx: error_log at level info), Windows perhaps as event 36874 or 36888 of Schannel in the system "
        "log, depending on EventLogging (Microsoft: KB 260729)."
    ),
    trouble=(
        "None with what is sent. Some servers hang over a first message of 256 to 511 bytes (RFC 7685); here "
        "it has less than 256. HP's iLO 1 and 2 hung when they were scanned for Heartbleed (HP, April 2014); "
        "here no heartbeat is ever sent."
    ),
    redact=redact,
)
