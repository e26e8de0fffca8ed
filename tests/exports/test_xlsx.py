"""Spreadsheets, read again as the XML that they are."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import date, timedelta
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

import pytest

from scanner.exports import xlsx
from scanner.exports.columns import AUDIT
from tests.exports.hostile import WORDS, XP, crowd, machine, named, whole, written

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.inventory.rows import Asset

MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")


class Book:
    """What a spreadsheet program reads."""

    def __init__(self, content: bytes) -> None:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            assert archive.testzip() is None
            self.parts = {name: archive.read(name).decode("utf-8") for name in archive.namelist()}
        book = ET.fromstring(self.parts["xl/workbook.xml"])  # noqa: S314 - our own
        self.names = [sheet.attrib["name"] for sheet in book.iter(f"{MAIN}sheet")]

    def sheet(self, number: int) -> ET.Element:
        return ET.fromstring(self.parts[f"xl/worksheets/sheet{number}.xml"])  # noqa: S314 - our own

    def rows(self, number: int) -> list[dict[str, str | float]]:
        return [
            {cell.attrib["r"].rstrip("0123456789"): self._value(cell) for cell in row}
            for row in self.sheet(number).iter(f"{MAIN}row")
        ]

    @staticmethod
    def _value(cell: ET.Element) -> str | float:
        assert cell.find(f"{MAIN}f") is None
        if cell.get("t") == "inlineStr":
            text = "".join(each.text or "" for each in cell.iter(f"{MAIN}t"))
            return ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
        return float(cell.findtext(f"{MAIN}v", "nan"))


def book(assets: Iterable[Asset], lang: str = "en", *words: str) -> Book:
    return Book(written("xlsx", assets, lang, whole=whole(*words)))


def column(name: str) -> str:
    place = [each.en for each in AUDIT].index(name)
    return ("" if place < 26 else chr(64 + place // 26)) + chr(65 + place % 26)


def test_no_name_becomes_a_formula_a_link_or_a_number() -> None:
    found = book(crowd(), "fr", *WORDS)
    assert not any("hyperlink" in part for name, part in found.parts.items() if "sheet" in name)
    assert not any("drawing" in name or "rels/sheet" in name for name in found.parts)
    names = [row.get(column("netbios_name"), "") for row in found.rows(1)]
    assert all(isinstance(name, str) for name in names)
    assert {"007", "1e5", "TRUE", "http://example.test/", "_x003D_1+1"} <= set(names)
    assert not any(str(name)[:1] in tuple("=+-@") for name in names if name)


def test_a_cell_takes_no_more_than_spreadsheets_do() -> None:
    (_, row) = book([named("😀" * 40_000)]).rows(1)
    for cell in row.values():
        assert len(str(cell).encode("utf-16-le")) // 2 <= 32_767
    assert str(row[column("netbios_name")]).endswith("…")


def test_days_and_moments_are_such_and_count_as_spreadsheets_count() -> None:
    (_, row) = book([machine(7, XP)]).rows(1)
    epoch = date(1899, 12, 30)
    assert row[column("support_end_min")] == (date(2014, 4, 8) - epoch).days
    seen = row[column("last_seen")]
    assert isinstance(seen, float)
    assert epoch + timedelta(days=int(seen)) == date(2026, 11, 20)
    assert seen % 1 == pytest.approx(8 / 24)
    assert row[column("asset_id")] == 7.0


def test_headings_stay_and_every_row_can_be_filtered() -> None:
    found = book([machine(number, XP) for number in range(1, 10)])
    assert found.names == ["machines", "wards", "about"]
    sheet = found.sheet(1)
    (pane,) = sheet.iter(f"{MAIN}pane")
    assert (pane.attrib["ySplit"], pane.attrib["state"]) == ("1", "frozen")
    (filtered,) = sheet.iter(f"{MAIN}autoFilter")
    assert filtered.attrib["ref"] == f"A1:{column('due')}10"
    widths = [float(each.attrib["width"]) for each in sheet.iter(f"{MAIN}col")]
    assert len(widths) >= 3
    assert all(8 < width < 70 for width in widths)


@pytest.mark.parametrize(("machines", "sheets"), [(0, 1), (1, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_what_has_no_room_on_a_sheet_stands_on_the_next(
    machines: int, sheets: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert xlsx.ROWS == 1_048_576
    monkeypatch.setattr(xlsx, "ROWS", 5)
    found = book([machine(number, XP) for number in range(1, machines + 1)])
    assert found.names[:-2] == ["machines", "machines 2", "machines 3"][:sheets]
    rows = [found.rows(number + 1) for number in range(sheets)]
    assert all(1 <= len(each) <= 5 for each in rows)
    assert [row[column("asset_id")] for each in rows for row in each[1:]] == list(range(1, machines + 1))


def test_the_wards_have_the_figures_of_count_and_the_last_sheet_what_they_are_of() -> None:
    found = book([machine(1, XP, data_version="v1"), machine(2, data_version="v0")], "en", "Réa", "=1")
    heads, first, second = found.rows(2)
    assert list(heads.values())[:8] == [
        "site", "ward", "certain", "probable", "to verify", "seen", "in scope", "never scanned",
    ]  # fmt: skip
    assert list(first.values()) == ["CHU", "Réa", 3, 2, 1, 9, 256, 200, 6, 0, 0, 0, 0]
    assert second["B"] == "'=1"
    about = {row["A"]: row.get("B") for row in found.rows(3)}
    assert (about["verdicts as of"], about["machines in this file"]) == ("2026-11-23", 2)
    assert [about[name] for name in ("addresses in scope", "of these seen", "of these never scanned")] == [
        256, 9, 200,
    ]  # fmt: skip
    assert about["versions of the data that identified"] == "v0, v1"
    assert about["of the last scan: data"] == "abc"


def test_the_document_is_dated_by_the_last_scan() -> None:
    core = book([]).parts["docProps/core.xml"]
    assert core.count("2026-11-20T08:00:00Z") == 2
    assert "2026-11-23T00:00:00Z" in Book(written("xlsx", [])).parts["docProps/core.xml"]
