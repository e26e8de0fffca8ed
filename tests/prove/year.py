"""A year of a hospital of 15,000 machines, night by night: one machine stays one asset.

About an hour; ``VETUSTE_YEAR_MACHINES``, ``VETUSTE_YEAR_SCANS`` and ``VETUSTE_YEAR_SEED`` change what
is tried. Days go by between two scans in any case. ``-s`` shows the figures, and of each kind of machine some
that went wrong.
"""

from __future__ import annotations

import gc
import os
import sys
from typing import TYPE_CHECKING

from scanner.inventory import open_inventory
from tests.inventory.year_judge import Judge
from tests.inventory.year_life import live
from tests.inventory.year_telling import told

if TYPE_CHECKING:
    from pathlib import Path

MACHINES = int(os.environ.get("VETUSTE_YEAR_MACHINES", "15000"))
SCANS = int(os.environ.get("VETUSTE_YEAR_SCANS", "365"))
SEED = int(os.environ.get("VETUSTE_YEAR_SEED", "1"))


def test_a_year_of_a_hospital(tmp_path: Path) -> None:
    judge = Judge()
    with open_inventory(f"sqlite:///{tmp_path}/year.db", create=True) as inventory:
        for taken in live(
            judge, inventory, tmp_path, seed=SEED, machines=MACHINES, every=max(1, 365 // SCANS)
        ):
            sys.stdout.write(f"\r{taken}")
            sys.stdout.flush()
            gc.freeze()  # what the judge keeps for the end is looked through no more: it took half the time
        figures = judge.judge(inventory)
        told(judge, figures, inventory, lambda line: sys.stdout.write(f"\n{line}"))
    stored = (tmp_path / "year.db").stat().st_size
    sys.stdout.write(f"\ninventory {stored / 1e6:.0f} MB\n")
    assert not figures.lost
    assert not figures.invented
    assert not figures.unexplained
    assert not figures.hidden
    assert figures.possible >= 0.995
