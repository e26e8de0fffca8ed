"""A centre with one site, on the tests' own PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.fleet.running.hospitals import Fleet, fleet

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.inventory.servers import Server

SITE = b"""
[site]
name = "Nord"

[[ward]]
name = "Ward"
subnets = ["127.99.0.0/28"]
"""


@pytest.fixture
def one_site(server: Server, tmp_path: Path) -> Iterator[Fleet]:
    """The site ``nord``: nothing answers there, for nothing is there."""
    url = server.fresh()
    with fleet(url, tmp_path) as made:
        made.add_site("nord", SITE)
        yield made
    server.drop(url)
    server.ask("DROP ROLE nord")
