"""What was taken for a machine under its name, until its hardware shows that it took the machine's place."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from scanner.inventory import merge_by_hand
from scanner.inventory.retention.pruning import Keep, prune
from scanner.inventory.tables import TIES, TRAITS
from scanner.inventory.transactions import reading
from tests.inventory.hospital import NOON
from tests.inventory.test_joining import A, B, C, D, card, pc, without

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
    assert ("split", "name fqdn subject -card -certificate", "") in ties


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


def test_the_card_that_is_met_wherever_the_name_is_shows_it_too(nights: Nights) -> None:
    """A router tells the new card first, at addresses that others had: it is an asset beside the machine."""
    old, new = (without(pc("PC1", n), "netbios", "smb") for n in (1, 2))
    nights.scan(*((address, pc(f"PC{n}", n + 2)) for n, address in enumerate((B, C, D), 2)))
    for _ in range(16):
        first = nights.scan((A, card(1)), (A, old))
    for address in (B, C, D) * 8:
        last = nights.scan((address, card(2)), (address, new))
    assert nights.who(first, A) != nights.who(last, D)
    assert nights.assets() == 5


def test_a_machine_that_lives_on_elsewhere_shows_that_it_was_replaced(nights: Nights) -> None:
    """Under another name, in another ward: with its card."""
    first, second = _replaced(nights, 8)
    again = pc("RE-PC1", 3, netbios__mac=card(1)["mac.address"])
    for _ in range(12):
        last = nights.scan((B, card(2)), (B, without(pc("PC1", 2), "netbios", "smb")), (C, again))
    assert len({nights.who(first, A), nights.who(last, B)}) == 2
    assert nights.who(last, B) in nights.all(second, B)


def test_what_somebody_joined_no_scan_takes_apart_again(nights: Nights) -> None:
    first, second = _replaced(nights, 20)
    old, new = nights.who(first, A), nights.who(second, B)
    merge_by_hand(nights.inventory, new, old, author="DSI", note="the same machine with new parts")
    for _ in range(3):
        last = nights.scan((B, card(2)), (B, without(pc("PC1", 2), "netbios", "smb")))
    assert nights.who(first, A) == nights.who(last, B) == new
    assert nights.assets() == 1


def test_what_was_folded_away_meanwhile_goes_where_its_time_says(nights: Nights) -> None:
    """Of the old machine and of the new one nothing but sights and traits is left when it is found out."""
    first, second = _replaced(nights, 10)
    for _ in prune(nights.inventory, Keep(observations=NOON + timedelta(days=nights.day + 1))):
        pass
    for _ in range(10):
        last = nights.scan((B, card(2)), (B, without(pc("PC1", 2), "netbios", "smb")))
    old, new = nights.who(first, A), nights.who(last, B)
    assert old != new
    assert nights.who(second, B) == new
    with reading(nights.inventory) as connection:
        rows = connection.execute(select(TRAITS.c.asset_id, TRAITS.c.value)).all()
    traits = {asset: {value for each, value in rows if each == asset} for asset in (old, new)}
    for asset, n, other in ((old, 1, new), (new, 2, old)):
        mine = {card(n)["mac.address"], f"{n:064x}"}
        assert mine <= traits[asset]
        assert not mine & traits[other]
    assert "CHU\\PC1" in traits[old] & traits[new]
