"""``export prometheus``: the figures of wards and sites, for node_exporter's textfile collector or a scrape.

The text format has three signs to escape ([Prometheus exposition formats], "Text format details"); so no
library writes it. Moments are told and not ages, because an age is
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
    from scanner.inventory.lateness import Lateness
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
    "vetuste_site": Message("1 for every site, with the establishment and the group that it belongs to"),
    "vetuste_last_whole_scan_timestamp_seconds": Message("end of the last scan of a site that was whole"),
    "vetuste_scan_late": Message("1 where the next whole scan of a site is late, or there never was one"),
    "vetuste_scan_late_timestamp_seconds": Message("from when on the next whole scan of a site is late"),
    "vetuste_last_scan_state": Message("1 for the state of the newest scan of a site"),
    "vetuste_last_scan_duration_seconds": Message("how long the newest scan of a site took, if it has ended"),
    "vetuste_last_scan_attempts": Message("attempts of the newest scan of a site, if it has ended"),
    "vetuste_breakers_open": Message("subnets of a site that the circuit breaker keeps stopped"),
    "vetuste_findings": Message("findings of a site by state, closed ones left out"),
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
        case "vetuste_last_scan_timestamp_seconds":
            scans = sorted(whole.scans.items())
            yield from (({"site": site}, int(moment.timestamp())) for site, moment in scans)
        case "vetuste_findings":
            counted = sorted(whole.operation.findings.items())
            yield from (({"site": site, "state": state}, number) for (site, state), number in counted)
        case _:
            for row in whole.operation.sites:
                yield from _of_site(name, row, whole.operation.breakers[row.site])


def _of_site(name: str, row: Lateness, breakers: int) -> Iterator[tuple[Mapping[str, str], int]]:
    """What is told of one site; nothing where there is nothing to tell."""
    site, newest = {"site": row.site}, row.newest
    ended = newest if newest is not None and newest.ended is not None else None
    match name:
        case "vetuste_site":
            yield {**site, "establishment": row.establishment, "group": row.group}, 1
        case "vetuste_scan_late":
            yield site, int(row.state != "ok")
        case "vetuste_last_whole_scan_timestamp_seconds" if row.whole:
            yield site, int(row.whole.timestamp())
        case "vetuste_scan_late_timestamp_seconds" if row.whole:
            yield site, int((row.whole + row.after).timestamp())
        case "vetuste_last_scan_state" if newest:
            yield {**site, "state": newest.state}, 1
        case "vetuste_last_scan_duration_seconds" if ended and ended.ended:
            yield site, int((ended.ended - ended.started).total_seconds())
        case "vetuste_last_scan_attempts" if ended:
            yield site, ended.counts.get("attempts", 0)
        case "vetuste_breakers_open":
            yield site, breakers


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
