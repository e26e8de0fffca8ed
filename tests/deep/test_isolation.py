"""What runs in a child process is imported nowhere, and knows the standard library and one other alone."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[2] / "scanner"
CHILDREN = PACKAGE / "deep" / "children"
OTHERS = {
    "nmap_child.py": {"nmap"},
    "msrpc_child.py": {"impacket"},
    "tethered.py": set(),
    "__init__.py": set(),
}


def imported(file: Path) -> set[str]:
    """The names of the modules that a file imports, whole."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


def test_every_program_is_known_here() -> None:
    assert {file.name for file in CHILDREN.glob("*.py")} == OTHERS.keys()


@pytest.mark.parametrize("name", OTHERS)
def test_a_program_knows_the_standard_library_and_one_other(name: str) -> None:
    first = {module.partition(".")[0] for module in imported(CHILDREN / name)}
    assert first - sys.stdlib_module_names == OTHERS[name]


def test_nobody_imports_a_program() -> None:
    for file in PACKAGE.rglob("*.py"):
        assert not any("deep.children" in module for module in imported(file)), file


def test_the_main_process_imports_none_of_them() -> None:
    program = (
        "import sys, scanner.deep.opinions, scanner.deep.installed\n"
        "print({name.partition('.')[0] for name in sys.modules} & {'nmap', 'impacket', 'scapy', 'pandas'})"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=PACKAGE.parent, check=True
    )
    assert done.stdout.strip() == "set()"
