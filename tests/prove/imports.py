"""Files of 2 GiB of each format, imported: memory stays below 200 MB, and everything is there afterwards.

Some twelve minutes; ``VETUSTE_IMPORT_MIB`` makes them smaller. ``-s`` shows what was measured.
"""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING

import pytest

from scanner.imports import formats
from tests.imports import large

if TYPE_CHECKING:
    from pathlib import Path

SIZE = int(os.environ.get("VETUSTE_IMPORT_MIB", "2048")) << 20
MOST = 200_000_000


@pytest.mark.parametrize("form", [form.name for form in formats()])
def test_a_file_of_any_size_is_imported_in_little_memory(form: str, tmp_path: Path) -> None:
    started = time.monotonic()
    peak = large.imported(form, SIZE, tmp_path)
    taken = time.monotonic() - started
    found = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    stored = (tmp_path / "large.db").stat().st_size
    sys.stdout.write(
        f"\n{form}: {SIZE >> 20} MiB, {found['hosts']} hosts, {taken:.0f} s, "
        f"peak {peak / 1e6:.0f} MB, inventory {stored / 1e6:.0f} MB\n"
    )
    assert peak < MOST
    assert (found["whole"], found["wrong"], found["outside"], found["outdated"]) == (True, 0, 0, 0)
    assert found["hosts"] > SIZE >> 13
