"""SIP: what telephones and exchanges call themselves ([RFC 3261] 20.35 and 20.41), and nothing of who calls.

Some telephones of software write what their owner calls the machine they run on: that is left out.
Proxies pass on what others say: a request counts while it has come one hop, an answer where it is to a
registration.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import DatagramSource, Side, Told
from scanner.errors import ProtocolError
from scanner.probes import lines, ssdp

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Datagram

_PORTS: Final = (5060,)
_START: Final = re.compile(rb"SIP/2\.0 \d{3} |[A-Z]{3,12} sips?:[^\r\n]{1,256} SIP/2\.0\r?\n")
_END: Final = re.compile(rb"\n\r?\n")
_VIA: Final = (b"via", b"v")
"""[RFC 3261] 7.3.3: the short form too."""
_OWNED: Final = re.compile(r"\([^()]{0,80}(?:['\u2019]| de )[^()]{0,80}\)")
"""``(somebody's telephone)``"""
_NAMED: Final = {b"server": "sip.server", b"user-agent": "sip.user_agent"}


def hear(datagram: Datagram) -> Iterator[Told]:
    """What either end calls itself."""
    start = _START.match(datagram.data)
    if start is None:
        raise ProtocolError(f"not SIP: {datagram.data[:12].hex()}")
    answers = start[0].startswith(b"SIP/")
    head = _END.split(datagram.data, maxsplit=1)[0]
    fields = list(ssdp.fields(head))
    hops = sum(value.count(b",") + 1 for name, value in fields if name in _VIA)
    method = b"".join(value for name, value in fields if name == b"cseq").split()[1:2]
    if hops != 1 or (answers and method != [b"REGISTER"]):
        return
    words = {_NAMED[name]: _without_owner(lines.text(value)) for name, value in fields if name in _NAMED}
    if said := {key: value for key, value in words.items() if value}:
        yield Told(said, Side.SERVER if answers else Side.CLIENT)


def _without_owner(said: str) -> str:
    return " ".join(_OWNED.sub("", said).split())


SOURCES: Final = (DatagramSource("sip", tuple(_NAMED.values()), _PORTS, hear),)
