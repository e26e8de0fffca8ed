"""The file of tokens: who holds one, what they may do, and whom the proxy may name.

::

    {"version": 1, "visitors": [
      {"name": "wall screen", "role": "reader", "sites": [], "wards": ["Cardiologie"],
       "expires": "2027-01-31T12:00:00+00:00", "sha256": "…"}]}

A visitor without ``sha256`` holds no token: the proxy names them. The tokens themselves stand nowhere.
"""

from __future__ import annotations

import json
import logging
import os
import stat
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Final

from scanner.dashboard.access.forgery import same
from scanner.dashboard.visitor import Role, Visitor
from scanner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

VERSION: Final = 1
LARGEST: Final = 4 << 20
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO
_LOG: Final = logging.getLogger("vetuste.dashboard")


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who may come in."""

    name: str
    role: Role
    sites: frozenset[str] = frozenset()
    wards: frozenset[str] = frozenset()
    expires: datetime | None = None
    digest: str = ""
    """Of their token; empty: the proxy says who they are."""

    def visitor(self) -> Visitor:
        """Them, as visitors."""
        return Visitor(self.name, self.role, self.sites, self.wards)


def digest_of(token: str) -> str:
    """What is kept of a token."""
    return sha256(token.encode(errors="replace")).hexdigest()


def read_entries(file: Path) -> tuple[Entry, ...]:
    """Everybody in a file; nobody where it is not there.

    Raises:
        ConfigError: others may read or change it, or it is damaged.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except FileNotFoundError:
        return ()
    with os.fdopen(descriptor, "rb") as opened:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode) or status.st_mode & _OTHERS:
            raise ConfigError("others may read or change the tokens: chmod 600", file=file)
        content = opened.read(LARGEST)
    try:
        told = json.loads(content)
        if told["version"] != VERSION:
            raise ConfigError("these tokens are of another version of vetuste", file=file)
        return tuple(map(_entry, told["visitors"]))
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ConfigError("this is no file of tokens, or it is damaged", file=file) from error


def _entry(told: dict[str, Any]) -> Entry:
    name, sites, wards = told["name"], told.get("sites", []), told.get("wards", [])
    texts = [name, *sites, *wards, told.get("sha256", "")]
    if not all(isinstance(text, str) for text in texts) or not name or isinstance(sites, str | dict):
        raise ValueError
    if isinstance(wards, str | dict):
        raise TypeError
    until = told.get("expires")
    expires = None if until is None else datetime.fromisoformat(until)
    if expires is not None and expires.tzinfo is None:
        raise ValueError
    role = Role[told["role"].upper()]
    return Entry(name, role, frozenset(sites), frozenset(wards), expires, told.get("sha256", ""))


@dataclass(slots=True)
class Register:
    """The file, read again whenever it changes: who is struck out is out at once."""

    file: Path
    now: Callable[[], datetime] = _now
    _seen: tuple[int, ...] | None = field(default=None, init=False)
    _entries: tuple[Entry, ...] = field(default=(), init=False)

    def entries(self) -> tuple[Entry, ...]:
        """Everybody whose time is not over; nobody, while the file cannot be read."""
        seen = self._signature()
        if seen != self._seen:
            try:
                self._entries = read_entries(self.file)
            except (ConfigError, OSError) as error:
                _LOG.error("nobody is let in by a token: %s", error)
                self._entries = ()
            self._seen = seen
        now = self.now()
        return tuple(each for each in self._entries if each.expires is None or now < each.expires)

    def holder(self, digest: str) -> Entry | None:
        """Who holds the token of this digest; every digest is compared, whichever is the right one."""
        found = [each for each in self.entries() if each.digest and same(digest, each.digest)]
        return found[0] if found else None

    def named(self, name: str) -> Entry | None:
        """Whom the proxy calls so."""
        return next((each for each in self.entries() if not each.digest and each.name == name), None)

    def _signature(self) -> tuple[int, ...]:
        try:
            status = self.file.stat()
        except OSError:
            return ()
        return status.st_ino, status.st_mtime_ns, status.st_size, status.st_mode, status.st_ctime_ns
