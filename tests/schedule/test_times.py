"""When something is due: compared with clocks that are read minute by minute."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.errors import ConfigError
from scanner.schedule.times import Times, due, parse_times

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
YEARS = (
    ("Europe/Paris", 2027),
    ("Australia/Lord_Howe", 2027),  # half an hour of summer
    ("America/Sao_Paulo", 2018),  # a gap at midnight
)


def fires(times: Times, begin: datetime, end: datetime) -> list[datetime]:
    """All of [begin, end), one after the other."""
    found = [times.next_after(begin - timedelta(microseconds=1))]
    while found[-1] < end:
        found.append(times.next_after(found[-1]))
    return found[:-1]


@cache
def clock(zone: str, year: int) -> dict[datetime, datetime]:
    """Every minute of a local year, and when a clock on the wall showed it first.

    What the clock jumped over comes as much later as it jumped.
    """
    there, shown_at = ZoneInfo(zone), {}
    now = datetime(year, 1, 1, tzinfo=UTC) - DAY
    before = now.astimezone(there).replace(tzinfo=None) - MINUTE
    for _ in range(368 * 24 * 60):
        shown = now.astimezone(there).replace(tzinfo=None)
        for ahead in range(1, (shown - before) // MINUTE):
            shown_at[before + ahead * MINUTE] = now + (ahead - 1) * MINUTE
        shown_at.setdefault(shown, now)
        before, now = shown, now + MINUTE
    return shown_at


@st.composite
def schedules(draw: st.DrawFn) -> Times:
    minutes = st.integers(0, 4 * 60).map(lambda minute: time(minute // 60, minute % 60))
    at = tuple(sorted(draw(st.sets(minutes, min_size=1, max_size=3))))
    zone = ZoneInfo(draw(st.sampled_from([zone for zone, _ in YEARS])))
    if draw(st.booleans()):
        return Times(at, zone, month_day=draw(st.integers(1, 28)))
    return Times(at, zone, draw(st.frozensets(st.integers(0, 6), min_size=1)))


@settings(max_examples=25, deadline=None)
@given(times=schedules())
def test_a_whole_year_is_as_a_clock_on_the_wall_has_it(times: Times) -> None:
    year = dict(YEARS)[times.zone.key]
    begin, end = (datetime(each, 1, 1, tzinfo=times.zone) for each in (year, year + 1))
    wanted = {
        when
        for shown, when in clock(times.zone.key, year).items()
        if shown.time() in times.at
        and shown.weekday() in times.weekdays
        and times.month_day in {None, shown.day}
    }
    assert fires(times, begin, end) == sorted(when for when in wanted if begin <= when < end)


@given(
    times=schedules(),
    since=st.integers(0, 730 * 24 * 60).map(
        lambda minutes: datetime(2026, 1, 1, tzinfo=UTC) + minutes * MINUTE
    ),
    days=st.integers(0, 100),
)
def test_what_was_missed_is_the_last_of_what_was_due(times: Times, since: datetime, days: int) -> None:
    now = since + days * DAY
    missed = fires(times, since + timedelta(microseconds=1), now + timedelta(microseconds=1))
    assert times.due_since(since, now) == (missed[-1] if missed else None)


def test_a_night_in_paris_is_due_once_on_each_day_of_2027() -> None:
    times = parse_times("daily 02:30", "Europe/Paris")
    paris = ZoneInfo("Europe/Paris")
    found = fires(times, datetime(2027, 1, 1, tzinfo=paris), datetime(2028, 1, 1, tzinfo=paris))
    assert len(set(found)) == len(found) == 365
    shown = {each.astimezone(paris).date(): f"{each.astimezone(paris):%H:%M %z}" for each in found}
    assert len(shown) == 365
    assert shown.pop(date(2027, 3, 28)) == "03:30 +0200"  # the clocks skip 02:30
    assert shown.pop(date(2027, 10, 31)) == "02:30 +0200"  # and show it twice: the first one counts
    assert set(shown.values()) == {"02:30 +0100", "02:30 +0200"}


def test_what_the_clocks_skip_is_told_and_when_it_is_due_instead() -> None:
    times = parse_times("daily 01:59,02:00,02:30,03:00", "Europe/Paris")
    skipped = times.skipped(date(2027, 1, 1), 365)
    assert [f"{each:%m-%d %H:%M}" for each in skipped] == ["03-28 02:00", "03-28 02:30"]
    assert [due(each) for each in skipped] == [
        datetime(2027, 3, 28, 1, minute, tzinfo=UTC) for minute in (0, 30)
    ]
    assert parse_times("mon-sat 02:30", "Europe/Paris").skipped(date(2027, 1, 1)) == ()
    assert parse_times("daily 02:30", "UTC").skipped(date(2027, 1, 1)) == ()


def test_a_day_that_a_place_left_out_is_caught_up_on_the_next() -> None:
    times = parse_times("daily 22:00", "Pacific/Apia")  # there was no 30 December 2011
    found = fires(times, datetime(2011, 12, 28, tzinfo=times.zone), datetime(2012, 1, 3, tzinfo=times.zone))
    assert found == sorted(set(found))
    assert [f"{each.astimezone(times.zone):%d}" for each in found] == ["28", "29", "31", "01", "02"]


@pytest.mark.parametrize(
    ("every", "canonical"),
    [
        ("tue,thu 22:00", "tue,thu 22:00"),
        ("  Thursday , TUE   9:05 ", "tue,thu 09:05"),
        ("mon-fri 22:00,03:00", "mon,tue,wed,thu,fri 03:00,22:00"),
        ("sat - mon 22:00", "mon,sat,sun 22:00"),
        ("mon-sun 1:00", "daily 01:00"),
        ("daily 02:30, 02:30", "daily 02:30"),
        ("monthly 1st 02:30", "monthly 1 02:30"),
        ("monthly 28 02:30", "monthly 28 02:30"),
    ],
)
def test_how_a_schedule_may_be_written(every: str, canonical: str) -> None:
    read = parse_times(every, "Europe/Paris")
    assert str(read) == canonical
    assert parse_times(canonical, "Europe/Paris") == read


@pytest.mark.parametrize(
    "every",
    [
        *("", "daily", "22:00", "tue 24:00", "tue 22:60", "tue 22", "tue 22:00:00", "tue 22:00 UTC"),
        *(
            "mardi 22:00",
            "tue,,thu 22:00",
            "tue- 22:00",
            "m 22:00",
            "mond-x 22:00",
            "tue 22:00,",
            "tue \u0662\u0662:00",
        ),
        *("monthly 0 02:30", "monthly 29 02:30", "monthly 02:30", "0 22 * * 2", "tue\0 22:00", "daily " * 99),
    ],
)
def test_what_is_no_schedule_is_refused_in_one_line(every: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_times(every, "Europe/Paris")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize(
    "zone", ["", "Paris", "europe/paris", "Europe", "../etc/passwd", "/etc/localtime", "a\0b", "x" * 999]
)
def test_what_is_no_zone_is_refused_in_one_line(zone: str) -> None:
    with pytest.raises(ConfigError, match="no time zone") as caught:
        parse_times("daily 02:30", zone)
    assert str(caught.value).isprintable()
