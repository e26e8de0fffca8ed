"""A second scan of an inventory of :mod:`tests.bench.stock`, and the time of a diff: 5 % is different.

``python -m tests.bench.change FILE``: of each hundred machines one is gone, one is new, two moved, one is
another system. It prints seconds and KiB of ``vetuste diff 1 2``, of a diff of two days, and of a trend.
"""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Final

from tests.measuring import measured

SECOND: Final = """
INSERT OR IGNORE INTO scans (id, site_id, started, ended, state, profile, scope, versions, counts)
SELECT 2, site_id, '2026-02-05T22:00:00.000000Z', '2026-02-06T02:00:00.000000Z', 'done', profile, scope,
       versions, counts FROM scans WHERE id = 1;
INSERT OR IGNORE INTO visits SELECT 2, version, block, addresses FROM visits WHERE scan_id = 1;
DELETE FROM sights WHERE scan_id = 1 AND asset_id % 100 = 1;
INSERT OR IGNORE INTO sights (scan_id, asset_id, packed, at, ward_id, identity_id)
SELECT 2, id, CASE WHEN id % 100 IN (2, 3) THEN CAST(x'0b' || substr(packed, 2) AS BLOB) ELSE packed END,
       '2026-02-05T23:00:00.000000Z', ward_id,
       CASE WHEN id % 100 = 4 THEN 1 + identity_id % (SELECT max(id) FROM identities) ELSE identity_id END
FROM assets WHERE id % 100 <> 0;
UPDATE assets SET last_scan_id = 2, last_seen = '2026-02-05T23:00:00.000000Z' WHERE id % 100 <> 0;
"""


def change(file: Path) -> None:
    """Add the second scan; nothing where it is there already."""
    with closing(sqlite3.connect(file)) as connection:
        if not connection.execute("SELECT 1 FROM scans WHERE id = 2").fetchone():
            connection.executescript(SECOND)


def run(file: Path, *arguments: str) -> None:
    """Time a command."""
    command = [sys.executable, "cli.py", *arguments, "--db", str(file)]
    started = time.perf_counter()
    done = subprocess.run(
        measured(command), env={**os.environ, "LANG": "C"}, capture_output=True, text=True, check=True
    )
    seconds, kib = time.perf_counter() - started, done.stderr.split()[-1]
    kinds = Counter(line.partition('"kinds": ')[2].partition("]")[0] for line in done.stdout.splitlines())
    sys.stdout.write(f"{' '.join(arguments)}: {seconds:.1f} s, {kib} KiB, {dict(kinds.most_common(6))}\n")


if __name__ == "__main__":
    stock = Path(sys.argv[1])
    change(stock)
    run(stock, "diff", "1", "2", "--jsonl")
    run(stock, "diff", "2026-01-31", "2026-03-01", "--jsonl")
    run(stock, "trend", "--by", "status", "--since", "2026-01-01", "--today", "2026-06-30", "--json")
