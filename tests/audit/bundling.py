"""Small bundles, and what a forger who knows the format makes of them."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from typing import TYPE_CHECKING, Any

from scanner.audit.bundle import TRAILER, Bundle, trailer
from scanner.audit.chain import Row, linked, raw_digest, segments_of
from scanner.audit.manifest import Manifest, manifest_of

if TYPE_CHECKING:
    from collections.abc import Sequence

Tables = "dict[str, list[dict[str, Any]]]"

ANSWERS = (b"\xffSMB", b"")
OBSERVATIONS: list[dict[str, Any]] = [
    {
        "id": number,
        "address": f"10.20.0.{number}",
        "evidence": {"smb.native_os": ["Windows 5.1"]},
        "raw": raw_digest(ANSWERS if number % 2 else ()),
    }
    for number in range(1, 8)
]
LEDGER: list[dict[str, Any]] = [{"scan": 1, "n": number, "probe": "smb"} for number in range(5)]


def bundled(
    observations: Sequence[dict[str, Any]] = OBSERVATIONS, *, raw: bool = False, most: int = 3
) -> bytes:
    """A bundle of a campaign with these rows, in segments of so many rows."""
    tables = (("observations", observations), ("ledger", LEDGER))
    every = [
        lines
        for table, rows in tables
        for lines in segments_of(
            table, (Row(row, ANSWERS if row.get("raw") else ()) for row in rows), most=most
        )
    ]
    segments = tuple(linked(lines.segment for lines in every))
    manifest = manifest_of({"name": "A", "closed": "2026-11-26"}, segments, "")
    stream = io.BytesIO()
    bundle = Bundle(stream, manifest, raw=raw)
    for lines in every:
        bundle.add(lines)
    bundle.finish()
    return stream.getvalue()


def unpacked(bundle: bytes) -> bytes:
    """Its tar."""
    return gzip.decompress(bundle)


def packed(tar: bytes) -> bytes:
    """A bundle around any tar, with its own checksum made right."""
    first = gzip.compress(tar, 1, mtime=0)
    return first + trailer(hashlib.sha256(first).hexdigest())


def members(bundle: bytes) -> dict[str, bytes]:
    """What tar finds in it."""
    with tarfile.open(fileobj=io.BytesIO(bundle), mode="r:gz") as tar:
        return {each.name: (tar.extractfile(each) or io.BytesIO()).read() for each in tar.getmembers()}


__all__ = [
    "ANSWERS",
    "LEDGER",
    "OBSERVATIONS",
    "TRAILER",
    "Manifest",
    "bundled",
    "members",
    "packed",
    "unpacked",
]
