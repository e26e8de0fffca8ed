from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from scanner.alerts.channels import mail, syslog
from scanner.inventory import Inventory, open_inventory

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "inventory.db"
    open_inventory(f"sqlite:///{path}", create=True).close()
    return path


@pytest.fixture
def inventory(empty: Path, tmp_path: Path) -> Iterator[Inventory]:
    shutil.copy(empty, tmp_path / "inventory.db")
    with open_inventory(f"sqlite:///{tmp_path}/inventory.db") as opened:
        yield opened


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Receivers that hang are given up soon; nothing else depends on how soon."""
    for channel in (mail, syslog):
        monkeypatch.setattr(channel, "PATIENCE", 0.5)
