"""The hours of the day in which a site lets anything be sent."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

if TYPE_CHECKING:
    from datetime import datetime

_FORM: Final = re.compile(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2}) ([A-Za-z][A-Za-z0-9_+/-]{0,60})")


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
            ValueError: it is not written so, begins when it ends, or the time zone is unknown.
        """
        found = _FORM.fullmatch(text)
        if not found:
            raise ValueError(text)
        start, end = time(int(found[1]), int(found[2])), time(int(found[3]), int(found[4]))
        if start == end:
            raise ValueError(text)
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

    def __str__(self) -> str:
        return f"{self.start:%H:%M}-{self.end:%H:%M} {self.zone}"
