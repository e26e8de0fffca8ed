"""The SSH probe: identification, algorithms, and the host key that a key exchange shows ([RFC 4253]).

The exchange is begun with a public value that is the same for everybody, so no key comes of it. The answer
holds the host key in clear ([RFC 4253] section 8, [RFC 5656] section 4, [RFC 8731] section 3); there the
conversation ends, before anything is encrypted and before anybody is named.
"""

from __future__ import annotations

import hashlib
import re
import struct
from binascii import b2a_base64
from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, lines
from scanner.wire import Reader, printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from scanner.probes import Conversation, Peer

KEYS: Final = ("ssh.protocol", "ssh.banner", "ssh.kex", "ssh.hostkeys", "ssh.ciphers", "ssh.hostkey")

_OURS: Final = b"SSH-2.0-vetuste\r\n"
_LONGEST_LINE: Final = 255
_LONGEST_GREETING: Final = 4096
_IDENTIFICATION: Final = re.compile(r"SSH-([^-\s]+)-(.*)")
_NOISE: Final = re.compile(rb"[\0-\x08\x0e-\x1a]")
_SPEAKS_2: Final = ("2.0", "1.99")

_HEAD: Final = struct.Struct(">IBB")
"""A packet's length, the length of its padding, and the number of the message in it."""
_SHORTEST_PACKET: Final = 12
_LONGEST_PACKET: Final = 35000
_NOT_TOLD: Final = (2, 3, 4)
"""SSH_MSG_IGNORE, UNIMPLEMENTED and DEBUG may come at any time ([RFC 4253] section 11)."""
_KEXINIT: Final = 20
_KEX_INIT: Final = 30
_KEX_REPLY: Final = 31
_LISTS: Final = 10
_LONGEST_NAME: Final = 64
"""[RFC 4251] section 6."""
_NAMES: Final = 64
"""Most names of a list that are kept."""

_CURVE25519: Final = b"\x09" + bytes(31)
_P256: Final = bytes.fromhex(
    "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
    "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
)
_EXCHANGES: Final = {
    "curve25519-sha256": _CURVE25519,
    "curve25519-sha256@libssh.org": _CURVE25519,
    "ecdh-sha2-nistp256": _P256,
    "diffie-hellman-group14-sha256": b"\x55" * 256,
    "diffie-hellman-group14-sha1": b"\x55" * 256,
    "diffie-hellman-group1-sha1": b"\x55" * 128,
}
"""The key exchanges that are begun, the cheapest for a server first, and our public value: the base point of
the curve ([RFC 7748] 4.1, [SEC 2] 2.4.2), or a number below the group's prime ([RFC 4253] section 8)."""
_HOST_KEYS: Final = (
    "ssh-ed25519", "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521", "rsa-sha2-512",
    "rsa-sha2-256", "ssh-rsa", "ssh-dss",
)  # fmt: skip
"""Always in this order, so that a host shows the same key each time."""


def identification(received: bytes) -> int | None:
    """The framing of the first line that begins with ``SSH-``, with what comes before it ([RFC 4253] 4.2)."""
    start = 0
    while (end := received.find(b"\n", start)) >= 0:
        if received.startswith(b"SSH-", start):
            return end + 1
        start = end + 1
    identifies = received.startswith(b"SSH-", start)
    if len(received) > (start + _LONGEST_LINE if identifies else _LONGEST_GREETING) or _NOISE.search(
        received
    ):
        raise ProtocolError(f"not an SSH identification: {lines.text(received[:40])!r}")
    return None


def packet(received: bytes) -> int | None:
    """The framing of a packet in clear, with those before it that need no answer ([RFC 4253] section 6)."""
    start = 0
    while len(received) >= start + _HEAD.size:
        length: int
        length, padding, kind = _HEAD.unpack_from(received, start)
        if not _SHORTEST_PACKET <= length <= _LONGEST_PACKET or padding + 2 > length:
            raise ProtocolError(f"not an SSH packet: {received[start : start + 16].hex()}")
        start += 4 + length
        if len(received) >= start and kind not in _NOT_TOLD:
            return start
    return None


def converse(_peer: Peer) -> Conversation:
    """The server speaks first; one that speaks only SSH 1 is asked nothing."""
    protocol, banner = parse_identification((yield Send(b"", identification)))
    yield Learnt({"ssh.protocol": protocol, **({"ssh.banner": banner} if banner else {})})
    if protocol not in _SPEAKS_2:
        return
    offered = parse_kexinit((yield Send(_OURS, packet)))
    kex, host_keys, _, ciphers, *_ = offered
    told = {"ssh.kex": kex, "ssh.hostkeys": host_keys, "ssh.ciphers": ciphers}
    if any(told.values()):
        yield Learnt({key: names for key, names in told.items() if names})
    exchange = next((name for name in _EXCHANGES if name in kex), None)
    host_key = shown(host_keys)
    if exchange and host_key:
        request = _kexinit(exchange, host_key, offered[2:8]) + _wrap(_KEX_INIT, _string(_EXCHANGES[exchange]))
        yield Learnt({"ssh.hostkey": parse_host_key((yield Send(request, packet)))})


