"""Greetings without a name: which protocol speaks, and what its probe learns of them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.imports.replaying import replayed

if TYPE_CHECKING:
    from scanner.imports.heard import Words

_BEGINNINGS: Final = (
    (re.compile(rb"SSH-[0-9.]+-"), "ssh"),
    (re.compile(rb"RFB [0-9]{3}\.[0-9]{3}"), "vnc"),
    (re.compile(rb"HTTP/1\.[01] [0-9]{3}"), "http"),
    (re.compile(rb"\+OK "), "pop3"),
    (re.compile(rb"\* (?:OK|PREAUTH) "), "imap"),
    (re.compile(rb"\xff[\xfb-\xfe]"), "telnet"),
    (re.compile(rb"(?i)220[ -][^\r\n]*\bE?SMTP\b"), "smtp"),
    (re.compile(rb"(?i)220[ -][^\r\n]*\bFTP"), "ftp"),
)
"""How greetings begin that leave no doubt whose they are."""
_SAME: Final = (re.compile(rb"220[ -]"), ("smtp", "ftp"))
"""How those begin that two protocols have in common."""


def greeted(raw: bytes, service: str = "") -> tuple[str, Words]:
    """Whose greeting it is, and what is learnt of it; nothing where that cannot be told.

    Args:
        raw: what a server said.
        service: whose it is said to be; believed where the greeting itself leaves it open.
    """
    probe = next((name for form, name in _BEGINNINGS if form.match(raw)), "")
    form, names = _SAME
    if not probe and service in names and form.match(raw):
        probe = service
    return (probe, replayed(probe, ended(raw))) if probe else ("", {})


def ended(raw: bytes) -> bytes:
    """A greeting with the end of its line, which many leave out."""
    return raw if raw.endswith(b"\n") else raw + b"\n"
