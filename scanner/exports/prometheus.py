"""``export prometheus``: the figures of wards and sites, for node_exporter's textfile collector or a scrape.

The text format has three signs to escape ([Prometheus exposition formats], "Text format details"); so no
library writes it. Moments are told and not ages, because an age is
wrong as soon as it is read again: ``time() - …`` is one.
"""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from scanner.exports import Format, dialect_of
from scanner.language import Message
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date
    from typing import TextIO

    from scanner.exports import Options
    from scanner.exports.whole import Whole
    from scanner.inventory.lateness import Lateness
    from scanner.inventory.rows import Asset, CountRow, CoverageRow, ScanRow

_ESCAPED: Final = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_CERTAINTIES: Final = ("certain", "probable", "to_verify")

Samples: TypeAlias = "Iterator[tuple[Mapping[str, str], int]]"
"""Labels, and the value."""


class Metric(NamedTuple):
    """One figure: what it says, and its values by labels; none where there is nothing to tell."""

    about: Message
    samples: Callable[[Whole], Samples]


def write(_: Iterable[Asset], stream: TextIO, options: Options) -> int:
    """Write the figures of every ward; gives how many machines they count. The assets are not looked at."""
    dialect_of((), options)
    for name, metric in METRICS.items():
        about = _escaped(metric.about.render(options.lang), quotes=False)
        stream.write(f"# HELP {name} {about}\n# TYPE {name} gauge\n")
        stream.writelines(
            f"{name}{{{_labels(labels)}}} {value}\n" for labels, value in metric.samples(options.whole)
        )
    return sum(value for _, value in _machines(options.whole))


def _machines(whole: Whole) -> Iterator[tuple[Mapping[str, str], int]]:
    for row in whole.statuses:
        for certainty in _CERTAINTIES:
            number: int = getattr(row, certainty)
            if number:
                yield {**row.keys, "certainty": certainty}, number


def _of_wards(value: Callable[[CountRow], int]) -> Callable[[Whole], Samples]:
    return lambda whole: ((row.keys, value(row)) for row in whole.wards)


def _of_coverage(day: Callable[[CoverageRow], date | None]) -> Callable[[Whole], Samples]:
    return lambda whole: ((row.keys, _day(told)) for row in whole.coverage if (told := day(row)))


def _of_sites(value: Callable[[Lateness], int | None]) -> Callable[[Whole], Samples]:
    return lambda whole: (
        ({"site": row.site}, told) for row in whole.operation.sites if (told := value(row)) is not None
    )


def _of_newest(value: Callable[[ScanRow], int]) -> Callable[[Whole], Samples]:
    """Of the newest scan of each site, where it has ended."""
    return _of_sites(lambda row: value(row.newest) if row.newest and row.newest.ended else None)


def _last_scans(whole: Whole) -> Samples:
    for site, moment in sorted(whole.scans.items()):
        yield {"site": site}, int(moment.timestamp())


def _sites(whole: Whole) -> Samples:
    for row in whole.operation.sites:
        yield {"site": row.site, "establishment": row.establishment, "group": row.group}, 1


def _states(whole: Whole) -> Samples:
    for row in whole.operation.sites:
        if row.newest:
            yield {"site": row.site, "state": row.newest.state}, 1


def _breakers(whole: Whole) -> Samples:
    for row in whole.operation.sites:
        yield {"site": row.site}, whole.operation.breakers[row.site]


def _findings(whole: Whole) -> Samples:
    for (site, state), number in sorted(whole.operation.findings.items()):
        yield {"site": site, "state": state}, number


def _day(day: date) -> int:
    return int(datetime.combine(day, time(), UTC).timestamp())


def _labels(labels: Mapping[str, str]) -> str:
    return ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())


def _escaped(text: str, *, quotes: bool = True) -> str:
    text = printable(text, len(text)).translate(_ESCAPED)
    return text if quotes else text.replace(r"\"", '"')


METRICS: Final[Mapping[str, Metric]] = {
    "vetuste_machines": Metric(
        Message("machines by site, ward, status and certainty, as count has them"), _machines
    ),
    "vetuste_addresses_seen": Metric(
        Message("machines of a ward that ever gave a sign of life"), _of_wards(lambda row: row.seen)
    ),
    "vetuste_addresses_in_scope": Metric(Message("addresses of a ward"), _of_wards(lambda row: row.scope)),
    "vetuste_addresses_never_scanned": Metric(
        Message("addresses of a ward that nobody ever asked"), _of_wards(lambda row: row.never_scanned)
    ),
    "vetuste_oldest_scan_timestamp_seconds": Metric(
        Message("day of the scan longest ago of a ward's last scans"),
        _of_coverage(lambda row: row.oldest_scan),
    ),
    "vetuste_newest_scan_timestamp_seconds": Metric(
        Message("day of the newest of a ward's last scans"), _of_coverage(lambda row: row.newest_scan)
    ),
    "vetuste_last_scan_timestamp_seconds": Metric(
        Message("end of the newest scan or import of a site"), _last_scans
    ),
    "vetuste_site": Metric(
        Message("1 for every site, with the establishment and the group that it belongs to"), _sites
    ),
    "vetuste_last_whole_scan_timestamp_seconds": Metric(
        Message("end of the last scan of a site that was whole"),
        _of_sites(lambda row: int(row.whole.timestamp()) if row.whole else None),
    ),
    "vetuste_scan_late": Metric(
        Message("1 where the next whole scan of a site is late, or there never was one"),
        _of_sites(lambda row: int(row.state != "ok")),
    ),
    "vetuste_scan_late_timestamp_seconds": Metric(
        Message("from when on the next whole scan of a site is late"),
        _of_sites(lambda row: int((row.whole + row.after).timestamp()) if row.whole else None),
    ),
    "vetuste_last_scan_state": Metric(Message("1 for the state of the newest scan of a site"), _states),
    "vetuste_last_scan_duration_seconds": Metric(
        Message("how long the newest scan of a site took, if it has ended"),
        _of_newest(lambda scan: int((scan.ended - scan.started).total_seconds()) if scan.ended else 0),
    ),
    "vetuste_last_scan_attempts": Metric(
        Message("attempts of the newest scan of a site, if it has ended"),
        _of_newest(lambda scan: scan.counts.get("attempts", 0)),
    ),
    "vetuste_breakers_open": Metric(
        Message("subnets of a site that the circuit breaker keeps stopped"), _breakers
    ),
    "vetuste_findings": Metric(Message("findings of a site by state, closed ones left out"), _findings),
}
"""By name, in the order in which they are written."""

FORMAT: Final = Format("prometheus", ".prom", write, evidence=False, whole=True, counts=True, mode=0o640)
