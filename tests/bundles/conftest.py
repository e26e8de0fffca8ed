from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scanner.inventory import Inventory, open_inventory
from tests.inventory.servers import Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


@pytest.fixture(params=["sqlite", "postgresql"])
def centre(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Inventory]:
    """An empty inventory to take bundles into."""
    server: Server = request.getfixturevalue("server")
    url = f"sqlite:///{tmp_path}/centre.db" if request.param == "sqlite" else server.fresh()
    with open_inventory(url, create=True) as opened:
        yield opened
    if request.param == "postgresql":
        server.drop(url)
