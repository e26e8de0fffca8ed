"""A hundred rounds of a fleet: three sites a night, each struck by something, and its centre twice.

``make prove`` runs it. ``VETUSTE_NIGHTS`` is how many nights (default 34, each about a minute),
``VETUSTE_SEED`` makes others.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.fleet.faults import KINDS
from tests.fleet.night import Nights, nights

if TYPE_CHECKING:
    from collections.abc import Iterator

NIGHTS = int(os.environ.get("VETUSTE_NIGHTS", "34"))
SEED = os.environ.get("VETUSTE_SEED", "1")

pytestmark = pytest.mark.namespaces


@pytest.fixture(scope="module")
def struck(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nights]:
    with nights(tmp_path_factory.mktemp("nights") / "scene") as made:
        yield made


@pytest.mark.parametrize("number", range(NIGHTS))
def test_in_the_morning_nothing_is_lost_and_nothing_came_twice(struck: Nights, number: int) -> None:
    struck.pass_one(f"{SEED} {number}")


def test_everything_befell_them(struck: Nights) -> None:
    assert struck.befallen == set(KINDS)
