from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner import data
from scanner.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


DOCUMENT = '''\
evidence = "smb.native_os"
note = """
[[fingerprint]]
name = "inside a text"
"""

[[fingerprint]]
name = "first"
examples = [
  { value = "a" },
]

[[fingerprint]]
"name" = "second"
asserts.product = "Windows XP"

[release]
xp-sp3 = { name = "Windows XP SP3", end = 2014-04-08 }   # the last one
[release.table]
"odd key" = 1
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ("evidence", 1),
        ("note", 2),
        ("fingerprint.0", 7),
        ("fingerprint.0.name", 8),
        ("fingerprint.0.examples.0.value", 9),
        ("fingerprint.1", 13),
        ("fingerprint.1.name", 14),
        ("fingerprint.1.asserts.product", 15),
        ("release", 17),
        ("release.xp-sp3", 18),
        ("release.xp-sp3.end", 18),
        ("release.table", 19),
        ("fingerprint.7.name", 7),
        ("absent", None),
        ("", None),
    ],
)
def test_a_key_is_found_on_its_line(path: str, line: int | None) -> None:
    assert data.line_of(DOCUMENT, path) == line


def test_an_odd_key_is_found_on_its_line() -> None:
    assert data.line_of(DOCUMENT, 'release.table."odd key"') == 20


KEYS = st.from_regex(r"[a-z][a-z0-9_-]{0,8}", fullmatch=True)


@given(st.lists(st.tuples(KEYS, st.dictionaries(KEYS, st.text(max_size=8), max_size=4)), max_size=5))
def test_every_key_of_a_generated_document_is_found(tables: list[tuple[str, dict[str, str]]]) -> None:
    lines: list[str] = []
    wanted: dict[str, int] = {}
    counts: dict[str, int] = {}
    for name, values in tables:
        position = counts.setdefault(name, 0)
        counts[name] += 1
        lines.append(f"[[{name}]]")
        for key, value in values.items():
            lines.append(f"{key} = {len(value)}")
            wanted[f"{name}.{position}.{key}"] = len(lines)
    text = "\n".join(lines)
    tomllib.loads(text)
    assert {path: data.line_of(text, path) for path in wanted} == wanted


@given(st.text())
def test_any_path_gives_a_line_or_none(path: str) -> None:
    line = data.line_of(DOCUMENT, path)
    assert line is None or 1 <= line <= len(DOCUMENT.splitlines())


def test_the_data_is_found_beside_the_package_or_in_it() -> None:
    assert (data.data_directory() / "lifecycle" / "windows.toml").is_file()


def test_the_version_changes_with_any_byte_and_any_name(tmp_path: Path) -> None:
    (tmp_path / "lifecycle").mkdir()
    file = tmp_path / "a.toml"
    versions = set()
    for content, name in (
        ("x = 1", "a.toml"),
        ("x = 2", "a.toml"),
        ("x = 2", "b.toml"),
        ("x = 2", "lifecycle/b.toml"),
    ):
        file = file.rename(tmp_path / name) if file.exists() else tmp_path / name
        file.write_text(content, encoding="utf-8")
        data.content_version.cache_clear()
        versions.add(data.content_version(tmp_path))
    assert len(versions) == 4
    assert all(len(version) == 12 for version in versions)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"a = \xff", "is not UTF-8 at byte 4"),
        (b"a = 1\nb = = 2\n", "a.toml:2: is not TOML"),
        (b"a = 1\na = 2\n", "a.toml:2: is not TOML"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, content: bytes, complaint: str) -> None:
    file = tmp_path / "a.toml"
    file.write_bytes(content)
    with pytest.raises(DataError) as caught:
        data.read_toml(file)
    assert complaint in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"absent\.toml: cannot be read"):
        data.read_toml(tmp_path / "absent.toml")


def test_an_unknown_key_is_met_with_the_nearest_known_one(tmp_path: Path) -> None:
    file = tmp_path / "a.toml"
    with pytest.raises(DataError) as caught:
        data.demand_known(["vendor", "famly"], ["vendor", "family"], file=file, text="vendor = 1\nfamly = 2")
    assert str(caught.value) == f"{file}:2: famly: unknown key; did you mean family?"
    with pytest.raises(DataError, match="known are vendor, family"):
        data.demand_known(["zzz"], ["vendor", "family"], file=file, text="zzz = 2")
