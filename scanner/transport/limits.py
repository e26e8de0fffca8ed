"""The three profiles: how fast, how often, and to which ports (design, section 5)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from scanner.model import Transport

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.config import Window


@dataclass(frozen=True, slots=True)
class Limits:
    """What a profile allows."""

    profile: str
    rate: float | None
    """Connection attempts and datagrams a second, in all; None: no limit."""
    host_interval: float
    """Least time between two of them to one host, in seconds."""
    connections: int
    """Most connection attempts and datagrams to one host in one scan."""
    services: frozenset[tuple[Transport, int]] | None
    """The registered ports that exist under this profile; None: all but the refused ones."""
    in_flight: int
    """Most hosts that are being waited for at one time."""
    watched: bool = True
    """Whether hosts that answered are asked now and then whether they still do."""

    def slower(self, rate: float | None) -> Limits:
        """The same with a lower rate, where ``rate`` is one."""
        if rate is None or (self.rate is not None and self.rate <= rate):
            return self
        return replace(self, rate=rate)


_TWO_A_SECOND: Final = 0.51
"""Spacing that lets no window of one second hold three attempts, its ends and the clock's grain included."""

PROFILES: Final = {
    limits.profile: limits
    for limits in (
        Limits(
            "clinical",
            rate=50,
            host_interval=_TWO_A_SECOND,
            connections=4,
            services=frozenset(
                {
                    (Transport.TCP, 445),
                    (Transport.TCP, 139),
                    (Transport.UDP, 137),
                    (Transport.TCP, 3389),
                }
            ),
            in_flight=128,
        ),
        Limits(
            "office", rate=500, host_interval=_TWO_A_SECOND, connections=24, services=None, in_flight=1024
        ),
        Limits(
            "lab", rate=None, host_interval=0, connections=64, services=None, in_flight=4096, watched=False
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Station:
    """Where a canary sits."""

    number: int
    """Its address, on the number line."""
    port: int | None
    """Asked by one connection to this port; None: by ICMP echo."""
    home: str | None
    """The subnet that it watches; None: every subnet of its ward."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds for a ward: its limits, the ports that the site file names, and its hours."""

    limits: Limits
    ward: str = ""
    ports: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """By probe: the port that stands for the probe's first one, for its second, …"""
    window: Window | None = None
    canaries: tuple[Station, ...] = ()
    """Hosts that are asked between probes."""
    probes: frozenset[str] | None = None
    """Names of the probes that may be held at all; None: all."""
    given: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict, repr=False)
    """By probe: what the site file gives to it; secrets may be among it."""


REFUSED_PORTS: Final = frozenset(
    {*range(9100, 9108), 9999, 515, 631, 104, 11112, 4242, 2575, 102, 502, 2404, 20000, 44818, 47808}
)
"""Where a mere connection prints, or stops a pump or a PLC: open only to a site file that names them."""
