"""What was met apart from a machine and comes to it later, and what never does: a few nights each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from scanner.inventory.tables import EVIDENCE_KEYS, TRAITS
from scanner.inventory.transactions import reading
from tests.inventory.test_joining import A, B, C, D, card, linux, loner, only, pc, without

if TYPE_CHECKING:
    from tests.inventory.test_joining import Nights


def test_a_name_heard_at_two_addresses_night_after_night_makes_no_third_machine(nights: Nights) -> None:
    """A laptop in its dock and on the radio, of which only its name in the domain is heard."""
    says = only(pc("PORTABLE", 1), "ntlm")
    for _ in range(3):
        nights.scan((A, says), (B, says))
    for address in (C, D, "10.20.0.21", "10.20.0.22"):
        nights.scan((address, says))
    assert nights.assets() <= 2


def test_what_was_taken_for_three_is_one_again_when_two_of_them_are_gone(nights: Nights) -> None:
    says = without(loner("ADMIN-PC", 1), "netbios", "tls")
    nights.scan((A, says), (B, says), (C, says))
    assert nights.assets() == 3
    for _ in range(20):
        nights.scan((A, says))
    assert nights.assets() == 1


def test_copies_that_are_met_side_by_side_stay_as_many(nights: Nights) -> None:
    copy = without(loner("IMAGE", 1), "netbios", "tls")
    for _ in range(20):
        nights.scan((A, copy), (B, copy), (C, copy))
    assert nights.assets() == 3


def test_an_appliance_that_is_missed_once_is_not_another_one_with_its_models_key(nights: Nights) -> None:
    made = linux(1)
    first = nights.scan((A, made), (B, made), (C, made))
    nights.scan((A, made), (C, made))
    nights.scan((A, made), (C, made))
    last = nights.scan((A, made), (B, made), (C, made))
    for address in (A, B, C):
        assert nights.who(first, address) == nights.who(last, address)
    assert nights.assets() == 3


def test_a_new_appliance_with_its_models_key_and_a_card_of_its_own_is_no_double_when_it_is_missed(
    nights: Nights,
) -> None:
    old, new = ({**linux(1), **card(n)} for n in (1, 2))
    for _ in range(3):
        nights.scan((B, old))
    nights.scan((A, new), (B, old))
    nights.scan((B, old))
    last = nights.scan((B, old), (A, new))
    assert nights.who(last, A) != nights.who(last, B)
    assert nights.assets() == 2


def test_a_new_system_under_the_old_name_is_the_machine_once_the_old_one_is_gone(nights: Nights) -> None:
    """Of neither any card was told."""
    first = nights.scan((A, without(pc("PC1", 1), "netbios")))
    for _ in range(20):
        last = nights.scan((B, without(pc("PC1", 2), "netbios")))
    assert nights.assets() == 1
    assert nights.who(first, A) == nights.who(last, B)


@pytest.mark.parametrize("told", [("netbios",), ()])
def test_new_hardware_under_the_old_name_stays_another_machine(nights: Nights, told: tuple[str, ...]) -> None:
    """Another card; or the old one told of its card, and the new one tells of none."""
    nights.scan((A, pc("PC1", 1)))
    after = pc("PC1", 2) if told else without(pc("PC1", 2), "netbios")
    for _ in range(20):
        nights.scan((B, after))
    assert nights.assets() == 2


def test_a_new_laptop_under_the_old_name_in_the_old_dock_stays_another_machine(nights: Nights) -> None:
    """Each has its radio; the dock is everybody's."""
    dock = "d4:81:d7:00:00:08"
    for _ in range(3):
        nights.scan((A, pc("PORTABLE", 1)), (B, pc("AUTRE", 3, netbios__mac=dock)))
        nights.scan((C, pc("PORTABLE", 1, netbios__mac=dock)))
    for _ in range(10):
        nights.scan((A, pc("PORTABLE", 2)), (B, pc("AUTRE", 3, netbios__mac=dock)))
        nights.scan((C, pc("PORTABLE", 2, netbios__mac=dock)))
    assert nights.assets() == 3


def test_a_laptop_known_by_docks_alone_is_not_whoever_bears_its_name_next(nights: Nights) -> None:
    """Of neither its radio was told: nothing shows that the old one was installed anew, and not replaced."""
    docks = [f"d4:81:d7:00:00:{n:02x}" for n in (8, 9)]
    for dock in docks:
        first = nights.scan((A, pc("PORTABLE", 1, netbios__mac=dock)))
        nights.scan((B, pc("AUTRE", 3, netbios__mac=dock)))
    for _ in range(10):
        for dock in docks:
            last = nights.scan((C, pc("PORTABLE", 2, netbios__mac=dock)))
            nights.scan((B, pc("AUTRE", 3, netbios__mac=dock)))
    assert nights.who(first, A) != nights.who(last, C)


