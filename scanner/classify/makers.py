"""Who made a network card: what the registry of the IEEE says of a MAC address.

The address is evidence, the maker follows from it: it is looked up whenever evidence is classified, so a
newer registry needs no new scan.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from scanner.model import Evidence

KEY: Final = "mac.vendor"
ADDRESSES: Final = ("neighbour.mac", "netbios.mac", "mac.address", "dhcp.mac")
"""The best source first: what frames to the machine are sent to, then what it says of one of its cards,
what others saw, what it told a DHCP server."""
_LOCAL: Final = 0b10
"""Of the first byte: the address was made up, no maker assigned it ([IEEE 802] 8.2.2)."""
_NOBODY: Final = frozenset({"unknown", "IEEE Registration Authority", "Private"})
"""What the registry says of ranges that it does not tell the maker of."""


def with_makers(evidence: Evidence) -> Evidence:
    """The evidence, and who made the network cards of it where nobody has said so yet."""
    if KEY in evidence:
        return evidence
    found = (maker_of(address) for key in ADDRESSES for address in evidence.get(key, ()))
    makers = tuple(dict.fromkeys(filter(None, found)))
    return {**evidence, KEY: makers} if makers else evidence


@lru_cache(maxsize=4096)
def maker_of(address: str) -> str:
    """The maker of a card, by its address in any of the usual forms; empty where there is none.

    The blocks that the registry assigns are 24, 28 or 36 bits long.
    """
    digits = "".join(filter(str.isalnum, address)).lower()
    if len(digits) != 12 or set(digits) - set("0123456789abcdef"):  # noqa: PLR2004 - 48 bits
        return ""
    if int(digits[:2], 16) & _LOCAL:
        return ""
    import pymanuf  # noqa: PLC0415 - 60 ms that only a host with an address pays

    maker = pymanuf.lookup(":".join(digits[place : place + 2] for place in range(0, 12, 2)))
    return "" if maker in _NOBODY else maker
