"""The French catalogue, made from the sources: ``python -m tests.cli.catalogue`` (``make locale``).

It finds every message that people read, keeps the translations that are there, drops those that nothing
needs, sets French spaces, and compiles. ``--check`` changes nothing and fails where something is missing.
"""

from __future__ import annotations

import ast
import io
import re
import string
import sys
from inspect import cleandoc
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from tests.cli.templates import messages_of, templates

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "scanner"
FOLDER = SOURCES / "locale" / "fr" / "LC_MESSAGES"
PO, MO = FOLDER / "vetuste.po", FOLDER / "vetuste.mo"
NARROW = "\u202f"
_SPEAKING = {"translate", "translate_plural", "Message", "say", "say_under", "tell"}
_ERRORS = {
    *("VetusteError", "ConfigError", "DataError", "DeliveryError", "InventoryError"),
    *("FleetError", "LinkError", "HoldLostError"),
}
CLICK = (
    "Usage:",
    "Choose from:\n\t{choices}",
    "Did you mean {possibility}?",
    "Invalid value: {message}",
    "Invalid value for {param_hint}: {message}",
    "Missing argument",
    "Missing option",
    "Missing parameter",
    "No such command {name!r}.",
    "No such option {name!r}.",
    "Option {name!r} does not take a value.",
    "Positional arguments",
    "default: {default}",
    "required",
    "env var: {var}",
)
"""What click itself says to our users."""
CLICK_PLURALS = (
    ("Did you mean {possibility}?", "(Did you mean one of: {possibilities}?)"),
    ("Got unexpected extra argument ({args})", "Got unexpected extra arguments ({args})"),
    ("Option {name!r} requires an argument.", "Option {name!r} requires {nargs} arguments."),
    ("{value!r} is not {choice}.", "{value!r} is not one of {choices}."),
)
Key = str | tuple[str, str]
Constants = dict[str, list[ast.expr]]
"""Names of a module, and what is assigned to them."""


class _Steady(Catalog):
    """A catalogue whose header does not change with Babel's version."""

    @property
    def _header(self) -> list[tuple[str, str]]:
        passing = {"Generated-By", "Report-Msgid-Bugs-To", "POT-Creation-Date", "PO-Revision-Date"}
        return [(name, value) for name, value in Catalog._get_mime_headers(self) if name not in passing]

    mime_headers = _header


def messages() -> dict[Key, set[str]]:
    """Every message of the sources, and the files it stands in."""
    found: dict[Key, set[str]] = {}
    for file in sorted(SOURCES.rglob("*.py")):
        name = file.relative_to(ROOT).as_posix()
        for key in _of_file(file):
            if key:
                found.setdefault(key, set()).add(name)
    for file in templates(SOURCES):
        for key in messages_of(file):
            found.setdefault(key, set()).add(file.relative_to(ROOT).as_posix())
    for text in CLICK:
        if text not in {one for one, _ in CLICK_PLURALS}:
            found.setdefault(text, set()).add("click")
    for pair in CLICK_PLURALS:
        found.setdefault(pair, set()).add("click")
    return found


def _of_file(file: Path) -> Iterator[Key]:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    if file.parent == SOURCES / "cli" and file.name != "__init__.py":
        yield from _paragraphs(ast.get_docstring(tree) or "")
    constants: Constants = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            for target in node.targets if isinstance(node, ast.Assign) else [node.target]:
                constants.setdefault(_name(target), []).append(node.value)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _of_call(node, constants)
            if file.is_relative_to(SOURCES / "cli"):
                yield from _of_help(node, constants)
        elif isinstance(node, ast.Assign) and _name(node.targets[0]) == "examples":
            yield from _purposes(node.value)
        elif (
            isinstance(node, ast.ClassDef) and ({_name(base) for base in node.bases} | {node.name}) & _ERRORS
        ):
            yield (ast.get_docstring(node) or "").partition("\n")[0]


def _of_call(call: ast.Call, constants: Constants) -> Iterator[Key]:
    called = _name(call.func)
    if called == "translate_plural":
        yield from zip(_texts(call.args[0], constants), _texts(call.args[1], constants), strict=True)
    elif called in _SPEAKING | _ERRORS and call.args:
        yield from _texts(call.args[0], constants)
    elif called == "command_of" and call.args:
        for text in _texts(call.args[0], {}):
            yield from _paragraphs(text)
    elif called == "Probe":
        for keyword in call.keywords:
            if keyword.arg in {"logs", "trouble"}:
                yield from _texts(keyword.value, constants)


def _of_help(call: ast.Call, constants: Constants) -> Iterator[str]:
    for keyword in call.keywords:
        if keyword.arg == "help":
            for text in _texts(keyword.value, constants):
                yield from _paragraphs(text)
        elif keyword.arg == "examples":
            yield from _purposes(keyword.value)


