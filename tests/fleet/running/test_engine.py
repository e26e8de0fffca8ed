"""The engine against a real database: jobs are made once, held by one, and taken up from the dead."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from scanner.fleet.engine import JobDispatcher, JobTaker, apply_schema
from scanner.fleet.errors import LinkError
from scanner.fleet.lease import HoldLostError
from scanner.fleet.model import Chunk, Hold
from scanner.fleet.port import MOST_ATTEMPTS, Taken
from tests.fleet.running.hospitals import until

if TYPE_CHECKING:
    from tests.fleet.running.hospitals import Fleet

CHUNKS = [Chunk(7, number, ((number, number),)) for number in (1, 2, 3)]
OLD = "UPDATE jobs.procrastinate_workers SET last_heartbeat = now() - interval '21 seconds'"


def states(fleet: Fleet) -> list[tuple[int, str, int]]:
    """Every job's number, status and attempts."""
    return fleet.rows(
        "SELECT (args->>'number')::int, status::text, attempts FROM jobs.procrastinate_jobs ORDER BY 1"
    )


def test_chunks_are_queued_once_and_carry_nothing_else(one_site: Fleet) -> None:
    dispatcher = JobDispatcher(one_site.url)
    dispatcher.enqueue("nord", CHUNKS[:2])
    dispatcher.enqueue("nord", CHUNKS)
    jobs = one_site.rows(
        "SELECT queue_name, lock, queueing_lock, args FROM jobs.procrastinate_jobs ORDER BY id"
    )
    assert jobs == [("nord", "site:nord", None, {"run": 7, "number": number}) for number in (1, 2, 3)]
    assert dispatcher.busy() == {7}
    dispatcher.cancel(7)
    assert dispatcher.busy() == frozenset()
    assert {status for _, status, _ in states(one_site)} == {"cancelled"}


def test_jobs_come_in_order_one_at_a_time(one_site: Fleet) -> None:
    dispatcher = JobDispatcher(one_site.url)
    dispatcher.enqueue("nord", CHUNKS)
    with closing(JobTaker(one_site.as_role("nord"), "nord")) as taker:
        jobs = iter(taker)
        first = next(jobs)
        assert (first.run, first.number, first.hold.attempt) == (7, 1, 0)
        taker.again(first)
        again = next(jobs)
        assert (again.number, again.hold) == (1, Hold(first.hold.job, 1))
        with pytest.raises(HoldLostError):
            taker.done(first)
        taker.done(again)
        assert next(jobs).number == 2
        assert [status for _, status, _ in states(one_site)] == ["succeeded", "doing", "todo"]
    until(lambda: not one_site.rows("SELECT 1 FROM jobs.procrastinate_workers"))


def test_the_job_of_the_dead_is_taken_up_until_it_was_tried_too_often(one_site: Fleet) -> None:
    dispatcher = JobDispatcher(one_site.url)
    dispatcher.enqueue("nord", CHUNKS[:1])
    for attempt in range(MOST_ATTEMPTS):
        with closing(JobTaker(one_site.as_role("nord"), "nord")) as taker:
            taken = next(iter(taker))
            assert taken.hold.attempt == attempt
            assert dispatcher.requeue_stalled() == ()
            assert states(one_site) == [(1, "doing", attempt)], "it lives"
            one_site.rows(OLD)
            given_up = dispatcher.requeue_stalled()
            with pytest.raises(HoldLostError):
                taker.done(taken)
            with pytest.raises(HoldLostError):
                taker.again(taken)
    assert given_up == (Taken(taken.hold, 7, 1),)
    assert states(one_site) == [(1, "failed", MOST_ATTEMPTS)]
    assert dispatcher.busy() == frozenset()


def test_who_fails_too_often_gives_up(one_site: Fleet) -> None:
    JobDispatcher(one_site.url).enqueue("nord", CHUNKS[:1])
    with closing(JobTaker(one_site.as_role("nord"), "nord")) as taker:
        jobs = iter(taker)
        for _ in range(MOST_ATTEMPTS):
            taker.again(next(jobs))
    assert states(one_site) == [(1, "failed", MOST_ATTEMPTS)]


def test_what_was_taken_when_it_was_told_to_stop_is_given_back(one_site: Fleet) -> None:
    JobDispatcher(one_site.url).enqueue("nord", CHUNKS[:1])
    taker = JobTaker(one_site.as_role("nord"), "nord")
    until(lambda: states(one_site) == [(1, "doing", 0)])
    taker.close()
    assert states(one_site) == [(1, "todo", 1)]
    assert list(taker) == []


def test_a_database_that_is_away_is_told_apart() -> None:
    nowhere = "postgresql:///nothing?host=/nowhere"
    with pytest.raises(LinkError):
        JobDispatcher(nowhere).busy()
    with pytest.raises(LinkError):
        JobDispatcher(nowhere).requeue_stalled()
    with closing(JobTaker(nowhere, "nord")) as taker:
        with pytest.raises(LinkError):
            taker.done(Taken(Hold(1, 0), 7, 1))
        taker.stop()
        assert list(taker) == []


def test_tables_are_made_once_and_upgraded(one_site: Fleet) -> None:
    comment = "SELECT obj_description('jobs'::regnamespace)"
    ((said,),) = one_site.rows(comment)
    assert said.startswith("procrastinate 3.")
    JobDispatcher(one_site.url).enqueue("nord", CHUNKS)
    apply_schema(one_site.url)
    assert len(states(one_site)) == len(CHUNKS)
