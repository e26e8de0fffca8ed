"""Releases as JSON, for the cache."""

from __future__ import annotations

from dataclasses import fields
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from scanner.model import Release, Role

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

_FIELDS: Final = tuple(each.name for each in fields(Release))
_DAYS: Final = frozenset({"released", "end", "checked"})


def packed(releases: Mapping[str, Release], anything: Iterable[str]) -> object:
    """What JSON can hold of them."""
    rows = [[_plain(getattr(each, name)) for name in _FIELDS] for each in releases.values()]
    return [rows, sorted(anything)]


def _plain(value: object) -> object:
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def unpacked(kept: Any) -> tuple[dict[str, Release], frozenset[str]]:  # noqa: ANN401 - JSON is anything
    """The same again."""
    rows, anything = kept
    releases = [Release(*map(_value, _FIELDS, row)) for row in rows]
    return {release.id: release for release in releases}, frozenset(anything)


def _value(name: str, plain: Any) -> Any:  # noqa: ANN401 - JSON is anything
    if name in _DAYS:
        return plain and date.fromisoformat(plain)
    if name == "esu_ends":
        return tuple(map(date.fromisoformat, plain))
    if name == "role":
        return Role(plain)
    return tuple(plain) if isinstance(plain, list) else plain