def test_a_laptop_installed_anew_in_a_dock_of_its_own_is_the_one_before(nights: Nights) -> None:
    docks = [f"d4:81:d7:00:00:{n:02x}" for n in (8, 9)]
    for dock in docks:
        first = nights.scan((A, pc("PORTABLE", 1, netbios__mac=dock)))
    nights.scan((B, pc("AUTRE", 3, netbios__mac=docks[0])))
    for _ in range(20):
        last = nights.scan((C, pc("PORTABLE", 2, netbios__mac=docks[1])))
    assert nights.who(first, A) == nights.who(last, C)


def test_a_name_of_a_workgroup_makes_no_machine_the_one_before(nights: Nights) -> None:
    nights.scan((A, without(loner("POSTE", 1), "netbios")))
    for _ in range(20):
        nights.scan((B, without(loner("POSTE", 2), "netbios")))
    assert nights.assets() == 2


def test_names_that_netbios_cuts_alike_are_as_many_as_their_cards(nights: Nights) -> None:
    """Two tell no more than the beginning, which a third one's longer name shows to be one."""
    nights.scan((A, without(pc("SECRETARIAT-MED-1", 1), "netbios")))
    second = nights.scan((B, only(pc("SECRETARIAT-MED-2", 2), "netbios")))
    third = nights.scan((C, only(pc("SECRETARIAT-MED-3", 3), "netbios")))
    assert nights.who(second, B) != nights.who(third, C)


def test_an_appliance_with_its_models_key_is_one_at_its_address(nights: Nights) -> None:
    """The key names none of three, its card is told every other night: there the two are of one machine."""
    made = linux(1)
    for night in range(12):
        cards = [(A, card(1)), (B, card(2)), (C, card(3))] if night % 2 else []
        last = nights.scan(*cards, (A, made), (B, made), (C, made))
    assert nights.assets() == 3
    assert len({nights.who(last, each) for each in (A, B, C)}) == 3


def test_another_machine_that_says_something_else_does_not_take_over_an_address(nights: Nights) -> None:
    """What told its certificate for weeks is gone; what is there now has names, and none."""
    first = min(nights.scan((A, only(pc("PC1", 1), "tls"))) for _ in range(16))
    second = nights.scan((A, only(pc("PC2", 2), "smb", "ntlm")))
    assert nights.who(first, A) != nights.who(second, A)


def test_a_machine_that_is_asked_more_is_still_itself(nights: Nights) -> None:
    says = pc("PC1", 1)
    first = min(nights.scan((A, only(says, "tls"))) for _ in range(16))
    nights.scan((A, without(says, "netbios")))
    last = nights.scan((A, says))
    assert nights.who(first, A) == nights.who(last, A)


def test_a_router_tells_the_cards_of_a_machine_with_two(nights: Nights) -> None:
    """At either address either card, each night before the visit."""
    says = without(pc("SRV-1", 1), "netbios")
    for night in range(8):
        one, other = (1, 2) if night % 2 else (2, 1)
        nights.scan((A, card(one)), (B, card(other)), (A, says), (B, says))
    assert nights.assets() == 1


def test_another_card_under_the_name_at_one_address_after_another_is_not_the_first_ones(
    nights: Nights,
) -> None:
    """A new board, or a new machine under the old name: nobody can tell, and the card stays apart."""
    says = without(pc("PC1", 1), "netbios")
    for _ in range(3):
        nights.scan((A, card(1)), (A, says))
    for address in (B, C, D):
        nights.scan((address, card(2)), (address, says))
    assert nights.assets() == 2


def test_a_laptop_that_is_installed_anew_is_known_by_the_radio_that_it_alone_has(nights: Nights) -> None:
    """Its docks go round: another laptop showed them too."""
    radio, dock = "d4:81:d7:00:00:09", "d4:81:d7:00:00:08"
    for _ in range(16):
        first = nights.scan((A, pc("PORTABLE1", 1, netbios__mac=radio)))
        nights.scan((B, pc("PORTABLE1", 1, netbios__mac=dock)), (C, pc("PORTABLE2", 2)))
        nights.scan((B, pc("PORTABLE2", 2, netbios__mac=dock)))
    last = nights.scan((D, pc("NOUVEAU", 3, netbios__mac=radio)))
    assert nights.who(first, A) == nights.who(last, D)


