from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from scanner.cli.terminal.table import Cell, Column, table, wrapped
from scanner.cli.terminal.text import columns

WORDS = st.text(alphabet="abcdeé東 ", max_size=40)
HEADS = (Column("ward"), Column("certain", figures=True), Column("never scanned", figures=True))


def shown(*rows: tuple[str, str, str], width: int | None = None, total: tuple[str, ...] = ()) -> list[str]:
    cells = [[Cell(text) for text in row] for row in rows]
    return list(table(HEADS, cells, total=[Cell(text) for text in total], width=width))


def test_columns_are_aligned_and_the_total_stands_under_a_rule() -> None:
    assert shown(("Cardiologie", "12", "3"), ("Réa", "7", "0"), total=("total", "19", "3")) == [
        "ward         certain  never scanned",
        "Cardiologie       12              3",
        "Réa                7              0",
        "-----------  -------  -------------",
        "total             19              3",
    ]


def test_words_give_way_before_figures_do() -> None:
    lines = shown(("Cardiologie interventionnelle", "12000", "3"), width=40)
    assert lines[1] == "Cardiologie int…    12000              3"


def test_where_nothing_gives_way_each_row_is_a_block() -> None:
    assert shown(("Cardiologie", "12", "3"), total=("total", "12", "3"), width=30) == [
        "Cardiologie",
        "  certain 12, never scanned 3",
        "total",
        "  certain 12, never scanned 3",
    ]


def test_a_pipe_gets_every_character() -> None:
    long = "x" * 500
    assert shown((long, "1", "2"))[1].startswith(long)


def test_rows_beyond_the_sample_are_printed_whole_in_a_pipe() -> None:
    rows = [("a", "1", "2")] * 600 + [("x" * 300, "1", "2")]
    assert "x" * 300 in shown(*rows)[-1]


def test_a_peer_cannot_break_a_table() -> None:
    lines = shown(("PC\x1b[2J\nfaked line", "1", "2"))
    assert len(lines) == 2
    assert "\x1b" not in lines[1]


@given(st.lists(st.tuples(WORDS, WORDS, st.integers(0, 10**9)), max_size=5), st.integers(20, 120))
def test_no_line_is_wider_than_the_terminal(rows: list[tuple[str, str, int]], width: int) -> None:
    heads = (Column("ward"), Column("system"), Column("seen", figures=True))
    cells = [[Cell(ward), Cell(system), Cell(str(seen))] for ward, system, seen in rows]
    for line in table(heads, cells, total=[Cell("total"), Cell(""), Cell("9")], width=width):
        assert columns(line) <= width


@given(st.lists(st.text(alphabet="abc", min_size=1, max_size=30), max_size=8), st.integers(5, 60))
def test_wrapping_loses_nothing(parts: list[str], width: int) -> None:
    lines = list(wrapped(parts, width, indent=2))
    assert "".join(line[2:] for line in lines).replace(" ", "") == ",".join(parts)
    assert all(columns(line) <= width for line in lines)
