"""Killing a scan at some moment, and what must be true of its inventory afterwards."""

from __future__ import annotations

import json
import sqlite3
import time
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.cli.process import run
from tests.integration.product import Product
from tests.simulator.process import running

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

HOSPITAL = ("--hosts", "80", "--wards", "1", "--mix", "xp=30,w10=15,samba=10,2003=10,nt4=5,silent=10")
SCAN = ("scan", "--profile", "lab", "--rate", "600")
"""Some seconds of scanning: kills fall into the making of the inventory, the sweep, and the last batch."""
NOTHING_TO_RESUME = 2

_STATES = "SELECT state FROM scans"
_PASSING = ("id", "first_seen", "last_seen")


def lasting(rows: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """What of machines does not depend on when they were seen."""
    return {
        address: {key: value for key, value in row.items() if key not in _PASSING}
        for address, row in rows.items()
    }


def exported(folder: Path) -> dict[str, dict[str, Any]]:
    """Every machine, read by a reader inside this process, which saves half a second a time."""
    code, out, err = run("export", "jsonl", "--out", "-", cwd=folder)
    assert code == 0, err
    return lasting({row["ip"]: row for row in map(json.loads, out.splitlines())})


def demand_whole(inventory: Path) -> None:
    """Every page, index and reference of the file is as SQLite wants it."""
    with closing(sqlite3.connect(inventory)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        unseen = "SELECT count(*) FROM assets WHERE id NOT IN (SELECT asset_id FROM observations)"
        assert connection.execute(unseen).fetchone() == (0,)


@dataclass
class Victim:
    """A hospital, what an undisturbed scan knows of it, and how long that scan took."""

    product: Product
    truth: dict[str, dict[str, Any]]
    seconds: float

    def kill(self, after: float) -> int:
        """Scan into a new inventory, kill at this part of its time, check; how many machines were kept."""
        for file in self.product.folder.glob("*inventory.db*"):
            file.unlink()
        with self.product.start(*SCAN) as process:
            time.sleep(after * self.seconds)
            process.kill()
            process.communicate()
        kept = self._kept()
        self._resume()
        assert exported(self.product.folder) == self.truth, "it ends as an undisturbed scan does"
        demand_whole(self.product.inventory)
        return kept

    def _resume(self) -> None:
        """Go on with the scan that was killed; one that had not begun, or had ended, is none."""
        resumed = self.product.run("scan", "--resume", expect=None)
        if resumed.returncode == NOTHING_TO_RESUME:
            states = [] if not self.product.inventory.exists() else self.product.ask(_STATES)
            assert states in ([], [("done",)]), resumed
            self.product.run(*SCAN)
        else:
            assert resumed.returncode == 0, resumed
            assert self.product.ask(_STATES) == [("done",)], "it is the same scan"

    def _kept(self) -> int:
        """Machines in what the kill left: whole, true, and no more than there are."""
        if not self.product.inventory.exists():
            return 0
        kept = exported(self.product.folder)
        for address, row in kept.items():
            assert row == self.truth[address], "what was recorded of a machine is all of it"
        code, out, err = run("count", "--format", "json", cwd=self.product.folder)
        assert code == 0, err
        assert sum(row["seen"] for row in json.loads(out)) == len(kept)
        demand_whole(self.product.inventory)
        return len(kept)


@contextmanager
def victim(folder: Path) -> Iterator[Victim]:
    """The hospital, scanned once without any kill."""
    with running(folder, *HOSPITAL):
        product = Product(folder)
        begun = time.monotonic()
        product.run(*SCAN)
        seconds = time.monotonic() - begun
        yield Victim(product, exported(folder), seconds)
