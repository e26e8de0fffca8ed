"""Whose a trait is."""

from __future__ import annotations

from scanner.inventory.identity.holders import Holders, stays_with
from scanner.inventory.identity.known import Tenure
from scanner.inventory.identity.traits import CARD

_BOARD, _MADE_UP = "d4:81:d7:00:00:01", "02:00:00:00:00:01"
_NIGHT = "2026-01-01T22:00:00.000000Z"


def test_a_card_stays_with_those_that_have_it_unless_it_is_common_or_made_up() -> None:
    """Of what is common not all holders are read: those that are known may look like all."""
    holders = Holders()
    for card in (_BOARD, _MADE_UP):
        holders.add(CARD, card, 1, Tenure("netbios.mac", _NIGHT, _NIGHT, 1))
    assert stays_with(holders, _BOARD, 1)
    assert stays_with(holders, _BOARD, 1, 2)
    assert not stays_with(holders, _BOARD, 2)
    assert not stays_with(holders, _MADE_UP, 1)
    holders.common.add((CARD, _BOARD))
    assert not stays_with(holders, _BOARD, 1, 2)
