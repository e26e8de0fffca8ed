"""Leases of a DHCP server of Windows: what ``Get-DhcpServerv4Lease | Export-Csv`` writes, and their fields.

Fields as Microsoft Learn has them (DhcpServerv4Lease class). They do not say when a client was last dealt
with, only when its lease ends; an export (XML) also says for how long each scope lets addresses. Tables have
moments as the country of whoever exports writes them, without their zone: they are taken as UTC.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from scanner.imports.dhcp_leases import Lease, mac_of, moment_of, name_of
from scanner.imports.heard import demand_address
from scanner.imports.streams import each_read
from scanner.imports.tables import quoted, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner.errors import ConfigError
    from scanner.imports import Source
    from scanner.imports.decoding import Text

_ACTIVE: Final = ("active", "activereservation")
_HEADER: Final = re.compile(r"(?:\s|#.*\n)*([^\r\n]*)")
_COLUMNS: Final = ("ipaddress", "addressstate")
_DELIMITERS: Final = ",;\t"
_DATED: Final = re.compile(
    r"(?P<first>\d{1,2})(?P<between>[/.-])(?P<second>\d{1,2})(?P=between)(?P<year>\d{4}) "
    r"(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<s>\d{2}))?(?:[ \xa0\u202f](?P<half>[AaPp])\.?[Mm]\.?)?"
)
"""``26/11/2026 14:05:09``, ``26.11.2026 14:05:09``, ``11/26/2026 2:05:09 PM``."""
_LASTS: Final = re.compile(r"(?:(\d{1,3})\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.\d{1,9})?")
"""A TimeSpan of .NET; what is longer than 999 days is endless."""
_NOON: Final = 12
_MONTHS: Final = 12


def begins_table(beginning: str) -> bool:
    """Whether a text that begins so is a table of leases."""
    return _delimiter(beginning) is not None


def _delimiter(beginning: str) -> str | None:
    """What stands between the columns of a table of leases; None where the text is none."""
    found = _HEADER.match(beginning)
    line = found[1].replace('"', "").lower() if found else ""
    for delimiter in _DELIMITERS:
        if set(_COLUMNS) <= {name.strip() for name in line.split(delimiter)}:
            return delimiter
    return None


def read_table(beginning: str, text: Text, source: Source) -> Iterator[Lease | ConfigError]:
    """Every lease of a table that begins so, as it comes."""
    rows = rows_of(text, source, quoted(_delimiter(beginning) or ","))
    return each_read(rows, source, lambda fields: (lease_of(fields, None),))


def lease_of(fields: Mapping[str, str], lasts: float | None) -> Lease:
    """A lease of its fields, whose names are in small letters.

    Args:
        fields: what is said of it.
        lasts: for how many seconds its scope lets addresses; None where that is not known.

    Raises:
        ConfigError: it is the lease of something that is no address.
    """
    address = demand_address(fields.get("ipaddress", ""), "IPAddress")
    if fields.get("addressstate", "").strip().lower() not in _ACTIVE:
        return Lease(address, held=False)
    host, domain = name_of(fields.get("hostname", ""))
    return Lease(
        address,
        held=True,
        ends=ends_of(fields.get("leaseexpirytime", "")),
        lasts=lasts,
        scope=fields.get("scopeid", "")[:45],
        mac=mac_of(fields.get("clientid", "")),
        host=host,
        domain=domain,
    )


def ends_of(text: str) -> float | None:
    """A moment as Windows writes it, in seconds since 1970; None of what is none.

    Of two numbers that may both be months the first is the day's, but where the hour is that of a half day.
    """
    found = _DATED.fullmatch(text.strip())
    if found is None:
        return moment_of(text.strip().replace("Z", "+00:00"))
    first, second, hour = int(found["first"]), int(found["second"]), int(found["hour"])
    month_first = (found["half"] is not None or second > _MONTHS) and first <= _MONTHS
    day, month = (second, first) if month_first else (first, second)
    if found["half"] is not None:
        hour = hour % _NOON + (_NOON if found["half"] in "Pp" else 0)
    try:
        moment = datetime(
            int(found["year"]), month, day, hour, int(found["minute"]), int(found["s"] or 0), tzinfo=UTC
        )
    except ValueError:
        return None
    return moment.timestamp()


def lasts_of(text: str) -> float | None:
    """A span of time as .NET writes it, ``8.00:00:00``, in seconds; None of what is none, or endless."""
    found = _LASTS.fullmatch(text.strip())
    if found is None:
        return None
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60.0 + seconds or None
