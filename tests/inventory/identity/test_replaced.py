"""What was taken for a machine under its name, until its hardware shows that it took the machine's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from scanner.inventory.tables import TIES
from scanner.inventory.transactions import reading
from tests.inventory.test_joining import A, B, card, pc, without

if TYPE_CHECKING:
    from tests.inventory.test_joining import Nights


def _replaced(nights: Nights, nights_on: int, **changed: str) -> tuple[int, int]:
    """First heard without its card; then a router tells it, each time."""
    old, new = (without(pc("PC1", n), "netbios", "smb") for n in (1, 2))
    new |= {key.replace("__", "."): value for key, value in changed.items()}
    for _ in range(16):
        first = nights.scan((A, card(1)), (A, old))
    second = nights.scan((B, new))
    for _ in range(nights_on):
        nights.scan((B, card(2)), (B, new))
    return first, second


def test_who_took_a_machines_place_and_name_is_another_since_it_was_first_heard(nights: Nights) -> None:
    first, second = _replaced(nights, 20)
    assert nights.who(first, A) != nights.who(second, B)
    assert nights.assets() == 2
    with reading(nights.inventory) as connection:
        ties = connection.execute(select(TIES.c.kind, TIES.c.how, TIES.c.author)).all()
    assert ("split", "name fqdn -card -certificate", "") in ties


def test_another_card_for_some_days_shows_nothing(nights: Nights) -> None:
    first, second = _replaced(nights, 8)
    assert nights.who(first, A) == nights.who(second, B)


def test_a_machine_that_tells_its_old_card_again_was_never_replaced(nights: Nights) -> None:
    first, second = _replaced(nights, 14)
    nights.scan((B, card(2)), (B, {**without(pc("PC1", 2), "netbios", "smb"), **card(1)}))
    assert nights.who(first, A) == nights.who(second, B)


def test_a_new_mainboard_under_the_old_system_is_the_old_machine(nights: Nights) -> None:
    first, second = _replaced(nights, 20, tls__certificate=f"{1:064x}")
    assert nights.who(first, A) == nights.who(second, B)
