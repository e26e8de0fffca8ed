"""The simulator as a process, as the product starts it, without any capability."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# As root the kernel would allow what it forbids an ordinary user.
POWERLESS = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--securebits=+noroot"]


@dataclass
class Running:
    """A simulator that listens."""

    process: subprocess.Popen[str]
    said: dict[str, Any]
    truth: list[dict[str, str]]
    site_file: Path

    @property
    def ports(self) -> tuple[int, int]:
        """What stands for 445 and for 139."""
        direct, netbios = self.said["ports"]["smb"]
        return direct, netbios

    def port(self, probe: str) -> int:
        """What stands for the registered port of another service."""
        (port,) = self.said["ports"][probe]
        return int(port)

    def where(self, key: str) -> str:
        """The address of one machine of this personality."""
        return next(row["address"] for row in self.truth if row["personality"] == key)


def command(*words: str) -> list[str]:
    powers = POWERLESS if os.geteuid() == 0 else []
    return [*powers, sys.executable, "-m", "scanner.simulator", *words]


@contextmanager
def running(folder: Path, *words: str) -> Iterator[Running]:
    """A simulator on free ports; it ends because its standard input closes."""
    truth, site_file = folder / "truth.csv", folder / "site.toml"
    paths = ["--truth", str(truth), "--site-file", str(site_file)]
    process = subprocess.Popen(
        command("--ports", "0,0", *paths, *words), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    with process:
        assert process.stdout
        said = json.loads(process.stdout.readline())
        with truth.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        yield Running(process, said, rows, site_file)
        process.communicate(timeout=20)
    assert process.returncode == 0
