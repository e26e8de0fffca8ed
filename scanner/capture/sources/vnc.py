"""VNC: a server's version of RFB, and the security it wants ([RFC 6143] 7.1.1, 7.1.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import Hear, Side, StreamSource, Told
from scanner.probes import vnc
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.capture.telling import Direction, Hearing

_CHOSEN: Final = "vnc.chosen"


def hear(direction: Direction) -> Hearing:
    """The version of both ends: the client's decides which form the security has that a server asks for.

    A desktop is often called by its user's name; that comes later, and is not listened to.
    """
    version = vnc.parse_version((yield Hear(vnc.VERSION_LINE)))
    if direction.side is Side.CLIENT:
        direction.shared[_CHOSEN] = version
        return
    yield Told({"vnc.version": f"{version[0]}.{version[1]}"})
    seen: list[tuple[int, int]] = []

    def security(received: bytes) -> int | None:
        chosen = direction.shared.get(_CHOSEN)
        seen[:] = [chosen] if isinstance(chosen, tuple) else []
        lists = bool(seen) and min(version, seen[0]) >= vnc.LISTS_FROM
        return vnc.security_list(received) if lists else vnc.security_word(received)

    said = yield Hear(security)
    if not seen:
        return
    lists = min(version, seen[0]) >= vnc.LISTS_FROM
    kinds: Iterable[int] = said[1:] if lists else [Reader(said).u32be()]
    if wanted := vnc.parse_security(kinds):
        yield Told({"vnc.security": wanted})


SOURCES: Final = (
    StreamSource("vnc", ("vnc.version", "vnc.security"), re.compile(rb"RFB \d{3}\.\d{3}\n"), hear),
)
