"""Releases and their dates, and what the dates say of a candidate set (design, section 4.2).

The releases are data: ``fingerprints/lifecycle/*.toml``, one line a release. A release without ``end`` is one
whose vendor published no date: it can never make a verdict say that something is supported, or is not.
"""

from __future__ import annotations

import calendar
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from scanner.cache import Form, remembered
from scanner.data import data_directories, is_still, version_of
from scanner.language import Message
from scanner.lifecycle.keeping import packed, unpacked
from scanner.lifecycle.lines import read_releases
from scanner.model import Status, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from scanner.model import Release


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """Every known release."""

    releases: Mapping[str, Release]
    """By id, in the order of the files and of their lines."""
    version: str = ""
    """Of the data that they were read from."""
    anything: frozenset[str] = frozenset()
    """Ids of the undated releases that stand for "something else": what a contradiction may always be."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a site decides about verdicts."""

    horizon_months: int = 12
    """How long before its end a release is said to be ending."""
    extensions: Mapping[str, date] = field(default_factory=dict)
    """Paid extensions that the site holds: release id to the last day that is paid for."""


def read_lifecycle(*directories: Path, files: Sequence[Path] = ()) -> Lifecycle:
    """The releases of the directories named; a line of a later one replaces that of the same id.

    Args:
        *directories: those that have a folder ``lifecycle``.
        files: more of them, read last, wherever they lie.

    Raises:
        DataError: a file is wrong; file, line and key are named.
    """
    releases, anything = read_releases(directories, files)
    return Lifecycle(releases, version_of(directories), anything)


def load_lifecycle() -> Lifecycle:
    """The releases that ship with the product, and those of the site's own directory."""
    return _loaded(data_directories())


@cache
def _loaded(directories: tuple[Path, ...]) -> Lifecycle:
    version = version_of(directories)

    def made(kept: Any) -> Lifecycle:  # noqa: ANN401 - JSON is anything
        releases, anything = unpacked(kept)
        return Lifecycle(releases, version, anything)

    return remembered(
        Form("lifecycle", lambda read: packed(read.releases, read.anything), made),
        version,
        lambda: read_lifecycle(*directories),
        still=lambda: is_still(version, directories),
    )


def unchecked(releases: Iterable[Release], today: date) -> list[Release]:
    """Those that have a date which nobody has compared with its source for a year."""
    return [
        release
        for release in releases
        if release.end and (release.checked is None or months_after(release.checked, 12) < today)
    ]


def months_after(day: date, months: int) -> date:
    """The same day of the month so many months later, or that month's last day; never past the last date."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    if year > date.max.year:
        return date.max
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def end_of(release: Release, policy: Policy) -> date | None:
    """The last day of support at a site: the vendor's, or that of the paid extension that the site holds.

    An extension gives no date to a release that has none.
    """
    if release.end is None:
        return None
    return max(release.end, policy.extensions.get(release.id, release.end))


def judge(candidates: Sequence[Release], today: date, policy: Policy | None = None) -> Verdict:
    """What the dates say of a candidate set: the table of design section 4.2.

    The last day of support is a supported day. Earliest and latest are over the candidates that have a date.
    """
    policy = policy or Policy()
    ends = {release.id: end for release in candidates if (end := end_of(release, policy)) is not None}
    if not ends:
        return Verdict(Status.UNKNOWN, reasons=_reasons(candidates, ends, today, policy))
    earliest, latest = min(ends.values()), max(ends.values())
    if len(ends) < len({release.id for release in candidates}):
        status = Status.DEPENDS
    else:
        status = _status(earliest, latest, today, months_after(today, policy.horizon_months))
    return Verdict(status, earliest, latest, _reasons(candidates, ends, today, policy))


def _status(earliest: date, latest: date, today: date, horizon: date) -> Status:
    if latest < today:
        return Status.UNSUPPORTED
    if earliest < today:
        return Status.DEPENDS
    return Status.ENDING if earliest <= horizon else Status.SUPPORTED


def _reasons(
    candidates: Sequence[Release], ends: Mapping[str, date], today: date, policy: Policy
) -> tuple[Message, ...]:
    """The dates one by one, earliest first, then what has none, then the paid extensions."""
    if not candidates:
        return (Message("no release is known that answers so"),)
    dated = sorted((release for release in candidates if release.id in ends), key=lambda each: ends[each.id])
    undated = [release for release in candidates if release.id not in ends]
    return (
        *(_dated(release, ends[release.id], today) for release in dated),
        *(Message("{release}: no end of support is known", {"release": each.name}) for each in undated),
        *(reason for each in dated for reason in _extension(each, today, policy)),
    )


def _dated(release: Release, end: date, today: date) -> Message:
    values = {"release": release.name, "date": end.isoformat(), "source": release.source}
    if end < today:
        return Message("{release}: support ended on {date} ({source})", values)
    return Message("{release}: supported until {date} ({source})", values)


def _extension(release: Release, today: date, policy: Policy) -> tuple[Message, ...]:
    held = policy.extensions.get(release.id)
    if held is not None:
        values = {"release": release.name, "date": held.isoformat()}
        return (Message("{release}: this site holds a paid extension until {date}", values),)
    if release.esu_end is None or release.esu_end < today:
        return ()
    values = {"release": release.name, "date": release.esu_end.isoformat()}
    return (Message("{release}: a paid extension exists until {date}; this site holds none", values),)
