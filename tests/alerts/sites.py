"""Site files with rules and channels, as they are read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scanner.config import read_site
from scanner.inventory import Alarm, Judged, keep_alarms
from scanner.language import Message
from tests.inventory.hospital import SITE

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scanner.config import SiteSource
    from scanner.inventory import Inventory

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOOK = '[[notify]]\nname = "hook"\nkind = "apprise"\nurl_env = "HOOK"\n'


def read(folder: Path, *tables: str, language: str = "en") -> SiteSource:
    """The hospital's site file, with more tables."""
    path = folder / "site.toml"
    text = SITE.replace('group = "GHT"', f'group = "GHT"\nlanguage = "{language}"')
    path.write_text(text + "\n".join(tables), encoding="utf-8")
    return read_site(path)


def rule(on: str = "breaker", to: Sequence[str] = ("mail",), /, **parameters: str | int) -> str:
    """An ``[[alert]]``."""
    lines = [f"{name} = {value!r}" for name, value in parameters.items()]
    return "\n".join(["[[alert]]", f"on = {on!r}", f"to = {list(to)}", *lines, ""])


def mail(port: int, *more: str, name: str = "mail", tls: str = "none") -> str:
    """A channel to a mail server on loopback."""
    lines = [f"name = {name!r}", 'kind = "mail"', 'host = "127.0.0.1"', f"port = {port}", f'tls = "{tls}"']
    return "\n".join(
        ["[[notify]]", *lines, 'from = "vetuste@chu.example"', 'to = ["dsi@chu.example"]', *more, ""]
    )


def syslog(address: str) -> str:
    """A channel to a syslog receiver."""
    return f'[[notify]]\nname = "siem"\nkind = "syslog"\naddress = "{address}"\n'


def raise_alarms(  # noqa: PLR0913 - what is raised, where and for whom
    inventory: Inventory,
    subjects: Sequence[str],
    *,
    to: Sequence[str] = ("mail",),
    rule: str = "breaker",
    ward: str = "Cardiologie",
    at: datetime = NOW,
) -> tuple[int, int]:
    """What a rule found, each under a subject that is also its text."""
    found = {
        subject: Alarm(subject, Message("{what}", {"what": subject}), ward, "10.20.0.1")
        for subject in subjects
    }
    return keep_alarms(inventory, "CHU", [Judged(rule, to, found)], at=at)