@pytest.mark.parametrize("radio", ["d4:81:d7:00:00:09", "d4:81:d7:00:00:0a"])
def test_a_laptop_installed_anew_and_met_in_a_dock_is_known_by_its_radio_later(
    nights: Nights, radio: str
) -> None:
    """Its docks go round. Another laptop in the same docks has a radio of its own."""
    dock = "d4:81:d7:00:00:08"
    for _ in range(16):
        first = nights.scan((A, pc("PORTABLE1", 1, netbios__mac="d4:81:d7:00:00:09")))
        nights.scan((B, pc("PORTABLE1", 1, netbios__mac=dock)), (C, pc("PORTABLE2", 2)))
        nights.scan((B, pc("PORTABLE2", 2, netbios__mac=dock)))
    for _ in range(10):
        last = nights.scan((A, pc("NOUVEAU", 3, netbios__mac=dock)))
        nights.scan((B, pc("PORTABLE2", 2, netbios__mac=dock)))
        nights.scan((C, pc("NOUVEAU", 3, netbios__mac=radio)))
    assert (nights.who(first, A) == nights.who(last, A)) == radio.endswith("09")


def test_a_card_that_a_router_told_makes_no_new_laptop_the_one_before(nights: Nights) -> None:
    """The dock of a laptop that tells no card itself: whoever comes next speaks through it too."""
    for _ in range(16):
        first = nights.scan((A, card(8)), (A, without(pc("PORTABLE1", 1), "netbios")))
    last = nights.scan((A, pc("PORTABLE2", 2, netbios__mac="d4:81:d7:00:00:08")))
    assert nights.who(first, A) != nights.who(last, A)


def test_a_card_is_kept_by_the_best_of_those_that_told_it(nights: Nights) -> None:
    nights.scan((A, card(1)))
    nights.scan((A, pc("PC1", 1)))
    nights.scan((A, card(1)))
    wanted = select(EVIDENCE_KEYS.c.key).join(TRAITS, TRAITS.c.key_id == EVIDENCE_KEYS.c.id)
    with reading(nights.inventory) as connection:
        keys = connection.scalars(wanted.where(TRAITS.c.value == "d4:81:d7:00:00:01")).all()
    assert keys == ["netbios.mac"]


@pytest.mark.parametrize(("gone", "assets"), [(20, 3), (2, 4)])
def test_the_card_that_a_router_tells_goes_on_with_the_new_system_where_others_were(
    nights: Nights, gone: int, assets: int
) -> None:
    """Days after the old system; two others had the same addresses before."""
    old, new = (without(pc(name, n), "netbios") for name, n in (("PC1", 1), ("NOUVEAU", 4)))
    nights.scan((C, pc("PC2", 2)), (D, pc("PC3", 3)))
    for _ in range(16):
        first = nights.scan((A, card(8)), (A, old))
    for _ in range(gone):
        nights.scan((B, new))
    for address in (C, D, C, D):
        last = nights.scan((address, card(8)), (address, new))
    assert nights.assets() == assets
    assert (nights.who(first, A) in nights.all(last, D)) or assets > 3


def test_two_laptops_of_one_dock_are_two_from_the_first_night_on(nights: Nights) -> None:
    """A router tells the dock's card before each visit; one laptop is there today, the other tomorrow."""
    one, other = (without(pc(f"PORTABLE{n}", n), "netbios") for n in (1, 2))
    nights.scan((A, card(8)), (A, one))
    nights.scan((A, card(8)), (A, one))
    for address in (A, B, A, B):
        last = nights.scan((address, card(8)), (address, other))
    again = nights.scan((C, one), (D, other))
    assert nights.who(again, C) != nights.who(again, D)
    assert nights.who(again, D) in nights.all(last, B)


