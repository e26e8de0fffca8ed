"""Looking back: is a host that answered still there? One connection, and nothing said on it."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scanner.model import Attempt, Outcome
from scanner.transport.dialling import Ended, dial, hang_up

if TYPE_CHECKING:
    from scanner.model import Endpoint
    from scanner.transport.gate import HostDoor
    from scanner.transport.subnets import Witness
    from scanner.transport.switchboard import Switchboard


async def look(
    door: HostDoor, endpoint: Endpoint, switchboard: Switchboard, probe: str = "look", *, counted: bool = True
) -> bool:
    """Whether anything answers at an endpoint: an open port or a closed one.

    Args:
        door: the host's.
        endpoint: where.
        switchboard: what all connections share.
        probe: the name in the ledger.
        counted: whether it is one of the connections that the host gets in a scan.

    Raises:
        ForbiddenError: nothing may be sent there now.
        LimitError: the host has had its connections.
    """
    await door.admit(counted=counted)
    at = datetime.now(UTC)
    dialled = await dial(endpoint, switchboard)
    if isinstance(dialled, Ended):
        outcome = dialled.outcome
    else:
        switchboard.drop(dialled.fileno())
        hang_up(dialled)
        outcome = Outcome.ANSWERED
    door.gate.ledger.append(Attempt(endpoint, probe, at, outcome))
    return outcome.alive


async def still_there(witness: Witness, switchboard: Switchboard) -> bool:
    """Whether a host that answered does so still; silence is asked a second time, where its limits allow."""
    async with witness.door.line:
        for _ in range(min(2, witness.door.left)):
            witness.asked = time.monotonic()
            if await look(witness.door, witness.endpoint, switchboard):
                return True
    return False
