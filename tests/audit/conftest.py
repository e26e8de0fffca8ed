from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.audit.signing import Hospital

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def hospital(tmp_path: Path) -> Hospital:
    """A site file that demands signatures, signed by both its roles."""
    made = Hospital(tmp_path / "hospital")
    made.sign("biomedical", "rssi")
    return made
