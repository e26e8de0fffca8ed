from __future__ import annotations

import gettext
import re
from typing import TYPE_CHECKING

import pytest
from babel.messages.catalog import Catalog

from scanner.language import LANGUAGES, translate, translate_plural
from tests.cli import catalogue

if TYPE_CHECKING:
    from pathlib import Path


def test_every_message_has_a_french_one_with_the_same_marks() -> None:
    assert catalogue.complaints() == []


def test_the_compiled_catalogue_is_what_gettext_reads() -> None:
    with catalogue.MO.open("rb") as stream:
        compiled = gettext.GNUTranslations(stream)
    assert compiled.gettext("ward") == "service"
    assert translate("never scanned", "fr") == compiled.gettext("never scanned") != "never scanned"
    assert LANGUAGES == ("en", "fr")


@pytest.mark.parametrize("entry", [entry for entry in catalogue.translations() if entry.id], ids=lambda _: "")
def test_french_typography(entry: object) -> None:
    strings = entry.string if isinstance(entry.string, tuple | list) else [entry.string]  # type: ignore[attr-defined]
    for text in strings:
        assert not re.search(r"[ \u00a0][;:!?»](?=[\s]|$)", text), text
        assert not re.search(r"[a-zà-ÿ][;!?](?=\s|$)", text), text
        assert not re.search(r"«[^\u202f]", text), text
        assert "..." not in text


def test_a_missing_translation_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    made = catalogue.messages()
    monkeypatch.setattr(catalogue, "messages", lambda: {**made, "never said {before}": {"x.py"}})
    assert "no French for 'never said {before}'" in catalogue.complaints()


def test_other_marks_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    changed = Catalog(locale="fr")
    for entry in catalogue.translations():
        changed.add(entry.id, entry.string)
    changed["Machines: {number}."].string = "Machines : {nombre}."
    monkeypatch.setattr(catalogue, "translations", lambda: changed)
    assert any("other marks" in line and "{nombre}" in line for line in catalogue.complaints())


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('translate("a")', {"a"}),
        ('raise ConfigError("a" if x else "b", file=f)', {"a", "b"}),
        ('Message("a {b}", {"b": c})', {"a {b}"}),
        ('say("a", b=1)', {"a"}),
        ('translate_plural("one", "many", n)', {("one", "many")}),
        ('X = "a"\nraise DataError(X)', {"a"}),
        ('X = {1: "a", 2: "b"}\nraise DataError(X[y])', {"a", "b"}),
        ('class Odd(ConfigError):\n    """It is odd.\n\n    More.\n    """', {"It is odd."}),
        ('def f():\n    text = "a"\n    return Message(text)', {"a"}),
        ('raise ProtocolError(f"for logs {x}")', set()),
        ('log.info("for logs")', set()),
    ],
)
def test_what_counts_as_a_message(source: str, found: set[object], tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text(source, encoding="utf-8")
    assert {key for key in catalogue._of_file(file) if key} == found


@pytest.mark.parametrize("source", ['translate(f"a {b}")', 'raise ConfigError("a" + b)'])
def test_a_message_that_no_catalogue_can_hold_is_refused(source: str, tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text(source, encoding="utf-8")
    with pytest.raises(SyntaxError, match="line 1"):
        list(catalogue._of_file(file))


def test_plurals_follow_french() -> None:
    one, many = "Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."
    assert (
        translate_plural(one, many, 0, "fr")
        == translate_plural(one, many, 1, "fr")
        == "L'option {name!r} demande une valeur."
    )
    assert "{nargs}" in translate_plural(one, many, 2, "fr")
