"""What nmap makes of a host, by those scripts of its own that were measured (``scripts.toml``).

nmap never sees the host: it is given a port of this machine that leads there, as if it were the service.
Its port scan, which hangs up by a reset, thus stays on this machine too.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scanner.deep import child
from scanner.deep.allowed import Allowed, scripts
from scanner.deep.opinion import Opinion
from scanner.deep.report import scripts_in
from scanner.errors import ProtocolError
from scanner.nmap_scripts import evidence_of
from scanner.transport.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scanner.model import Endpoint, Observation
    from scanner.transport.gate import HostDoor
    from scanner.transport.switchboard import Switchboard

PROBE: Final = "deep.nmap"
"""The name in the ledger and in observations."""

OPTIONS: Final = (
    *("-Pn", "-n", "-sT", "--unprivileged", "--noninteractive"),
    *("--max-retries", "1", "--max-rate", "2", "--max-parallelism", "1"),
    *("--host-timeout", "60s", "--script-timeout", "25s"),
    # On loopback it would take it that every host answers within a second.
    *("--min-rtt-timeout", "4s", "--initial-rtt-timeout", "4s", "--max-rtt-timeout", "10s"),
)
SECONDS: Final = 65.0
"""For one endpoint."""


@dataclass(slots=True)
class _Run:
    """One endpoint, and the scripts that are run there."""

    opinion: Opinion
    scripts: tuple[Allowed, ...]

    def request(self) -> dict[str, object]:
        """What the child is asked."""
        relay = self.opinion.relay
        words = ",".join(script.word for script in self.scripts)
        options = (*OPTIONS, "--script", words, "--script-args", f"smbport={relay.port}")
        return {"port": relay.port, "service": scripts().names[relay.endpoint.service], "arguments": options}

    def take(self, xml: str) -> None:
        """Make evidence of nmap's report; what was not asked is passed over."""
        asked = {script.name for script in self.scripts}
        for script in scripts_in(xml):
            if script.id in asked:
                self.opinion.learn(evidence_of(script))


async def ask(door: HostDoor, endpoints: Sequence[Endpoint], switchboard: Switchboard) -> list[Observation]:
    """Ask nmap about the endpoints of one host, one after the other; whatever happens ends in observations.

    Args:
        door: the host's, whose line is held.
        endpoints: those that answered.
        switchboard: what all connections share.

    Returns:
        One for each endpoint for which there are scripts, and connections left.

    Raises:
        ClockError: the hours of the ward cannot be told any more.
    """
    runs: list[_Run] = []

    def take(said: Mapping[str, Any]) -> None:
        number, xml = said.get("run"), said.get("xml")
        if type(number) is not int or not 0 <= number < len(runs) or not isinstance(xml, str):
            raise ProtocolError("it answers what was not asked")
        runs[number].take(xml)

    async with AsyncExitStack() as relays:
        left = door.left
        for endpoint in endpoints:
            chosen = scripts().at(endpoint.service, left)
            if chosen:
                connections = sum(script.connections for script in chosen)
                size = max(script.bytes for script in chosen)
                relay = Relay(PROBE, endpoint, door, switchboard, connections, size)
                runs.append(_Run(Opinion(await relays.enter_async_context(relay)), chosen))
                left -= connections
        if not runs:
            return []
        request = {"runs": [run.request() for run in runs]}
        why = await child.run("nmap_child.py", request, SECONDS * len(runs), take)
    return [run.opinion.observation(why) for run in runs]
