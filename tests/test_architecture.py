"""The shape of the code, where import contracts and linters cannot see it (docs/architecture.md)."""

from __future__ import annotations

import ast
import io
import json
import re
import subprocess
import sys
import tokenize
import tomllib
from functools import cache
from pathlib import Path
from types import CodeType
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "scanner"
SOURCES = sorted(PACKAGE.rglob("*.py"))
TREES = {file: ast.parse(file.read_text(encoding="utf-8")) for file in SOURCES}
NAMES = [file.relative_to(ROOT).as_posix() for file in SOURCES]
each_source = pytest.mark.parametrize("file", SOURCES, ids=NAMES)

MANY_METHODS = {
    "_Explained": "click's commands are changed by overriding their methods, of which there are many",
    "Reader": "a cursor over bytes has one method for each thing that can stand there",
}
"""Classes that may have more than seven methods, and why."""

PURE = (
    "classify",
    "config",
    "data",
    "fingerprint",
    "lifecycle",
    "model",
    "probes",
    "targets",
    "wire",
    "language",
)
"""Beginnings of the names of modules that read no clock."""

CLASSIFICATION = ("classify", "data", "fingerprint", "lifecycle")
"""Beginnings of the names of modules in which no product is named: data decides, code only asks."""


def begins_with(file: Path, beginnings: tuple[str, ...]) -> bool:
    return file.relative_to(PACKAGE).parts[0].startswith(beginnings)


def docstrings(tree: ast.AST) -> set[int]:
    """Expressions that are nothing but text: docstrings, of attributes too."""
    return {
        id(node.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


@each_source
def test_a_module_has_at_most_300_lines(file: Path) -> None:
    assert file.read_text(encoding="utf-8").count("\n") <= 300


LEAVES = {"probes", "simulator", "sources"}
"""Packages that grow with the number of protocols, and that nobody need read to understand the rest."""


def size(file: Path) -> int:
    """Lines that say something to Python: neither blank, nor comment, nor documentation."""
    return len(code_lines(file.read_text(encoding="utf-8")))


def test_the_package_without_its_leaves_has_at_most_42500_lines_of_code() -> None:
    assert sum(size(file) for file in SOURCES if not LEAVES & set(file.parts)) <= 42_500


def test_the_simulator_has_at_most_3000_lines_of_code() -> None:
    assert sum(size(file) for file in SOURCES if "simulator" in file.parts) <= 3_000


def test_a_probe_has_at_most_200_lines_of_code() -> None:
    sizes = {file.stem: size(file) for file in SOURCES if file.parent.name == "probes"}
    assert not {name: lines for name, lines in sizes.items() if lines > 200}


def code_lines(text: str) -> set[int]:
    said: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        prose = token.type in {
            tokenize.COMMENT,
            tokenize.NL,
            tokenize.NEWLINE,
            tokenize.INDENT,
            tokenize.DEDENT,
        }
        if not prose and token.type != tokenize.ENDMARKER and not token.line.lstrip().startswith('"""'):
            said.update(range(token.start[0], token.end[0] + 1))
    return said


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        lines -= (first.end_lineno or first.lineno) - first.lineno + 1
    return lines


@each_source
def test_a_function_has_at_most_40_lines(file: Path) -> None:
    functions = [
        node for node in ast.walk(TREES[file]) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert not {function.name: length(function) for function in functions if length(function) > 40}


@each_source
def test_a_class_has_at_most_seven_methods(file: Path) -> None:
    large = {}
    for node in ast.walk(TREES[file]):
        if isinstance(node, ast.ClassDef) and node.name not in MANY_METHODS:
            methods = [
                part.name for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)
            ]
            named = [name for name in methods if not re.fullmatch(r"__\w+__", name)]
            if len(named) > 7:
                large[node.name] = named
    assert not large


@each_source
def test_no_module_is_named_after_nothing(file: Path) -> None:
    assert not re.search(r"(^|_)(utils?|helpers?|managers?|base|common|misc)(_|$)", file.stem)


@each_source
def test_only_the_command_line_prints(file: Path) -> None:
    prints = [
        node.lineno
        for node in ast.walk(TREES[file])
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("print", "input")
    ]
    assert not prints or file.is_relative_to(PACKAGE / "cli") or file.name == "__main__.py"


@each_source
def test_pure_modules_read_no_clock(file: Path) -> None:
    clocks = [
        f"{node.lineno}: {node.attr}"
        for node in ast.walk(TREES[file])
        if isinstance(node, ast.Attribute)
        and node.attr
        in ("now", "today", "utcnow", "time_ns", "monotonic", "perf_counter", "localtime", "gmtime")
    ]
    assert not clocks or not begins_with(file, PURE)


@each_source
def test_messages_are_constant_so_that_they_can_be_translated(file: Path) -> None:
    built = [
        node.lineno
        for node in ast.walk(TREES[file])
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id
        in (
            "ConfigError",
            "DataError",
            "FleetError",
            "InventoryError",
            "VetusteError",
            "Message",
            "translate",
        )
        and node.args
        and isinstance(node.args[0], ast.JoinedStr | ast.BinOp)
    ]
    assert not built


def constants(code: CodeType) -> Iterator[object]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from constants(constant)
        else:
            yield constant


@each_source
def test_no_ntlm_authenticate_message_stands_in_the_code(file: Path) -> None:
    code = compile(file.read_bytes(), str(file), "exec")  # folds what is written in pieces
    authenticate = b"NTLMSSP\0" + bytes([3])
    for constant in constants(code):
        seen = constant.encode("latin-1", "replace") if isinstance(constant, str) else constant
        assert not isinstance(seen, bytes) or authenticate not in seen
    assert authenticate not in file.read_bytes()


@cache
def product_names() -> re.Pattern[str]:
    """Any name of a release or a product."""
    words = set()
    for data in (ROOT / "fingerprints" / "lifecycle").rglob("*.toml"):
        content = tomllib.loads(data.read_text(encoding="utf-8"))
        for release in content["release"].values():
            words |= {release["name"], release.get("product", content.get("product", release["name"]))}
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, sorted(words)))})\b")


