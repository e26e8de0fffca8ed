from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli import catalogue
from tests.cli.templates import messages_of, templates, untranslated

if TYPE_CHECKING:
    from pathlib import Path

PAGES = templates(catalogue.SOURCES)


def test_the_templates_of_the_package_are_found() -> None:
    assert "page.html" in {file.name for file in PAGES}


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('{{ _("a") }}', {"a"}),
        ('<p title="{{ _("a {b}", b=c) }}">{{ _("d") }}</p>', {"a {b}", "d"}),
        ('{{ _("a" if x else "b") }}', {"a", "b"}),
        ('{{ ngettext("one", "many", n) }}', {("one", "many")}),
        ('{% macro m(x) %}{{ _("a") }}{% endmacro %}{% set y = _("b") %}{{ m(_("c")) }}', {"a", "b", "c"}),
        ('{% if _("a") == x %}{% elif y %}{{ f(_("b"))|upper }}{% endif %}', {"a", "b"}),
        ("{{ _(status) }}{{ say(message) }}", set()),
        ('{# _("a") #}_("b"){{ "c" }}', set()),
    ],
)
def test_messages_of_a_template(source: str, found: set[object], tmp_path: Path) -> None:
    file = tmp_path / "x.html"
    file.write_text(source, encoding="utf-8")
    assert set(messages_of(file)) == found


@pytest.mark.parametrize("source", ['{{ _("a" ~ b) }}', '{{ _("a" + b) }}', '{{ _("a"|upper) }}'])
def test_a_message_that_no_catalogue_can_hold_is_refused(source: str, tmp_path: Path) -> None:
    file = tmp_path / "x.html"
    file.write_text(source, encoding="utf-8")
    with pytest.raises(SyntaxError, match="line 1"):
        list(messages_of(file))


def test_a_message_of_a_template_needs_french(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    file = catalogue.SOURCES / "reports" / "templates" / "x.html"
    page = tmp_path / "x.html"
    page.write_text('{{ _("never said in French {before}") }}', encoding="utf-8")
    monkeypatch.setattr(catalogue, "templates", lambda _: [file])
    monkeypatch.setattr(catalogue, "messages_of", lambda _: messages_of(page))
    assert "no French for 'never said in French {before}'" in catalogue.complaints()


@pytest.mark.parametrize("page", PAGES, ids=lambda file: file.name)
def test_a_template_has_no_words_of_its_own(page: Path) -> None:
    assert untranslated(page.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<p>Bare</p>", ["Bare"]),
        ("<p>{{ x }} machines</p>", ["machines"]),
        ('<a title="Bare" href="/bare" class="bare">{{ x }}</a>', ["Bare"]),
        ('<a aria-label="{{ x }} here">·</a>', ["here"]),
        ('<input type="submit" value="Send"><input type="hidden" value="sent">', ["Send"]),
        ('<img alt="Plan">', ["Plan"]),
        ('{{ figure("Machines", n) }}', ["Machines"]),
        ('{{ _("Machines") }}{{ _("A" if x else "Bcd") }}{{ ngettext("One", "Many", n) }}', []),
        ('{{ _("One {x}", x=other("Two")) }}', ["Two"]),
        ('<tr class="{% if x %}bad{% else %}good{% endif %}"><th scope="row">{{ x }}</th></tr>', []),
        ('<option value="a"{% if x == "a" %} selected{% endif %}>{{ x }}</option>', []),
        ("{# Bare #}<!-- Bare --><p>1,000 % — &nbsp;· vetuste</p>", []),
        ("<p>\u00e9t\u00e9</p>", ["\u00e9t\u00e9"]),
        ("<text>Bare</text>", ["Bare"]),
        ("{% macro fill(x) %}{% if x %}#7a1f1f{% else %}url(#{{ x }}){% endif %}{% endmacro %}", []),
        ('{% macro marks(x) %}id="{{ x }}" aria-invalid="true"{% endmacro %}<input {{ marks("a") }}>', []),
    ],
)
def test_what_counts_as_a_word(source: str, words: list[str]) -> None:
    assert untranslated(source) == words
