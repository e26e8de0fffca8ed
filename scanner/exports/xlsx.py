"""``export xlsx``: the audit columns for spreadsheets, the wards' figures, and what all of it is of."""

from __future__ import annotations

import tempfile
from datetime import UTC, date, datetime
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, Final

from scanner.data import data_version
from scanner.exports import Format, dialect_of
from scanner.exports.cells import harmless
from scanner.exports.columns import AUDIT, Kind, headings
from scanner.exports.rows import rows_of
from scanner.language import Message, translate
from scanner.model import Status

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import BinaryIO

    from xlsxwriter import Workbook
    from xlsxwriter.worksheet import Worksheet

    from scanner.exports import Options
    from scanner.inventory.rows import Asset, CountRow

ROWS: Final = 1_048_576
"""All that a sheet has ([ECMA-376] as spreadsheets have made it), the heading included."""
_LONGEST: Final = 16_383
"""Characters of a cell: it takes 32,767 units of UTF-16, and a character may be two."""
_FIRST_YEAR: Final = 1901
"""Spreadsheets number the days from 1900 on, and the first of them wrongly."""
_OPTIONS: Final = {
    "constant_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
    "use_zip64": True,
}
_FORMATS: Final = {Kind.DAY: "yyyy-mm-dd", Kind.MOMENT: "yyyy-mm-dd hh:mm:ss"}
_WIDTHS: Final = {"evidence": 60, "possible_editions": 40, "action": 40, "os_name": 30, "ip": 16, "mac": 18}
_WIDTH: Final = {Kind.DAY: 12, Kind.MOMENT: 20, Kind.NUMBER: 10, Kind.TEXT: 16}

_HEADS: Final = (
    *(Message("site"), Message("ward"), Message("certain"), Message("probable"), Message("to verify")),
    *(Message("seen"), Message("in scope"), Message("never scanned")),
)
_KINDS: Final = tuple(column.kind for column in AUDIT)


def write(assets: Iterable[Asset], stream: BinaryIO, options: Options) -> int:
    """Write every asset, in the order given: on further sheets where they are more than one has rows."""
    dialect_of((), options)
    from xlsxwriter import Workbook  # noqa: PLC0415 - 60 ms that only this export pays
    from xlsxwriter.exceptions import FileCreateError  # noqa: PLC0415 - the same

    with tempfile.TemporaryDirectory(prefix="vetuste-") as scratch:  # 0700; xlsxwriter keeps its rows there
        book = Workbook(_FailingOnce(stream), {**_OPTIONS, "tmpdir": scratch})
        try:
            number = _fill(book, assets, options)
            book.close()
        except FileCreateError as error:
            raise error.args[0] from error  # the OSError that it was made of
        finally:
            for sheet in book.worksheets():
                sheet.row_data_fh.close()
    return number


