"""One way to write a value, and digests that say what they are of (docs/sealing.md)."""

from __future__ import annotations

import hashlib
import json
from typing import Final, TypeAlias

Plain: TypeAlias = "dict[str, Plain] | list[Plain] | str | int | bool | None"
"""What may be sealed: no floats, which other programs write otherwise."""

START: Final = "0" * 64
"""What stands for a head or a link where there is none before."""

_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, sort_keys=True, separators=(",", ":"))


def canonical(value: object) -> bytes:
    """A value as JSON in UTF-8: keys in the order of their code points, nothing that need not be there.

    Args:
        value: made of what :data:`Plain` has.
    """
    return _ENCODER.encode(value).encode()


def digest(domain: str, *parts: bytes) -> str:
    """SHA-256, in hexadecimal, of what it is for and of each part after its length (8 bytes, big-endian)."""
    whole = hashlib.sha256()
    for part in (f"vetuste-campaign-1 {domain}".encode(), *parts):
        whole.update(len(part).to_bytes(8, "big"))
        whole.update(part)
    return whole.hexdigest()
