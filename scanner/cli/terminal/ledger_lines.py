"""Lines of the ledger, for people and for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scanner.cli.terminal.output import write_lines
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import OUTCOME, heading
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scanner.inventory import LedgerRow

HEADS: Final = (
    *("time", "address", "port", "transport", "probe", "outcome"),
    *("bytes_sent", "bytes_received", "scan", "ward"),
)


def attempt_object(row: LedgerRow) -> dict[str, Any]:
    """A line as programs read it; time in UTC, to the millisecond."""
    attempt = row.attempt
    end = attempt.endpoint
    return {
        "time": f"{attempt.at:%Y-%m-%dT%H:%M:%S}.{attempt.at.microsecond // 1000:03}Z",
        "address": end.address,
        "port": end.port,
        "transport": end.transport.value,
        "probe": attempt.probe,
        "outcome": attempt.outcome.value,
        "bytes_sent": attempt.sent,
        "bytes_received": attempt.received,
        "scan": row.scan,
        "ward": row.ward,
    }


def print_attempts(rows: Iterable[LedgerRow]) -> int:
    """A table of lines, as they come; how many there were."""
    counted = [0]
    heads = [
        Column(translate("when (UTC)")),
        Column(translate("endpoint")),
        Column(translate("probe")),
        Column(translate("outcome")),
        Column(translate("sent"), figures=True),
        Column(translate("received"), figures=True),
        Column(translate("scan"), figures=True),
        Column(heading("ward")),
    ]
    write_lines(table(heads, _cells(rows, counted), width=terminal_width()))
    return counted[0]


def _cells(rows: Iterable[LedgerRow], counted: list[int]) -> Iterator[list[Cell]]:
    for row in rows:
        counted[0] += 1
        attempt = row.attempt
        texts = (
            f"{attempt.at:%Y-%m-%d %H:%M:%S}",
            str(attempt.endpoint),
            attempt.probe,
            OUTCOME[attempt.outcome].render(),
            str(attempt.sent),
            str(attempt.received),
            str(row.scan),
            row.ward,
        )
        yield [Cell(text) for text in texts]
