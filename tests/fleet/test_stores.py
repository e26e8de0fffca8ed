"""What centre and workers keep and tell each other, on a real server."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import inf
from typing import TYPE_CHECKING

import pytest

from scanner.errors import ConfigError
from scanner.fleet.errors import FleetError, LinkError
from scanner.fleet.model import FleetSite, Hold, Progress, RunState
from scanner.fleet.status import statuses
from scanner.fleet.worker_store import LARGEST, WorkerStore
from tests.fleet.centres import as_role, take

if TYPE_CHECKING:
    from tests.fleet.centres import Centre
    from tests.inventory.servers import Server


def test_a_chunk_goes_from_the_centre_to_a_worker_and_back(centre: Centre, worker: WorkerStore) -> None:
    run = centre.store.runs.one(centre.add_run("north"))
    hold, taken, number = take(worker)
    assert (taken, number) == (run.id, 1)
    assert worker.site() == centre.store.sites.one("north")
    assert worker.run(run.id) == run
    assert worker.chunk(run.id, 1) == centre.store.deliveries.chunks(run.id)[0]
    standing = worker.standing(hold, run.id)
    assert standing.held
    assert standing.run is RunState.QUEUED
    assert 0 <= standing.silent < inf
    assert centre.store.runs.set_state(run.id, RunState.RUNNING)
    worker.tell(Progress(run.id, 1, 10, 256, 3, 40))
    worker.tell(Progress(run.id, 1, 256, 256, 5, 70))
    assert not worker.delivered(run.id, 1)
    assert worker.deliver(hold, run.id, 1, b"what was learnt")
    assert worker.delivered(run.id, 1)

    assert [chunk.number for chunk in centre.store.deliveries.missing(run.id)] == [2]
    (delivery,) = centre.store.deliveries.untaken()
    assert (delivery.run, delivery.number, delivery.site, delivery.job) == (run.id, 1, "north", hold.job)
    assert centre.store.deliveries.body(delivery) == b"what was learnt"
    (status,) = statuses(centre.store.link, run=run.id)
    assert (status.delivered, status.recorded, status.visited, status.seen) == (1, 0, 256, 5)
    assert status.silent is not None
    centre.store.deliveries.mark_taken(delivery)
    assert not list(centre.store.deliveries.untaken())
    assert centre.store.deliveries.body(delivery) == b""
    assert worker.deliver(hold, run.id, 1, b"again")  # a worker that did not hear of its success
    assert not list(centre.store.deliveries.untaken())
    assert statuses(centre.store.link, run=run.id)[0].recorded == 1


def test_whoever_lost_a_job_writes_nothing(centre: Centre, worker: WorkerStore) -> None:
    run = centre.add_run("south")
    south = WorkerStore(as_role(centre.dsn, "south"))
    hold, _, number = take(south, "south")
    lost = Hold(hold.job, hold.attempt + 1)
    assert not south.deliver(lost, run, number, b"late")
    assert not south.standing(lost, run).held
    assert not south.delivered(run, number)
    assert south.standing(Hold(hold.job, hold.attempt), 1 << 40).run is RunState.CANCELLED
    south.link.close()
    assert not worker.deliver(hold, run, number, b"another site's")


def test_a_delivery_has_a_largest_size(centre: Centre, worker: WorkerStore) -> None:
    with pytest.raises(FleetError, match="too large"):
        worker.deliver(Hold(1, 0), 1, 1, bytes(LARGEST + 1))
    with pytest.raises(FleetError, match="check constraint"):
        centre.store.link.rows(
            "INSERT INTO fleet.deliveries (run, number, site, job, attempt, body)"
            " SELECT run, number, site, 1, 0, repeat('x', %s)::bytea FROM fleet.chunks LIMIT 1",
            (LARGEST + 1,),
        )


def test_a_plan_is_due_once(centre: Centre) -> None:
    plan = centre.store.plans.add("north", "daily 22:00", "Europe/Paris", {"profile": "clinical"})
    at = datetime.now(UTC) + timedelta(hours=1)
    assert centre.store.plans.was_due(plan.id, at)
    assert not centre.store.plans.was_due(plan.id, at)
    (kept,) = centre.store.plans.all()
    assert (kept.since, kept.request, kept.paused) == (at, {"profile": "clinical"}, False)
    centre.store.plans.set_paused(plan.id, paused=True)
    assert centre.store.plans.all()[0].paused
    centre.store.plans.remove(plan.id)
    with pytest.raises(ConfigError, match="no plan"):
        centre.store.plans.remove(plan.id)


def test_an_end_is_an_end(centre: Centre) -> None:
    run = centre.add_run("north")
    assert centre.store.runs.set_state(run, RunState.RUNNING)
    assert centre.store.runs.set_state(run, RunState.PAUSED)
    assert centre.store.runs.set_state(run, RunState.CANCELLED, "nobody wants it")
    assert not centre.store.runs.set_state(run, RunState.RUNNING)
    (status,) = statuses(centre.store.link, run=run)
    assert status.run.state is RunState.CANCELLED
    assert status.says == "nobody wants it"
    assert status.started is not None
    assert status.ended is not None
    assert run not in [each.run.id for each in statuses(centre.store.link, ended=False)]


def test_what_becomes_untouchable_is_added_to_what_was(centre: Centre) -> None:
    run = centre.add_run("north")
    centre.store.runs.keep_out(run, [(10, 20)])
    centre.store.runs.keep_out(run, [(15, 30), (1 << 100, 1 << 101)])
    assert centre.store.runs.one(run).untouchable == ((10, 30), (1 << 100, 1 << 101))


def test_a_site_with_work_under_way_is_not_forgotten(centre: Centre) -> None:
    centre.store.sites.add(FleetSite("east", b"x", "d", {"rssi": b"\0sig"}), "East")
    assert centre.store.sites.one("east").signatures == {"rssi": b"\0sig"}
    with pytest.raises(ConfigError, match="there already"):
        centre.store.sites.add(FleetSite("east", b"x", "d"), "East")
    run = centre.add_run("east")
    with pytest.raises(ConfigError, match="not done"):
        centre.store.sites.remove("east")
    centre.store.runs.set_state(run, RunState.CANCELLED)
    centre.store.sites.remove("east")
    with pytest.raises(ConfigError, match="no site east"):
        centre.store.sites.one("east")


def test_all_of_a_transaction_or_nothing(centre: Centre) -> None:
    plan = centre.store.plans.add("north", "daily 22:00", "UTC", {})
    later = datetime.now(UTC) + timedelta(hours=1)

    def both() -> None:
        with centre.store.transaction():
            assert centre.store.plans.was_due(plan.id, later)
            centre.store.runs.add("nowhere", {}, "", [])

    with pytest.raises(FleetError):
        both()
    assert centre.store.plans.all()[-1].since == plan.since
    centre.store.plans.remove(plan.id)


def test_a_lost_connection_is_told_and_made_again(server: Server, worker: WorkerStore) -> None:
    ((pid,),) = worker.link.rows("SELECT pg_backend_pid()")
    server.ask(f"SELECT pg_terminate_backend({pid}, 5000)")
    with pytest.raises(LinkError):
        worker.version()
    assert worker.version()
    unreachable = WorkerStore("host=/nowhere user=north password=hush")
    with pytest.raises(LinkError) as told:
        unreachable.version()
    assert "hush" not in str(told.value)