def test_products_are_known_by_their_names() -> None:
    assert product_names().search("a Windows XP here")
    assert not product_names().search("Windows XPerience")


@each_source
def test_no_product_is_named_in_the_classification(file: Path) -> None:
    passed_over = docstrings(TREES[file])
    named = [
        node.value
        for node in ast.walk(TREES[file])
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed_over
        if product_names().search(node.value)
    ]
    assert not named or not begins_with(file, CLASSIFICATION)


@pytest.mark.parametrize(
    "file", [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))], ids=lambda file: file.stem
)
def test_every_exception_to_a_rule_has_its_reason(file: Path) -> None:
    unreasoned = [
        line.strip()
        for line in file.read_text(encoding="utf-8").splitlines()
        if re.search(r"#\s*noqa", line) and not re.search(r"# noqa: [A-Z]+\d+(, [A-Z]+\d+)* - \S", line)
    ]
    assert not [line for line in unreasoned if "re.search" not in line]


WATCH = """
import importlib, json, logging, signal, sys, threading
events = []
def watch(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        if flags & 0o3:
            events.append(f"open {path}")
    elif event.startswith((
        "socket.bind", "socket.connect", "socket.getaddrinfo", "subprocess.", "os.mkdir", "os.remove",
        "os.rename", "os.system", "os.fork", "os.exec", "sqlite3.", "tempfile.",
    )):
        events.append(f"{event} {arguments}")
before = signal.getsignal(signal.SIGINT), list(logging.root.handlers), threading.active_count()
sys.addaudithook(watch)
for name in sys.argv[1:]:
    importlib.import_module(name)
after = signal.getsignal(signal.SIGINT), list(logging.root.handlers), threading.active_count()
if before != after:
    events.append(f"{before} became {after}")
sys.stdout.write(json.dumps(events))
"""


def modules() -> list[str]:
    """Every module that Python imports by name; Alembic runs the scripts under ``migrations`` itself."""
    names = [
        ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
        for file in SOURCES
        if "migrations" not in file.parts
        and file.name != "__main__.py"
        and file.parent.name != "engine"  # Procrastinate's croniter asks `file` of which kind Python is
    ]
    return sorted(names)


def test_importing_any_module_does_nothing() -> None:
    command = [sys.executable, "-B", "-c", WATCH, *modules()]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    assert json.loads(done.stdout) == []


def test_the_watch_over_imports_sees_what_it_is_there_to_see(tmp_path: Path) -> None:
    program = "import socket; open('x', 'w').close(); socket.socket().bind(('', 0))"
    (tmp_path / "guilty.py").write_text(program)
    command = [sys.executable, "-B", "-c", WATCH, "guilty"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert [event.split()[0] for event in json.loads(done.stdout)] == ["open", "socket.bind"]
