"""What is taken out of SMB answers before they are kept.

Nobody logs on, so no answer names a user. What is in them: names of the machine and its domain (evidence),
its clock, its GUID, and

- the 8-byte challenge, SMB 1's or NTLM's: no evidence, and never worth keeping;
- NEGOEX messages ([MS-NEGOEX] 2.2.6) with metadata of PKU2U, issuers of certificates that can carry the
  account of a person on machines which are in no domain: their content goes, their headers stay;
- in what is not SMB at all, anything: nothing of it is kept.

Lengths stay, so that a kept answer reads as it did on the wire.
"""

from __future__ import annotations

from typing import Final

_NTLM_CHALLENGE: Final = b"NTLMSSP\0\2\0\0\0"
_NEGOEX: Final = b"NEGOEXTS"
_MAGICS: Final = (b"\xffSMB", b"\xfeSMB")
_SMB1_NEGOTIATE: Final = b"\xffSMB\x72"
_SESSION_ANSWERS: Final = (b"\x82", b"\x83", b"\x84")


def redact(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Answers without what is named above; any bytes are an answer here."""
    return tuple(_one(answer) for answer in raw)


def _one(answer: bytes) -> bytes:
    if answer[:1] in _SESSION_ANSWERS and len(answer) <= 10:  # noqa: PLR2004 - the longest, a retarget
        return answer
    start = 4
    while answer.startswith(b"\x85", start - 4):  # keep-alives
        start += 4
    if not answer.startswith(_MAGICS, start):
        return b""
    kept = bytearray(answer)
    _blank_plain_challenge(kept, start)
    at = kept.find(_NTLM_CHALLENGE)
    while at >= 0:
        _blank(kept, at + 24, at + 32)
        at = kept.find(_NTLM_CHALLENGE, at + 32)
    at = kept.find(_NEGOEX)
    while at >= 0:
        end = at + max(40, int.from_bytes(kept[at + 20 : at + 24], "little"))
        _blank(kept, at + 24, end)
        at = kept.find(_NEGOEX, at + 40)
    return bytes(kept)


def _blank_plain_challenge(kept: bytearray, start: int) -> None:
    """[MS-CIFS] 2.2.4.52.2: 17 words, then the data; with extended security a GUID is there, and stays."""
    if kept.startswith(_SMB1_NEGOTIATE, start) and kept[start + 32 : start + 33] == b"\x11":
        extended = any(flags & 0x80 for flags in kept[start + 55 : start + 56])
        if not extended:
            _blank(kept, start + 69, start + 77)


def _blank(kept: bytearray, start: int, end: int) -> None:
    end = min(end, len(kept))
    if start < end:
        kept[start:end] = bytes(end - start)