def shown(host_keys: Sequence[str]) -> str:
    """The host key that is asked for where a server has these; empty: none that is known."""
    return next((name for name in _HOST_KEYS if name in host_keys), "")


def parse_identification(said: bytes) -> tuple[str, str]:
    """The protocol's version, and the software's with its comment ([RFC 4253] 4.2).

    Raises:
        ProtocolError: it has another form.
    """
    text = lines.text(said[said.rfind(b"\n", 0, -1) + 1 :])
    match = _IDENTIFICATION.fullmatch(text)
    if match is None:
        raise ProtocolError(f"not an SSH identification: {text[:40]!r}")
    return match[1], match[2]


def parse_kexinit(message: bytes) -> tuple[tuple[str, ...], ...]:
    """The ten lists of what a server can ([RFC 4253] 7.1).

    Raises:
        ProtocolError: it is something else.
    """
    reader = _payload(message, _KEXINIT)
    reader.skip(16)
    return tuple(tuple(_names(_read_string(reader).rest())) for _ in range(_LISTS))


def parse_host_key(message: bytes, wanted: int = _KEX_REPLY) -> str:
    """The host key of an answer to a key exchange, as ``ssh-keygen -l`` shows it ([RFC 4253] section 8, 6.6).

    Args:
        message: the packet, with those before it that tell nothing.
        wanted: the number that the answer has; where the group was asked for first, another ([RFC 4419] 3).

    Raises:
        ProtocolError: it is something else.
    """
    key = _read_string(_payload(message, wanted)).rest()
    kind = lines.text(_read_string(Reader(key)).rest())[:_LONGEST_NAME]
    digest = b2a_base64(hashlib.sha256(key).digest(), newline=False).decode().rstrip("=")
    return f"{kind} SHA256:{digest}"


def _payload(message: bytes, wanted: int) -> Reader:
    """What the last packet of a message says, behind its number."""
    reader = Reader(message)
    while True:
        length, padding = reader.u32be(), reader.u8()
        content = Reader(reader.bytes(length - 1 - padding))
        reader.skip(padding)
        if not reader.remaining:
            break
    kind = content.u8()
    if kind != wanted:
        raise ProtocolError(f"SSH message {kind} where {wanted} belongs: {lines.text(content.rest()[:60])!r}")
    return content


def _read_string(reader: Reader) -> Reader:
    """[RFC 4251] section 5."""
    return Reader(reader.bytes(reader.u32be()))


def _names(raw: bytes) -> Iterable[str]:
    names = raw.decode("latin-1").split(",", _NAMES)[:_NAMES]
    return (printable(name, _LONGEST_NAME) for name in names if name)


def _kexinit(exchange: str, host_key: str, others: Sequence[Sequence[str]]) -> bytes:
    """Our lists: one name each. The first that the server prefers do for what will never be used."""
    chosen = [exchange, host_key, *(next(filter(str.isascii, names), "") for names in others), "", ""]
    return _wrap(_KEXINIT, bytes(16) + b"".join(_string(name.encode("ascii")) for name in chosen) + bytes(5))


def _string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _wrap(kind: int, content: bytes) -> bytes:
    """A packet, padded to eight bytes with four at least ([RFC 4253] section 6)."""
    padding = 4 + -(len(content) + 10) % 8
    return _HEAD.pack(len(content) + 2 + padding, padding, kind) + content + bytes(padding)


PROBE: Final = Probe(
    "ssh",
    Transport.TCP,
    (22, 2222),
    KEYS,
    converse,
    rank=34,
    exchanges=3,
    hears=_LONGEST_PACKET + 512,
    logs=(
        "That somebody connected and left before logging on: OpenSSH writes Connection closed by, with the "
        "address and [preauth], at LogLevel INFO (sshd_config(5)); others write a line like it. Nobody is "
        "named, so no account is locked."
    ),
    trouble=(
        "OpenSSH from 9.8 on refuses an address for a while that comes back many times without logging on "
        "(PerSourcePenalties, sshd_config(5)): the scanner's, and one visit is not enough. Cisco devices of "
        "2002 stopped when scanners tried a flaw of SSH 1, CRC-32 (Cisco advisory Scanning for SSH Can Cause "
        "a Crash, CSCdw33027); here nothing is said in SSH 1."
    ),
)