def test_a_dock_does_not_draw_a_laptop_that_is_known_by_its_name(nights: Nights) -> None:
    """The name is told at two addresses in one scan, so that two assets have it; the dock is a third."""
    says = only(pc("PORTABLE", 1), "ntlm")
    for _ in range(2):
        first = nights.scan((A, says), (B, says))
    nights.scan((C, card(8)))
    last = nights.scan((D, {**says, **only(pc("PORTABLE", 8), "netbios")}))
    assert nights.who(last, D) in {nights.who(first, A), nights.who(first, B)}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            {"tls.subject": "CN=imprimante-3", "tls.certificate": "1"},
            {"tls.subject": "CN=imprimante-3", "tls.certificate": "2"},
        ),
        (
            {**linux(1), "ntlm.netbios_name": "LX-1", "ntlm.netbios_domain": "LX-1"},
            {**linux(2), "ntlm.netbios_name": "LX-1", "ntlm.netbios_domain": "LX-1"},
        ),
    ],
)
@pytest.mark.parametrize("place", [A, B])
def test_what_is_called_as_before_at_the_address_of_before_is_itself(
    nights: Nights, old: dict[str, str], new: dict[str, str], place: str
) -> None:
    """A printer with a new certificate, a server installed anew; others had the address once."""
    nights.scan((A, linux(8)), (B, linux(9)))
    for _ in range(3):
        first = nights.scan((A, old))
    for _ in range(20):
        last = nights.scan((place, new))
    assert (nights.who(first, A) == nights.who(last, place)) is (place == A)


@pytest.mark.parametrize(("name", "assets"), [("NPI00107E", 3), ("printer", 4)])
def test_a_printer_that_moved_is_known_by_a_name_that_its_maker_numbered(
    nights: Nights, name: str, assets: int
) -> None:
    nights.scan((A, linux(8)), (B, linux(9)))
    for address in (C, D):
        for _ in range(20):
            nights.scan((address, {"snmp.sysname": name}))
    assert nights.assets() == assets


def test_another_name_at_an_address_is_another_machine(nights: Nights) -> None:
    """Of which nothing but its certificate was heard at first."""
    for _ in range(3):
        first = nights.scan((A, {**linux(1), "tls.subject": "CN=lx-1", "tls.certificate": "1"}))
    last = nights.scan((A, {"tls.subject": "CN=lx-2", "tls.certificate": "2"}))
    assert nights.who(first, A) != nights.who(last, A)


def test_a_laptop_that_is_often_met_twice_is_not_two_the_next_time(nights: Nights) -> None:
    """By its name in the domain alone; what is met beside a machine for the first time is another one."""
    says, more = only(pc("PORTABLE", 1), "ntlm"), without(pc("PORTABLE", 1), "netbios")
    nights.scan((A, more), (B, more))
    nights.scan((C, more))
    last = nights.scan((C, more), (D, says))
    assert nights.who(last, C) == nights.who(last, D)
    fixed, proxy = without(pc("PC1", 2), "netbios"), only(pc("PC1", 2), "ntlm")
    for _ in range(3):
        nights.scan(("10.20.0.21", fixed))
    last = nights.scan(("10.20.0.21", fixed), ("10.20.0.22", proxy))
    assert nights.who(last, "10.20.0.21") != nights.who(last, "10.20.0.22")


def test_what_everybody_is_called_makes_nobody_the_one_before(nights: Nights) -> None:
    old, new = ({**linux(n), "tls.subject": "CN=localhost"} for n in (1, 2))
    nights.scan((A, linux(8)), (B, linux(9)))
    for _ in range(3):
        first = nights.scan((A, old), (B, {**linux(3), "tls.subject": "CN=localhost"}))
    for _ in range(20):
        last = nights.scan((A, new))
    assert nights.who(first, A) != nights.who(last, A)


@pytest.mark.parametrize("docked", [0, 1])
def test_a_laptop_is_gone_when_it_says_nothing_though_its_dock_is_met(nights: Nights, docked: int) -> None:
    """Who uses the dock is not known; a card that is nobody else's shows that the machine itself is there."""
    old = pc("PORTABLE1", 1, netbios__mac="94:e6:f7:00:00:09")
    new = pc("PORTABLE2", 2, netbios__mac="94:e6:f7:00:00:09")
    for n in (3, 4, 5):
        nights.scan((C, {**pc(f"PORTABLE{n}", n), **(card(8) if docked else {})}))
    for _ in range(16):
        first = nights.scan((A, old), (B, {**old, **card(8)}))
    for _ in range(20):
        last = nights.scan((B, card(8)), (D, without(new, "netbios")))
    for _ in range(20):
        last = nights.scan((B, card(8)), (D, new))
    assert (nights.who(first, A) == nights.who(last, D)) is bool(docked)


def test_what_a_certificate_calls_a_machine_of_a_domain_makes_it_nobody_else(nights: Nights) -> None:
    """New hardware under the old name, of which no card was heard yet."""
    old, new = pc("PC000814", 1), without(pc("PC000814", 2), "netbios")
    for _ in range(16):
        first = nights.scan((A, old))
    for _ in range(20):
        last = nights.scan((B, new), (C, card(2)))
    assert nights.who(first, A) != nights.who(last, B)
