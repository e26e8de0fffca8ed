from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scanner.inventory import Inventory, open_inventory
from tests.inventory.hospital import site_file

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanner.config import SiteFile


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/inventory.db"


@pytest.fixture
def inventory(url: str) -> Iterator[Inventory]:
    with open_inventory(url, create=True) as opened:
        yield opened


@pytest.fixture
def site(tmp_path: Path) -> SiteFile:
    return site_file(tmp_path)
