"""What earlier scans, imports and listening leave to a new scan."""

from __future__ import annotations

from dataclasses import dataclass, field

from scanner.addresses import AddressSet
from scanner.targets import span_of


@dataclass(frozen=True, slots=True)
class Lore:
    """What earlier scans say: where nothing may be sent, and where machines are."""

    stopped: tuple[str, ...] = ()
    """Subnets that the circuit breaker stopped, and nobody cleared."""
    fragile: tuple[str, ...] = ()
    """Addresses of devices known as fragile."""
    known: AddressSet = field(default_factory=AddressSet)
    """Addresses at which machines are known, from earlier scans, imports and listening."""
    certain: AddressSet = field(default_factory=AddressSet)
    """Those at which listening told for certain what they are, not long ago."""

    def spans(self) -> list[tuple[int, int]]:
        """All where nothing may be sent."""
        return [span_of(text) for text in (*self.stopped, *self.fragile)]
