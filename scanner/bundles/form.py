"""The form of a bundle: which members it has, in which order, and how large each may be."""

from __future__ import annotations

import json
from typing import Final

FORMAT: Final = "vetuste-scan-1"
HEAD: Final = "head.json"
SUMS: Final = "SHA256SUMS"
SIGNATURE: Final = "SHA256SUMS.sig"
TABLES: Final = ("hosts", "ledger", "visits", "trips", "phantoms")
"""In the order in which they stand."""
ROWS: Final = 2000
"""Rows of a member; the last one of a table has fewer."""
SIZE: Final = 1 << 22
"""Bytes of a member after which it has fewer as well."""
LONGEST: Final = 1 << 23
"""Most bytes of a line, of a head, and of a signature's file."""
RATIO: Final = 128
"""Most bytes that a byte of the file may become; what scans say becomes ten to forty."""
FREE: Final = 1 << 20
"""Bytes that it may become in any case."""


_ENCODER: Final = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def line_of(value: object) -> bytes:
    """A value as a line: JSON in UTF-8 without spaces, keys in the order in which they are kept.

    Raises:
        ValueError: it is nothing that JSON in UTF-8 can say.
    """
    return _ENCODER.encode(value).encode() + b"\n"


def member_name(table: str, number: int) -> str:
    """The name of a table's member, counted from 1."""
    return f"{table}/{number:06}.jsonl"


def sum_line(sha256: str, name: str) -> bytes:
    """A member's line in the list of digests, as sha256sum(1) reads it."""
    return f"{sha256}  {name}\n".encode()
