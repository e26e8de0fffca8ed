"""The product as people run it: a process of its own, in a folder with a site file and an inventory."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.cli.process import FRONT, environment

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

TIMEOUT = 120
"""Seconds after which a command that hangs is ended."""


@dataclass(frozen=True)
class Product:
    """One folder, where every command is run; ``prefix`` is a command line that runs another one."""

    folder: Path
    prefix: tuple[str, ...] = ()

    @property
    def inventory(self) -> Path:
        """Where the inventory is without ``--db``."""
        return self.folder / "inventory.db"

    def command(self, *words: str | Path) -> list[str]:
        """The command line of a command."""
        return [*self.prefix, sys.executable, str(FRONT), *map(str, words)]

    def start(self, *words: str | Path, **changes: str) -> subprocess.Popen[str]:
        """Start a command; the caller ends it."""
        return subprocess.Popen(
            self.command(*words),
            cwd=self.folder,
            env=environment(**changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(
        self, *words: str | Path, expect: int | None = 0, **changes: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, which must be with this exit code."""
        with self.start(*words, **changes) as process:
            out, err = process.communicate(timeout=TIMEOUT)
        done = subprocess.CompletedProcess(list(map(str, words)), process.returncode, out, err)
        if expect is not None:
            assert done.returncode == expect, done
        return done

    def site(
        self,
        subnets: Sequence[str],
        ports: Sequence[int] = (),
        wards: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """Write the site file: one ward, or these, and where SMB is, which alone is asked."""
        lines = ['[site]\nname = "Test"', '[policy]\nprobes = ["smb"]']
        if ports:
            lines.append(f"[ports]\nsmb = {list(ports)}")
        for name, nets in ({"Ward": subnets} | dict(wards or {})).items():
            lines.append(f'[[ward]]\nname = "{name}"\nsubnets = {json.dumps(list(nets))}')
        (self.folder / "site.toml").write_text("\n\n".join(lines) + "\n", encoding="utf-8")

    def explain(self, host: str) -> dict[str, Any]:
        """What is known of one machine."""
        known: dict[str, Any] = json.loads(self.run("explain", host, "--json").stdout)
        return known

    def exported(self, *words: str) -> dict[str, dict[str, Any]]:
        """Every machine of the inventory, by address."""
        lines = self.run("export", "jsonl", "--out", "-", *words).stdout.splitlines()
        return {row["ip"]: row for row in map(json.loads, lines)}

    def counted(self, *words: str) -> list[dict[str, Any]]:
        """The rows of a count."""
        rows: list[dict[str, Any]] = json.loads(self.run("count", "--format", "json", *words).stdout)
        return rows

    def ask(self, query: str) -> list[Any]:
        """Rows of the inventory, read by somebody else's program while the scan goes on, or after."""
        with closing(sqlite3.connect(f"file:{self.inventory}?mode=ro", uri=True, timeout=30)) as connection:
            return connection.execute(query).fetchall()

    def recorded(self) -> int:
        """How many machines are in the inventory by now."""
        if not self.inventory.exists():
            return 0
        return int(self.ask("SELECT count(*) FROM assets")[0][0])

    def wait_for(self, process: subprocess.Popen[str], machines: int) -> None:
        """Wait until a scan under way has recorded so many machines."""
        while self.recorded() < machines:
            if process.poll() is not None:
                raise AssertionError(f"the scan ended before: {process.communicate()}")
            os.sched_yield()
