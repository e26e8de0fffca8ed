"""The product as it is installed without extras: nothing that belongs to one is imported unasked."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.capture.captures import write_pcap
from tests.capture.spoken import stream

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
RUN = """
import sys
for name in {absent!r}:
    sys.modules[name] = None
from scanner.cli import main
sys.argv = ["vetuste", *{arguments!r}]
main()
"""
COMMANDS = {
    "an inventory": ("listen", "--pcap", "said.pcap"),
    "a count": ("count", "--db", str(ROOT / "inventory.db.example")),
    "machines": ("assets", "--limit", "3", "--db", str(ROOT / "inventory.db.example")),
    "an export": ("export", "csv", "--out", "-", "--db", str(ROOT / "inventory.db.example")),
    "a report": ("report", "management", "--out", "-", "--db", "copy.db"),
    "the doctor": ("doctor",),
}


def _name(requirement: str) -> str:
    return requirement.partition(">")[0].partition("[")[0].strip().lower().replace("_", "-")


def absent() -> list[str]:
    """The packages that only an extra brings."""
    extras: Iterable[list[str]] = (
        needed for name, needed in PROJECT["optional-dependencies"].items() if name != "dev"
    )
    wanted = {_name(each) for needed in extras for each in needed} - {
        _name(each) for each in PROJECT["dependencies"]
    }
    distributed = packages_distributions().items()
    return sorted(
        name for name, by in distributed if wanted & {each.lower().replace("_", "-") for each in by}
    )


def test_every_extra_is_kept_away() -> None:
    assert {"psycopg", "pandas", "scapy", "nmap", "impacket", "starlette", "uvicorn", "weasyprint"} <= set(
        absent()
    )


@pytest.mark.parametrize("what", COMMANDS)
def test_it_works_without_them(what: str, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_bytes((ROOT / "inventory.db.example").read_bytes())
    said = stream("10.20.0.1", 22, "10.20.0.2", 40_000, b"SSH-2.0-OpenSSH_6.0p1 Debian-4+deb7u2\r\n")
    write_pcap(tmp_path / "said.pcap", (frame.data for frame in said))
    code = RUN.format(absent=absent(), arguments=COMMANDS[what])
    alone = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "LANG": "C"}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=alone, capture_output=True, text=True, check=False
    )
    assert "ModuleNotFoundError" not in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode in {0, 1}, done.stderr
    assert what != "an inventory" or (tmp_path / "inventory.db").exists()
