"""Hours on the clocks of a place: when they open and close next, whatever those leave out or show twice."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from scanner.config import Window
from scanner.config.window import NeverOpensError

MINUTE = timedelta(minutes=1)
FIRST, LAST = datetime(2026, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
ZONES = (
    "Europe/Paris",
    "Europe/Lisbon",
    "Africa/Casablanca",  # summer all year but in Ramadan
    "America/Noronha",  # no summer time
    "America/St_Johns",  # half an hour beside the others
    "Australia/Lord_Howe",  # its summer is half an hour long
    "Pacific/Chatham",  # three quarters of an hour beside the others
    "Asia/Gaza",  # changes at two in the morning
    "UTC",
)


@cache
def transitions(zone: str) -> list[datetime]:
    """The moments, from 2026 to 2028, at which the clocks of a place are changed: found by halving."""
    place = ZoneInfo(zone)
    days = [FIRST + timedelta(days=day) for day in range((LAST - FIRST).days + 1)]
    found = []
    for day, next_day in pairwise(days):
        low, high = day, next_day
        if low.astimezone(place).utcoffset() == high.astimezone(place).utcoffset():
            continue
        while high - low > MINUTE:
            middle = low + (high - low) // MINUTE // 2 * MINUTE
            if middle.astimezone(place).utcoffset() == low.astimezone(place).utcoffset():
                low = middle
            else:
                high = middle
        found.append(high)
    return found


def shown(zone: str, moment: datetime) -> tuple[int, int]:
    """The minute of the day on the clocks of a place, and the day; by hand, from the transitions alone."""
    changes = transitions(zone)
    place = bisect_right(changes, moment)
    known = changes[place - 1] if place else FIRST
    offset = known.astimezone(ZoneInfo(zone)).utcoffset()
    assert offset is not None
    minutes = int((moment + offset - FIRST) // MINUTE)
    return minutes % 1440, minutes // 1440


def is_open(start: int, end: int, zone: str, moment: datetime) -> bool:
    minute, _ = shown(zone, moment)
    return (minute - start) % 1440 < (end - start) % 1440


def window(start: int, end: int, zone: str) -> Window:
    return Window.parse(f"{start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02} {zone}")


def first(moment: datetime, start: int, end: int, zone: str, *, wanted: bool) -> datetime:
    """The first whole minute at which it is open, or is not, with the clocks told by hand."""
    minute = moment.replace(second=0, microsecond=0)
    minute += MINUTE * (minute < moment)
    while is_open(start, end, zone, minute) is not wanted:
        minute += MINUTE
    return minute


def near_a_transition() -> st.SearchStrategy[tuple[str, datetime]]:
    changing = [zone for zone in ZONES if transitions(zone)]
    spots = st.sampled_from([(zone, change) for zone in changing for change in transitions(zone)])
    seconds = st.integers(-2 * 86_400, 2 * 86_400)
    return st.builds(lambda spot, offset: (spot[0], spot[1] + timedelta(seconds=offset)), spots, seconds)


def anywhere() -> st.SearchStrategy[tuple[str, datetime]]:
    moments = st.datetimes(datetime(2026, 1, 2), datetime(2028, 12, 25), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis wants them naive
    return st.tuples(st.sampled_from(ZONES), moments)


def minutes_of_the_day() -> st.SearchStrategy[int]:
    """Any, and often one of those that clocks leave out or show twice."""
    return st.integers(0, 1439) | st.integers(0, 240)


@given(near_a_transition() | anywhere(), minutes_of_the_day(), minutes_of_the_day())
@example(("Europe/Paris", datetime(2027, 3, 28, 0, 59, 59, 999_999, tzinfo=UTC)), 150, 165)
@example(("Europe/Paris", datetime(2027, 10, 31, 0, 30, tzinfo=UTC)), 150, 165)
def test_the_next_opening_and_closing_are_those_of_the_clocks(
    spot: tuple[str, datetime], start: int, end: int
) -> None:
    assume(start != end)
    zone, moment = spot
    hours = window(start, end, zone)
    assert (moment in hours) is is_open(start, end, zone, moment)
    assert hours.next_opening(moment) == first(moment, start, end, zone, wanted=True)
    assert hours.next_closing(moment) == first(moment, start, end, zone, wanted=False)


@pytest.mark.parametrize(
    ("zone", "change"),
    [(zone, change) for zone in ZONES for change in transitions(zone)],
    ids=lambda each: each if isinstance(each, str) else each.strftime("%Y-%m-%d"),
)
def test_around_every_change_of_the_clocks_too(zone: str, change: datetime) -> None:
    moment = change - timedelta(hours=3, seconds=1)
    clocks = {shown(zone, change)[0], shown(zone, change - MINUTE)[0]}
    for start in {(minute + offset) % 1440 for minute in clocks for offset in range(-45, 46, 30)}:
        for length in (15, 60):
            end = (start + length) % 1440
            hours, at = window(start, end, zone), moment
            for wanted in (True, False, True):
                found = hours.next_opening(at) if wanted else hours.next_closing(at)
                assert found == first(at, start, end, zone, wanted=wanted)
                at = found


def test_the_zones_of_these_tests_change_their_clocks_as_often_as_they_should() -> None:
    assert len(transitions("Europe/Paris")) == 6
    assert transitions("Europe/Paris")[2] == datetime(2027, 3, 28, 1, tzinfo=UTC)
    assert transitions("UTC") == transitions("America/Noronha") == []
    assert sum(len(transitions(zone)) for zone in ZONES) >= 40


def test_what_the_clocks_leave_out_does_not_open_that_day() -> None:
    hours = Window.parse("02:15-02:45 Europe/Paris")  # on 28 March 2027, 03:00 follows 01:59
    before = datetime(2027, 3, 27, 1, 45, tzinfo=UTC)
    assert before not in hours
    assert hours.next_opening(before) == datetime(2027, 3, 29, 0, 15, tzinfo=UTC)


def test_what_the_clocks_show_twice_opens_twice() -> None:
    hours = Window.parse("02:15-02:45 Europe/Paris")  # on 31 October 2027, 02:00 follows 02:59
    first_time = datetime(2027, 10, 31, 0, 15, tzinfo=UTC)
    closed = first_time + timedelta(minutes=30)
    assert hours.next_opening(first_time - MINUTE) == first_time
    assert hours.next_closing(first_time) == closed
    assert hours.next_opening(closed) == first_time + timedelta(hours=1)


def test_hours_that_begin_in_a_gap_open_when_the_gap_ends() -> None:
    hours = Window.parse("02:30-05:00 Europe/Paris")
    assert hours.next_opening(datetime(2027, 3, 28, 0, tzinfo=UTC)) == datetime(2027, 3, 28, 1, tzinfo=UTC)


def test_a_day_that_a_zone_leaves_out_is_waited_through() -> None:
    hours = Window.parse("08:00-09:00 Pacific/Apia")  # there was no 30 December 2011 in Samoa
    after = datetime(2011, 12, 29, 19, tzinfo=UTC)
    assert hours.next_opening(after) == datetime(2011, 12, 30, 18, tzinfo=UTC)


def test_a_whole_minute_that_is_open_is_its_own_next_opening() -> None:
    hours = Window.parse("22:00-05:30 UTC")
    midnight = datetime(2027, 1, 1, tzinfo=UTC)
    assert hours.next_opening(midnight) == midnight
    assert hours.next_opening(midnight + timedelta(seconds=1)) == midnight + MINUTE
    assert hours.next_closing(midnight) == datetime(2027, 1, 1, 5, 30, tzinfo=UTC)


def test_the_moment_may_be_told_in_any_zone() -> None:
    hours = Window.parse("22:00-05:30 Europe/Paris")
    tokyo = datetime(2027, 1, 1, 15, tzinfo=ZoneInfo("Asia/Tokyo"))
    opening = hours.next_opening(tokyo)
    assert opening == datetime(2027, 1, 1, 21, tzinfo=UTC)
    assert opening is not None
    assert opening.tzinfo is UTC


def test_hours_that_end_when_they_begin_never_open() -> None:
    with pytest.raises(NeverOpensError):
        Window.parse("22:00-22:00 UTC")
