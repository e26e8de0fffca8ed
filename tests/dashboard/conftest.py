from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from starlette.testclient import TestClient

from scanner.dashboard.access import Access, AuditLog
from scanner.dashboard.access.forgery import Forgery
from scanner.dashboard.app import make_app
from scanner.dashboard.house import House
from scanner.dashboard.visitor import Role, Visitor
from tests.dashboard.visits import ORIGIN, Visit, plainly

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLE = Path(__file__).parents[2] / "inventory.db.example"
KEY = Forgery(b"one for all, so that pages of one visitor are the same")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    """The example's inventory, on a fixed day."""
    file = tmp_path / "inventory.db"
    shutil.copy(EXAMPLE, file)
    house = House(f"sqlite:///{file}", now=lambda: NOW)
    yield house
    house.close()


@pytest.fixture
def client(house: House, tmp_path: Path) -> Visit:
    """Make a browser of a visitor, who may be somebody else each time, over the same inventory."""
    shown = house

    def visit(
        role: Role = Role.OPERATOR,
        *,
        sites: tuple[str, ...] = (),
        wards: tuple[str, ...] = (),
        language: str = "en",
        house: House | None = None,
    ) -> TestClient:
        visitor = Visitor("tester", role, frozenset(sites), frozenset(wards))
        access = Access(local=visitor, audit=AuditLog(tmp_path / "audit.jsonl"), forgery=KEY)
        made = TestClient(make_app(house or shown, access), base_url=ORIGIN, follow_redirects=False)
        return plainly(made, access, visitor.name, language)

    return visit
