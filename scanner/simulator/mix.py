"""How many machines of each personality a hospital has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner.errors import ConfigError
from scanner.simulator.personalities import personalities, personality

if TYPE_CHECKING:
    from collections.abc import Mapping


def parse_mix(text: str) -> dict[str, int]:
    """``xp=8000,w7=2000`` as numbers by personality.

    Raises:
        ConfigError: an entry is no ``name=number``, a name is unknown or stands twice.
    """
    mix: dict[str, int] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        name, sign, number = entry.partition("=")
        if not sign or not number.isascii() or not number.isdecimal():
            raise ConfigError("{entry} is no name=number", entry=entry)
        if personality(name).key in mix:
            raise ConfigError("{name} stands twice", name=name)
        mix[name] = int(number)
    return mix


def shared_out(total: int, shares: Mapping[str, int]) -> dict[str, int]:
    """``total`` in proportion to ``shares``, by the method of largest remainders; the sum is exact."""
    whole = sum(shares.values())
    if not whole:
        return {}
    given = {name: total * share // whole for name, share in shares.items()}
    rest = sorted(shares, key=lambda name: (-(total * shares[name] % whole), name))
    for name in rest[: total - sum(given.values())]:
        given[name] += 1
    return given


def whole_mix(hosts: int, wanted: Mapping[str, int]) -> dict[str, int]:
    """A mix of exactly ``hosts`` machines: what is wanted, and the others in their usual proportions.

    Raises:
        ConfigError: more is wanted than there are machines.
    """
    rest = hosts - sum(wanted.values())
    if rest < 0:
        raise ConfigError(
            "the mix has {wanted} machines, the hospital {hosts}", wanted=sum(wanted.values()), hosts=hosts
        )
    shares = {key: kind.share for key, kind in personalities().items() if key not in wanted}
    return {**dict.fromkeys(personalities(), 0), **shared_out(rest, shares), **wanted}
