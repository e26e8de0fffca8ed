"""Leases, whichever server gave them: what is kept of one, and when its client was last dealt with.

Of several leases of one address in a file the last one stands: servers add to the end of their files. Users'
names, what relays add (circuit, remote id), and what clients call themselves by (client identifiers, DUIDs)
are not read at all.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from operator import attrgetter
from typing import TYPE_CHECKING, Final, Self

from scanner.imports.heard import address_of, observation
from scanner.imports.sorting import Sorted
from scanner.model import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.model import Observation

DHCP: Final = "dhcp"
"""Whose observation a lease is: no probe's."""

_RUN: Final = 8 << 20
"""Bytes of leases in memory."""
_PORTS: Final = {False: 68, True: 546}
"""Where clients listen: [RFC 2131] 4.1; with IPv6, [RFC 8415] 7.2."""
_USUAL: Final = 8 * 86400.0
"""Seconds for which Windows lets an address unless it is told otherwise (Microsoft Learn,
Add-DhcpServerv4Scope, -LeaseDuration)."""
_YEAR: Final = 366 * 86400.0
_OLDEST: Final = datetime(1997, 1, 1, tzinfo=UTC).timestamp()
"""The first server of ISC, and Windows NT 4's: no lease is older."""
_NEWEST: Final = datetime(9999, 1, 1, tzinfo=UTC).timestamp()
_LONGEST: Final = 64
"""Characters that a moment takes at most."""
_SCOPES: Final = 1 << 14
"""Scopes whose leases are told apart."""

_MAC: Final = re.compile(r"[0-9A-Fa-f]{1,2}(?:[:-][0-9A-Fa-f]{1,2}){5}")
_LABEL: Final = r"\w[\w-]{0,62}"
_FQDN: Final = re.compile(rf"({_LABEL})\.((?:{_LABEL}\.)*[^\W\d][\w-]{{0,62}})")
_NAME: Final = 255
"""Characters of a name ([RFC 1035] 2.3.4)."""


@dataclass(frozen=True, slots=True)
class Lease:
    """One lease, as a file has it."""

    address: str
    held: bool
    """Whether a client had it when the file was written; all else is of no use then."""
    at: float | None = None
    """When the client was last dealt with, in seconds since 1970; None where the file does not say it."""
    ends: float | None = None
    """When it ends, where nothing but that is said; None where not even that."""
    lasts: float | None = None
    """For how many seconds its scope lets addresses, where that is said."""
    scope: str = ""
    mac: str = ""
    host: str = ""
    domain: str = ""
    vendor_class: str = ""


_values = attrgetter(*(each.name for each in fields(Lease)))


def mac_of(text: str) -> str:
    """A hardware address of Ethernet in its usual form; empty where it is none, nobody's or a group's."""
    if not _MAC.fullmatch(text):
        return ""
    octets = bytes(int(part, 16) for part in re.split("[:-]", text))
    return octets.hex(":") if any(octets) and not octets[0] & 1 else ""


def name_of(text: str) -> tuple[str, str]:
    """The name of a host, and the domain that stands behind it; empty where the text names nothing."""
    name = text.strip().rstrip(".")[:_NAME]
    if name == "*" or address_of(name):
        return "", ""
    whole = _FQDN.fullmatch(name)
    return (whole[1], whole[2].lower()) if whole else (name, "")


def moment_of(value: object) -> float | None:
    """A moment, which is in seconds since 1970 or in ISO 8601, in seconds; None of what can be none.

    Moments without a zone are in UTC.
    """
    try:
        if isinstance(value, str) and not value.isdecimal():
            moment = datetime.fromisoformat(value[:_LONGEST])
            seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
        else:
            seconds = float(value)  # type: ignore[arg-type]  # any other type is caught
    except (ValueError, OverflowError, TypeError):
        return None
    return seconds if _OLDEST <= seconds < _NEWEST else None


class Leases:
    """The leases of a file, of which the last of each address stands; leaves no file behind."""

    def __init__(self, now: datetime, run: int = _RUN) -> None:
        self._now, self._sorted = now.timestamp(), Sorted(run)
        self._latest: dict[str, float] = {}

    def add(self, lease: Lease) -> None:
        """Keep a lease that comes after those that were added before.

        Raises:
            OSError: the disk for temporary files (TMPDIR) is full.
        """
        if lease.ends is not None and not _OLDEST <= lease.ends <= self._now + _YEAR:
            lease = replace(lease, ends=None)  # endless, as reservations are, or no moment at all
        if lease.held and lease.ends is not None:
            scope = lease.scope if len(self._latest) < _SCOPES else ""
            for name in {scope, ""}:
                self._latest[name] = max(lease.ends, self._latest.get(name, 0.0))
        self._sorted.add(lease.address, json.dumps(_values(lease)).encode() if lease.held else b"null")

    def observations(self) -> Iterator[Observation]:
        """What the leases say that stand and are held, in the order of addresses; once, at the end."""
        for address, lines in self._sorted.addresses():
            last = b"null"
            for line in lines:
                last = line
            if (values := json.loads(last)) is not None:
                lease = Lease(*values)
                at = datetime.fromtimestamp(min(self._dealt_with(lease), self._now), UTC)
                where = (address, _PORTS[":" in address], Transport.UDP)
                yield observation(where, DHCP, at, _words(lease))

    def _dealt_with(self, lease: Lease) -> float:
        """When a client was last dealt with: rather too early than too late.

        Where only the end is known, it is the end less the time for which the scope lets addresses. Where
        that is not known either, it is the usual time, or more where some lease of the scope ends later than
        that from now. Where not even the end is known, the client was dealt with at some moment of that time
        before the file was written; so the beginning of it, and the file is no younger than the latest end.
        That the file is read today says nothing.
        """
        if lease.at is not None:
            return lease.at
        latest = self._latest.get(lease.scope, self._latest.get("", self._now))
        lasts = lease.lasts or max(_USUAL, latest - self._now)
        return (min(latest, self._now) if lease.ends is None else lease.ends) - lasts

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._sorted.__exit__(*error)


def _words(lease: Lease) -> dict[str, str]:
    return {
        "dhcp.mac": lease.mac,
        "dhcp.hostname": lease.host,
        "dhcp.domain": lease.domain,
        "dhcp.vendor_class": lease.vendor_class,
    }
