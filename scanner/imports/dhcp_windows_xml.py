"""Leases in what ``Export-DhcpServer -Leases`` writes: XML of any size, of which only a lease is kept."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from scanner.errors import ConfigError
from scanner.imports import CutShortError
from scanner.imports.dhcp_windows import lasts_of, lease_of
from scanner.imports.guarded_xml import Document, broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scanner.imports import Source
    from scanner.imports.decoding import Text
    from scanner.imports.dhcp_leases import Lease

_OPENING: Final = re.compile(r"(?:\s|<[?!][^>]*>)*<DHCPServer\b")
_TEXT: Final = 1 << 10
"""Characters of a field that are kept."""
_FIELDS: Final = frozenset(
    {"IPAddress", "ScopeId", "ClientId", "HostName", "AddressState", "LeaseExpiryTime"}
)


def begins(beginning: str) -> bool:
    """Whether a text that begins so is the export of a DHCP server of Windows."""
    return _OPENING.match(beginning) is not None


def read(text: Text, source: Source) -> Iterator[Lease | ConfigError]:
    """Every lease of the export, as it comes.

    Raises:
        ConfigError: it is an attack; names the line.
    """
    leases = _Leases()
    document = Document(leases)
    leases.line = lambda: document.line
    try:
        for piece in text:
            if isinstance(piece, ConfigError):
                yield piece
                return
            error = broken(document, piece.encode("utf-8", "replace"))
            yield from _told(leases, source)
            if error is not None:
                yield _complaint(error, source)
                return
        error = broken(document, None)
        if error is not None:
            yield CutShortError(file=source.name, line=error.lineno)
    except ConfigError as refusal:
        raise refusal.at(source.name, document.line) from None


def _complaint(error: expat.ExpatError, source: Source) -> ConfigError:
    return ConfigError(
        "is damaged here, and what stood whole before was taken: {why}",
        file=source.name,
        line=error.lineno,
        why=expat.ErrorString(error.code),
    )


class _Leases:
    """Collects leases out of a document's tags."""

    def __init__(self) -> None:
        self.whole: list[tuple[int, dict[str, str], float | None]] = []
        """Each with the line where it ends, its fields, and for how long its scope lets addresses."""
        self.line: Callable[[], int] = int
        """Where the document is."""
        self._lasts: float | None = None
        self._fields: dict[str, str] | None = None
        self._name, self._text = "", ""

    def start(self, name: str, attributes: Mapping[str, str], depth: int) -> None:
        """A tag opens."""
        del attributes, depth  # no lease is in them
        self._name, self._text = name, ""
        if name == "Scope":
            self._lasts = None
        elif name == "Lease":
            self._fields = {}

    def end(self, name: str, depth: int) -> None:
        """A tag closes."""
        del depth
        if name == "Lease" and self._fields is not None:
            self.whole.append((self.line(), self._fields, self._lasts))
            self._fields = None
        elif name == self._name and self._fields is not None and name in _FIELDS:
            self._fields[name.lower()] = self._text.strip()
        elif name == self._name == "LeaseDuration":
            self._lasts = lasts_of(self._text)
        self._name = ""

    def text(self, data: str) -> None:
        """Text between tags."""
        if self._name and len(self._text) < _TEXT:
            self._text += data[:_TEXT]


def _told(leases: _Leases, source: Source) -> Iterator[Lease | ConfigError]:
    whole, leases.whole = leases.whole, []
    for line, fields, lasts in whole:
        try:
            yield lease_of(fields, lasts)
        except ConfigError as error:
            yield error.at(source.name, line)
