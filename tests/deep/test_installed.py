"""Which programs are here, and what the doctor says of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from scanner.cli.checkup import State
from scanner.cli.checkup.opinions import opinions
from scanner.deep.installed import Installed, installed

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = Installed("7.93", "0.7.1", "0.13.0", "x86_64")


def test_what_is_here() -> None:
    """The tests need all of it."""
    found = installed()
    assert found.complete
    assert re.fullmatch(r"\d+\.\d+\S*", found.nmap)
    assert opinions().state is State.OK


@pytest.mark.parametrize(
    "body",
    ["exit 1", "echo garbage", "printf '\\0\\377'", "exec sleep 600"],
    ids=["mute", "text", "bytes", "hangs"],
)
def test_what_calls_itself_nmap_and_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str
) -> None:
    monkeypatch.setattr("scanner.deep.installed._SECONDS", 1.0)
    (tmp_path / "nmap").write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{body}\n", encoding="utf-8")
    (tmp_path / "nmap").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed().nmap == ""


def test_without_nmap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert installed().nmap == ""
    assert not installed().complete


@pytest.mark.parametrize(
    ("there", "state", "says"),
    [
        (WHOLE, State.OK, "nmap 7.93, python-nmap 0.7.1, impacket 0.13.0"),
        (Installed("", "0.7.1", "0.13.0", "aarch64"), State.WARN, "lack nmap"),
        (Installed("7.93", "", "", "x86_64"), State.WARN, "lack python-nmap, impacket"),
        (Installed("7.93", "0.7.1", "0.13.0", "riscv64"), State.WARN, "on riscv64"),
    ],
    ids=["whole", "no nmap", "no extra", "another machine"],
)
def test_what_the_doctor_says(there: Installed, state: State, says: str) -> None:
    finding = opinions(there)
    assert finding.state is state
    assert says in finding.says.render("en")
    assert (finding.fix is None) == (state is State.OK)
