"""What centre and workers tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from scanner.addresses import Span


class RunState(StrEnum):
    """How a run stands."""

    QUEUED = "queued"
    """Cut into chunks; nobody has begun."""
    RUNNING = "running"
    PAUSED = "paused"
    """Nothing is sent until somebody resumes it."""
    CANCELLED = "cancelled"
    """Nothing more is sent; what was delivered is kept."""
    DONE = "done"
    FAILED = "failed"
    """A chunk was given up; the others are kept."""


@dataclass(frozen=True, slots=True)
class FleetSite:
    """A site as the centre knows it."""

    key: str
    """Its role in PostgreSQL and its queue: lower-case letters, digits, underscores."""
    text: bytes
    """The site file, byte for byte."""
    digest: str
    """SHA-256 of it."""
    signatures: Mapping[str, bytes] = field(default_factory=dict)
    """By role of ``[signing]``; a worker checks them by its own ``allowed_signers``."""
    paused: bool = False
    """Whether nothing is sent there, whatever is planned."""


@dataclass(frozen=True, slots=True)
class Plan:
    """When a site is scanned, and what is asked for."""

    id: int
    site: str
    every: str
    """As ``schedule add --every`` has it."""
    zone: str
    request: Mapping[str, object]
    """As :meth:`scanner.scan.Request.options` gives it."""
    since: datetime
    """It is judged from then on: the last time that it was due, or when it was made."""
    paused: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """One scan of one site, cut into chunks."""

    id: int
    site: str
    state: RunState
    request: Mapping[str, object]
    digest: str
    """Of the site file that it was cut by."""
    chunks: int
    untouchable: tuple[Span, ...] = ()
    """Where nothing may be sent: stopped subnets and fragile hosts, as the centre knows them now."""
    plan: int | None = None
    scan: int | None = None
    """Its scan in the centre's inventory, as soon as something was delivered."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """A few hundred addresses of a run: one job."""

    run: int
    number: int
    """From 1."""
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Hold:
    """What a worker has of a job: the fence of everything that it writes.

    A job that was taken up again has another attempt, and whoever holds the old one writes nothing any more.
    """

    job: int
    attempt: int


@dataclass(frozen=True, slots=True)
class Standing:
    """How a hold stands, told by the centre's clock."""

    held: bool
    """Whether the job is still this worker's."""
    silent: float
    """Seconds since the centre last heard this worker."""
    run: RunState
    site_paused: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a chunk is."""

    run: int
    number: int
    visited: int
    total: int
    seen: int
    attempts: int
