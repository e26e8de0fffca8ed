"""Rows of the centre's tables as the model has them, and back."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scanner.fleet.model import Chunk, FleetSite, Plan, Run, RunState

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from scanner.addresses import Span

SITES: Final = "SELECT key, text, digest, signatures, paused FROM fleet.sites"
PLANS: Final = "SELECT id, site, every, zone, request, since, paused FROM fleet.plans"
RUNS: Final = "SELECT id, site, state, request, digest, chunks, untouchable, plan, scan FROM fleet.runs"
CHUNKS: Final = "SELECT run, number, spans FROM fleet.chunks"


@dataclass(frozen=True, slots=True)
class Delivery:
    """A chunk's observations, as a worker delivered them; its body is fetched when it is wanted."""

    run: int
    number: int
    site: str
    job: int
    attempt: int
    sent: datetime


def site_of(row: Sequence[Any]) -> FleetSite:
    """A site, as :data:`SITES` gives it."""
    key, text, digest, signatures, paused = row
    signed = {role: b64decode(signature) for role, signature in signatures.items()}
    return FleetSite(key, bytes(text), digest, signed, paused)


def plan_of(row: Sequence[Any]) -> Plan:
    """A plan, as :data:`PLANS` gives it."""
    return Plan(*row)


def run_of(row: Sequence[Any]) -> Run:
    """A run, as :data:`RUNS` gives it."""
    number, site, state, request, digest, chunks, untouchable, plan, scan = row
    return Run(number, site, RunState(state), request, digest, chunks, spans_of(untouchable), plan, scan)


def chunk_of(row: Sequence[Any]) -> Chunk:
    """A chunk, as :data:`CHUNKS` gives it."""
    run, number, spans = row
    return Chunk(run, number, spans_of(spans))


def spans_of(value: Iterable[Sequence[int]]) -> tuple[Span, ...]:
    """Runs of addresses, of the lists that JSON has."""
    return tuple((first, last) for first, last in value)


def as_json(value: object) -> str:
    """A value for a column of JSON."""
    return json.dumps(value)


def signatures_json(signatures: Mapping[str, bytes]) -> str:
    """Signatures for theirs: JSON has no bytes."""
    return as_json({role: b64encode(signature).decode() for role, signature in signatures.items()})