class _FailingOnce:
    """A stream that says once that it cannot be written, and then takes everything.

    The archive that xlsxwriter leaves behind writes its end again when it is forgotten, and Python would
    complain of that on standard error.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._failed = False

    def write(self, content: bytes) -> int:
        return self._tried(lambda: self._stream.write(content), len(content))

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._tried(lambda: self._stream.seek(offset, whence), offset)

    def tell(self) -> int:
        return self._tried(self._stream.tell, 0)

    def flush(self) -> None:
        self._tried(lambda: self._stream.flush() or 0, 0)

    def _tried(self, act: Callable[[], int], otherwise: int) -> int:
        if self._failed:
            return otherwise
        try:
            return act()
        except OSError:
            self._failed = True
            raise


def _fill(book: Workbook, assets: Iterable[Asset], options: Options) -> int:
    last = options.whole.last or datetime(
        options.today.year, options.today.month, options.today.day, tzinfo=UTC
    )
    book.set_properties({"created": last.replace(microsecond=0, tzinfo=None)})  # never the clock's
    made_by: set[str] = set()
    number = _machines(book, _noted(assets, made_by), options)
    _wards(book, options)
    _about(book, options, number, made_by)
    return number


def _noted(assets: Iterable[Asset], made_by: set[str]) -> Iterator[Asset]:
    for asset in assets:
        made_by.add(asset.data_version)
        yield asset


def _cell(text: str) -> str:
    text = harmless(text)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _machines(book: Workbook, assets: Iterable[Asset], options: Options) -> int:
    """The audit columns; gives how many rows, the headings not counted."""
    formats = {kind: book.add_format({"num_format": form}) for kind, form in _FORMATS.items()}
    row_of = rows_of(AUDIT, options, _cell)
    name = translate("machines", options.lang)
    new = partial(_sheet, book, heads=headings(AUDIT, options), widths=_widths())
    sheet, row, number, sheets = new(name=name), 0, 0, 1
    for asset in assets:
        if row == ROWS - 1:
            _filtered(sheet, row, len(AUDIT))
            sheets += 1
            sheet, row = new(name=f"{name} {sheets}"), 0
        row, number = row + 1, number + 1
        for column, (kind, text) in enumerate(zip(_KINDS, row_of(asset), strict=True)):
            if text:
                _put(sheet, (row, column), kind, text, formats)
    _filtered(sheet, row, len(AUDIT))
    return number


def _widths() -> list[int]:
    return [_WIDTHS.get(column.en, _WIDTH[column.kind]) for column in AUDIT]


def _put(sheet: Worksheet, at: tuple[int, int], kind: Kind, text: str, formats: dict[Kind, Any]) -> None:
    value = None if kind is Kind.TEXT else _value(kind, text)
    if value is None:
        sheet.write_string(*at, text)
    elif isinstance(value, int):
        sheet.write_number(*at, value)
    else:
        sheet.write_datetime(*at, value, formats[kind])


@lru_cache(maxsize=1 << 12)
def _value(kind: Kind, text: str) -> int | date | datetime | None:
    """The number, day or moment of a cell; None where it is to stay text."""
    if kind is Kind.NUMBER:
        return int(text)
    if int(text[:4]) < _FIRST_YEAR:
        return None
    return date.fromisoformat(text) if kind is Kind.DAY else datetime.fromisoformat(text).replace(tzinfo=None)


def _sheet(book: Workbook, *, name: str, heads: Sequence[str], widths: Sequence[int]) -> Worksheet:
    """A new sheet with a heading that stays in sight."""
    sheet = book.add_worksheet(name)
    for column, width in enumerate(widths):
        sheet.set_column(column, column, width)
    sheet.freeze_panes(1, 0)
    bold = book.add_format({"bold": True})
    for column, head in enumerate(heads):
        sheet.write_string(0, column, head, bold)
    return sheet


def _filtered(sheet: Worksheet, last: int, columns: int) -> None:
    sheet.autofilter(0, 0, last, columns - 1)


def _wards(book: Workbook, options: Options) -> None:
    """The figures of ``count``, and how many machines of each status."""
    statuses = [translate(status.value, options.lang) for status in Status]
    heads = [head.render(options.lang) for head in _HEADS] + statuses
    sheet = _sheet(book, name=translate("wards", options.lang), heads=heads, widths=[24, 24, *[14] * 11])
    told: dict[tuple[object, ...], int] = {
        tuple(row.keys.values()): _machines_of(row) for row in options.whole.statuses
    }
    for number, row in enumerate(options.whole.wards, start=1):
        site, ward, *figures = row.as_dict().values()
        figures += [told.get((site, ward, status.value), 0) for status in Status]
        sheet.write_string(number, 0, _cell(str(site)))
        sheet.write_string(number, 1, _cell(str(ward)))
        for column, figure in enumerate(figures, start=2):
            sheet.write_number(number, column, int(figure))
    _filtered(sheet, len(options.whole.wards), len(heads))


def _machines_of(row: CountRow) -> int:
    return row.certain + row.probable + row.to_verify


def _about(book: Workbook, options: Options, number: int, made_by: set[str]) -> None:
    """What all of it is of, and what made it."""
    whole, say = options.whole, partial(translate, language=options.lang)  # a word of the catalogue each
    sheet = _sheet(book, name=say("about"), heads=[say("what"), say("value")], widths=[44, 44])
    lines: list[tuple[str, str | int]] = [
        (say("verdicts as of"), options.today.isoformat()),
        (say("machines in this file"), number),
        (say("addresses in scope"), whole.denominator.scope),
        (say("of these seen"), whole.denominator.seen),
        (say("of these never scanned"), whole.denominator.never_scanned),
        (say("last scan or import (UTC; so are all times)"), _moment(whole.last)),
        (say("version of the dates that judge"), data_version()),
        (say("versions of the data that identified"), ", ".join(sorted(filter(None, made_by)))),
        *(
            (f"{say('of the last scan')}: {name}", version)
            for name, version in sorted(whole.versions.items())
        ),
    ]
    for row, (label, value) in enumerate(lines, start=1):
        sheet.write_string(row, 0, _cell(label))
        put: Callable[..., object] = sheet.write_number if isinstance(value, int) else sheet.write_string
        put(row, 1, value if isinstance(value, int) else _cell(value))


def _moment(moment: datetime | None) -> str:
    return "" if moment is None else moment.strftime("%Y-%m-%d %H:%M:%S")


FORMAT: Final = Format("xlsx", ".xlsx", write, binary=True, whole=True)
