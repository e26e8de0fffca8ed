"""Hosts that a site file names to be watched while its wards are scanned."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

_WITH_PORT: Final = re.compile(r"(?:\[([0-9A-Fa-f:.]+)\]|([0-9.]+)):([1-9][0-9]{0,4})", re.ASCII)
_LAST: Final = 65535


@dataclass(frozen=True, slots=True)
class Canary:
    """A host that is asked between probes whether it is still there."""

    address: str
    port: int | None = None
    """The TCP port that one connection is made to; None: an ICMP echo."""

    @classmethod
    def parse(cls, text: str) -> Canary:
        """Read ``10.20.0.1``, ``10.20.0.5:443``, ``fd00::1`` or ``[fd00::1]:443``.

        Raises:
            ValueError: it is none of these.
        """
        text = text.strip()
        found = _WITH_PORT.fullmatch(text)
        address = ip_address(text if found is None else found[1] or found[2])
        port = None if found is None else int(found[3])
        bracketed = found is not None and found[1] is not None
        if "%" in text or (bracketed and address.version == 4) or (port or 1) > _LAST:  # noqa: PLR2004 - the IP version
            raise ValueError(text)
        return cls(str(address), port)

    def __str__(self) -> str:
        if self.port is None:
            return self.address
        return f"[{self.address}]:{self.port}" if ":" in self.address else f"{self.address}:{self.port}"
