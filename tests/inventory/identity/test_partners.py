"""What was met beside a machine again and again, and is found to be one with it: a few nights each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.inventory.test_joining import A, B, C, D, card, linux, loner, only, pc, without

if TYPE_CHECKING:
    from tests.inventory.test_joining import Nights

_SILENT = ("netbios", "smb")


@pytest.mark.parametrize("again", [0, 1])
def test_what_was_heard_once_where_a_card_was_keeps_nobody_from_it(nights: Nights, again: int) -> None:
    """Another machine had the address for an hour; a gateway with two systems says so every night."""
    says, other = without(pc("PC1", 1), *_SILENT), {"http.server": "Boa"}
    nights.scan((A, card(1)), (A, other))
    for address in (B, C, D, B, C, D):
        last = nights.scan((address, card(1)), (address, says), *([(address, other)] if again else []))
    assert len(nights.all(last, D)) == 1 + again


@pytest.mark.parametrize("renewed", [0, 1])
def test_the_card_of_a_new_mainboard_comes_to_its_machine(nights: Nights, renewed: int) -> None:
    """Whose addresses others had before; new hardware with a new system under the name is another machine."""
    old, new = without(pc("PC1", 1), "netbios"), without(pc("PC1", 8 if renewed else 1), "netbios")
    nights.scan(*((address, pc(f"PC{n}", n)) for n, address in enumerate((B, C, D), 2)))
    for _ in range(16):
        first = nights.scan((A, card(1)), (A, old))
    for address in (B, C, D) * 8:
        last = nights.scan((address, card(8)), (address, new))
    assert len(nights.all(last, D)) == 1
    assert (nights.who(first, A) == nights.who(last, D)) is (not renewed)
    assert nights.assets() == 4 + renewed


@pytest.mark.parametrize("together", [0, 1])
def test_a_laptop_of_a_workgroup_is_one_by_its_radio_and_by_its_socket(nights: Nights, together: int) -> None:
    """Many are called so; and copies of one image are met side by side."""
    nights.scan(*((f"10.20.0.{n}", loner("PC", n)) for n in range(30, 50)))
    radio = without(loner("PC", 1), "tls")
    socket = {**radio, "netbios.mac": "d4:81:d7:00:00:08"}
    for _ in range(16):
        first = nights.scan((A, radio), *([(B, socket)] if together else []))
    for _ in range(3):
        nights.scan((B, socket), *([(A, radio)] if together else []))
        nights.scan((A, radio), *([(B, socket)] if together else []))
    last = nights.scan((B, socket), *([(A, radio)] if together else []))
    assert (nights.who(first, A) == nights.who(last, B)) is (not together)


def test_two_appliances_of_one_key_stay_two_though_they_are_met_in_turn(nights: Nights) -> None:
    """The second is new; a router tells the card of each; one scan met both."""
    new, old = ({**linux(1), **card(n)} for n in (1, 2))
    for _ in range(3):
        nights.scan((B, old))
    nights.scan((A, new), (B, old))
    for each in ((A, new), (B, old)) * 2:
        nights.scan(each)
    last = nights.scan((B, old), (A, new))
    assert nights.who(last, A) != nights.who(last, B)
    assert nights.assets() == 2


def test_a_virtual_proxy_that_answers_by_a_servers_name_stays_beside_it(nights: Nights) -> None:
    """Its card is a hypervisor's, but stays with it; scan after scan meets both, in either order."""
    server = without(pc("SRV1", 1), "netbios")
    proxy = {
        **only(server, "ntlm"),
        "mac.address": "52:54:00:6e:c1:38",
        "tls.subject": "CN=lx-1",
        "tls.certificate": "cd" * 32,
    }
    for _ in range(4):
        nights.scan((A, server), (B, proxy))
    for _ in range(4):
        last = nights.scan((B, proxy), (A, server))
    assert nights.who(last, A) != nights.who(last, B)
    assert nights.assets() == 2
