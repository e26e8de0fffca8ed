"""What nmap reports of a run (nmap.dtd): its scripts' words. Hosts have a say in it, so it is hostile."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Final
from xml.etree import ElementTree as ET

from scanner.errors import ProtocolError
from scanner.nmap_scripts import Script

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONGEST: Final = 1 << 18
"""Characters of a report."""
_SCRIPTS: Final = 64
_TEXTS: Final = 512
_DEPTH: Final = 8
"""Most scripts of a report; of a script most texts, and tables in tables. What is beyond is left out."""


def scripts_in(xml: str) -> tuple[Script, ...]:
    """The scripts of a report.

    Raises:
        ProtocolError: it is none, is too long, or declares entities.
    """
    if len(xml) > _LONGEST or "<!ENTITY" in xml:
        raise ProtocolError("no report of nmap's")
    try:
        root = ET.fromstring(xml)  # noqa: S314 - it is short, and has no entities
    except (ET.ParseError, ValueError):
        raise ProtocolError("no report of nmap's") from None
    if root.tag != "nmaprun":
        raise ProtocolError("no report of nmap's")
    return tuple(_scripts(root))[:_SCRIPTS]


def _scripts(root: ET.Element) -> Iterator[Script]:
    for parent in (*root.iterfind("host/ports/port"), *root.iterfind("host/hostscript")):
        for each in parent.iterfind("script"):
            yield Script(each.get("id", ""), each.get("output", ""), _elements(each))


def _elements(script: ET.Element) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    waiting = deque([(script, "", 0)])
    texts = 0
    while waiting:
        node, path, depth = waiting.popleft()
        for child in node:
            inner = f"{path}.{child.get('key', '')}".strip(".")
            if child.tag == "table" and depth < _DEPTH and len(waiting) < _TEXTS:
                waiting.append((child, inner, depth + 1))
            elif child.tag == "elem" and texts < _TEXTS:
                found[inner] = (*found.get(inner, ()), child.text or "")
                texts += 1
    return found
