"""Alarms as they are kept: raised once, told to each channel once, cleared when their cause is gone."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import bindparam, delete, insert, or_, select, update

from scanner.inventory.tables import ALARMS, ALERT_RULES, DELIVERIES
from scanner.inventory.transactions import reading, writing
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection

    from scanner.inventory.store import Inventory

SUMMARY: Final = ""
"""The subject of what sums up a rule that was judged for the first time."""


@dataclass(frozen=True, slots=True)
class Alarm:
    """What a rule found about one subject."""

    subject: str
    """By which it is known again: ``asset 12``."""
    told: Message
    ward: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """Everything that a rule finds now."""

    rule: str
    to: Sequence[str]
    """Its channels."""
    found: Mapping[str, Alarm]
    """By subject."""
    at_first: Message | None = None
    """What is told instead of all that, where the rule was never judged before; None: each is told."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """What became of an alarm at one channel."""

    channel: str
    sent: datetime | None
    tries: int
    tried: datetime | None
    why: Message | None
    """Why the last try failed."""


@dataclass(frozen=True, slots=True)
class Raised:
    """An alarm as it is kept."""

    id: int
    site: str
    rule: str
    alarm: Alarm
    raised: datetime
    cleared: datetime | None
    deliveries: tuple[Delivery, ...] = field(default=())


def keep_alarms(
    inventory: Inventory, site: str, judged: Iterable[Judged], *, at: datetime
) -> tuple[int, int]:
    """Raise what is new and clear what is gone, in one transaction; gives how many of both.

    Alarms of rules that are not among ``judged`` are cleared, and the rule is forgotten.

    Raises:
        InventoryError: the inventory cannot be written; nothing was changed.
    """
    raised = cleared = 0
    with writing(inventory) as connection:
        mine = select(ALERT_RULES.c.rule).where(ALERT_RULES.c.site == site)
        known = set(connection.scalars(mine))
        standing = _open(connection, site)
        for each in judged:
            before = standing.pop(each.rule, {})
            new = [alarm for subject, alarm in each.found.items() if subject not in before]
            raised += _raise(connection, site, each, new, at, first=each.rule not in known)
            cleared += _clear(connection, [before[gone] for gone in before.keys() - each.found.keys()], at)
            known.discard(each.rule)
        for rest in standing.values():
            cleared += _clear(connection, list(rest.values()), at)
        forgotten = (ALERT_RULES.c.site == site, ALERT_RULES.c.rule.in_(sorted(known)))
        connection.execute(delete(ALERT_RULES).where(*forgotten))
    return raised, cleared


def waiting_alarms(inventory: Inventory, site: str, channel: str) -> tuple[Raised, ...]:
    """The alarms that a channel is still to be told, oldest first; some may be over again.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    waiting = (DELIVERIES.c.channel == channel, DELIVERIES.c.sent.is_(None), ALARMS.c.site == site)
    wanted = select(ALARMS).join(DELIVERIES).where(*waiting).order_by(ALARMS.c.id)
    with reading(inventory) as connection:
        return tuple(_raised(row) for row in connection.execute(wanted))


def keep_try(  # noqa: PLR0913 - what was tried, and what came of it
    inventory: Inventory, site: str, channel: str, last: int, *, at: datetime, why: Message | None
) -> None:
    """Write that a channel was told all that waited, up to the alarm ``last``; or why it was not.

    Raises:
        InventoryError: the inventory cannot be written.
    """
    mine = DELIVERIES.c
    theirs = select(ALARMS.c.id).where(ALARMS.c.site == site, ALARMS.c.id <= last)
    which = (mine.channel == channel, mine.sent.is_(None), mine.alarm_id.in_(theirs))
    tried = {"tries": mine.tries + 1, "tried": at, "why": _stored(why) if why else ""}
    with writing(inventory) as connection:
        connection.execute(update(DELIVERIES).where(*which).values(sent=None if why else at, **tried))


