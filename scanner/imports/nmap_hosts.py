"""The hosts in nmap's XML: what its tags say (nmap.dtd of nmap 7.93), host by host."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.imports.gathering import MOST
from scanner.imports.heard import address_of, port_of, transport_of
from scanner.imports.nmap_scripts import HOMES
from scanner.nmap_scripts import Script

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.model import Transport

_HOST: Final = 2
"""The depth of a host's tag."""
_TEXT: Final = 1 << 16
"""Characters of a script's text that are kept: a certificate fits."""
_TEXTS: Final = 512
"""Texts of a script that are kept."""
_PIECES: Final = 64
"""Pieces of a text that are put together; expat hands it over some KiB at a time."""
_SCRIPTS: Final = 64
"""Scripts of a port, or of a host, that are kept."""


@dataclass(slots=True)
class Port:
    """A port of a host."""

    number: int
    transport: Transport
    state: str = ""
    service: str = ""
    """What nmap takes it for: by its number alone, or because it asked."""
    scripts: list[Script] = field(default_factory=list)


@dataclass(slots=True)
class Host:
    """One host."""

    at: str
    """When its scan ended, or else began, in seconds since 1970."""
    address: str = ""
    mac: str = ""
    vendor: str = ""
    alive: bool = False
    """Whether it gave a sign of life: that nmap was told to take it for one that is up (``-Pn``) is none."""
    ports: list[Port] = field(default_factory=list)
    """Those that are open."""
    scripts: list[Script] = field(default_factory=list)


class Hosts:
    """Makes hosts of a document's tags."""

    def __init__(self) -> None:
        self.whole: list[Host] = []
        self.opened = False
        """Whether it is a document of nmap's at all."""
        self._began = ""
        self._host: Host | None = None
        self._port: Port | None = None
        self._script: _Spoken | None = None

    def start(self, name: str, attributes: Mapping[str, str], depth: int) -> None:
        """A tag opens."""
        if self._host is not None:
            self._within(self._host, name, attributes)
        elif name == "host" and depth == _HOST:
            self._host = Host(attributes.get("endtime") or attributes.get("starttime") or self._began)
        elif depth == 1:
            if name != "nmaprun":
                raise ConfigError("is no XML of nmap (-oX): it begins with <{tag}>", tag=name[:40])
            self.opened, self._began = True, attributes.get("start", "")

    def _within(self, host: Host, name: str, attributes: Mapping[str, str]) -> None:
        match name:
            case "status":
                host.alive |= attributes.get("state") == "up" and attributes.get("reason") != "user-set"
            case "address":
                _take_address(host, attributes)
            case "state" | "extraports":
                state = attributes.get("state", "")
                host.alive |= state in {"open", "closed"}
                if name == "state" and self._port is not None:
                    self._port.state = state
            case "port":
                self._port = _port(attributes)
            case "service" if self._port is not None:
                self._port.service = attributes.get("name", "")
            case "script" if attributes.get("id") in HOMES:
                if self._port is None or self._port.state == "open":
                    self._script = _Spoken(attributes["id"], attributes.get("output", ""))
            case "table" | "elem" if self._script is not None:
                self._script.enter(attributes.get("key", ""), text=name == "elem")

    def end(self, name: str, depth: int) -> None:
        """A tag closes."""
        host, port = self._host, self._port
        if host is None:
            return
        match name:
            case "elem" | "table" if self._script is not None:
                self._script.leave()
            case "script" if self._script is not None:
                scripts = host.scripts if port is None else port.scripts
                if len(scripts) < _SCRIPTS:
                    scripts.append(self._script.whole())
                self._script = None
            case "port":
                if port is not None and port.state == "open" and len(host.ports) < MOST:
                    host.ports.append(port)
                self._port = None
            case "host" if depth == _HOST:
                self.whole.append(host)
                self._host = self._port = self._script = None

    def text(self, data: str) -> None:
        """Text between tags."""
        if self._script is not None:
            self._script.hear(data)


class _Spoken:
    """A script at hand."""

    def __init__(self, name: str, output: str) -> None:
        self.name, self.output = name, output[:_TEXT]
        self._path: list[str] = []
        self._words: list[str] | None = None
        self._elements: dict[str, tuple[str, ...]] = {}
        self._texts = 0

    def enter(self, key: str, *, text: bool) -> None:
        """A table of it opens, or a text."""
        self._path.append(key[:_TEXT])
        self._words = [] if text and self._texts < _TEXTS else None

    def hear(self, data: str) -> None:
        """Some of a text."""
        if self._words is not None and len(self._words) < _PIECES:
            self._words.append(data)

    def leave(self) -> None:
        """A table closes, or a text."""
        if self._words is not None:
            path = ".".join(self._path).strip(".")
            self._elements[path] = (*self._elements.get(path, ()), "".join(self._words)[:_TEXT])
            self._texts += 1
            self._words = None
        if self._path:
            self._path.pop()

    def whole(self) -> Script:
        """The script, at its end."""
        return Script(self.name, self.output, self._elements)


def _take_address(host: Host, attributes: Mapping[str, str]) -> None:
    if attributes.get("addrtype") == "mac":
        host.mac, host.vendor = attributes.get("addr", "")[:_TEXT], attributes.get("vendor", "")[:_TEXT]
    elif not host.address:
        host.address = address_of(attributes.get("addr")) or ""


def _port(attributes: Mapping[str, str]) -> Port | None:
    number, transport = port_of(attributes.get("portid")), transport_of(attributes.get("protocol"))
    return Port(number, transport) if number and transport else None
