"""The first segment of a TCP connection in one form: that of the keys ``tcp.syn`` and ``tcp.synack``.

Pure, and no probe: whoever hears such a segment, by a half-open look or by listening, brings it here.
"""

from __future__ import annotations

from typing import Final

from scanner.errors import ProtocolError
from scanner.wire import Reader

_TTLS: Final = (32, 64, 128, 255)
_HEADER: Final = 20
_TIMED: Final = 12
"""Bytes that time stamps take of each segment ([RFC 7323] appendix A)."""
_DONT_FRAGMENT: Final = 0x4000
_FRAGMENT: Final = 0x3FFF
"""More fragments follow, or others came before."""
_END, _NOP, _MSS, _SCALE, _SACK, _TIMES = 0, 1, 2, 3, 4, 8
"""Kinds of options ([RFC 9293] 3.2, [RFC 2018] section 2, [RFC 7323] 2.2 and 3.2)."""
_PLAIN: Final = {_END: "eol", _NOP: "nop", _MSS: "mss", _SACK: "sok"}


def form_of(packet: bytes) -> str:
    """An IPv4 packet ([RFC 791] 3.1) that begins or accepts a connection, in its form.

    Raises:
        ProtocolError: it is no such packet.
    """
    reader = Reader(packet)
    first = reader.u8()
    header = (first & 0x0F) * 4
    if first >> 4 != 4 or header < _HEADER:  # noqa: PLR2004 - the IP version
        raise ProtocolError("not an IPv4 packet")
    reader.seek(6)
    place = reader.u16be()
    if place & _FRAGMENT:
        raise ProtocolError("a fragment")
    ttl = reader.u8()
    segment = reader.slice(header, len(packet) - header)
    segment.skip(12)
    length = (segment.u8() >> 4) * 4
    segment.skip(1)
    window = segment.u16be()
    segment.skip(4)
    names, size = _options(Reader(segment.bytes(length - _HEADER)))
    sent = next((limit for limit in _TTLS if ttl <= limit), _TTLS[-1])
    unbroken = int(bool(place & _DONT_FRAGMENT))
    return f"ttl={sent} win={_window(window, size, names)} opts={','.join(names)} df={unbroken}"


def sent_with(ttl: int) -> int:
    """The time to live that a packet was sent with, of which routers took some ([RFC 791] 3.2)."""
    return next((limit for limit in _TTLS if ttl <= limit), _TTLS[-1])


def _window(window: int, size: int, names: list[str]) -> str:
    """The window, with how many segments it holds where that is a whole number."""
    whole = (size, size - _TIMED) if any(name.startswith("ts") for name in names) else (size,)
    times = next((window // each for each in whole if each > 0 and window and window % each == 0), 0)
    return f"{window}/{times}" if times else str(window)


def _options(reader: Reader) -> tuple[list[str], int]:
    """The names of the options in their order, and the MSS, 0 where there is none."""
    names, size = [], 0
    while reader.remaining:
        kind = reader.u8()
        if kind == _END:
            names.append("eol")
            break
        if kind == _NOP:
            names.append("nop")
            continue
        value = reader.bytes(reader.u8() - 2)
        if kind == _MSS:
            size = int.from_bytes(value[:2])
        names.append(_named(kind, value))
    return names, size


def _named(kind: int, value: bytes) -> str:
    if kind == _SCALE:
        return f"ws{value[0] if value else 0}"
    if kind == _TIMES:
        return "ts" if any(value[:4]) else "ts0"
    return _PLAIN.get(kind, str(kind))
