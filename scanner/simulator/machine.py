"""One simulated machine: what it is, what it is called, since when it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from zlib import crc32

if TYPE_CHECKING:
    from scanner.simulator.personalities import Personality

FILETIME_EPOCH: Final = 116_444_736_000_000_000
"""1970-01-01 in FILETIME, hundreds of nanoseconds since 1601 ([MS-DTYP] 2.3.3)."""


def filetime(seconds: float) -> int:
    """Seconds since 1970 as a FILETIME."""
    return FILETIME_EPOCH + int(seconds * 10_000_000)


def unix_seconds(moment: int) -> int:
    """A FILETIME as whole seconds since 1970."""
    return (moment - FILETIME_EPOCH) // 10_000_000


@dataclass(frozen=True, slots=True)
class Machine:
    """What a machine says of itself, beside what its kind says."""

    personality: Personality
    name: str
    """Its NetBIOS name, at most 15 characters."""
    domain: str
    """Its NetBIOS domain or workgroup."""
    dns_name: str
    """Its full DNS name; the machine's own name where it is in no domain."""
    dns_domain: str
    """Its DNS domain; empty in a workgroup."""
    dns_forest: str
    """The forest of that domain; empty in a workgroup."""
    guid: bytes
    """16 bytes, stable for the machine; never all alike."""
    booted: int
    """When it was started, as a FILETIME."""
    zone: int = -60
    """Minutes to add to its local time to have UTC ([MS-CIFS] 2.2.4.52.2, ServerTimeZone)."""
    guests: bool = False
    """It lets everybody in as a guest; Windows says so in its challenge ([MS-NLMP] 2.2.2.1, MsvAvFlags)."""
    address: str = ""
    """Where it stands; empty: it does not know."""

    @property
    def mac(self) -> bytes:
        """Its MAC address: the vendor's three bytes, and three of its own."""
        return bytes.fromhex(self.personality.oui) + crc32(self.dns_name.encode()).to_bytes(4, "big")[1:]

    @property
    def joined(self) -> bool:
        """Whether it belongs to a domain."""
        return bool(self.dns_domain)
