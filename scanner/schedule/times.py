"""When something is due: days and times on the clocks of a place.

Clocks skip an hour when summer begins, and show one twice when it ends. A time that a day skips is due as
much later as the clocks were put forward (02:30 becomes 03:30), and one that a day shows twice is due the
first time: so everything is due once, whatever the clocks do.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from scanner.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""As they are written and printed; Monday is 0, as for :meth:`datetime.date.weekday`."""

_EVERY: Final = re.compile(
    r"(?:daily|monthly (?P<month_day>[0-9]{1,2})(?:st|nd|rd|th)?|(?P<days>[a-z]+(?:[,-][a-z]+)*)) "
    r"(?P<times>[0-9]{1,2}:[0-9]{2}(?:,[0-9]{1,2}:[0-9]{2})*)"
)
_LONGEST: Final = 200
"""Characters; nobody writes more."""
_LAST_MONTH_DAY: Final = 28
"""The last day that every month has."""
_DAY: Final = timedelta(days=1)
_APART: Final = 34
"""Days: two due times are no further apart, where the clocks leave out a day (Apia, 30 December 2011) too."""


@dataclass(frozen=True, slots=True)
class Times:
    """Times of the day, on some days or on all, in a time zone."""

    at: tuple[time, ...]
    """In their order, each once."""
    zone: ZoneInfo
    weekdays: frozenset[int] = frozenset(range(7))
    month_day: int | None = None
    """The day of the month, on whatever weekday it falls; None: all days of the month."""

    def next_after(self, moment: datetime) -> datetime:
        """The first time that is due after a moment, in UTC."""
        today = moment.astimezone(self.zone).date()
        return min(each for each in self._due(today - 2 * _DAY, _APART + 4) if each > moment)

    def due_since(self, since: datetime, now: datetime) -> datetime | None:
        """The last time that was due after ``since`` and up to ``now``, in UTC; None where nothing was.

        However many were missed, that is one: what was missed is caught up once.
        """
        today = now.astimezone(self.zone).date()
        last = max(each for each in self._due(today - (_APART + 2) * _DAY, _APART + 4) if each <= now)
        return last if last > since else None

    def skipped(self, since: date, days: int = 366) -> tuple[datetime, ...]:
        """The times of so many days that the clocks skip, as they would have been shown; for a warning.

        ``due(skipped)`` tells when each is due instead.
        """
        return tuple(local for local in self._local(since, days) if _shown(local) != local)

    def _due(self, first: date, days: int) -> set[datetime]:
        return {due(local) for local in self._local(first, days)}

    def _local(self, first: date, days: int) -> Iterator[datetime]:
        for day in (first + number * _DAY for number in range(days)):
            if day.weekday() in self.weekdays and self.month_day in {None, day.day}:
                yield from (datetime.combine(day, at, self.zone) for at in self.at)

    def __str__(self) -> str:
        names = ",".join(DAYS[number] for number in sorted(self.weekdays))
        days = "daily" if len(self.weekdays) == len(DAYS) else names
        if self.month_day is not None:
            days = f"monthly {self.month_day}"
        return f"{days} {','.join(f'{at:%H:%M}' for at in self.at)}"


def due(local: datetime) -> datetime:
    """When a time on the clocks of a place is due, in UTC; one that they skip, after the gap (PEP 495)."""
    return local.astimezone(UTC)


def parse_times(every: str, zone: str) -> Times:
    """Read ``tue,thu 22:00``, ``mon-fri 22:00,03:00``, ``daily 02:30`` or ``monthly 1 02:30``.

    Args:
        every: the days, and the times on each of them, on the clocks of the zone.
        zone: the time zone's name in the IANA database: ``Europe/Paris``.

    Raises:
        ConfigError: it is not written so, or there is no such zone.
    """
    text = re.sub(r"\s*([,-])\s*", r"\1", " ".join(every.lower().split()))
    found = _EVERY.fullmatch(text) if len(text) <= _LONGEST else None
    if found is None:
        raise _wrong(every)
    try:
        at = {time.fromisoformat(part.rjust(5, "0")) for part in found["times"].split(",")}
    except ValueError:
        raise _wrong(every) from None
    month_day = None if found["month_day"] is None else int(found["month_day"])
    if month_day is not None and not 1 <= month_day <= _LAST_MONTH_DAY:
        raise ConfigError("day {day} is not in every month: write one from 1 to 28", day=month_day)
    weekdays = frozenset(_weekdays(found["days"], every) if found["days"] else range(7))
    return Times(tuple(sorted(at)), _zone(zone), weekdays, month_day)


def _shown(local: datetime) -> datetime:
    """What the clocks show when a time is due; the same where they skip nothing."""
    return due(local).astimezone(local.tzinfo).replace(fold=local.fold)


def _weekdays(days: str, every: str) -> Iterator[int]:
    for part in days.split(","):
        first, dash, last = part.partition("-")
        begin, end = _weekday(first, every), _weekday(last if dash else first, every)
        yield from ((begin + step) % len(DAYS) for step in range((end - begin) % len(DAYS) + 1))


_NAMES: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NUMBERS: Final = {name[:end]: day for day, name in enumerate(_NAMES) for end in range(3, len(name) + 1)}


def _weekday(word: str, every: str) -> int:
    if word not in _NUMBERS:
        raise _wrong(every)
    return _NUMBERS[word]


def _wrong(every: str) -> ConfigError:
    return ConfigError(
        "{every} is no schedule: write for example tue,thu 22:00 or mon-fri 22:00,03:00 or daily 02:30 or "
        "monthly 1 02:30",
        every=repr(every[:_LONGEST]),
    )


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError, ValueError):
        raise ConfigError(
            "{zone} is no time zone: write one such as Europe/Paris", zone=repr(name[:_LONGEST])
        ) from None
