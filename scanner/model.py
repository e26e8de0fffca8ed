"""The words of the product as types. Nothing here reads a clock, a socket or a file."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, StrEnum
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from scanner.language import Message

Evidence: TypeAlias = "Mapping[str, tuple[str, ...]]"
"""What was observed: key (``smb.native_os``) to values, in the order in which they were heard."""


class Transport(StrEnum):
    """What carries a conversation."""

    TCP = "tcp"
    UDP = "udp"
    TLS = "tls"
    ICMP = "icmp"
    """Echo requests: they have no port."""
    LINK = "link"
    """Frames on this machine's own segment (ARP, and what the kernel knows of neighbours): no port either."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a conversation is held."""

    address: str
    port: int
    transport: Transport = Transport.TCP
    service: int = 0
    """The registered port that this one stands for, where a site moved it (``[ports]`` of the site file)."""

    def __post_init__(self) -> None:
        if not self.service:
            object.__setattr__(self, "service", self.port)

    def __str__(self) -> str:
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{host}:{self.port}/{self.transport}"


class Outcome(StrEnum):
    """How a conversation ended. The set is closed: nothing network-shaped is raised above the transport."""

    ANSWERED = "answered"
    """The conversation went to its end."""
    SILENT = "silent"
    """Nothing came back: no SYN-ACK, no RST, no ICMP."""
    REFUSED = "refused"
    """The port is closed: RST to the SYN."""
    UNREACHABLE = "unreachable"
    """A router or the kernel said that there is no way."""
    RESET = "reset"
    """The peer reset the connection in mid-conversation."""
    CLOSED = "closed"
    """The peer closed the connection in mid-conversation."""
    STALLED = "stalled"
    """The peer accepted, then did not answer in time or not to the end."""
    FOREIGN = "foreign"
    """The peer answered something else than the protocol."""
    EXCESSIVE = "excessive"
    """The peer sent more than any honest peer sends."""
    WITHHELD = "withheld"
    """Scope or limits forbade it: nothing was sent."""
    FAILED = "failed"
    """This machine could not do it: no descriptor, no buffer, no route of its own."""

    @property
    def alive(self) -> bool:
        """Whether something answers there, as far as one can tell."""
        return self not in _NO_SIGN


_NO_SIGN: Final = frozenset({Outcome.SILENT, Outcome.UNREACHABLE, Outcome.WITHHELD, Outcome.FAILED})


@dataclass(frozen=True, slots=True)
class Observation:
    """One probe, one endpoint, one time: outcome and evidence."""

    endpoint: Endpoint
    probe: str
    at: datetime
    """When it ended, in UTC."""
    outcome: Outcome
    evidence: Evidence = field(default_factory=dict)
    detail: str = ""
    """Why it did not end well, in English, safe to print."""
    connections: int = 0
    """Connection attempts made for it, refused and silent ones included."""
    raw: tuple[bytes, ...] = ()
    """The peer's answers after ``redact``, one an exchange."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One connection or datagram of ours: a line of the ledger."""

    endpoint: Endpoint
    probe: str
    """Whose: a probe's name, ``look`` (is a host still there?) or ``canary``."""
    at: datetime
    """When it left, in UTC."""
    outcome: Outcome
    sent: int = 0
    """Bytes of payload that we sent."""
    received: int = 0
    """Bytes of payload that came back."""


class Certainty(StrEnum):
    """How far a candidate set is to be believed."""

    CERTAIN = "certain"
    """The host said so itself, unambiguously."""
    PROBABLE = "probable"
    """It said so, but others are known to say the same, or to contradict."""
    HINT = "hint"
    """Only circumstances point there."""


class Status(StrEnum):
    """What the dates say of a candidate set (design, section 4.2)."""

    UNSUPPORTED = "unsupported"
    DEPENDS = "depends"
    ENDING = "ending"
    SUPPORTED = "supported"
    UNKNOWN = "unknown"


class Role(StrEnum):
    """What a release is made for."""

    CLIENT = "client"
    SERVER = "server"
    EMBEDDED = "embedded"
    SERVICE = "service"
    UNSTATED = ""


@dataclass(frozen=True, slots=True)
class Release:
    """One vendor release and its dates: one line of ``fingerprints/lifecycle/``."""

    id: str
    """The file's stem, a dash and the key: ``windows-xp-sp3``."""
    name: str
    """As its vendor writes it: ``Windows XP SP3``."""
    product: str
    """What people say: ``Windows XP``."""
    family: str
    """``Windows``, ``Linux``, …"""
    vendor: str
    role: Role = Role.UNSTATED
    builds: tuple[str, ...] = ()
    """What the release itself reports: ``10.0.19045``."""
    ntlm_builds: tuple[str, ...] = ()
    """What its NTLM challenge reports (``10.0.19041``); empty where it sends none."""
    editions: tuple[str, ...] = ()
    """The editions that this line's dates hold for."""
    released: date | None = None
    end: date | None = None
    """Last day of the vendor's free support."""
    esu_ends: tuple[date, ...] = ()
    """Last day of each year of paid extension that anyone may buy, first to last."""
    source: str = ""
    checked: date | None = None
    bits: tuple[str, ...] = ()
    """``32`` or ``64``, where the release exists in one of them only; empty where in both, or unknown."""
    called: tuple[str, ...] = ()
    """What it calls itself where that is not its product: claims may use either."""
    hosts: tuple[str, ...] = ()
    """Families of the systems that a service runs on; empty for a system."""

    @property
    def esu_end(self) -> date | None:
        """Last day of the longest paid extension."""
        return self.esu_ends[-1] if self.esu_ends else None


@dataclass(frozen=True, slots=True)
class Identity:
    """An asset's candidates, certainty and reasons."""

    candidates: tuple[str, ...]
    """Ids of every release that the evidence allows, sorted."""
    certainty: Certainty
    reasons: tuple[Message, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    """vendor, family, product, version, edition, device, hardware: what the evidence names, where it does."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the dates say of an identity, on a day, at a site."""

    status: Status
    earliest: date | None = None
    latest: date | None = None
    reasons: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class HostRecord:
    """Everything that one scan learnt of one address that gave a sign of life."""

    address: str
    ward: str
    observations: tuple[Observation, ...]
    identity: Identity
    unasked: Mapping[str, Message] = field(default_factory=dict)
    """By probe: why it was not held with this host."""


@dataclass(frozen=True, slots=True)
class Trip:
    """The circuit breaker's decision: a subnet to which nothing more is sent until someone clears it."""

    subnet: str
    """In CIDR notation."""
    ward: str
    at: datetime
    cause: Message
    fallen: tuple[str, ...] = ()
    """The addresses that answered, and fell silent."""


class Missing(Enum):
    """A value that nobody asked for, as opposed to one that is empty."""

    NOT_ASKED = "not asked"
