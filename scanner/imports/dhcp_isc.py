"""Leases of ISC dhcpd: ``dhcpd.leases`` and ``dhcpd6.leases`` (dhcpd.leases(5) of ISC DHCP 4.4).

Declarations, a statement a line as dhcpd writes them, or laid out in any other way. Of IPv6 the addresses are
taken (``ia-na``, ``ia-ta``), not the prefixes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.imports import CutShortError
from scanner.imports.decoding import lines_of
from scanner.imports.dhcp_leases import Lease, mac_of, moment_of, name_of
from scanner.imports.heard import demand_address

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner.imports import Source
    from scanner.imports.decoding import Line, Text

_OPENING: Final = re.compile(r"(?:\s|#.*\n)*(?:lease\s+[0-9A-Fa-f.:]+\s*\{|ia-(?:na|ta|pd)\s+\")")
_PREAMBLE: Final = re.compile(r"(?:\s|#.*\n)*(?:authoring-byte-order|server-duid|failover\s+peer)\s")
_NOTE: Final = re.compile(r"#.*dhcpd\.leases\(5\)")
"""How a file begins: with a lease, or with what dhcpd writes before them."""

_TOKEN: Final = re.compile(r'#|"(?:[^"\\]|\\.)*"|[{};]|[^\s{};"#]+|"')
_DECLARED: Final = re.compile(r"(?:lease|ia-(?:na|ta|pd))\s")
"""Where a line begins so, a declaration does: dhcpd indents what stands within one."""
_ESCAPED: Final = re.compile(rb"\\([0-7]{3}|.)", re.DOTALL)
_WORDS: Final = 16
"""Words of a statement that are looked at."""

_KEPT: Final[Mapping[tuple[str, ...], str]] = {
    ("binding", "state"): "state",
    ("cltt",): "cltt",
    ("starts",): "starts",
    ("hardware", "ethernet"): "mac",
    ("client-hostname",): "host",
    ("set", "ddns-fwd-name", "="): "name",
    ("set", "vendor-class-identifier", "="): "class",
    ("option", "vendor-class-identifier"): "class",
    ("abandoned",): "abandoned",
}
"""The statements that are read, by their first words."""


def begins(beginning: str) -> bool:
    """Whether a text that begins so is one of dhcpd's."""
    return any(form.match(beginning) for form in (_OPENING, _PREAMBLE, _NOTE))


def read(text: Text, source: Source) -> Iterator[Lease | ConfigError]:
    """Every lease of the file, as it comes."""
    declarations, broken, line = _Declarations(source), False, None
    for line in lines_of(text, source):
        broken = isinstance(line, ConfigError)
        if isinstance(line, ConfigError):
            yield line
        else:
            yield from declarations.take(line)
    if declarations.open and not broken and line is not None and not isinstance(line, ConfigError):
        yield CutShortError(file=source.name, line=line.number)


@dataclass(slots=True)
class _Open:
    """A lease whose end has not come yet."""

    line: int
    depth: int
    address: str
    said: dict[str, list[str]] = field(default_factory=dict)


class _Declarations:
    """Makes leases of lines."""

    def __init__(self, source: Source) -> None:
        self._source = source
        self._forget()

    def _forget(self) -> None:
        self._depth = 0
        self._words: list[str] = []
        self._lease: _Open | None = None
        self._shared: dict[str, list[str]] | None = None
        """What is said of all addresses of an identity association."""

    @property
    def open(self) -> bool:
        """Whether more must come."""
        return bool(self._depth or self._words)

    def take(self, line: Line) -> Iterator[Lease | ConfigError]:
        """The leases that end in a line, and what is wrong with it."""
        if self.open and _DECLARED.match(line.text):
            yield ConfigError(
                "begins before the one above has its end", file=self._source.name, line=line.number
            )
            self._forget()
        for part in _TOKEN.findall(line.text):
            if part == "#":
                return
            try:
                if part == "{":
                    self._begin(line.number)
                elif part == "}":
                    yield from self._end()
                elif part == ";":
                    self._say()
                elif part == '"' and line.ended:
                    self._forget()
                    raise ConfigError("has a text without its end")  # noqa: TRY301 - said like the others
                elif len(self._words) < _WORDS:
                    self._words.append(part)
            except ConfigError as error:
                yield error.at(self._source.name, line.number)

    def _begin(self, number: int) -> None:
        """A block begins.

        Raises:
            ConfigError: it is the lease of something that is no address; it is passed over.
        """
        words, self._words = self._words, []
        self._depth += 1
        match words:
            case ["lease", text] if self._depth == 1:
                shared: dict[str, list[str]] = {}
            case ["iaaddr", text] if self._shared is not None and self._lease is None:
                shared = self._shared
            case ["ia-na" | "ia-ta", *_] if self._depth == 1:
                self._shared = {}
                return
            case _:
                return
        address = demand_address(text, words[0])
        self._lease = _Open(number, self._depth, address, dict(shared))

    def _end(self) -> Iterator[Lease]:
        lease, self._words = self._lease, []
        if lease is not None and lease.depth == self._depth:
            self._lease = None
            self._depth -= 1
            yield _lease(lease)
        else:
            self._depth = max(0, self._depth - 1)
        if not self._depth:
            self._shared = None

    def _say(self) -> None:
        """A statement ends: it is about the lease at hand, or about all of an association."""
        words, self._words = self._words, []
        lease = self._lease
        if lease is not None and lease.depth == self._depth:
            _keep(lease.said, words)
        elif lease is None and self._shared is not None and self._depth == 1:
            _keep(self._shared, words)


def _keep(said: dict[str, list[str]], words: list[str]) -> None:
    for length in range(1, 4):
        if key := _KEPT.get(tuple(words[:length])):
            said[key] = words[length:]


def _lease(lease: _Open) -> Lease:
    """The lease that ended.

    Raises:
        ConfigError: it is held, and does not say since when.
    """
    said = lease.said
    state = "".join(said.get("state", [])[:1]) or ("active" if "mac" in said else "")  # BSD's has no states
    if state != "active" or "abandoned" in said:
        return Lease(lease.address, held=False)
    at = _moment(said.get("cltt")) or _moment(said.get("starts"))
    if at is None:
        raise ConfigError("does not say when its client was last dealt with", key=lease.address)
    host, domain = name_of(_text(said.get("host")))
    name, behind = name_of(_text(said.get("name")))
    return Lease(
        lease.address,
        held=True,
        at=at,
        mac=mac_of("".join(said.get("mac", [])[:1])),
        host=host or name,
        domain=domain or behind,
        vendor_class=_text(said.get("class")),
    )


def _moment(words: list[str] | None) -> float | None:
    """``4 2026/11/26 12:00:00`` in UTC, or ``epoch 1795694400``; None of ``never`` and of anything else."""
    match words:
        case ["epoch", seconds, *_]:
            return moment_of(seconds)
        case [_, day, time, *_]:
            return moment_of(f"{day.replace('/', '-')}T{time}")
    return None


def _text(words: list[str] | None) -> str:
    """A text in quotes, whose bytes are themselves, or a backslash and three octal digits."""
    if not words or not words[0].startswith('"'):
        return ""
    raw = words[0][1:-1].encode("utf-8", "replace")
    return _ESCAPED.sub(_byte, raw).decode("utf-8", "replace")


def _byte(escaped: re.Match[bytes]) -> bytes:
    code = escaped[1]
    return bytes([int(code, 8) & 0xFF]) if len(code) > 1 else code
