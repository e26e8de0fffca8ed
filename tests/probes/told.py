"""Conversations that tests replay: what a host answered, and what is to be learnt from it.

A module ``tests/probes/test_x.py`` lists its own as ``CONVERSATIONS``; ``test_every_probe.py`` replays them
whole, byte by byte, with trailing bytes, cut and damaged, and ``tests/prove/mutation.py`` a million times.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from scanner.model import Endpoint
from scanner.probes import Peer
from tests.probes.conversation import Replay

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scanner.errors import ProbeError
    from scanner.probes import Probe
    from tests.probes.conversation import Answer, Heard


@dataclass(frozen=True)
class Told:
    """One conversation."""

    name: str
    """Which system it was: the id of the test."""
    probe: Probe
    connections: Sequence[Sequence[Answer]]
    """By connection, the answers in order: a whole message or datagram each, or the failure instead."""
    evidence: Mapping[str, str | tuple[str, ...]]
    """All of what is to be learnt."""
    source: str
    """Where the bytes are from: a recording, or the section of the specification that was followed."""
    service: int = 0
    """The registered port; 0: the probe's first."""
    known: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the host said before, in the same visit."""
    given: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What the site file gives."""
    error: type[ProbeError] | None = None
    """How it ends where it does not end well."""

    @property
    def peer(self) -> Peer:
        """With whom it is held."""
        port = self.service or self.probe.ports[0]
        return Peer(Endpoint("192.0.2.1", port, self.probe.transport), self.known, self.given)

    def hold(
        self,
        connections: Sequence[Sequence[Answer]] | None = None,
        *,
        garbage: bytes = b"",
        slowly: bool = False,
    ) -> Heard:
        """Replay it, or the same conversation with other answers."""
        replay = Replay(self.connections if connections is None else connections, garbage, slowly)
        return replay.hold_with(self.probe, self.peer)


def all_told() -> dict[str, Told]:
    """Every conversation of every module of this folder, by probe and name."""
    found: dict[str, Told] = {}
    for path in sorted(Path(__file__).parent.glob("test_*.py")):
        if "\nCONVERSATIONS" not in path.read_text(encoding="utf-8"):
            continue  # others may need recordings that are not here
        module = importlib.import_module(f"tests.probes.{path.stem}")
        for told in getattr(module, "CONVERSATIONS", ()):
            name = f"{told.probe.name}: {told.name}"
            assert name not in found, f"two conversations are called {name}"
            found[name] = told
    return found
