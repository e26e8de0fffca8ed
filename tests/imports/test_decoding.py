"""Text of any size is decoded and cut into lines, however it comes."""

from __future__ import annotations

import io
import json
import tracemalloc

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scanner.errors import ConfigError
from scanner.imports import Source
from scanner.imports.decoding import Line, lines_of, text_of
from scanner.imports.json_lists import objects_of
from tests.imports.large import Lazy
from tests.imports.samples import NOW

ENCODINGS = ["utf-8", "utf-8-sig", "utf-16"]
LONGEST = 1 << 20
TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\ufeff"), max_size=60)


def source_of(*pieces: bytes) -> Source:
    return Source(io.BufferedReader(Lazy(iter(pieces)), 1 << 16), "file", NOW)


def scattered(content: bytes, step: int) -> Source:
    """A file of which only some bytes come at a time."""

    class Slow(io.BytesIO):
        def read1(self, size: int | None = -1, /) -> bytes:
            return super().read1(min(step, size or step) if size and size > 0 else step)

    return Source(Slow(content), "file", NOW)


@given(text=TEXTS, encoding=st.sampled_from(ENCODINGS), step=st.integers(min_value=1, max_value=9))
@example(text="é\r\n\U0001f3e5\n", encoding="utf-16", step=1)
def test_text_is_the_same_however_it_comes(text: str, encoding: str, step: int) -> None:
    assert "".join(map(str, text_of(scattered(text.encode(encoding), step)))) == text


@given(text=TEXTS, step=st.integers(min_value=1, max_value=9))
def test_lines_are_those_of_the_text(text: str, step: int) -> None:
    source = scattered(text.encode(), step)
    expected = text.split("\n")
    found = list(lines_of(text_of(source), source))
    lines = [Line(n, line.removesuffix("\r"), ended=True) for n, line in enumerate(expected[:-1], 1)]
    last = [Line(len(expected), expected[-1], ended=False)] if expected[-1] else []
    assert found == lines + last


@pytest.mark.parametrize("content", [b"\xff\xfea", b"a\x00b\xff", b"\xfe\xff\xd8\x00\x00a", b"\xe9"])
def test_what_is_in_no_encoding_raises_nothing(content: bytes) -> None:
    assert all(isinstance(piece, str) for piece in text_of(source_of(content)))


@pytest.mark.parametrize("end", [b"", b"\nb\n"])
def test_a_line_that_never_ends_is_passed_over(end: bytes) -> None:
    source = source_of(b"a\n", *[b"x" * 65536] * 40, end)
    found = list(lines_of(text_of(source), source))
    assert [str(each) if isinstance(each, ConfigError) else each.text for each in found] == [
        "a",
        "file:2: is longer than 1 MiB",
        *(["b"] if end else []),
    ]


def test_a_line_that_never_ends_takes_no_memory() -> None:
    source = Source(io.BufferedReader(Lazy(iter([b"x" * 65536] * 400)), 1 << 16), "file", NOW)
    tracemalloc.start()
    try:
        assert len(list(lines_of(text_of(source), source))) == 1
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 8 * LONGEST


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text('ab"\\{}[]\n,', max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text('ab"{}]', max_size=3), inner, max_size=3)
    ),
    max_leaves=8,
)


@given(
    values=st.lists(
        st.lists(st.dictionaries(st.text("xy", max_size=3), JSON, max_size=3), max_size=4), max_size=3
    ),
    step=st.integers(min_value=1, max_value=40),
    indent=st.sampled_from([None, 1]),
)
def test_objects_of_lists_are_found_however_they_come(
    values: list[list[dict[str, object]]], step: int, indent: int | None
) -> None:
    content = json.dumps(
        [{"arguments": {"leases": each}, "text": "leases"} for each in values], indent=indent
    )
    source = scattered(content.encode(), step)
    found = list(objects_of(text_of(source), source, "leases"))
    assert [each[1] for each in found if not isinstance(each, ConfigError)] == [
        each for listed in values for each in listed
    ]
    assert not [each for each in found if isinstance(each, ConfigError)]
