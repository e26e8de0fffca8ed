"""``import nmap``: nmap's XML (``-oX``), of any size, read as it comes; nothing but the host at hand is kept.

What nmap concludes (products, systems, CPE names) is not taken: only what a host said, to scripts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from scanner.errors import ConfigError
from scanner.imports import CutShortError, Format
from scanner.imports.guarded_xml import Document, broken
from scanner.imports.nmap_evidence import heard
from scanner.imports.nmap_hosts import Hosts
from scanner.imports.streams import chunks
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.imports import Source
    from scanner.model import Observation


def read(source: Source) -> Iterator[Observation | ConfigError]:
    """What every host of the file said, as it comes.

    Raises:
        ConfigError: it is no XML of nmap, or an attack; names the line.
    """
    hosts = Hosts()
    document = Document(hosts)
    try:
        for chunk in chunks(source):
            if isinstance(chunk, ConfigError):
                yield chunk
                return
            error = broken(document, chunk)
            yield from _told(hosts, source)
            if error is not None:
                yield _complaint(hosts, source, error)
                return
        error = broken(document, None)
        if error is not None:
            yield _complaint(hosts, source, error, ends=True)
    except ConfigError as refusal:
        raise refusal.at(source.name, document.line) from None


def _told(hosts: Hosts, source: Source) -> Iterator[Observation]:
    whole, hosts.whole = hosts.whole, []
    for host in whole:
        yield from heard(host, source.now)


def _complaint(hosts: Hosts, source: Source, error: expat.ExpatError, *, ends: bool = False) -> ConfigError:
    """What is to be said of a file that stops being XML."""
    file, line, why = source.name, error.lineno, expat.ErrorString(error.code)
    if not hosts.opened:
        raise ConfigError("is no XML of nmap (-oX): {why}", file=file, line=line, why=why)
    if ends:
        return CutShortError(file=file, line=line)
    return ConfigError(
        "is damaged here, and what stood whole before was taken: {why}", file=file, line=line, why=why
    )


FORMAT: Final = Format(
    "nmap",
    read,
    Message("Import what nmap heard: its XML (-oX), of any size."),
    Message(
        "Taken is what hosts said of themselves to scripts (smb-protocols, http-title, ssl-cert and others), "
        "which ports are open, and MAC addresses. What nmap makes of it, products and systems, is left out."
    ),
    "scan.xml",
)
