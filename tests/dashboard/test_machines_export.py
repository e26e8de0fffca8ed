from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from scanner.dashboard.handing import handed
from scanner.errors import InventoryError
from scanner.exports import Options, formats
from scanner.exports.sources import assets_for
from scanner.inventory import Filters
from scanner.model import Status
from tests.dashboard.machine_park import TODAY, hospital

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.testclient import TestClient

    from scanner.dashboard.house import House


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = hospital(tmp_path)
    yield house
    house.close()


def exported(house: House, name: str, filters: Filters, **options: Any) -> str:  # noqa: ANN401 - of Options
    """What the command writes."""
    form = next(each for each in formats() if each.name == name)
    stream = io.StringIO(newline="")
    form.write(assets_for(form, house.inventory, filters, TODAY), stream, Options(TODAY, **options))
    return stream.getvalue()


@pytest.mark.parametrize(
    ("query", "filters"),
    [
        ("", Filters()),
        ("ward=car*&status=unsupported", Filters(ward="car*", status=Status.UNSUPPORTED)),
        ("text=pc-1&sort=-name", Filters(text="pc-1")),
        ("os=windows+7", Filters(os="windows 7")),
    ],
)
def test_files_are_those_of_the_command(
    house: House, client: Callable[..., TestClient], query: str, filters: Filters
) -> None:
    for language in ("en", "fr"):
        browser = client(language=language)
        for dialect in ("excel-fr", "rfc4180"):
            answer = browser.get(f"/machines/export/csv?{query}&dialect={dialect}")
            wanted = exported(house, "csv", filters, lang=language, dialect=dialect)
            assert answer.content == wanted.encode()
            assert answer.headers["content-type"] == "text/csv; charset=utf-8"
        assert browser.get(f"/machines/export/jsonl?{query}").text == exported(
            house, "jsonl", filters, lang=language
        )


def test_a_file_has_a_safe_name_and_is_not_opened_in_the_page(client: Callable[..., TestClient]) -> None:
    for name, suffix in {"csv": "csv", "xlsx": "xlsx", "jsonl": "jsonl"}.items():
        answer = client().get(f"/machines/export/{name}?text=..%2F..%2F%22")
        assert answer.headers["content-disposition"] == f'attachment; filename="machines-2026-11-24.{suffix}"'


def test_files_have_what_is_seen_and_no_more(client: Callable[..., TestClient]) -> None:
    lines = client(wards=("Bloc",)).get("/machines/export/jsonl").text.splitlines()
    assert {json.loads(line)["ward"] for line in lines} == {"Bloc"}
    assert len(lines) == 6


def test_figures_of_a_workbook_are_of_what_is_seen(client: Callable[..., TestClient]) -> None:
    def texts(**visitor: Any) -> str:  # noqa: ANN401 - as the fixture takes it
        content = client(**visitor).get("/machines/export/xlsx").content
        with zipfile.ZipFile(io.BytesIO(content)) as book:
            return "".join(book.read(name).decode() for name in book.namelist() if name.endswith(".xml"))

    assert "Cardiologie" in texts()
    limited = texts(wards=("Bloc",))
    assert "Bloc" in limited
    assert "Cardiologie" not in limited
    assert "<v>256</v>" in limited
    assert "<v>768</v>" not in limited
    assert "<v>768</v>" in texts()


def test_findings_buildings_and_owners_filter_files_too(client: Callable[..., TestClient]) -> None:
    def exported_ids(query: str) -> list[int]:
        lines = client().get(f"/machines/export/jsonl?{query}").text.splitlines()
        return [json.loads(line)["id"] for line in lines]

    assert exported_ids("state=planned") == [1]
    assert exported_ids("building=C") == exported_ids("owner=biomedical") == [13, 14, 15, 16, 17, 18]


@pytest.mark.parametrize("query", ["status=foo", "dialect=morse", "os=nosuch", "x=1"])
def test_a_wrong_filter_makes_no_file(client: Callable[..., TestClient], query: str) -> None:
    answer = client().get(f"/machines/export/csv?{query}")
    assert answer.status_code == 400
    assert "content-disposition" not in answer.headers
    assert 'role="alert"' in answer.text


@pytest.mark.parametrize("name", ["glpi", "remediation", "pdf", "%00", "csv%2F..", "CSV"])
def test_other_formats_are_not_there(client: Callable[..., TestClient], name: str) -> None:
    assert client().get(f"/machines/export/{name}").status_code == 404


def test_who_takes_what_away_is_noted_first(client: Callable[..., TestClient], tmp_path: Path) -> None:
    client().get("/machines/export/csv?text=pc-1&dialect=rfc4180&status=unsupported")
    client().get("/machines/export/csv?status=foo")
    lines = map(json.loads, (tmp_path / "audit.jsonl").read_text(encoding="utf-8").splitlines())
    noted = [line["what"] for line in lines if line["event"] == "export"]
    assert noted == ["csv of /machines?text=pc-1&status=unsupported"]


def test_a_file_that_breaks_off_is_not_taken_for_whole(
    client: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> Iterator[object]:
        raise InventoryError
        yield

    monkeypatch.setattr("scanner.inventory.portions.Reader.assets", broken)
    with pytest.raises((InventoryError, RuntimeError)):
        client().get("/machines/export/csv")


def test_pieces_come_while_the_rest_is_made() -> None:
    written: list[int] = []

    def write(stream: Any) -> None:  # noqa: ANN401 - a binary stream
        for number in range(100):
            stream.write(bytes(1 << 16))
            written.append(number)

    pieces = handed(write)
    assert len(next(pieces)) == 1 << 16
    assert len(written) < 100
    assert sum(map(len, pieces)) == 99 << 16


def test_who_writes_ends_when_nobody_reads_any_more() -> None:
    written: list[int] = []

    def write(stream: Any) -> None:  # noqa: ANN401 - a binary stream
        for number in range(1000):
            stream.write(bytes(1 << 16))
            written.append(number)

    pieces = handed(write)
    next(pieces)
    pieces.close()  # type: ignore[attr-defined] # a generator
    assert len(written) < 100
