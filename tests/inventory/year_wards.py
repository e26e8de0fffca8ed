"""Wards of the simulated year, and who has which of their addresses."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from random import Random

    from tests.inventory.year_machines import Machine


@dataclass(slots=True)
class Ward:
    """One ward and its leases."""

    base: int
    leases: dict[int, Machine] = field(default_factory=dict)
    """Who holds which address of the pool, tonight."""
    before: dict[int, int] = field(default_factory=dict)
    """By machine: the address that it had last."""
    pool: int = 0
    fixed: int = 640
    docks: list[str] = field(default_factory=list)

    def next_fixed(self) -> str:
        self.fixed += 1
        return str(ip_address(self.base + self.fixed))

    def lease(self, comers: list[Machine], random: Random) -> None:
        """Who is on tonight, and which address each has: who stayed on keeps it, others may lose it."""
        stayed = {machine.number: offset for offset, machine in self.leases.items()}
        random.shuffle(comers)
        self.leases = {}
        for machine in comers:
            if machine.number in stayed and random.random() < 0.85:
                self.leases[stayed[machine.number]] = machine
        held = {machine.number for machine in self.leases.values()}
        free = list(range(self.pool))
        random.shuffle(free)
        for machine in comers:
            old = self.before.get(machine.number, -1)
            while free and free[-1] in self.leases:
                free.pop()
            if machine.number in held or not free:
                continue
            offset = (
                old if 0 <= old < self.pool and old not in self.leases and random.random() < 0.5 else free[-1]
            )
            self.leases[offset] = machine
            self.before[machine.number] = offset
