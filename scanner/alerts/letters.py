"""Many alarms as one letter: grouped, the most severe first, not more of them in full than anybody reads."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from scanner.alerts.finding import rules
from scanner.alerts.model import Event, Letter
from scanner.language import Message, translate, translate_plural
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from scanner.config import Site
    from scanner.inventory import Raised

IN_FULL: Final = 50
"""Alarms that are told in full; of the others only how many."""
_LONGEST: Final = 300
"""Characters of an alarm."""
_SUBJECT: Final = 150
"""The same, of the line that says the most important."""
_DEFAULT: Final = 5
"""The severity of a kind that is no more."""


def letter_of(site: Site, channel: str, raised: Sequence[Raised], now: datetime) -> Letter:
    """What a channel is told of alarms."""
    language = site.language
    by_rank = sorted(raised, key=lambda each: (-_severity(each.rule), each.rule, each.id))
    events = [_event(each, language) for each in by_rank[:IN_FULL]]
    more = len(by_rank) - len(events)
    numbers = ",".join(str(each.id) for each in raised)
    if more:
        told = Message("and {number} more: vetuste alert list", {"number": str(more)}).render(language)
        events.append(Event("more", told, _DEFAULT, told, "", "", now, f"{channel} {raised[-1].id}"))
    return Letter(
        site=printable(site.name),
        subject=_subject(site, events, len(by_rank)),
        body="\n".join(_body(site, by_rank, now)),
        events=tuple(events),
        key=hashlib.sha256(f"{site.name}\0{channel}\0{numbers}".encode()).hexdigest()[:32],
        at=now,
    )


def trial_letter(site: Site, channel: str, now: datetime) -> Letter:
    """What tries a channel."""
    told = translate("TEST: this is no alarm; vetuste tries the channel {channel}", site.language)
    told = told.format(channel=printable(channel))
    event = Event("test", "TEST", 0, told, "", "", now, f"test {now:%Y%m%d%H%M%S%f}")
    key = hashlib.sha256(f"{site.name}\0{channel}\0{event.id}".encode()).hexdigest()[:32]
    name = printable(site.name)
    return Letter(name, f"vetuste, {name}: {told}"[:_SUBJECT], f"{told}\n", (event,), key, now)


def _subject(site: Site, events: Sequence[Event], number: int) -> str:
    more = f" (+{number - 1})" if number > 1 else ""
    line = f"vetuste, {printable(site.name)}: {events[0].told}"
    return (line if len(line) + len(more) <= _SUBJECT else f"{line[: _SUBJECT - len(more) - 1]}…") + more


def _body(site: Site, by_rank: Sequence[Raised], now: datetime) -> Iterator[str]:
    language = site.language
    values = {"site": printable(site.name), "number": str(len(by_rank)), "moment": f"{now:%Y-%m-%d %H:%M}"}
    head = translate_plural(
        "{site}: {number} alarm ({moment} UTC)",
        "{site}: {number} alarms ({moment} UTC)",
        len(by_rank),
        language,
    )
    yield head.format(**values)
    left = IN_FULL
    for kind, group in _grouped(by_rank):
        yield ""
        yield f"{_title(kind, language)}: {len(group)}"
        yield from (_line(each, language) for each in group[:left])
        if len(group) > left:
            more = {"number": str(len(group) - left)}
            yield "  " + Message("and {number} more: vetuste alert list", more).render(language)
        left = max(0, left - len(group))
    yield ""


def _grouped(by_rank: Iterable[Raised]) -> Iterable[tuple[str, list[Raised]]]:
    groups: dict[str, list[Raised]] = {}
    for each in by_rank:
        groups.setdefault(_kind(each.rule), []).append(each)
    return groups.items()


def _line(each: Raised, language: str) -> str:
    place = f"{printable(each.alarm.ward)}: " if each.alarm.ward else ""
    line = f"  {each.raised:%Y-%m-%d %H:%M}  {place}{_told(each, language)}"
    if each.cleared is None or not each.alarm.subject:
        return line
    over = Message("over since {moment} UTC", {"moment": f"{each.cleared:%Y-%m-%d %H:%M}"})
    return f"{line} ({over.render(language)})"


def _event(each: Raised, language: str) -> Event:
    kind = _kind(each.rule)
    return Event(
        kind=kind,
        title=_title(kind, language),
        severity=_severity(each.rule),
        told=_told(each, language),
        ward=printable(each.alarm.ward),
        address=each.alarm.address,
        raised=each.raised,
        id=str(each.id),
    )


def _told(each: Raised, language: str) -> str:
    return printable(each.alarm.told.render(language), _LONGEST)


def _kind(rule: str) -> str:
    return rule.partition(" ")[0]


def _severity(rule: str) -> int:
    kind = rules().get(_kind(rule))
    return kind.severity if kind else _DEFAULT


def _title(kind: str, language: str) -> str:
    rule = rules().get(kind)
    return rule.title.render(language) if rule else kind
