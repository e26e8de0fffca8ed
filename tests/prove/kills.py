"""Hundreds of kills: a scan is ended by SIGKILL at a moment of chance, again and again.

``make prove`` runs it. ``VETUSTE_KILLS`` is how many (default 200, some ten seconds each), ``VETUSTE_SEED``
makes others.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from tests.integration.killing import Victim, victim

if TYPE_CHECKING:
    from collections.abc import Iterator

KILLS = int(os.environ.get("VETUSTE_KILLS", "200"))
SEED = os.environ.get("VETUSTE_SEED", "1")
_KEPT: list[int] = []


@pytest.fixture(scope="module")
def prey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Victim]:
    with victim(tmp_path_factory.mktemp("victim")) as made:
        yield made


@pytest.mark.parametrize("number", range(KILLS))
def test_the_inventory_opens_and_is_completed(prey: Victim, number: int) -> None:
    _KEPT.append(prey.kill(random.Random(f"{SEED} {number}").random()))


def test_the_kills_fell_everywhere(prey: Victim) -> None:
    """Before anything was recorded, in the middle, and after the last batch."""
    whole = len(prey.truth)
    assert 0 in _KEPT
    assert any(0 < kept < whole for kept in _KEPT)