def alarms_rows(
    inventory: Inventory, site: str | None = None, *, everything: bool = False
) -> tuple[Raised, ...]:
    """Alarms with their deliveries, newest first: those that stand or are still to be told; or all.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    untold = select(DELIVERIES.c.alarm_id).where(DELIVERIES.c.sent.is_(None))
    which = [] if site is None else [ALARMS.c.site == site]
    if not everything:
        which.append(or_(ALARMS.c.cleared.is_(None), ALARMS.c.id.in_(untold)))
    wanted = select(ALARMS).where(*which).order_by(ALARMS.c.id.desc())
    theirs = DELIVERIES.c.alarm_id.in_(select(ALARMS.c.id).where(*which))
    told = select(DELIVERIES).where(theirs).order_by(DELIVERIES.c.alarm_id, DELIVERIES.c.channel)
    with reading(inventory) as connection:
        rows = connection.execute(wanted).all()
        deliveries: dict[int, tuple[Delivery, ...]] = {}
        for each in connection.execute(told):
            delivery = Delivery(each.channel, each.sent, each.tries, each.tried, _message(each.why))
            deliveries[each.alarm_id] = (*deliveries.get(each.alarm_id, ()), delivery)
    return tuple(_raised(row, deliveries.get(row.id, ())) for row in rows)


def _open(connection: Connection, site: str) -> dict[str, dict[str, int]]:
    """The ids of alarms that stand, by rule and subject."""
    mine = (ALARMS.c.site == site, ALARMS.c.cleared.is_(None), ALARMS.c.subject != SUMMARY)
    found: dict[str, dict[str, int]] = {}
    for number, rule, subject in connection.execute(
        select(ALARMS.c.id, ALARMS.c.rule, ALARMS.c.subject).where(*mine)
    ):
        found.setdefault(rule, {})[subject] = number
    return found


def _raise(  # noqa: PLR0913 - a rule, what it found, and whether it ever did
    connection: Connection, site: str, judged: Judged, new: list[Alarm], at: datetime, *, first: bool
) -> int:
    told = judged.to
    if first:
        connection.execute(insert(ALERT_RULES).values(site=site, rule=judged.rule, since=at))
        if judged.at_first is not None:
            told = ()
            summary = [Alarm(SUMMARY, judged.at_first)] if new else []
            _add(connection, [_row(site, judged.rule, each, at) for each in summary], judged.to)
    _add(connection, [_row(site, judged.rule, each, at) for each in new], told)
    return len(new)


def _row(site: str, rule: str, alarm: Alarm, at: datetime) -> dict[str, object]:
    return {
        "site": site,
        "rule": rule,
        "subject": alarm.subject,
        "told": _stored(alarm.told),
        "ward": alarm.ward,
        "address": alarm.address,
        "raised": at,
        "cleared": at if alarm.subject == SUMMARY else None,  # it tells of a moment, and never stands
    }


def _add(connection: Connection, rows: Sequence[dict[str, object]], channels: Sequence[str]) -> None:
    """Write alarms, and what is owed to each channel."""
    if not rows:
        return
    adding = insert(ALARMS).returning(ALARMS.c.id, sort_by_parameter_order=True)
    ids = connection.scalars(adding, rows).all()
    owed = [
        {"alarm_id": number, "channel": channel, "tries": 0, "why": ""}
        for number in ids
        for channel in channels
    ]
    if owed:
        connection.execute(insert(DELIVERIES), owed)


def _clear(connection: Connection, ids: Sequence[int], at: datetime) -> int:
    if ids:
        over = update(ALARMS).where(ALARMS.c.id == bindparam("over")).values(cleared=at)
        connection.execute(over, [{"over": number} for number in ids])
    return len(ids)


def _stored(message: Message) -> str:
    return json.dumps([message.text, dict(message.values)], ensure_ascii=False)


def _message(stored: str) -> Message | None:
    return Message(*json.loads(stored)) if stored else None


def _raised(row: Any, deliveries: tuple[Delivery, ...] = ()) -> Raised:  # noqa: ANN401 - a row of the table
    alarm = Alarm(row.subject, Message(*json.loads(row.told)), row.ward, row.address)
    return Raised(row.id, row.site, row.rule, alarm, row.raised, row.cleared, deliveries)
