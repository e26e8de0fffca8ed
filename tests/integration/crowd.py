"""``python -m tests.integration.crowd``: machines on every address of this network namespace, on real ports.

They are the simulator's: its dialogue, its personalities. The address decides which one stands there, and
the hospital's name, where one is given. It prints one line when it listens, and ends with its standard input.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import subprocess
import sys
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

import uvloop

from scanner.simulator.dialogue import DIRECT, NETBIOS
from scanner.simulator.machine import Machine
from scanner.simulator.personalities import personality
from scanner.simulator.server import Line
from tests.integration.peers import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.simulator.plan import Hospital
    from tests.namespaces import Namespace

_ROOT = Path(__file__).parents[2]
KINDS = ("xp", "xp", "w7", "w10", "2003", "samba")
"""Personalities, each as often as it stands here."""


class Crowd:
    """As much of a hospital as a connection asks for."""

    def __init__(self, hospital: str) -> None:
        self.machine = cache(partial(self._machine, hospital))

    @staticmethod
    def _machine(hospital: str, address: str) -> Machine:
        digest = hashlib.blake2b((hospital + address).encode(), digest_size=16).digest()
        name = "PC-" + address.replace(".", "-")[-12:]
        kind = personality(KINDS[digest[0] % len(KINDS)])
        return Machine(kind, name, "WARD", name.lower(), "", "", digest, 0)


async def _serve(name: str) -> None:
    hospital = cast("Hospital", Crowd(name))
    loop = asyncio.get_running_loop()
    for port in (DIRECT, NETBIOS):
        await loop.create_server(partial(Line, hospital, port), "0.0.0.0", port, backlog=4096)  # noqa: S104 - a namespace of the test's own
    await loop.run_in_executor(None, os.read, 0, 1)


@contextmanager
def crowd(hospital: Namespace, name: str = "") -> Iterator[None]:
    """Machines on every address of a namespace, as long as the context lasts; other ones for every name."""
    process = hospital.start(
        *(sys.executable, "-m", "tests.integration.crowd", name),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=_ROOT,
    )
    with process:
        try:
            wait_for(process, [("0.0.0.0", 445), ("0.0.0.0", 139)], hospital.command())  # noqa: S104 - the same
            yield
        finally:
            process.communicate(timeout=30)
    assert process.returncode == 0


if __name__ == "__main__":
    uvloop.run(_serve(sys.argv[1]))
