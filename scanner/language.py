"""What people read, in English and the languages of the catalogues (gettext, in ``scanner/locale``).

A language is there when its ``LC_MESSAGES/vetuste.mo`` is; what a catalogue lacks is read in English.

A message that must outlive its making (a reason kept in the inventory) is a :class:`Message`: its English
text and its values, turned into words only where someone reads it.
"""

from __future__ import annotations

import gettext
import os
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_CATALOGUES = Path(__file__).parent / "locale"


def _languages(catalogues: Path) -> tuple[str, ...]:
    there = (file.parts[-3] for file in catalogues.glob("*/LC_MESSAGES/vetuste.mo"))
    return ("en", *sorted(set(there) - {"en"}))


LANGUAGES = _languages(_CATALOGUES)
"""Those that have a catalogue; the first is the one the code is written in."""


class _Chosen:
    """The language of this process: set once, by the command line."""

    language = "en"


@cache
def _catalogue(language: str) -> gettext.NullTranslations:
    return gettext.translation("vetuste", _CATALOGUES, [language], fallback=True)


def language_of(environment: Mapping[str, str] = os.environ) -> str:
    """The language that the environment asks for, in gettext's order of variables."""
    for variable in ("LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        wanted = environment.get(variable, "")
        if wanted:
            first = wanted.split(":")[0].split(".")[0].split("_")[0].lower()
            return first if first in LANGUAGES else LANGUAGES[0]
    return LANGUAGES[0]


def use_language(language: str) -> None:
    """Choose the language of this process."""
    _Chosen.language = language


def translate(text: str, language: str | None = None) -> str:
    """``text`` in ``language``, or in that of this process; itself where the catalogue has no translation."""
    return _catalogue(language or _Chosen.language).gettext(text) if text else text


def translate_plural(one: str, many: str, number: int, language: str | None = None) -> str:
    """``one`` or ``many``, by the plural rule of the language (in French, 0 is singular)."""
    return _catalogue(language or _Chosen.language).ngettext(one, many, number)


def own_name(language: str) -> str:
    """What a language calls itself, as a switch between languages shows it."""
    if language == LANGUAGES[0]:
        return "English"
    asked = Message("this language's own name")
    name = asked.render(language)
    return language if name == asked.text else name


@dataclass(frozen=True, slots=True)
class Message:
    """A sentence to be read later: English text with ``{name}`` marks, and their values."""

    text: str
    values: Mapping[str, str] = field(default_factory=dict)

    def render(self, language: str | None = None) -> str:
        """The sentence in a language."""
        return translate(self.text, language).format(**self.values)

    def __hash__(self) -> int:
        return hash((self.text, tuple(sorted(self.values.items()))))
