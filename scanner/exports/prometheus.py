"""``export prometheus``: the wards' figures for the textfile collector of Prometheus' node_exporter.

The text format has three signs to escape ([Prometheus exposition formats], "Text format details"), and
nothing of it is served from here; so no library writes it. Moments are told and not ages, because an age is
wrong as soon as it is read again: ``time() - …`` is one.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final

from scanner.exports import Format, dialect_of
from scanner.language import Message
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date
    from typing import TextIO

    from scanner.exports import Options
    from scanner.exports.whole import Whole
    from scanner.inventory.rows import Asset

_ESCAPED: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_CERTAINTIES: Final = ("certain", "probable", "to_verify")

METRICS: Final = {
    "vetuste_machines": Message("machines by site, ward, status and certainty, as count has them"),
    "vetuste_addresses_seen": Message("machines of a ward that ever gave a sign of life"),
    "vetuste_addresses_in_scope": Message("addresses of a ward"),
    "vetuste_addresses_never_scanned": Message("addresses of a ward that nobody ever asked"),
    "vetuste_oldest_scan_timestamp_seconds": Message("day of the scan longest ago of a ward's last scans"),
    "vetuste_newest_scan_timestamp_seconds": Message("day of the newest of a ward's last scans"),
    "vetuste_last_scan_timestamp_seconds": Message("end of the newest scan or import of a site"),
}


def write(_: Iterable[Asset], stream: TextIO, options: Options) -> int:
    """Write the figures of every ward; gives how many machines they count. The assets are not looked at."""
    dialect_of((), options)
    for name, about in METRICS.items():
        stream.write(
            f"# HELP {name} {_escaped(about.render(options.lang), quotes=False)}\n# TYPE {name} gauge\n"
        )
        stream.writelines(
            f"{name}{{{_labels(labels)}}} {value}\n" for labels, value in _samples(name, options.whole)
        )
    return sum(value for _, value in _machines(options.whole))


def _samples(name: str, whole: Whole) -> Iterator[tuple[Mapping[str, str], int]]:
    match name:
        case "vetuste_machines":
            yield from _machines(whole)
        case "vetuste_addresses_seen":
            yield from ((row.keys, row.seen) for row in whole.wards)
        case "vetuste_addresses_in_scope":
            yield from ((row.keys, row.scope) for row in whole.wards)
        case "vetuste_addresses_never_scanned":
            yield from ((row.keys, row.never_scanned) for row in whole.wards)
        case "vetuste_oldest_scan_timestamp_seconds":
            yield from ((row.keys, _day(row.oldest_scan)) for row in whole.coverage if row.oldest_scan)
        case "vetuste_newest_scan_timestamp_seconds":
            yield from ((row.keys, _day(row.newest_scan)) for row in whole.coverage if row.newest_scan)
        case _:
            scans = sorted(whole.scans.items())
            yield from (({"site": site}, int(moment.timestamp())) for site, moment in scans)


def _machines(whole: Whole) -> Iterator[tuple[Mapping[str, str], int]]:
    for row in whole.statuses:
        for certainty in _CERTAINTIES:
            number: int = getattr(row, certainty)
            if number:
                yield {**row.keys, "certainty": certainty}, number


def _day(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(text: str, *, quotes: bool = True) -> str:
    text = printable(text, len(text)).translate(_ESCAPED)
    return text if quotes else text.replace(r"\"", '"')


FORMAT: Final = Format("prometheus", ".prom", write, evidence=False, whole=True, counts=True, mode=0o640)
