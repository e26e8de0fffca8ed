"""The documents are true: links lead somewhere, examples work, figures are those of the code."""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

from scanner.model import Status
from scanner.transport.limits import PROFILES, REFUSED_PORTS
from tests.cli.process import run

ROOT = Path(__file__).parents[1]
PLACEHOLDERS = (
    "scanner/_fingerprints",
    "scanner/probes/x.py",
    "scanner/probes/daytime.py",
    "tests/probes/test_daytime.py",
    "scanner/exports/x.py",
    "scanner/imports/x.py",
    "tests/probes/test_x.py",
)
"""Names of files that a reader is to make, and of one that only an installation has."""
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_links_and_named_files_are_there(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)", text) if not link.startswith("https://")]
    assert [link for link in links if not (document.parent / link).exists()] == []
    named = re.findall(r"`((?:scanner|docs|tests)/[\w./-]+)`", text)
    assert [name for name in named if not (ROOT / name).exists() and name not in PLACEHOLDERS] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_commands_of_make_and_of_the_product_exist(document: Path) -> None:
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", document.read_text(encoding="utf-8"), re.DOTALL))
    targets = set(re.findall(r"^(\w+):", text_of("Makefile"), re.MULTILINE))
    assert set(re.findall(r"^make (\w+)", blocks, re.MULTILINE)) <= targets
    commands = {file.stem.rstrip("_") for file in (ROOT / "scanner" / "cli").glob("*.py")}
    assert set(re.findall(r"^vetuste (\w+)", blocks, re.MULTILINE)) <= commands


def test_the_front_page_begins_with_the_two_commands() -> None:
    first_screen = "\n".join(text_of("README.md").splitlines()[:24])
    for command in ("apt install git make python3-venv", "make demo", "make test"):
        assert command in first_screen


def test_the_figures_of_the_safety_page_are_those_of_the_transport() -> None:
    page = text_of("docs/safety.md")
    for name, limits in PROFILES.items():
        (row,) = re.findall(rf"^\| `{name}`.*$", page, re.MULTILINE)
        _, _, rate, host, connections, ports, _ = row.split("|")
        assert rate.strip() == ("no limit" if limits.rate is None else f"{limits.rate:g}")
        assert host.strip() == ("2 a second" if limits.host_interval > 0.5 else "no limit")
        assert int(connections) == limits.connections
        named = {int(port) for port in re.findall(r"\d+", ports)}
        assert named == {port for _, port in limits.services or ()}
    (sentence,) = re.findall(r"^- These ports, unless[^:]*:([^.]*)\.", page, re.MULTILINE)
    refused = {int(port) for port in re.findall(r"\d+", sentence)} | set(range(9100, 9108))
    assert refused == REFUSED_PORTS


def test_the_arrows_of_the_architecture_page_are_those_of_the_contract() -> None:
    (contract,) = (
        contract
        for contract in tomllib.loads(text_of("pyproject.toml"))["tool"]["importlinter"]["contracts"]
        if contract["id"] == "layers"
    )
    layers = [
        " | ".join(name for name in layer.split(" | ") if not name.startswith("("))
        for layer in contract["layers"]
    ]
    (drawn,) = re.findall(r"```text\n(cli → .*?)```", text_of("docs/architecture.md"), re.DOTALL)
    assert [layer.strip() for layer in drawn.split("→")] == [layer for layer in layers if layer]


def test_the_glossary_has_every_status() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (?:every|none|some|no) ", text_of("docs/glossary.md"), re.MULTILINE)
    assert sorted(rows) == sorted(Status)


def test_the_front_page_prints_what_the_product_prints(tmp_path: Path) -> None:
    """What is shown of the inventory that comes with the source, to the letter."""
    shutil.copy(ROOT / "inventory.db.example", tmp_path)
    shown = re.findall(
        r"`vetuste ([^`]*inventory\.db\.example)`, in a terminal of (\d+)[^`]*```text\n(.*?)```",
        text_of("README.md"),
        re.DOTALL,
    )
    assert shown
    for command, width, printed in shown:
        assert run(*command.split(), cwd=tmp_path, COLUMNS=width) == (0, printed, "")
