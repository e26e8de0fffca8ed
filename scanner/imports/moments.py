"""Moments as the country of whoever exports writes them, without their zone: they are taken as UTC."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Final

from scanner.imports.dhcp_windows import ends_of

_FILETIME: Final = re.compile(r"1[0-9]{17}")
"""Hundreds of nanoseconds since 1601 ([MS-DTYP] 2.3.3), from 1918 to 2235."""
_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_LDAP: Final = re.compile(r"(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})(?:\.0)?Z")
"""Generalized time, as LDAP has it ([RFC 4517] 3.3.13)."""
_DAY: Final = re.compile(r"\d{1,2}([/.-])\d{1,2}\1\d{4}")
_TOLERATED: Final = timedelta(days=1)
"""By how much a moment may be ahead: its zone is not known."""


def moment_in(text: str, now: datetime) -> datetime | None:
    """A moment, in UTC: ``23/11/2026 08:12:33``, ``2026-11-23 08:12``, a FILETIME; None of what can be none.

    Of two numbers that may both be months the first is the day's, but where the hour is that of a half day.
    """
    text = text.strip()[:64]
    if _FILETIME.fullmatch(text):
        found = _EPOCH + timedelta(microseconds=int(text) // 10)
    else:
        if ldap := _LDAP.fullmatch(text):
            text = "{}-{}-{}T{}:{}:{}".format(*ldap.groups())
        seconds = None if text.isdecimal() else ends_of(f"{text} 0:00" if _DAY.fullmatch(text) else text)
        if seconds is None:
            return None
        found = datetime.fromtimestamp(seconds, UTC)
    return min(found, now) if found <= now + _TOLERATED else None
