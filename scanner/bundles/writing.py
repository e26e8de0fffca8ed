"""Writing a bundle: member by member, in little memory; the same scan gives the same bytes."""

from __future__ import annotations

import base64
import hashlib
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from scanner.audit.bundle import END, filling, header, trailer
from scanner.bundles.form import HEAD, ROWS, SIGNATURE, SIZE, SUMS, line_of, member_name, sum_line
from scanner.bundles.heads import head_said
from scanner.inventory.giving import given_rows, head_of_scan

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from scanner.inventory import Inventory
    from scanner.inventory.giving import Head

_GZIP: Final = 31
"""Of zlib: a gzip header without name and time, and a window of 32 KiB."""


def write_bundle(
    inventory: Inventory, scan: int, stream: BinaryIO, sign: Callable[[bytes], bytes] | None = None
) -> Head:
    """Write a scan that has ended; gives its head.

    Args:
        inventory: where the scan is.
        scan: its id.
        stream: where to.
        sign: makes a signature over the list of digests; None: the bundle is unsigned.

    Raises:
        ConfigError: there is no such scan, or it is running.
        InventoryError: the inventory cannot be read.
        OSError: the stream cannot be written.
    """
    head = head_of_scan(inventory, scan)
    writer = _Writer(stream)
    writer.member(HEAD, line_of(head_said(head)))
    for name, content in _members(given_rows(inventory, scan)):
        writer.member(name, content)
    sums = writer.sums
    writer.member(SUMS, sums)
    if sign is not None:
        writer.member(SIGNATURE, sign(sums))
    writer.finish()
    return head


def _members(rows: Iterable[tuple[str, dict[str, Any]]]) -> Iterator[tuple[str, bytes]]:
    """Rows as the contents of members."""
    name, number, lines, size = "", 0, [], 0  # type: ignore[var-annotated]
    for table, row in rows:
        if table != name or len(lines) >= ROWS or size >= SIZE:
            if lines:
                yield member_name(name, number), b"".join(lines)
            name, number, lines, size = table, number + 1 if table == name else 1, [], 0
        lines.append(_line(row))
        size += len(lines[-1])
    if lines:
        yield member_name(name, number), b"".join(lines)


def _line(row: dict[str, Any]) -> bytes:
    for seen in row.get("seen", ()):
        seen["raw"] = [base64.b64encode(answer).decode() for answer in seen["raw"]]
    return line_of(row)


class _Writer:
    """A bundle being written."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self._sha256 = stream, hashlib.sha256()
        self._deflating = zlib.compressobj(3, zlib.DEFLATED, _GZIP)
        self.sums = b""
        """A line a member that was written."""

    def member(self, name: str, content: bytes) -> None:
        """Write one."""
        for part in (header(name, len(content)), content, filling(len(content))):
            self._put(self._deflating.compress(part))
        self.sums += sum_line(hashlib.sha256(content).hexdigest(), name)

    def finish(self) -> None:
        """Write the end."""
        self._put(self._deflating.compress(END) + self._deflating.flush())
        self._put(trailer(self._sha256.hexdigest()))

    def _put(self, content: bytes) -> None:
        self._sha256.update(content)
        self._stream.write(content)
