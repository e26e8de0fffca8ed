"""The SSDP probe: what a UPnP device says that it runs on (UPnP Device Architecture 2.0, [UDA]).

The device alone is asked, not the network; the description that its answer points to is not fetched.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner.model import Endpoint
    from scanner.probes import Conversation, Peer

_KEPT: Final[Mapping[bytes, str]] = {b"server": "ssdp.server", b"st": "ssdp.st"}


def search(endpoint: Endpoint) -> bytes:
    """A search for root devices at one address ([UDA] 1.3.2).

    MX means nothing there, but devices of before UDA 1.1, and some of after, drop a search without it.
    """
    host = f"[{endpoint.address}]" if ":" in endpoint.address else endpoint.address
    said = (
        "M-SEARCH * HTTP/1.1",
        f"HOST: {host}:{endpoint.port}",
        'MAN: "ssdp:discover"',
        "MX: 1",
        "ST: upnp:rootdevice",
        "",
        "",
    )
    return "\r\n".join(said).encode("ascii")


def response(datagram: bytes) -> int | None:
    """The framing: a response; what others announce or search for is passed over."""
    if datagram.startswith((b"NOTIFY ", b"M-SEARCH ")):
        return None
    if not datagram.startswith(b"HTTP/1."):
        raise ProtocolError(f"not an answer of SSDP: {datagram[:16].hex()}")
    return len(datagram)


def parse_response(datagram: bytes) -> dict[str, str]:
    """The evidence in a search's response ([UDA] 1.3.3)."""
    found = ((_KEPT[name], lines.text(value)) for name, value in fields(datagram) if name in _KEPT)
    return {key: value for key, value in found if value}


def fields(datagram: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The header fields, their names in lower case ([RFC 9110] 5.1)."""
    for line in datagram.split(b"\n")[1:]:
        name, _, value = line.partition(b":")
        yield name.strip().lower(), value


def converse(peer: Peer) -> Conversation:
    """One search, and the first of the answers."""
    found = parse_response((yield Send(search(peer.endpoint), response)))
    if found:
        yield Learnt(found)


def redact(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Keep what evidence is read from: some devices add fields that bear their owner's name."""
    return tuple(
        b"".join(b"%s:%s\n" % field for field in fields(datagram) if field[0] in _KEPT) for datagram in raw
    )


PROBE: Final = Probe(
    "ssdp",
    Transport.UDP,
    (1900,),
    tuple(_KEPT.values()),
    converse,
    rank=82,
    size=192,
    logs="Nothing: devices answer searches all the time (UPnP Device Architecture 2.0, section 1.3.3).",
    trouble=(
        "None is known with one search, sent to one device. Old UPnP libraries can be overrun by overlong "
        "search targets (CVE-2012-5958, libupnp before 1.6.18); the one that is sent has 15 bytes."
    ),
    redact=redact,
)
