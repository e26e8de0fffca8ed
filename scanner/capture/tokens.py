"""NTLM inside of what a source heard: whatever carries it, a message begins with a name ([MS-NLMP] 2.2.1)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture.telling import Side, Told
from scanner.errors import ProtocolError
from scanner.probes import ntlm, ntlm_client

if TYPE_CHECKING:
    from collections.abc import Iterator

_SIGNATURE: Final = b"NTLMSSP\0"
KEYS: Final = tuple(dict.fromkeys((*ntlm.KEYS, *ntlm_client.KEYS)))
"""The evidence keys of what is told."""


def told(token: bytes) -> Iterator[Told]:
    """What a message of NTLM, bare or with something around it, says of who sent it; of others, nothing.

    Who asks to be logged on is never among it.
    """
    start = token.find(_SIGNATURE)
    if start < 0:
        return
    try:
        evidence, is_server = ntlm_client.facts(token[start:])
    except ProtocolError:
        return
    if evidence:
        yield Told(evidence, Side.SERVER if is_server else Side.CLIENT)
