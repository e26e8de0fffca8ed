"""What tests of identity share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.inventory.test_joining import Nights

if TYPE_CHECKING:
    from scanner.config import SiteFile
    from scanner.inventory import Inventory


@pytest.fixture
def nights(inventory: Inventory, site: SiteFile) -> Nights:
    return Nights(inventory, site)
