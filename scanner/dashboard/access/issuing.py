"""Giving tokens, and taking them back."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING, Final

from scanner.dashboard.access.register import LARGEST, VERSION, Entry, digest_of, read_entries
from scanner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

PREFIX: Final = "vetuste_"
"""What every token begins with, so that those who look for leaked secrets find it."""
_LONGEST: Final = 200


def new_token() -> str:
    """A token: 256 random bits."""
    return PREFIX + secrets.token_urlsafe(32)


def enter(file: Path, entry: Entry, token: str = "") -> None:
    """Write somebody into the file, with the digest of their token if they hold one.

    Raises:
        ConfigError: the name is taken or cannot be one; or the file cannot be read or changed.
    """
    if not entry.name.strip() or not entry.name.isprintable() or len(entry.name) > _LONGEST:
        raise ConfigError("a name is printable, and of 1 to {most} characters", most=_LONGEST)
    known = read_entries(file)
    if any(each.name == entry.name and bool(each.digest) == bool(token) for each in known):
        raise ConfigError("this name is taken: {name}; --revoke it first", name=entry.name)
    digest = digest_of(token) if token else ""
    made = Entry(entry.name, entry.role, entry.sites, entry.wards, entry.expires, digest)
    _write(file, [*known, made])


def strike(file: Path, name: str) -> int:
    """Strike somebody out of the file.

    Returns:
        How many entries of that name there were: a token, the proxy's, or both.

    Raises:
        ConfigError: there is nobody of that name; or the file cannot be read or changed.
    """
    known = read_entries(file)
    left = [each for each in known if each.name != name]
    if len(left) == len(known):
        raise ConfigError("nobody is called so: {name}", file=file, name=name)
    _write(file, left)
    return len(known) - len(left)


def _object(entry: Entry) -> dict[str, object]:
    told: dict[str, object] = {
        "name": entry.name,
        "role": entry.role.name.lower(),
        "sites": sorted(entry.sites),
        "wards": sorted(entry.wards),
    }
    if entry.expires is not None:
        told["expires"] = entry.expires.isoformat(timespec="seconds")
    return {**told, "sha256": entry.digest} if entry.digest else told


def _write(file: Path, entries: Iterable[Entry]) -> None:
    """Write the file at once or not at all; nobody else can while this does."""
    told = {"version": VERSION, "visitors": [_object(each) for each in entries]}
    content = json.dumps(told, ensure_ascii=False, indent=1).encode() + b"\n"
    if len(content) >= LARGEST:
        raise ConfigError("there are too many tokens in this file", file=file)
    fresh = file.with_name(f"{file.name}.new")
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError as error:
        raise ConfigError(
            "somebody else is changing the tokens; if nobody is, delete this file", file=fresh
        ) from error
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
            opened.flush()
            os.fsync(descriptor)
        fresh.replace(file)
    except OSError:
        fresh.unlink(missing_ok=True)
        raise
