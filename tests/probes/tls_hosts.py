"""The conversations with real servers that ``tls_hosts.toml`` holds."""

from __future__ import annotations

import tomllib
from base64 import b64decode
from pathlib import Path
from typing import TYPE_CHECKING

from tests.probes.told import Told

if TYPE_CHECKING:
    from scanner.probes import Probe

HOSTS = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))["host"]


def recorded(probe: Probe) -> tuple[Told, ...]:
    """Those of one probe."""
    return tuple(
        Told(
            host["name"],
            probe,
            [[b64decode(answer) for answer in connection] for connection in host["connections"]],
            {
                key: tuple(value) if isinstance(value, list) else value
                for key, value in host["evidence"].items()
            },
            host["source"],
        )
        for host in HOSTS
        if host["probe"] == probe.name
    )
