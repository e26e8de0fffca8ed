"""One look back at a subnet: its canaries, a host that answered before, others where that one is silent."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from scanner.errors import LimitError
from scanner.language import Message
from scanner.transport.canaries import Canary
from scanner.transport.looking import still_there
from scanner.transport.subnets import RECENT

if TYPE_CHECKING:
    from scanner.transport.gate import Gate, HostDoor
    from scanner.transport.subnets import Subnet, Witness
    from scanner.transport.switchboard import Switchboard

_FEWEST, _MOST, _SHARE = 3, 5, 0.02
_ASKED_AT_ONCE: Final = 8
"""Hosts asked, at most, when the first one asked is silent."""
_ENOUGH: Final = 3
"""Hosts that must be asked, and all be silent, before a subnet counts as fallen."""


async def silent_canary(
    subnet: Subnet, gate: Gate, switchboard: Switchboard
) -> tuple[HostDoor | None, Message | None]:
    """Ask the canaries of a subnet; which one is silent, and why to stop the subnet then.

    Raises:
        ForbiddenError: one of them may not be asked now.
        NoEchoError: this machine may not ask it.
    """
    if len(subnet.canaries) < len(subnet.wanted):
        subnet.canaries = [_perched(gate, number, port) for number, port in subnet.wanted]
    for canary in subnet.canaries:
        if not await canary.sings(switchboard):
            values = {"canary": str(canary.endpoint)}
            return canary.door, Message("the canary {canary} does not answer", values)
    return None, None


def _perched(gate: Gate, number: int, port: int | None) -> Canary:
    door = gate.host(number)
    gate.keep(door)  # whoever visits it as a host has the same limits to keep
    return Canary(door, port)


async def ask_again(subnet: Subnet, switchboard: Switchboard) -> tuple[Message | None, list[Witness]]:
    """Ask one host that answered whether it still does, and others where it is silent.

    Returns:
        Why to stop the subnet, if it is to be stopped; and who was silent, where nobody answered at all.

    Raises:
        ForbiddenError: nothing may be sent there now.
    """
    first = subnet.witness(time.monotonic())
    if first is None or await _there(subnet, first, switchboard):
        return None, []
    silent, alive = [first], 0
    for other in subnet.able()[::-1][: _ASKED_AT_ONCE - 1]:
        if await _there(subnet, other, switchboard):
            alive += 1
        else:
            silent.append(other)
        if too_many(subnet) or (not alive and len(silent) >= _ENOUGH):
            break
    if not alive and len(silent) >= _ENOUGH:
        number = {"number": str(len(silent))}
        return Message("none of the {number} hosts asked again answers any more", number), silent
    if too_many(subnet):
        number = {"number": str(len(subnet.fallen))}
        return Message("{number} hosts fell silent after they were asked", number), []
    return None, []


async def _there(subnet: Subnet, witness: Witness, switchboard: Switchboard) -> bool:
    number, before = witness.door.number, witness.asked
    subnet.looks += 1
    try:
        if await still_there(witness, switchboard):
            subnet.alive = datetime.now(UTC)
            return True
    except LimitError:
        return True  # it may not be asked: nothing is known against it
    subnet.witnesses.pop(number, None)
    if witness.asked - before <= RECENT:
        subnet.fallen[number] = witness
    return False


def too_many(subnet: Subnet) -> bool:
    """Whether more hosts fell silent after being asked than the law lets pass (design, section 5).

    Three, or 2 % of those that answered where that is more, and five at most. What the measured loss explains
    is not counted: each was asked twice.
    """
    expected = subnet.looks * subnet.congestion.loss.before**2
    return len(subnet.fallen) - expected >= min(_MOST, max(_FEWEST, -(-subnet.answered * _SHARE // 1)))
