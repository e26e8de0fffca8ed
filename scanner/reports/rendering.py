"""Reports from templates: every value is escaped, every word is in the reader's language.

A report is one file: its style and its plots stand in it, and it asks nothing of anybody.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from scanner.language import Message, translate, translate_plural
from scanner.reports import plots
from scanner.reports.typography import Typography, css_text, cut, name
from scanner.version import installed_version

if TYPE_CHECKING:
    from datetime import date


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("scanner.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(name=name, cut=cut, css_text=_css)
    environment.globals.update(plots=plots, version=installed_version() or "?")
    return environment


def _css(text: str) -> str:
    """What was escaped for HTML already is the text that it stands for."""
    return css_text(text.unescape() if isinstance(text, Markup) else text)


def render(template: str, language: str, today: date, **values: Any) -> str:  # noqa: ANN401 - a template's
    """A report as HTML.

    In templates ``_("Text {name}", name=…)`` and ``ngettext(one, many, number)`` are the words of the
    catalogue, ``say(message)`` those of a :class:`~scanner.language.Message`, ``number``, ``share`` and
    ``day`` how the language writes them; ``text|name`` is any text that somebody else gave.
    """
    typography = Typography(language)

    def words(text: str, **marks: object) -> str:
        return translate(text, language).format(**marks) if marks else translate(text, language)

    def counted(one: str, many: str, number: int) -> str:
        text = translate_plural(one, many, number, language)
        return text.format(number=typography.number(number))

    def say(message: Message) -> str:
        return message.render(language)

    return _environment().get_template(template).render(
        _=words, ngettext=counted, say=say, number=typography.number, share=typography.share,
        day=typography.day, decimal=typography.decimal, language=language, today=today, **values,
    ) + "\n"  # fmt: skip
