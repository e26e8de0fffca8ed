"""The hours of the day in which a site lets anything be sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterator

_FORM: Final = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2}) ([A-Za-z][A-Za-z0-9_+/-]{0,60})")
_MINUTE: Final = timedelta(minutes=1)
_FORESIGHT: Final = 4 * 24 * 60
"""Minutes: clocks may pass over a window on two days running, where a zone leaves out a whole day."""


class NeverOpensError(ValueError):
    """A window that ends when it begins."""


@dataclass(frozen=True, slots=True)
class Window:
    """From ``start`` up to ``end`` on the clocks of a place, over midnight where ``end`` is earlier."""

    start: time
    end: time
    zone: str
    """The time zone's name in the IANA database: ``Europe/Paris``."""

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read ``22:00-05:30 Europe/Paris``.

        Raises:
            NeverOpensError: it ends when it begins.
            ValueError: it is not written so, or the time zone is unknown.
        """
        found = _FORM.fullmatch(text)
        if not found:
            raise ValueError(text)
        start, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
        if start == end:
            raise NeverOpensError(text)
        try:
            ZoneInfo(found[5])
        except (ZoneInfoNotFoundError, OSError) as error:
            raise ValueError(text) from error
        return cls(start, end, found[5])

    def __contains__(self, moment: datetime) -> bool:
        """Whether it is open at ``moment``, which knows its time zone."""
        there = moment.astimezone(ZoneInfo(self.zone)).time()
        if self.start < self.end:
            return self.start <= there < self.end
        return there >= self.start or there < self.end

    def next_opening(self, moment: datetime) -> datetime | None:
        """The first whole minute, not before ``moment``, at which it is open; in UTC.

        Every minute is looked at, as the clocks of the place show it: what they leave out or show twice when
        summer begins and ends needs no rule of its own. None: not within four days, or ever.
        """
        return next((minute for minute in _minutes(moment) if minute in self), None)

    def next_closing(self, moment: datetime) -> datetime | None:
        """The first whole minute, not before ``moment``, at which it is closed; in UTC."""
        return next((minute for minute in _minutes(moment) if minute not in self), None)

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M} {self.zone}"


def _minutes(moment: datetime) -> Iterator[datetime]:
    """The whole minutes of the days to come."""
    first = moment.astimezone(UTC)
    if first.second or first.microsecond:
        first = first.replace(second=0, microsecond=0) + _MINUTE
    return (first + offset * _MINUTE for offset in range(_FORESIGHT))
