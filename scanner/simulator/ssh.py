"""SSH as servers begin it ([RFC 4253] 4.2, 7.1), up to the host key; what follows is not simulated.

A host key is bytes of the machine's own, of Ed25519 where that is offered and else of RSA, whatever was
agreed on; the signature beside it is none: who checks it turns away, who only asks for the key has it.
"""

from __future__ import annotations

import hashlib
import struct
from typing import Final

from scanner.simulator.answers import End
from scanner.simulator.personalities import algorithms
from scanner.simulator.speaker import Speaker

_KEXINIT, _NEWKEYS, _KEX_INIT, _KEX_REPLY = 20, 21, 30, 31
_LISTS: Final = ("kex", "host_key", "cipher", "cipher", "mac", "mac", "compression", "compression")
"""The name-lists of a KEXINIT before those of languages, by their keys in ``personalities.toml``."""
_ED25519: Final = "ssh-ed25519"
_RSA: Final = "ssh-rsa"
_SHARES: Final = {32: 32, 1190: 1071}
"""The sizes of what a client sends and a server answers: curve 25519, and sntrup761 before it."""


def _string(content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + content


def _packet(payload: bytes) -> bytes:
    """A binary packet before any key ([RFC 4253] 6): whole blocks of 8, at least 4 bytes of padding."""
    padding = 4 + (-len(payload) - 9) % 8
    return struct.pack(">IB", 1 + len(payload) + padding, padding) + payload + bytes(padding)


class Ssh(Speaker):
    """A server on port 22."""

    _identified: bool = False

    def greeting(self) -> bytes:
        """The identification, its line end included."""
        return self._situation.machine.personality.ssh.encode("ascii")

    def length(self, data: bytes) -> int:
        """A line, then packets."""
        if not self._identified:
            return data.find(b"\n") + 1
        return 4 + int.from_bytes(data[:4], "big") if len(data) >= 4 else 0  # noqa: PLR2004 - packet_length

    def answer(self, message: bytes) -> bytes:
        """What is said to the client's identification, or to a packet."""
        if not self._identified:
            self._identified = message.startswith(b"SSH-")
            self.end = End.OPEN if self._identified else End.CLOSE
            return _packet(self._offer()) if self._identified else b"Protocol mismatch.\n"
        kind, size = message[5:6], int.from_bytes(message[6:10], "big")
        if kind == bytes((_KEXINIT,)):
            return b""
        if kind == bytes((_KEX_INIT,)) and size == len(share := message[10 : 10 + size]):
            return _packet(self._reply(share)) + _packet(bytes((_NEWKEYS,)))
        self.end = End.CLOSE
        return b""

    def _offer(self) -> bytes:
        lists = algorithms(self._situation.machine.personality.kexinit)
        offered = b"".join(_string(lists[name].encode("ascii")) for name in _LISTS)
        return bytes((_KEXINIT,)) + self._situation.random(16) + offered + _string(b"") * 2 + bytes(5)

    def _reply(self, share: bytes) -> bytes:
        """SSH_MSG_KEXDH_REPLY ([RFC 4253] 8), which elliptic curves have as well ([RFC 5656] 4)."""
        machine, random = self._situation.machine, self._situation.random
        own = hashlib.shake_128(machine.guid).digest(256)
        modern = _ED25519 in algorithms(machine.personality.kexinit)["host_key"]
        name = _string((_ED25519 if modern else _RSA).encode("ascii"))
        # [RFC 8709] 4, or [RFC 4253] 6.6: an exponent, and a modulus that is positive and odd.
        key = _string(own[:32]) if modern else _string(b"\1\0\1") + _string(b"\0\xc1" + own[2:] + b"\1")
        # Other shares than these have a form: the client's own has it too.
        answered = random(_SHARES[len(share)]) if len(share) in _SHARES else share
        signature = _string(random(64 if modern else 256))
        return bytes((_KEX_REPLY,)) + _string(name + key) + _string(answered) + _string(name + signature)
