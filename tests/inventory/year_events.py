"""What happens to machines in the course of the simulated year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tests.inventory.year_kinds import card, certify, install, named
from tests.inventory.year_machines import DOMAIN

if TYPE_CHECKING:
    from datetime import datetime

    from tests.inventory.year import Year
    from tests.inventory.year_machines import Machine

LEASING: Final = frozenset({"desktop", "laptop", "tablet"})
"""Kinds that ask a DHCP server for an address."""


def replace(year: Year, machine: Machine, night: int, at: datetime) -> None:
    if machine.kind in {"clone", "appliance"} or any(machine in pair for _, pair in year._clusters):
        return
    machine.retired = True
    new = year._new(machine.kind)
    new.ward, new.addresses, new.presence = machine.ward, machine.addresses, machine.presence
    new.booted = new.certified = at
    if len(new.cards) < len(machine.cards):
        new.cards += [card(year.random) for _ in machine.cards[len(new.cards) :]]
    if year.random.random() < 0.75:
        new.name, new.domain = machine.name, machine.domain
    machine.changed(night, f"was replaced by {new.number}")
    new.changed(night, f"replaced {machine.number}, as {new.name}")
    year._plan(new, night)
    if machine.kind in LEASING and year.random.random() < 0.2:
        year._due[night + year.random.randrange(20, 60)].append(("return", machine))


def come_back(year: Year, machine: Machine, night: int, at: datetime) -> None:
    """Old hardware has a second life, in another ward, under another name."""
    machine.retired = False
    machine.ward = year.random.randrange(1, len(year.wards))
    machine.name = named(machine, year.random, "RE-")
    install(machine, year.random, at)
    machine.changed(night, f"is in use again, as {machine.name}")


def reimage(year: Year, machine: Machine, night: int, at: datetime) -> None:
    if machine.group >= 0:
        return
    install(machine, year.random, at)
    if year.random.random() < 0.4 and machine.kind in LEASING:
        machine.name = named(machine, year.random, "NEW-")
    machine.changed(night, f"was installed anew, as {machine.name}")


def rename(year: Year, machine: Machine, night: int, at: datetime) -> None:
    if machine.kind in {"appliance", "printer", "modality"}:
        return
    machine.name = f"{machine.name[:4]}R{machine.number:06d}"
    if machine.kind != "clone":
        certify(machine, year.random, at)
    machine.changed(night, f"was renamed to {machine.name}")


def move(year: Year, machine: Machine, night: int, _at: datetime) -> None:
    """To another ward; what has addresses of its own gets others there."""
    if any(machine in pair for _, pair in year._clusters) or machine.group >= 0:
        return
    machine.ward = year.random.randrange(1, len(year.wards))
    machine.addresses = [
        address if ":" in address else year.wards[machine.ward].next_fixed() for address in machine.addresses
    ]
    machine.changed(night, f"moved to ward {machine.ward}")


def board(year: Year, machine: Machine, night: int, _at: datetime) -> None:
    """Another mainboard, and with it another card."""
    machine.cards[-1] = card(year.random)
    machine.changed(night, "got another mainboard")


def renew(year: Year, machine: Machine, _night: int, at: datetime) -> None:
    certify(machine, year.random, at)


def migrate(year: Year, machine: Machine, night: int, at: datetime) -> None:
    machine.domain = DOMAIN
    certify(machine, year.random, at)
    machine.changed(night, "changed its domain")


EVENTS: Final = {
    "replace": replace,
    "return": come_back,
    "reimage": reimage,
    "rename": rename,
    "move": move,
    "board": board,
    "renew": renew,
    "migrate": migrate,
}
