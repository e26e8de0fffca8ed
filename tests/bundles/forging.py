"""What a forger who knows the format makes of a bundle: everything about it right but what it says."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import tarfile
from typing import TYPE_CHECKING, Any

from scanner.audit.bundle import END, filling, header, trailer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Member = tuple[str, bytes]


def members(bundle: bytes) -> list[Member]:
    """What tar finds in it."""
    with tarfile.open(fileobj=io.BytesIO(bundle), mode="r:gz") as tar:
        return [(each.name, (tar.extractfile(each) or io.BytesIO()).read()) for each in tar.getmembers()]


def packed(tar: bytes) -> bytes:
    """A bundle around any tar, with the checksum at its end made right."""
    first = gzip.compress(tar, 6, mtime=0)
    return first + trailer(hashlib.sha256(first).hexdigest())


def tarred(parts: Iterable[Member]) -> bytes:
    return b"".join(header(name, len(body)) + body + filling(len(body)) for name, body in parts) + END


def forged(parts: Iterable[Member], *, signature: bytes = b"") -> bytes:
    """A bundle of these members, with the right list of digests."""
    kept = [(name, body) for name, body in parts if not name.startswith("SHA256SUMS")]
    sums = b"".join(f"{hashlib.sha256(body).hexdigest()}  {name}\n".encode() for name, body in kept)
    more = [("SHA256SUMS.sig", signature)] if signature else []
    return packed(tarred([*kept, ("SHA256SUMS", sums), *more]))


def line(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def edited(bundle: bytes, table: str, change: Callable[[Any], Any]) -> bytes:
    """The same bundle with something else said in the first line of a table (or in the head)."""
    name = "head.json" if table == "head" else f"{table}/000001.jsonl"
    parts = []
    for member, body in members(bundle):
        if member == name:
            first, _, rest = body.partition(b"\n")
            value = json.loads(first)
            given = change(value)
            parts.append((member, line(value if given is None else given) + rest))
        else:
            parts.append((member, body))
    return forged(parts)
