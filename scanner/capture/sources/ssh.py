"""SSH: both ends name their software; a server goes on with what it can, and its key ([RFC 4253])."""

from __future__ import annotations

import re
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.errors import ProtocolError
from scanner.probes import ssh

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing

_SPEAKS_2: Final = ("2.0", "1.99")
_REPLIES: Final = (31, 33)
"""SSH_MSG_KEXDH_REPLY, which is that of curves too ([RFC 5656] 7.1), and SSH_MSG_KEX_DH_GEX_REPLY. The former
number is also that of a group ([RFC 4419] section 5), which comes before the latter and has no key in it."""
_RSA: Final = "ssh-rsa"
_SIGNED: Final = re.compile(r"rsa-sha2-\d{3}")
"""Ways to sign with a key of RSA ([RFC 8332] section 3)."""


def hear(direction: Direction) -> Hearing:
    """The identification of either end, and a server's algorithms and key."""
    protocol, software = ssh.parse_identification((yield Hear(ssh.identification)))
    yield Told({"ssh.protocol": protocol, "ssh.banner": software}, direction.side)
    if direction.side is Side.CLIENT or protocol not in _SPEAKS_2:
        return
    kex, host_keys, _, ciphers, *_ = ssh.parse_kexinit((yield Hear(ssh.packet)))
    told = {"ssh.kex": kex, "ssh.hostkeys": host_keys, "ssh.ciphers": ciphers}
    yield Told({key: names for key, names in told.items() if names})
    for _ in _REPLIES:
        key = host_key((yield Hear(ssh.packet)), _SIGNED.sub(_RSA, ssh.shown(host_keys)))
        if key:
            yield Told({"ssh.hostkey": key})
            return


def host_key(message: bytes, kind: str) -> str:
    """The host key in an answer to a key exchange, where it is of the kind that the probe is shown.

    A server has several keys, and shows each client the kind that it asks for: a machine is known by one.
    """
    for wanted in _REPLIES:
        with suppress(ProtocolError):
            found = ssh.parse_host_key(message, wanted)
            return found if found.partition(" ")[0] == kind else ""
    return ""


KEYS: Final = ssh.KEYS
SOURCES: Final = (StreamSource("ssh", KEYS, re.compile(rb"SSH-[12]\."), hear),)
