"""Judging rules, and telling channels: each alarm once a channel, again only where that cannot be known.

An alarm and what is owed to its channels are written before anything is sent, and that a channel was told
right after its receiver took it: who is killed between the two tells it twice, never not at all. What is told
twice has the same Message-ID (mail), the same externalId (CEF).
"""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import UTC
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.alerts.checking import check
from scanner.alerts.finding import channels, rules
from scanner.alerts.letters import letter_of, trial_letter
from scanner.alerts.model import DeliveryError, Outcome, Result, Summary
from scanner.errors import ConfigError, InventoryError
from scanner.inventory import (
    Judged,
    is_settled,
    keep_alarms,
    keep_try,
    settle_findings,
    waiting_alarms,
)
from scanner.inventory.transactions import writing
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from scanner.alerts.model import Letter
    from scanner.config import Alert, Notify, SiteFile, SiteSource
    from scanner.inventory import Inventory
    from scanner.inventory.database import ScanLock

DEADLINE: Final = 60.0
"""Seconds after which nobody waits for a receiver any more, however much it says; all are told at once."""
_TURN: Final = 2 * DEADLINE
"""Seconds that a process waits for another that sends."""
_SENDING: Final = (1 << 31) - 1
"""The number of the lock of those who send: no scan ever has it, and 0 is the writer's."""
_MOST_AT_FIRST: Final = 20
"""So many alarms of a rule that was never judged before are told; more are summed up."""

Told: TypeAlias = "tuple[Notify, Message | None]"
"""A channel, and why it could not be told."""


def send(inventory: Inventory, source: SiteSource, now: datetime) -> Summary:
    """Judge every rule, and tell the channels what they do not know yet; no receiver can prevent that.

    Raises:
        ConfigError: a rule or a channel means nothing; nothing was judged.
        InventoryError: the inventory cannot be used.
    """
    raised, cleared = evaluate(inventory, source, now)
    return Summary(raised, cleared, _deliver(inventory, source.file, now.astimezone(UTC)))


def evaluate(inventory: Inventory, source: SiteSource, now: datetime) -> tuple[int, int]:
    """Judge every rule; gives how many alarms were raised, and how many cleared.

    Raises: as :func:`send`.
    """
    check(source)
    file, today = source.file, now.astimezone().date()
    if file.alerts and not is_settled(inventory, today=today):
        settle_findings(inventory, today=today)
    judged = [_judge(inventory, file, alert, now) for alert in file.alerts]
    return keep_alarms(inventory, file.site.name, judged, at=now)


def try_channels(source: SiteSource, now: datetime, to: str | None = None) -> Summary:
    """Send a marked letter to one channel, or to each, whatever the hour; nothing is kept of it.

    Raises:
        ConfigError: a rule or a channel means nothing, or there is no such channel.
    """
    check(source)
    file = source.file
    wanted = [channel for channel in file.channels if to in (None, channel.name)]
    if to is not None and not wanted:
        known = ", ".join(channel.name for channel in file.channels) or "-"
        raise ConfigError("there is no channel {given}; there are: {known}", given=repr(to), known=known)
    now = now.astimezone(UTC)
    letters = {channel: trial_letter(file.site, channel.name, now) for channel in wanted}
    results = {channel.name: _result(channel, 1, why) for channel, why in _tell(letters)}
    return Summary(results=tuple(results[channel.name] for channel in wanted))


def _judge(inventory: Inventory, file: SiteFile, alert: Alert, now: datetime) -> Judged:
    rule = rules()[alert.on]
    found = {alarm.subject: alarm for alarm in rule.find(inventory, file, alert, now)}
    summed = rule.news_only or len(found) > _MOST_AT_FIRST
    number = {"number": str(len(found))}
    text = Message("there when this was looked at for the first time: {number}", number)
    return Judged(alert.key, alert.to, found, text if summed else None)


def _deliver(inventory: Inventory, file: SiteFile, now: datetime) -> tuple[Result, ...]:
    results: dict[str, Result] = {}
    with _our_turn(inventory) as ours:
        letters: dict[Notify, Letter] = {}
        waiting: dict[str, tuple[int, int]] = {}
        for channel in file.channels:
            raised = waiting_alarms(inventory, file.site.name, channel.name)
            waiting[channel.name] = len(raised), max((each.id for each in raised), default=0)
            if not raised or not ours or (channel.quiet is not None and now in channel.quiet):
                outcome = Outcome.NOTHING if not raised else Outcome.QUIET if ours else Outcome.BUSY
                results[channel.name] = Result(channel.name, outcome, len(raised))
            else:
                letters[channel] = letter_of(file.site, channel.name, raised, now)
        for channel, why in _tell(letters):
            number, last = waiting[channel.name]
            keep_try(inventory, file.site.name, channel.name, last, at=now, why=why)
            results[channel.name] = _result(channel, number, why)
    return tuple(results[channel.name] for channel in file.channels)


def _result(channel: Notify, number: int, why: Message | None) -> Result:
    return Result(channel.name, Outcome.FAILED if why else Outcome.SENT, number, why)


def _tell(letters: Mapping[Notify, Letter]) -> Iterator[Told]:
    """Tell all at the same time, and give each as soon as it is known; one that hangs holds up nobody."""
    told: SimpleQueue[Told] = SimpleQueue()
    left = dict.fromkeys(letters)
    for channel, letter in letters.items():
        Thread(target=_try, args=(channel, letter, told), daemon=True).start()
    end = time.monotonic() + DEADLINE
    while left:
        try:
            channel, why = told.get(timeout=max(0.0, end - time.monotonic()))
        except Empty:
            break
        del left[channel]
        yield channel, why
    seconds = {"seconds": str(int(DEADLINE))}
    yield from ((channel, Message("it was not done within {seconds} s", seconds)) for channel in left)


def _try(channel: Notify, letter: Letter, told: SimpleQueue[Told]) -> None:
    try:
        channels()[channel.kind].send(channel, letter)
    except DeliveryError as error:
        values = {name: str(value) for name, value in error.values.items()}
        told.put((channel, Message(error.text, values)))
    except Exception as error:  # noqa: BLE001 - whatever it is, the others are told; its words may hold a secret
        told.put((channel, Message("unexpected: {why}", {"why": type(error).__name__})))
    else:
        told.put((channel, None))


@contextmanager
def _our_turn(inventory: Inventory) -> Iterator[bool]:
    """Whether nobody else sends, for as long as this lasts: two would tell everything twice."""
    lock = inventory.database.lock(_SENDING)
    end = time.monotonic() + _TURN
    while not (taken := _taken(inventory, lock)) and time.monotonic() < end:
        time.sleep(0.2)
    try:
        yield taken
    finally:
        lock.release()


def _taken(inventory: Inventory, lock: ScanLock) -> bool:
    if lock.held():
        return False
    try:
        with writing(inventory):
            lock.take()
    except InventoryError:
        return False
    return True
