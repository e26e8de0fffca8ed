"""A rough cable, with as many machines as the proof of one in a thousand takes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.integration.test_rough_links import demand_the_same, living, scanned_cleanly

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.namespaces

SUBNETS = 64


def test_of_a_thousand_machines_one_may_be_missed(tmp_path: Path) -> None:
    clean = scanned_cleanly(tmp_path / "clean", SUBNETS)
    assert len(clean) == len(living(SUBNETS)) == 1024
    demand_the_same(tmp_path / "rough", clean, SUBNETS, most=1)
