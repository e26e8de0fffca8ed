"""What people read in templates: the messages of the catalogue, and words that are in none.

The parser is that of Jinja2 itself. Babel's own extraction reads it too, but it leaves out a choice between
two messages, and it passes over a message that is put together.
"""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final

from jinja2 import Environment, nodes

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SPEAKING: Final = {"_": 1, "ngettext": 2}
"""What a template says words with, and how many of its arguments are words."""
READ: Final = {"alt", "aria-description", "aria-label", "aria-roledescription", "aria-valuetext", "label"} | {
    "placeholder",
    "summary",
    "title",
}
"""Attributes that people read, or hear."""
NAMES: Final = {"FINESS", "UTC", "XLSX", "vetuste"}
"""What is called the same in every language."""
_OF_A_TAG: Final = re.compile(r"""[\w-]+=(?:"[^"]*"|'[^']*')|#[0-9a-f]{6}|url\([^)]*\)""")
"""What a macro gives to the tag that it is called in: its template has it outside of every tag."""
_VALUE: Final = "\0"
"""Stands for what an expression becomes."""


def templates(sources: Path) -> list[Path]:
    """The templates of the package."""
    return sorted(
        file for file in sources.rglob("templates/**/*") if file.suffix in {".html", ".svg", ".txt"}
    )


def messages_of(file: Path) -> Iterator[str | tuple[str, str]]:
    """The messages of a template.

    Raises:
        SyntaxError: one is not constant.
    """
    for call in Environment(autoescape=True).parse(file.read_text(encoding="utf-8")).find_all(nodes.Call):
        called = call.node.name if isinstance(call.node, nodes.Name) else ""
        if called == "ngettext":
            yield from zip(_texts(call.args[0]), _texts(call.args[1]), strict=True)
        elif called == "_":
            yield from _texts(call.args[0])


def _texts(node: nodes.Expr | None) -> Iterator[str]:
    match node:
        case nodes.Const(value=str(text)):
            yield text
        case nodes.CondExpr():
            yield from _texts(node.expr1)
            yield from _texts(node.expr2)
        case nodes.BinExpr() | nodes.Concat() | nodes.Filter():
            raise SyntaxError(f"line {node.lineno}: a message must be one constant text")


def untranslated(source: str) -> list[str]:
    """Words that people would read in English, whatever their language."""
    page = _Page()
    page.feed(_without_expressions(source))
    page.close()
    return [*page.words, *_sentences(source)]


def _without_expressions(source: str) -> str:
    text = ""
    for _, kind, value in Environment(autoescape=True).lex(source):
        text += value if kind in {"data", "raw"} else _VALUE if kind == "variable_end" else ""
    return text


def _sentences(source: str) -> Iterator[str]:
    """Capitalised texts of expressions that are no message: what a macro is given to show."""
    tree = Environment(autoescape=True).parse(source)
    said = {
        id(text)
        for call in tree.find_all(nodes.Call)
        if isinstance(call.node, nodes.Name) and call.node.name in SPEAKING
        for argument in call.args[: SPEAKING[call.node.name]]
        for text in (argument, *argument.find_all(nodes.Const))
    }
    for text in tree.find_all(nodes.Const):
        if isinstance(text.value, str) and id(text) not in said and re.match(r"[A-Z][a-z]+", text.value):
            yield text.value


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pressed = tag == "input" and dict(attrs).get("type") in {"submit", "button", "reset"}
        for name, value in attrs:
            if name in READ or (name == "value" and pressed):
                self.handle_data(value or "")

    def handle_data(self, data: str) -> None:
        text = _OF_A_TAG.sub("", data)
        self.words += [word for word in re.findall(r"[^\W\d_]+", text) if word not in NAMES]
