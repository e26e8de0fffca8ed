from __future__ import annotations

import io
import multiprocessing
import os
import pickle
import re
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import InventoryError
from scanner.exports import Options, audit_csv, formats, second
from scanner.exports.cells import harmless
from scanner.exports.second import Second
from scanner.exports.sources import Source, assets_for
from scanner.inventory import Filters, assets_rows, open_inventory
from scanner.inventory.portions import Reader
from tests.inventory.hospital import SITE, TEN, TODAY, XP, host, record, site_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.inventory import Inventory
    from scanner.inventory.portions import Portion

HOSTS = [(f"10.20.0.{number}", "Cardiologie", XP if number % 3 else TEN) for number in range(1, 121)]
HOSTS += [(f"10.20.1.{number}", "Bloc", TEN if number % 5 else XP) for number in range(64, 128)]


class Patient(Second):
    """One that is waited for, however long it takes to begin."""

    def __init__(self, *given: Any) -> None:  # noqa: ANN401 - whatever it is given
        super().__init__(*given)
        assert self._pipe.poll(60)
        asked.clear()

    def ask(self, portion: Portion) -> None:
        asked.append(len(portion.ids))
        super().ask(portion)


class Mortal(Patient):
    """One that is killed while it works."""

    def ask(self, portion: Portion) -> None:
        super().ask(portion)
        assert self._process.pid is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.join()


asked: list[int] = []


class Breaking(io.StringIO):
    """A stream that breaks after some lines."""

    left = 70

    def write(self, text: str) -> int:
        self.left -= 1
        if self.left < 0:
            raise BrokenPipeError
        return len(text)


@pytest.fixture(scope="module")
def inventory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inventory]:
    folder = tmp_path_factory.mktemp("second")
    with open_inventory(f"sqlite:///{folder / 'inventory.db'}", create=True) as made:
        record(made, site_file(folder, SITE), [host(*each) for each in HOSTS])
        yield made


@pytest.fixture
def options() -> Options:
    return Options(TODAY)


@pytest.fixture
def two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(second, "ALONE", 0)
    monkeypatch.setattr(second, "_processors", lambda: 2)
    monkeypatch.setattr(second, "Second", Patient)


def source(inventory: Inventory, filters: Filters | None = None) -> Source:
    found = assets_for(audit_csv.FORMAT, inventory, filters, TODAY)
    assert isinstance(found, Source)
    return found


@pytest.mark.usefixtures("two")
@pytest.mark.parametrize(
    ("name", "dialect", "filters"),
    [
        ("csv", "excel-fr", Filters()),
        ("csv", "rfc4180", Filters(ward="car*")),
        ("jsonl", "", Filters(text="10.20.1.9")),
    ],
)
def test_two_processes_write_what_one_writes(
    inventory: Inventory, name: str, dialect: str, filters: Filters
) -> None:
    (form,) = (each for each in formats() if each.name == name)
    wanted = Options(TODAY, "en", dialect)
    alone, shared = io.StringIO(), io.StringIO()
    rows = list(assets_rows(inventory, filters, today=TODAY, evidence=True))
    number = form.write(source(inventory, filters), shared, wanted)
    assert number == form.write(rows, alone, wanted) == len(rows) > 0
    assert shared.getvalue() == alone.getvalue()
    assert abs(sum(asked) - len(rows) / 2) <= len(asked)
    assert not multiprocessing.active_children()


@pytest.mark.usefixtures("two")
def test_what_a_killed_one_was_asked_for_is_made_here(
    inventory: Inventory, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second, "Second", Mortal)
    alone, shared = io.StringIO(), io.StringIO()
    audit_csv.write(list(source(inventory)), alone, options)
    assert audit_csv.write(source(inventory), shared, options) == len(HOSTS)
    assert shared.getvalue() == alone.getvalue()
    assert len(asked) == 1


@pytest.mark.usefixtures("two")
def test_a_broken_pipe_leaves_nobody_behind(inventory: Inventory, options: Options) -> None:
    with pytest.raises(BrokenPipeError):
        audit_csv.write(source(inventory), Breaking(), options)
    assert asked
    assert not multiprocessing.active_children()


def test_few_machines_need_no_other_process(
    inventory: Inventory, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[object] = []
    monkeypatch.setattr(second, "_processors", lambda: 2)
    monkeypatch.setattr(second, "Second", lambda *given: begun.append(given))
    assert audit_csv.write(source(inventory), io.StringIO(), options) == len(HOSTS)
    assert not begun


def test_it_does_not_hear_an_interrupt_tells_its_errors_and_ends(tmp_path: Path, options: Options) -> None:
    path = tmp_path / "inventory.db"
    with open_inventory(f"sqlite:///{path}", create=True) as made:
        record(made, site_file(tmp_path, SITE), [host(*each) for each in HOSTS[:8]])
        whole = source(made)
        reader, make = Reader(made, whole.terms), audit_csv._lines(options)
        (portion,) = reader.portions(500)
        with Patient(whole, options, audit_csv._lines) as other:
            assert other.is_ready()
            assert other._process.pid is not None
            os.kill(other._process.pid, signal.SIGINT)
            other.ask(portion)
            assert other.told() == [make(asset) for asset in reader.read(portion)]
            for file in tmp_path.glob("inventory.db*"):
                file.unlink()
            other.ask(portion)
            with pytest.raises(InventoryError) as told:
                other.told()
            assert told.value.file == path
            assert other._process.is_alive()
        assert not multiprocessing.active_children()


def test_where_no_process_can_be_had_one_does_all(
    inventory: Inventory, options: Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(second, "ALONE", 0)
    monkeypatch.setattr(second, "_processors", lambda: 2)
    monkeypatch.setattr(multiprocessing.context.SpawnProcess, "start", refused)
    assert audit_csv.write(source(inventory), io.StringIO(), options) == len(HOSTS)


def test_an_error_that_went_through_a_pipe_says_the_same() -> None:
    error = InventoryError("the disk is full: {reason}", file=Path("a.db"), reason="x")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301 - our own


_FORMULA = re.compile(r"""(^|[;,|])(?=[\s"'`\u00b4\u2018\u2019]*[=+\-@\uff1d\uff0b\uff0d\uff20])""")


@given(st.text(st.sampled_from(" \"'`\u00b4\u2018=+-@\uff1d\uff20;,|ab"), max_size=12))
def test_a_formula_is_found_wherever_it_may_begin(text: str) -> None:
    assert harmless(text) == _FORMULA.sub(r"\1'", text)
