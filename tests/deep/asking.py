"""A program that asks for second opinions and prints what came of it: tests run it in a namespace.

``python -m tests.deep.asking TOOL ADDRESS PORT=SERVICE … [SCRIPT …]``
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import uvloop

from scanner.addresses import AddressSet, number_of
from scanner.deep import allowed, msrpc, nmap
from scanner.model import Endpoint
from scanner.targets import Scope
from scanner.transport.gate import Gate
from scanner.transport.limits import PROFILES, Terms
from scanner.transport.switchboard import Switchboard

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.namespaces import Namespace

ROOT = Path(__file__).parents[2]
TOOLS = {"nmap": nmap.ask, "msrpc": msrpc.ask}


@dataclass(frozen=True)
class Asked:
    """What came of it."""

    evidence: dict[str, tuple[str, ...]]
    outcomes: list[str]
    details: list[str]
    connections: int
    """As the observations have them."""
    attempts: list[dict[str, Any]]
    """The ledger."""


def ask(namespace: Namespace, tool: str, ports: Mapping[int, int], *scripts: str, path: str = "") -> Asked:
    """Ask about 127.0.0.1 of a namespace, in a process of its own there."""
    words = [f"{port}={service}" for port, service in ports.items()]
    command = [sys.executable, "-m", "tests.deep.asking", tool, "127.0.0.1", *words, *scripts]
    changed = ["env", f"PATH={path}"] if path else []
    done = subprocess.run(
        namespace.command(*changed, *command),
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    told = json.loads(done.stdout)
    evidence: dict[str, tuple[str, ...]] = {}
    for seen in told["observations"]:
        evidence |= {key: tuple(values) for key, values in seen["evidence"].items()}
    return Asked(
        evidence,
        [seen["outcome"] for seen in told["observations"]],
        [seen["detail"] for seen in told["observations"]],
        sum(seen["connections"] for seen in told["observations"]),
        told["attempts"],
    )


async def _main(tool: str, address: str, words: Sequence[str]) -> dict[str, object]:
    pairs = [word.split("=") for word in words if "=" in word]
    only = [word for word in words if "=" not in word]
    if other := os.environ.get("VETUSTE_TEST_SCRIPTS"):
        allowed._FILE = Path(other)  # type: ignore[misc] # a list that a test made
    known = allowed.scripts()
    chosen = tuple(script for script in known.scripts if not only or script.name in only)
    nmap.scripts = lambda: allowed.Scripts(known.measured, known.names, chosen)  # type: ignore[attr-defined, assignment]
    gate = Gate(Scope.of(None, AddressSet()), lambda _: Terms(PROFILES["office"]))
    door = gate.host(number_of(address))
    endpoints = [Endpoint(address, int(port), service=int(service)) for port, service in pairs]
    async with Switchboard(4, connect_seconds=0.9, answer_seconds=4.0, datagram_seconds=2.0) as board:
        observations = await TOOLS[tool](door, endpoints, board)
    assert gate.attempts == door.connections == len(gate.ledger)
    return {
        "observations": [
            {
                "evidence": dict(seen.evidence),
                "outcome": seen.outcome,
                "detail": seen.detail,
                "connections": seen.connections,
            }
            for seen in observations
        ],
        "attempts": [
            {
                "port": attempt.endpoint.port,
                "probe": attempt.probe,
                "at": attempt.at.timestamp(),
                "outcome": attempt.outcome,
                "sent": attempt.sent,
                "received": attempt.received,
            }
            for attempt in gate.ledger
        ],
    }


if __name__ == "__main__":
    json.dump(uvloop.run(_main(sys.argv[1], sys.argv[2], sys.argv[3:])), sys.stdout)
