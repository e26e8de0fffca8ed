"""Which of nmap's scripts may be run: ``scripts.toml``, and nothing else."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

_FILE: Final = Path(__file__).with_name("scripts.toml")


@dataclass(frozen=True, slots=True)
class Allowed:
    """One script, as it was measured."""

    name: str
    ports: tuple[int, ...]
    """The registered ports where it makes sense."""
    connections: int
    """Most that it makes."""
    packets: int
    """Most that leave for it, handshakes and farewells among them."""
    bytes: int
    """Most bytes of payload that it sends in one connection."""
    logs_on: bool
    """Whether it sends an NTLM AUTHENTICATE message: one that does is no longer allowed."""
    forced: bool = False
    """Whether its own rule, which wants ``-sV`` before it, is passed over."""

    @property
    def word(self) -> str:
        """As nmap's ``--script`` takes it."""
        return f"+{self.name}" if self.forced else self.name


@dataclass(frozen=True, slots=True)
class Scripts:
    """What may be run."""

    measured: str
    """The version of nmap that was measured."""
    names: dict[int, str]
    """What nmap calls the registered ports (nmap-services)."""
    scripts: tuple[Allowed, ...]
    """The most useful first."""

    def at(self, service: int, connections: int) -> tuple[Allowed, ...]:
        """What may be run at a registered port, with so many connections left."""
        chosen = []
        for script in self.scripts:
            if service in script.ports and script.connections <= connections:
                connections -= script.connections
                chosen.append(script)
        return tuple(chosen)


@cache
def scripts() -> Scripts:
    """The list, which ships with the product; a test holds it to its rules."""
    table = tomllib.loads(_FILE.read_text(encoding="utf-8"))
    return Scripts(
        table["measured"],
        {int(port): name for port, name in table["names"].items()},
        tuple(Allowed(**{**each, "ports": tuple(each["ports"])}) for each in table["script"]),
    )
