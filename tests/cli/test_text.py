from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.cli.terminal.text import columns, cut, json_line, padded, safe

OBEYED = ["\x1b[2J", "\x9b31m", "\x07", "\r", "\n", "\x00", "\u202e", "\u2028", "\x7f", "\u200b"]


@pytest.mark.parametrize("control", OBEYED)
def test_nothing_that_a_terminal_obeys_gets_through(control: str) -> None:
    shown = safe(f"PC{control}01")
    assert not set(control) & set(shown) - set("[2J31m")
    assert shown.startswith("PC")
    assert shown.endswith("01")


def test_french_spaces_and_accents_are_left_alone() -> None:
    text = "Réanimation\u202f: 3\u00a0postes, «\u202foui\u202f»"
    assert safe(text) == text


@given(st.text())
def test_safe_text_is_one_line_of_as_many_characters(text: str) -> None:
    shown = safe(text)
    assert len(shown) == len(text)
    assert all(unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} for character in shown)


@given(
    st.recursive(
        st.text() | st.none() | st.integers(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_json_keeps_everything_and_controls_nothing(value: object) -> None:
    line = json_line(value)
    assert json.loads(line) == value
    assert line.isprintable()


def test_json_keeps_accents_readable() -> None:
    assert json_line({"ward": "Réanimation"}) == '{"ward": "Réanimation"}'


@pytest.mark.parametrize(
    ("text", "width"), [("Réa", 3), ("Re\u0301a", 3), ("東京", 4), ("", 0), ("a\u202f:", 3)]
)
def test_columns(text: str, width: int) -> None:
    assert columns(text) == width


@given(
    st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs", "Mn", "Me"])),
    st.integers(2, 30),
    st.booleans(),
)
def test_padding_gives_exactly_the_width(text: str, width: int, right: bool) -> None:  # noqa: FBT001 - drawn
    assert columns(padded(text, width, right=right)) == width


def test_a_cut_is_shown() -> None:
    assert cut("Cardiologie", 6) == "Cardi…"
    assert cut("Cardio", 6) == "Cardio"
