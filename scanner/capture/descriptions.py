"""How network devices describe themselves to their neighbours: in the words of their sysDescr."""

from __future__ import annotations

import re
from typing import Final

from scanner.probes import lines

_LONGEST: Final = 1_024
_PEOPLE: Final = re.compile(rb"(?m)^Compiled [^\n]{0,200}$| \[[^\[\] ]{1,80} [^\[\] ]{1,20}\]")
"""Who compiled it: Cisco's last line, and the label of an image that somebody made for himself."""


def described(words: bytes) -> str:
    """A description in one line, as the SNMP probe keeps it, without the names of who made it."""
    plain = _PEOPLE.sub(b"", words[:_LONGEST])
    return lines.text(plain.replace(b"\r\n", b" ").replace(b"\n", b" ")).strip()
