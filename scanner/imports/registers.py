"""What the files of registers have in common: one record an id, cells that are safe to keep."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.imports.dhcp_leases import mac_of
from scanner.imports.heard import address_of
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import datetime

    from scanner.imports import Source
    from scanner.imports.sheets import Row
    from scanner.inventory.records.record import Record

_APART: Final = re.compile(r"(?:\s|[,;|]|<br\s*/?>|\$\$)+")
"""What stands between the values of one cell."""
_MOST: Final = 16
_TRUE: Final = frozenset({"true", "vrai", "yes", "oui", "1"})
_FALSE: Final = frozenset({"false", "faux", "no", "non", "0"})


def records_of(
    rows: Iterable[Row | ConfigError],
    source: Source,
    demand: Callable[[], None],
    made: Callable[[Mapping[str, str], datetime], Record],
) -> Iterator[Record | ConfigError]:
    """The records of rows, each id once: of two rows with one id the first stands.

    Args:
        rows: of the file.
        source: the file.
        demand: raises where the headings are not those of this register; asked as soon as they are known.
        made: makes a record of the cells of a row and the moment of reading.

    Raises:
        ConfigError: the file is something else.
    """
    lines: dict[str, int] = {}
    is_first = True
    for row in rows:
        if is_first and not isinstance(row, ConfigError):
            demand()
            is_first = False
        if isinstance(row, ConfigError):
            yield row
            continue
        try:
            record = made(row.values, source.now)
            if before := lines.get(record.own_id):
                raise ConfigError("has the id of line {first}, which stands", first=before)  # noqa: TRY301 - said like the others
        except ConfigError as error:
            yield error.at(source.name, row.line)
            continue
        lines[record.own_id] = row.line
        yield record
    if is_first:
        demand()


def cell(values: Mapping[str, str], name: str) -> str:
    """A cell on one line, safe to keep."""
    return printable(" ".join(values.get(name, "").split()))


def addresses_in(text: str) -> tuple[str, ...]:
    """The addresses of a cell that machines are told apart by."""
    found = (address_of(part) for part in _APART.split(text[:4096]))
    return tuple(dict.fromkeys(each for each in found if each and each not in {"127.0.0.1", "::1"}))[:_MOST]


def macs_in(text: str) -> tuple[str, ...]:
    """The network cards of a cell."""
    found = (mac_of(part) for part in _APART.split(text[:4096]))
    return tuple(dict.fromkeys(filter(None, found)))[:_MOST]


def whether(text: str) -> bool | None:
    """What a cell says yes or no to; None where it does neither."""
    word = text.strip().casefold()
    return True if word in _TRUE else False if word in _FALSE else None


def facts_of(values: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    """What else is said of a device, where it is."""
    return {name: text for name in names if (text := cell(values, name))}


def demand_headings(
    source: Source, places: Mapping[str, object], needed: Iterable[str], wrong: ConfigError
) -> None:
    """Demand that a file has one column of each of these meanings; ``a|b``: one of the two.

    Raises:
        ConfigError: it is something else.
    """
    for choice in needed:
        if not any(name in places for name in choice.split("|")):
            raise wrong.at(source.name, 1)
