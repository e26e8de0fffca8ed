"""Leases of Kea: its lease files (``kea-leases4.csv``, ``kea-leases6.csv``), and what it answers when asked.

Kea Administrator Reference Manual, sections "Why Is Lease File Cleanup Necessary?" and "lease_cmds: Lease
Commands" (``lease4-get-all``, ``lease6-get-all`` and their pages). The header of a file differs from version
to version; columns are found by their names.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from scanner.errors import ConfigError
from scanner.imports.dhcp_leases import Lease, mac_of, moment_of, name_of
from scanner.imports.heard import demand_address
from scanner.imports.json_lists import objects_of
from scanner.imports.streams import each_read
from scanner.imports.tables import plain, rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner.imports import Source
    from scanner.imports.decoding import Text

_HEADER: Final = re.compile(r"(?:\s|#.*\n)*address,(?:hwaddr|duid),")
_ANSWER: Final = re.compile(r'\s*[\[{][\s\S]*?"leases"\s*:\s*\[')
_ASSIGNED: Final = ("0", "default")
"""Names of the state of a lease that a client has. Others are declined, expired-reclaimed, released and
registered ones; the first files had no states."""
_PREFIX: Final = ("2", "IA_PD")
"""The type of a lease of IPv6 that is no address."""
_GUESSED: Final = ("2", "16", "32")
"""Where a hardware address was taken from, if it may be another card's, or is what a relay says: a DUID,
remote id, subscriber id."""


def begins_file(beginning: str) -> bool:
    """Whether a text that begins so is a lease file of Kea."""
    return _HEADER.match(beginning) is not None


def begins_answer(beginning: str) -> bool:
    """Whether a text that begins so is an answer of Kea that has leases, be it none."""
    return _ANSWER.match(beginning) is not None


def read_file(text: Text, source: Source) -> Iterator[Lease | ConfigError]:
    """Every lease of a lease file, as it comes."""
    return each_read(rows_of(text, source, plain), source, _of_row)


def _of_row(row: Mapping[str, str]) -> Iterator[Lease]:
    """A row: of a lease that was deleted the lifetime is 0."""
    if row.get("lease_type", "") in _PREFIX:
        return
    address = demand_address(row["address"], "address")
    lifetime = row.get("valid_lifetime", "")
    if row.get("state", "0") not in _ASSIGNED or not lifetime.strip("0"):
        yield Lease(address, held=False)
        return
    ends, lasts = moment_of(row.get("expire")), _seconds(lifetime)
    at = None if ends is None or lasts is None else moment_of(ends - lasts)
    mac = "" if row.get("hwaddr_source", "") in _GUESSED else row.get("hwaddr", "")
    yield _held(address, at, mac, row.get("hostname", ""))


def _seconds(text: str) -> int | None:
    """A lifetime: a number of 32 bits."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= len("4294967295") else None


def read_answer(text: Text, source: Source) -> Iterator[Lease | ConfigError]:
    """Every lease of an answer, as it comes."""
    return each_read(objects_of(text, source, "leases"), source, _of_object)


def _of_object(lease: Mapping[str, Any]) -> Iterator[Lease]:
    if lease.get("type") in _PREFIX:
        return
    address = demand_address(lease.get("ip-address"), "ip-address")
    if lease.get("state", 0) != 0 or lease.get("valid-lft") == 0:
        yield Lease(address, held=False)
        return
    at = moment_of(lease.get("cltt"))
    mac, host = lease.get("hw-address"), lease.get("hostname")
    yield _held(address, at, mac if isinstance(mac, str) else "", host if isinstance(host, str) else "")


def _held(address: str, at: float | None, mac: str, host: str) -> Lease:
    if at is None:
        raise ConfigError("does not say when its client was last dealt with", key=address)
    name, domain = name_of(host)
    return Lease(address, held=True, at=at, mac=mac_of(mac), host=name, domain=domain)