def _texts(node: ast.expr, constants: Constants) -> Iterator[str]:
    """The texts that an expression may be: a constant, a choice between some, a name for one."""
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.JoinedStr() | ast.BinOp():
            raise SyntaxError(f"line {node.lineno}: a message must be one constant text: {ast.unparse(node)}")
        case _:
            for part, names in _parts(node, constants):
                yield from _texts(part, names)


def _parts(node: ast.expr, constants: Constants) -> Iterator[tuple[ast.expr, Constants]]:
    match node:
        case ast.IfExp():
            yield from ((part, constants) for part in (node.body, node.orelse))
        case ast.BoolOp():
            yield from ((part, constants) for part in node.values)
        case ast.Name(id=name):
            yield from ((part, {}) for part in constants.get(name, ()))
        case ast.Subscript(value=ast.Name(id=name)):
            tables = constants.get(name, ())
            yield from ((part, {}) for table in tables for part in getattr(table, "values", ()))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in cleandoc(text).split("\n\n"):
        yield " ".join(paragraph.split())


def _purposes(node: ast.expr) -> Iterator[str]:
    for example in getattr(node, "elts", ()):
        yield from _texts(example.elts[0], {})


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def marks(text: str) -> list[str]:
    """The ``{name}`` marks of a message, sorted."""
    return sorted(
        {f"{name}!{how}" if how else name for _, name, _, how in string.Formatter().parse(text) if name}
    )


def french_spaces(text: str) -> str:
    """Narrow no-break spaces where French typography has them."""
    text = re.sub(r"[ \u00a0]([;:!?»])(?=[\s).,\u202f]|$)", rf"{NARROW}\1", text)
    return re.sub(r"«[ \u00a0]", f"«{NARROW}", text)


def translations() -> Catalog:
    """The catalogue as it is committed."""
    if not PO.exists():
        return Catalog(locale="fr")
    with PO.open("rb") as stream:
        return read_po(stream, locale="fr", domain="vetuste")


def catalogue() -> Catalog:
    """The catalogue as it should be: every message of the sources, with the translations that are there."""
    known = translations()
    made = _Steady(
        locale="fr",
        domain="vetuste",
        project="vetuste",
        version="1",
        header_comment="# French messages of vetuste. GPL-2.0-or-later. Made by `make locale`.",
        last_translator="vetuste",
        language_team="fr",
        fuzzy=False,
    )
    for key, files in sorted(messages().items(), key=lambda item: str(item[0])):
        old = known.get(key if isinstance(key, str) else key[0])
        said = old.string if old is not None else ""
        if isinstance(key, tuple):
            said = tuple(french_spaces(one) for one in said) if isinstance(said, tuple | list) else ("", "")
        else:
            said = french_spaces(said if isinstance(said, str) else "")
        made.add(key, said, locations=[(file, 0) for file in sorted(files)])
    return made


def as_po(made: Catalog) -> bytes:
    """The text of the catalogue."""
    stream = io.BytesIO()
    write_po(stream, made, width=110, include_lineno=False)
    return stream.getvalue()


def as_mo(made: Catalog) -> bytes:
    """The catalogue as gettext reads it."""
    stream = io.BytesIO()
    write_mo(stream, made)
    return stream.getvalue()


def complaints() -> list[str]:
    """What is wrong with the committed catalogue."""
    made = catalogue()
    found = [f"no French for {entry.id!r}" for entry in made if entry.id and not _whole(entry.string)]
    for entry in made:
        ids = entry.id if isinstance(entry.id, tuple | list) else [entry.id]
        strings = entry.string if isinstance(entry.string, tuple | list) else [entry.string or ""]
        allowed = {tuple(marks(text)) for text in ids}
        if entry.id and _whole(entry.string):
            found += [
                f"other marks than in English: {text!r}"
                for text in strings
                if tuple(marks(text)) not in allowed
            ]
    if any(entry.fuzzy for entry in translations()):
        found.append("the catalogue holds fuzzy translations")
    if not PO.exists() or PO.read_bytes() != as_po(made):
        found.append("vetuste.po is stale: make locale")
    if not MO.exists() or MO.read_bytes() != as_mo(made):
        found.append("vetuste.mo is stale: make locale")
    return found


def _whole(said: object) -> bool:
    return all(said) if isinstance(said, tuple | list) else bool(said)


def main() -> int:
    """Write the catalogue, or check it."""
    if "--check" not in sys.argv[1:]:
        FOLDER.mkdir(parents=True, exist_ok=True)
        made = catalogue()
        PO.write_bytes(as_po(made))
        MO.write_bytes(as_mo(made))
    wrong = complaints()
    sys.stderr.write("".join(f"{line}\n" for line in wrong))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
