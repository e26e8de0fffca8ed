"""What rules, channels and those who call them tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, TypeAlias

from scanner.errors import VetusteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from scanner.config import Alert, Notify, SiteFile
    from scanner.inventory import Alarm, Inventory
    from scanner.language import Message

Find: TypeAlias = "Callable[[Inventory, SiteFile, Alert, datetime], Iterable[Alarm]]"
"""Everything that is so now, whoever was told before; raises InventoryError where it cannot be read."""


class DeliveryError(VetusteError):
    """A receiver did not take what it was sent."""

    # Nothing secret stands in it: it is kept, and shown.


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of rule: what ``on`` names."""

    name: str
    title: Message
    """What such alarms are of, in a heading."""
    severity: int
    """0 to 10, as CEF has it: 7 and above is high. The most severe comes first."""
    find: Find
    parameter: str = ""
    """The key of ``[[alert]]`` that it needs; it takes no other."""
    news_only: bool = False
    """Whether what was there when the rule was first judged is no news."""
    check: Callable[[Alert], None] = lambda _: None
    """Raises ConfigError where its parameter means nothing."""


@dataclass(frozen=True, slots=True)
class Event:
    """One alarm, in words."""

    kind: str
    title: str
    severity: int
    told: str
    ward: str
    address: str
    raised: datetime
    id: str


@dataclass(frozen=True, slots=True)
class Letter:
    """All that a channel is told at once, in the site's language; no control character but line ends."""

    site: str
    subject: str
    body: str
    events: tuple[Event, ...]
    """The most severe first; not all of them where there are many."""
    key: str
    """The same when the same is sent again."""
    at: datetime


@dataclass(frozen=True, slots=True)
class Channel:
    """A kind of channel: what ``kind`` names."""

    name: str
    needs: frozenset[str]
    """Keys of ``[[notify]]`` that must be there."""
    may: frozenset[str]
    """Keys that may be there besides."""
    send: Callable[[Notify, Letter], None]
    """Raises :class:`DeliveryError`; returns when the receiver has it, as far as can be known."""
    check: Callable[[Notify], None] = lambda _: None
    """Raises ConfigError where its keys do not go together."""
    variables: tuple[str, ...] = field(default=())
    """Those of its keys that name environment variables."""


class Outcome(StrEnum):
    """What became of a channel; the set is closed."""

    SENT = "sent"
    NOTHING = "nothing"
    """There was nothing to tell."""
    QUIET = "quiet"
    """These are its quiet hours: it is told later."""
    FAILED = "failed"
    BUSY = "busy"
    """Another process was sending all the time."""


@dataclass(frozen=True, slots=True)
class Result:
    """One channel."""

    channel: str
    outcome: Outcome
    alarms: int = 0
    why: Message | None = None
    """Why it failed."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a call did."""

    raised: int = 0
    cleared: int = 0
    results: tuple[Result, ...] = ()

    @property
    def failed(self) -> tuple[str, ...]:
        """The channels that could not be told."""
        wrong = {Outcome.FAILED, Outcome.BUSY}
        return tuple(result.channel for result in self.results if result.outcome in wrong)
