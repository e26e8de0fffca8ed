"""Who was heard through a machine's card alone, and taken for it, until the machine itself is heard again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from scanner.inventory import merge_by_hand
from scanner.inventory.tables import TIES
from scanner.inventory.transactions import reading
from tests.inventory.test_joining import A, B, C, card, loner, pc, without

if TYPE_CHECKING:
    from tests.inventory.test_joining import Nights

_DOCK, _RADIO, _OTHERS = (card(n)["mac.address"] for n in (1, 2, 3))


def _lent(nights: Nights, *, twice: bool = False) -> tuple[int, int]:
    """For weeks a laptop tells of its dock alone; then another one is in the dock."""
    for _ in range(20):
        first = nights.scan((A, pc("PORTABLE-1", 1, netbios__mac=_DOCK)))
    guest = nights.scan((A, pc("PORTABLE-2", 2, netbios__mac=_DOCK)))
    if twice:
        nights.scan((A, pc("PORTABLE-1", 1, netbios__mac=_DOCK)))
        guest = nights.scan((A, pc("PORTABLE-2", 2, netbios__mac=_DOCK)))
    return first, guest


def test_a_guest_of_a_dock_is_no_new_system_once_the_old_one_is_back_with_another_card(
    nights: Nights,
) -> None:
    first, guest = _lent(nights)
    last = nights.scan((B, pc("PORTABLE-1", 1, netbios__mac=_RADIO)))
    assert nights.who(first, A) == nights.who(last, B) != nights.who(guest, A)
    both = nights.scan(
        (A, pc("PORTABLE-1", 1, netbios__mac=_DOCK)), (C, pc("PORTABLE-2", 2, netbios__mac=_OTHERS))
    )
    assert nights.who(both, A) == nights.who(first, A)
    assert nights.who(both, C) == nights.who(guest, A)
    assert nights.assets() == 2
    with reading(nights.inventory) as connection:
        ties = connection.execute(select(TIES.c.kind, TIES.c.how, TIES.c.author)).all()
    assert ties == [("split", "card -fqdn -guid -name", "")]


def test_guests_that_come_again_and_again_are_told_apart_as_well(nights: Nights) -> None:
    first, guest = _lent(nights, twice=True)
    last = nights.scan((B, pc("PORTABLE-1", 1, netbios__mac=_RADIO)))
    assert nights.who(first, A) == nights.who(last, B) != nights.who(guest, A)
    assert {nights.who(scan, A) for scan in range(first - 19, first + 4)} == {
        nights.who(first, A),
        nights.who(guest, A),
    }
    assert nights.who(first + 1, A) == nights.who(guest, A)
    assert nights.who(first + 2, A) == nights.who(first, A)


def test_two_systems_on_one_disk_stay_one_machine(nights: Nights) -> None:
    """Whichever was started, they tell of the same card."""
    first, _ = _lent(nights, twice=True)
    last = nights.scan((B, pc("PORTABLE-1", 1, netbios__mac=_DOCK)))
    assert nights.who(first, A) == nights.who(last, B)
    assert nights.assets() == 1


def test_a_name_alone_that_was_another_for_a_while_shows_no_guest(nights: Nights) -> None:
    """It was renamed, and renamed again."""
    for name in ("PORTABLE-1", "PORTABLE-2"):
        for _ in range(20):
            first = nights.scan((A, pc(name, 1)))
    last = nights.scan((B, pc("PORTABLE-1", 1, netbios__mac=_RADIO)))
    assert nights.who(first, A) == nights.who(last, B)
    assert nights.assets() == 1


def test_what_somebody_made_one_has_no_guests(nights: Nights) -> None:
    first, guest = _lent(nights)
    nights.scan((B, pc("PORTABLE-1", 1, netbios__mac=_RADIO)))
    mine, theirs = nights.who(first, A), nights.who(guest, A)
    merge_by_hand(nights.inventory, mine, theirs, author="DSI", note="one laptop with two disks")
    last = nights.scan((C, pc("PORTABLE-1", 1, netbios__mac=_OTHERS)))
    assert nights.who(last, C) == nights.who(guest, A) == mine


def test_who_is_known_elsewhere_by_all_its_words_is_no_new_system_of_the_dock(nights: Nights) -> None:
    """Two assets of one key, so that neither is found by it: the words are theirs all the same."""
    says = without(loner("USER-PC", 2), "tls")
    first = nights.scan((B, says), (C, {**says, "netbios.mac": _OTHERS}))
    assert nights.who(first, B) != nights.who(first, C)
    for _ in range(20):
        nights.scan((A, pc("PORTABLE-1", 1, netbios__mac=_DOCK)))
    last = nights.scan((A, {**says, "netbios.mac": _DOCK}))
    assert nights.who(last, A) in {nights.who(first, address) for address in (B, C)}
