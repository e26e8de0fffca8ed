"""An inventory of any number of assets: ``python -m tests.bench.stock FILE ASSETS [SHARE]``.

The machines of ``tests.bench.crowd``, recorded as a scan records them: one observation a protocol, each with
its evidence, and the identity that was made of all of it together, by older data.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.addresses import number_of
from scanner.classify import default_classifier
from scanner.inventory import Recorder, open_inventory
from scanner.model import Certainty, Endpoint, HostRecord, Identity, Observation, Outcome
from tests.bench.crowd import SHARE, machines

if TYPE_CHECKING:
    from collections.abc import Mapping

WHEN: Final = datetime(2026, 1, 5, 22, tzinfo=UTC)
BEFORE: Final = Identity((), Certainty.HINT)
"""What older data, which knew less, made of one machine in five."""


def _record(count: int, address: str, evidence: Mapping[str, tuple[str, ...]]) -> HostRecord:
    protocols: dict[str, dict[str, tuple[str, ...]]] = {}
    for key, values in evidence.items():
        protocols.setdefault(key.partition(".")[0], {})[key] = values
    seen = [
        Observation(Endpoint(address, 1000 + place), probe, WHEN, Outcome.ANSWERED, said, "", 1)
        for place, (probe, said) in enumerate(protocols.items())
    ]
    identity = default_classifier().classify(evidence) if count % 5 else BEFORE
    return HostRecord(address, "", tuple(seen), identity)


def build(file: Path, assets: int, share: int = SHARE) -> None:
    """Build one."""
    with open_inventory(f"sqlite:///{file}", create=True) as inventory:
        recorder = Recorder(
            inventory, None, profile="lab", scope="", versions={"data": "older"}, started=WHEN
        )
        for count, (address, said) in enumerate(machines(assets, share)):
            recorder.record(_record(count, address, {key: tuple(values) for key, values in said.items()}))
            recorder.visited(number_of(address))
        recorder.finish("done", {}, ended=WHEN)


if __name__ == "__main__":
    build(Path(sys.argv[1]), *map(int, sys.argv[2:]))
