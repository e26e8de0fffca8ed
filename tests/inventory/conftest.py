from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from scanner.inventory import Inventory, open_inventory
from tests.inventory.hospital import site_file
from tests.inventory.servers import Server, serving

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanner.config import SiteFile

KINDS = ("sqlite", "postgresql")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """What is not about a file holds for both databases."""
    if "kind" in metafunc.fixturenames:
        about_files = metafunc.definition.get_closest_marker("file") is not None
        metafunc.parametrize("kind", KINDS[:1] if about_files else KINDS, scope="session")


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving() as started:
        yield started


@pytest.fixture
def url(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Where an inventory is to be; in PostgreSQL an empty one is there."""
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path}/inventory.db"
        return
    server: Server = request.getfixturevalue("server")
    fresh = server.fresh()
    yield fresh
    server.drop(fresh)


@pytest.fixture
def inventory(url: str) -> Iterator[Inventory]:
    with open_inventory(url, create=True) as opened:
        yield opened


@pytest.fixture
def site(tmp_path: Path) -> SiteFile:
    return site_file(tmp_path)
