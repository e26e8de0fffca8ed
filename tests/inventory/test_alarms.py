from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from scanner.alerts import sending
from scanner.inventory import (
    SUMMARY,
    Alarm,
    Judged,
    alarms_rows,
    keep_alarms,
    keep_try,
    waiting_alarms,
)
from scanner.inventory.retention import Keep, prune
from scanner.language import Message
from tests.inventory.hospital import NOON

if TYPE_CHECKING:
    import pytest

    from scanner.inventory import Inventory

FAILED = Message("the server cannot be reached: {why}", {"why": "Connection refused"})


def judged(*subjects: str, rule: str = "breaker", at_first: Message | None = None) -> Judged:
    found = {each: Alarm(each, Message("about {what}", {"what": each}), "Bloc") for each in subjects}
    return Judged(rule, ("mail", "siem"), found, at_first)


def keep(inventory: Inventory, *rules: Judged, hours: int = 0) -> tuple[int, int]:
    return keep_alarms(inventory, "CHU", rules, at=NOON + timedelta(hours=hours))


def waiting(inventory: Inventory, channel: str = "mail") -> list[str]:
    return [each.alarm.subject for each in waiting_alarms(inventory, "CHU", channel)]


def tell(inventory: Inventory, channel: str = "mail", why: Message | None = None) -> None:
    last = max(each.id for each in waiting_alarms(inventory, "CHU", channel))
    keep_try(inventory, "CHU", channel, last, at=NOON, why=why)


def gone(inventory: Inventory, *, hours: int, site: str = "CHU", dry: bool = False) -> int:
    policy = Keep(NOON + timedelta(hours=hours), site=site)
    return sum(part.alarms for part in prune(inventory, policy, dry=dry))


def test_what_stands_is_raised_once_and_anew_when_it_comes_back(inventory: Inventory) -> None:
    assert keep(inventory, judged("a", "b")) == (2, 0)
    assert keep(inventory, judged("a", "b")) == (0, 0)
    tell(inventory)
    assert keep(inventory, judged("b"), hours=1) == (0, 1)
    assert waiting(inventory) == []
    assert keep(inventory, judged("a", "b"), hours=2) == (1, 0)
    assert waiting(inventory) == ["a"]
    rows = alarms_rows(inventory, everything=True)
    assert [(row.alarm.subject, row.cleared) for row in rows] == [
        ("a", None),
        ("b", None),
        ("a", NOON + timedelta(hours=1)),
    ]


def test_each_channel_has_its_own_state(inventory: Inventory) -> None:
    keep(inventory, judged("a"))
    tell(inventory, "mail", FAILED)
    tell(inventory, "siem")
    assert (waiting(inventory, "mail"), waiting(inventory, "siem")) == (["a"], [])
    (row,) = alarms_rows(inventory)
    states = {each.channel: (each.tries, each.sent, each.why) for each in row.deliveries}
    assert states == {"mail": (1, None, FAILED), "siem": (1, NOON, None)}
    tell(inventory)
    (row,) = alarms_rows(inventory)
    assert {(each.channel, each.tries, each.why) for each in row.deliveries} == {
        ("mail", 2, None),
        ("siem", 1, None),
    }


def test_what_is_raised_while_a_letter_is_under_way_is_not_taken_for_told(inventory: Inventory) -> None:
    keep(inventory, judged("a"))
    last = waiting_alarms(inventory, "CHU", "mail")[-1].id
    keep(inventory, judged("a", "b"))
    keep_try(inventory, "CHU", "mail", last, at=NOON, why=None)
    assert waiting(inventory) == ["b"]


def test_what_a_rule_finds_at_first_is_one_alarm_and_later_ones_are_their_own(inventory: Inventory) -> None:
    many = [f"asset {number}" for number in range(2000)]
    summed = Message("{number} of them", {"number": "2000"})
    assert keep(inventory, judged(*many, at_first=summed)) == (2000, 0)
    assert waiting(inventory) == [SUMMARY]
    assert keep(inventory, judged(*many, "new", at_first=summed)) == (1, 0)
    assert waiting(inventory) == [SUMMARY, "new"]
    assert keep(inventory, judged(*many[1:], "new", at_first=summed)) == (0, 1)
    assert keep(inventory, judged(*many, "new", at_first=summed)) == (1, 0)
    assert waiting(inventory) == [SUMMARY, "new", "asset 0"]


def test_a_rule_that_finds_nothing_at_first_sums_up_nothing(inventory: Inventory) -> None:
    assert keep(inventory, judged(at_first=Message("none"))) == (0, 0)
    assert keep(inventory, judged("a", at_first=Message("none"))) == (1, 0)
    assert waiting(inventory) == ["a"]


def test_rules_that_are_gone_are_cleared_and_begin_anew(inventory: Inventory) -> None:
    keep(inventory, judged("a"), judged("b", rule="scan-failed"))
    assert keep(inventory, judged("a")) == (0, 1)
    summed = Message("one of them")
    keep(inventory, judged("a"), judged("b", rule="scan-failed", at_first=summed))
    assert waiting(inventory) == ["a", "b", SUMMARY]


def test_one_process_sends_at_a_time(inventory: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_TURN", 0.0)
    for _ in range(2):
        with sending._our_turn(inventory) as ours, sending._our_turn(inventory) as theirs:
            assert (ours, theirs) == (True, False)
            assert keep(inventory, judged("a")) != (0, 1), "others may judge and write meanwhile"


def test_sites_of_one_inventory_do_not_know_each_other(inventory: Inventory) -> None:
    keep(inventory, judged("a"))
    keep_alarms(inventory, "Other", [judged("a", "b")], at=NOON)
    assert waiting(inventory) == ["a"]
    tell(inventory)
    assert len(waiting_alarms(inventory, "Other", "mail")) == 2
    assert len(alarms_rows(inventory, "Other")) == 2


def test_what_is_over_and_told_is_let_go_when_it_is_old(inventory: Inventory) -> None:
    keep(inventory, judged("told", "owed", "new", "stands"))
    tell(inventory)
    tell(inventory, "siem")
    keep(inventory, judged("new", "stands"), hours=1)
    keep(inventory, judged("owed", "stands", rule="late"), hours=2)
    keep(inventory, judged("stands", rule="late"), hours=3)
    tell(inventory, "siem")
    before = alarms_rows(inventory, everything=True)
    assert gone(inventory, hours=4, dry=True) == 4
    assert alarms_rows(inventory, everything=True) == before
    assert gone(inventory, hours=4, site="another") == 0
    assert gone(inventory, hours=2) == 2
    assert gone(inventory, hours=4) == 2
    left = alarms_rows(inventory, everything=True)
    assert [(row.rule, row.alarm.subject, len(row.deliveries)) for row in left] == [
        ("late", "stands", 2),
        ("late", "owed", 2),
    ]
    assert waiting(inventory) == ["owed", "stands"]
    assert keep(inventory, judged("stands", rule="late"), hours=9) == (0, 0)


def test_no_number_is_given_twice(inventory: Inventory) -> None:
    keep(inventory, judged("a", "b"))
    for channel in ("mail", "siem"):
        tell(inventory, channel)
    keep(inventory, judged(), hours=1)
    numbers = {row.id for row in alarms_rows(inventory, everything=True)}
    assert gone(inventory, hours=2) == 1
    assert gone(inventory, hours=2) == 0
    keep(inventory, judged("c"), hours=3)
    assert max(row.id for row in alarms_rows(inventory, everything=True)) not in numbers
    tell(inventory)
    tell(inventory, "siem")
    keep(inventory, judged(), hours=4)
    assert gone(inventory, hours=5) == 1
