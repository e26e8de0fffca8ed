"""What stands in a line of a bundle: every value checked before anything is made of it."""

from __future__ import annotations

import base64
import binascii
import re
from typing import TYPE_CHECKING, Any, Final

from scanner.addresses import number_of
from scanner.bundles.checks import (
    address_in,
    bytes_in,
    damaged,
    list_of,
    message_in,
    moment_in,
    network_in,
    number_in,
    table_of,
    text_of,
)
from scanner.inventory.blocks import BLOCK_BYTES
from scanner.inventory.carried import Answering, SentOnce, Stopped, Visited
from scanner.inventory.coverage import MAP_BYTES
from scanner.inventory.ledger import packed
from scanner.model import Certainty, Endpoint, HostRecord, Identity, Observation, Outcome, Transport, Trip
from scanner.wire import VALUES, safe

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scanner.inventory.carried import Item
    from scanner.model import Evidence

_PORT: Final = (1 << 16) - 1
_BYTES: Final = 1 << 40
_MILLISECONDS: Final = 1 << 40
_ATTEMPTS: Final = 1 << 40
_FOUR: Final = 4
_KEY: Final = re.compile(r"[a-z][a-z0-9_.-]{0,63}", re.ASCII)
_ELSEWHERE: Final = re.compile(r"heard by scan \d+", re.ASCII)
_UNREAD: Final = Identity((), Certainty.HINT)
_PLACE: Final = ("port", "transport", "service", "probe", "outcome")
_SEEN: Final = (*_PLACE, "detail", "connections", "at", "evidence", "raw")


def _host(value: object) -> HostRecord:
    row = table_of(value, ("address", "ward", "unasked", "seen"), "hosts")
    address, ward = address_in(row["address"], "address"), text_of(row["ward"], "ward", 256)
    seen = tuple(_observation(address, each) for each in list_of(row["seen"], "seen"))
    if not seen or not isinstance(row["unasked"], dict):
        raise damaged("hosts")
    unasked = {
        text_of(name, "unasked", 64): message_in(why, "unasked") for name, why in row["unasked"].items()
    }
    return HostRecord(address, ward, seen, _UNREAD, unasked)


def _observation(address: str, value: object) -> Observation:
    row = table_of(value, _SEEN, "seen")
    port, transport, service, probe, outcome = _kind(row)
    detail = text_of(row["detail"], "detail")
    return Observation(
        Endpoint(address, port, Transport(transport), service),
        probe,
        moment_in(row["at"], "at"),
        Outcome(outcome),
        _evidence(row["evidence"]),
        "heard by a scan elsewhere" if _ELSEWHERE.fullmatch(detail) else detail,
        number_in(row["connections"], "connections", _PORT),
        tuple(_answer(each) for each in list_of(row["raw"], "raw")),
    )


def _kind(row: Mapping[str, Any]) -> tuple[int, str, int, str, str]:
    transport, outcome = text_of(row["transport"], "transport"), text_of(row["outcome"], "outcome")
    if transport not in set(Transport) or outcome not in set(Outcome):
        raise damaged("transport" if transport not in set(Transport) else "outcome")
    ports = (number_in(row[name], name, _PORT) for name in ("port", "service"))
    port, service = ports
    return port, transport, service, text_of(row["probe"], "probe", 64), outcome


def _evidence(value: object) -> Evidence:
    """Evidence as probes make it: nothing in it that is not safe to keep."""
    if not isinstance(value, dict):
        raise damaged("evidence")
    evidence: dict[str, tuple[str, ...]] = {}
    for key, values in value.items():
        if not _KEY.fullmatch(key):
            raise damaged("evidence")
        evidence[key] = tuple(text_of(each, "evidence") for each in list_of(values, "evidence", VALUES))
    if safe(evidence) != evidence:
        raise damaged("evidence")
    return evidence


def _answer(value: object) -> bytes:
    try:
        answer = base64.b64decode(value if isinstance(value, str) else "-", validate=True)
    except (binascii.Error, ValueError) as error:
        raise damaged("raw") from error
    return answer


_SENT: Final = (*_PLACE, "address", "n", "at", "sent", "received")


def _attempt(value: object) -> SentOnce:
    row = table_of(value, _SENT, "ledger")
    port, transport, service, probe, outcome = _kind(row)
    return SentOnce(
        packed(number_of(address_in(row["address"], "address"))),
        number_in(row["n"], "n", _ATTEMPTS),
        number_in(row["at"], "at", _MILLISECONDS, -_MILLISECONDS),
        (probe, transport, port, service, outcome),
        number_in(row["sent"], "sent", _BYTES),
        number_in(row["received"], "received", _BYTES),
    )


def _visit(value: object) -> Visited:
    row = table_of(value, ("version", "block", "addresses"), "visits")
    version = number_in(row["version"], "version", max(BLOCK_BYTES), min(BLOCK_BYTES))
    if version not in BLOCK_BYTES:
        raise damaged("version")
    block = bytes_in(row["block"], "block", BLOCK_BYTES[version])
    return Visited(version, block, _bits(row["addresses"]))


def _bits(value: object) -> int:
    return int.from_bytes(bytes_in(value, "addresses", MAP_BYTES), "little")


def _trip(value: object) -> Stopped:
    row = table_of(value, ("ward", "subnet", "at", "cleared", "cause", "fallen"), "trips")
    trip = Trip(
        network_in(row["subnet"], "subnet"),
        text_of(row["ward"], "ward", 256),
        moment_in(row["at"], "at"),
        message_in(row["cause"], "cause"),
        tuple(address_in(each, "fallen") for each in list_of(row["fallen"], "fallen")),
    )
    return Stopped(trip, None if row["cleared"] is None else moment_in(row["cleared"], "cleared"))


def _phantoms(value: object) -> Answering:
    row = table_of(value, ("block", "addresses"), "phantoms")
    return Answering(bytes_in(row["block"], "block", BLOCK_BYTES[_FOUR]), _bits(row["addresses"]))


def place_of(item: Item) -> tuple[int | bytes, ...]:
    """Where something stands among the lines of its table, where these have an order: none stands twice."""
    match item:
        case SentOnce():
            return item.address, item.n
        case Visited():
            return item.version, item.block
        case Answering():
            return (item.block,)
    return ()


READERS: Final[Mapping[str, Callable[[object], Item]]] = {
    "hosts": _host,
    "ledger": _attempt,
    "visits": _visit,
    "trips": _trip,
    "phantoms": _phantoms,
}
"""By table: makes of a line's value what it stands for."""
