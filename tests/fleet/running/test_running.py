"""Workers and the centre as processes, killed and stopped: the end is that of an undisturbed scan."""

from __future__ import annotations

import signal
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from psycopg.conninfo import conninfo_to_dict

from scanner.fleet.engine import JobDispatcher
from scanner.fleet.model import RunState
from scanner.scan import Request
from tests.fleet.alike import Known, differences, known
from tests.fleet.running.cutting import link
from tests.fleet.running.hospitals import Fleet, fleet, until
from tests.integration.scenes import Scene, hosts, scene, small_wards

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator
    from pathlib import Path

    from tests.inventory.servers import Server

pytestmark = pytest.mark.namespaces

LIVING = [*hosts("10.77.0.1", 30), *hosts("10.77.1.1", 30)]
WARDS = [f"{ward}\nlab = true" for net in (0, 1) for ward in small_wards(f"10.77.{net}.0/27")]
FAST = Request(profile="lab")
SLOW = Request(profile="lab", rate=50)
LOST = 70
ENDED = 130


@dataclass
class Stage:
    """A hospital on a wire, and what an undisturbed scan knows of it."""

    scene: Scene
    calm: Known

    def sent(self) -> int:
        """How many SYNs reached the hospital so far."""
        return self.scene.attempts()

    def wait_for(self, number: int, process: subprocess.Popen[str]) -> None:
        """Wait until so many more did."""
        begun = self.sent()
        until(lambda: self.sent() >= begun + number, living=[process])

    def still(self, seconds: float = 1.0) -> bool:
        """Whether nothing reaches it for a while."""
        before = self.sent()
        time.sleep(seconds)
        return self.sent() == before


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with scene("fleet", tmp_path_factory.mktemp("calm"), LIVING) as made:
        made.site(*WARDS)
        made.product.run("scan", "--profile", "lab")
        yield Stage(made, known(f"sqlite:///{made.product.inventory}"))


@pytest.fixture
def group(server: Server, stage: Stage, tmp_path: Path) -> Iterator[Fleet]:
    url = server.fresh()
    with fleet(url, tmp_path, stage.scene.product.prefix) as made:
        made.add_site("nord", (stage.scene.folder / "site.toml").read_bytes())
        yield made
    server.drop(url)
    server.ask("DROP ROLE nord")


def alike(group: Fleet, stage: Stage) -> None:
    """What the centre knows is what an undisturbed scan knows, each thing once."""
    found = known(group.url)
    assert differences(replace(found, scans=stage.calm.scans), stage.calm) == {}, group.said()


def test_a_run_in_chunks_is_a_scan(group: Fleet, stage: Stage) -> None:
    run = group.ask("nord", FAST)
    assert run.chunks == 2
    group.centre()
    worker = group.worker("nord")
    group.finish(run.id)
    assert differences(known(group.url), stage.calm) == {}
    worker.send_signal(signal.SIGTERM)
    assert worker.wait(20) == ENDED


def test_a_worker_that_is_killed(group: Fleet, stage: Stage) -> None:
    """Another one takes its job up, in another place; it comes back, and does no harm."""
    run = group.ask("nord", SLOW)
    group.centre()
    first = group.worker("nord", "first")
    stage.wait_for(50, first)
    first.kill()
    first.wait()
    stage.wait_for(20, group.worker("nord", "second"))
    group.worker("nord", "first")
    group.finish(run.id)
    alike(group, stage)
    tried = dict(group.rows("SELECT args->'number', attempts FROM jobs.procrastinate_jobs"))
    assert sorted(tried.values()) == [1, 2]


def test_a_worker_that_is_asleep_sends_nothing_more(group: Fleet, stage: Stage) -> None:
    run = group.ask("nord", SLOW)
    group.centre()
    first = group.worker("nord", "first")
    stage.wait_for(50, first)
    first.send_signal(signal.SIGSTOP)
    until(lambda: group.rows("SELECT 1 FROM jobs.procrastinate_jobs WHERE status = 'todo' AND attempts = 1"))
    assert stage.still(), "the kernel repeats one SYN, a second after the first"
    before = stage.sent()
    first.send_signal(signal.SIGCONT)
    assert first.wait(20) == LOST
    assert stage.sent() == before
    group.worker("nord", "first")
    group.finish(run.id)
    alike(group, stage)


def test_pause_and_resume(group: Fleet, stage: Stage) -> None:
    run = group.ask("nord", SLOW)
    group.centre()
    worker = group.worker("nord")
    stage.wait_for(30, worker)
    group.store.runs.set_state(run.id, RunState.PAUSED)
    until(stage.still, living=[worker])
    group.store.sites.set_paused("nord", paused=True)
    group.store.runs.set_state(run.id, RunState.RUNNING)
    assert stage.still(2.0)
    group.store.sites.set_paused("nord", paused=False)
    group.finish(run.id)
    alike(group, stage)
    assert set(group.rows("SELECT attempts FROM jobs.procrastinate_jobs")) == {(1,)}, "it held its job"


def test_cancel_keeps_what_was_learnt(group: Fleet, stage: Stage) -> None:
    run = group.ask("nord", SLOW)
    group.centre()
    worker = group.worker("nord")
    stage.wait_for(50, worker)
    group.store.runs.set_state(run.id, RunState.CANCELLED)
    group.finish(run.id, RunState.CANCELLED)
    until(lambda: group.rows("SELECT 1 FROM scans WHERE state = 'interrupted'"), living=[worker])
    assert group.rows("SELECT 1 FROM assets")
    assert not group.rows("SELECT 1 FROM jobs.procrastinate_jobs WHERE status IN ('todo', 'doing')")
    assert stage.still()


def test_stop_gives_the_job_back_at_once(group: Fleet, stage: Stage) -> None:
    run = group.ask("nord", SLOW)
    group.centre()
    worker = group.worker("nord")
    stage.wait_for(30, worker)
    worker.send_signal(signal.SIGINT)
    assert worker.wait(20) == ENDED
    assert not group.rows("SELECT 1 FROM jobs.procrastinate_jobs WHERE status = 'doing'")
    assert stage.still()
    group.worker("nord", "another")
    group.finish(run.id)
    alike(group, stage)


def test_a_database_that_goes_away(group: Fleet, stage: Stage) -> None:
    """It sends no more when its lease is over; nobody took the job, so it goes on by itself."""
    run = group.ask("nord", SLOW)
    JobDispatcher(group.url).enqueue("nord", group.store.deliveries.missing(run.id))
    with link(str(conninfo_to_dict(group.url)["host"])) as cable:
        worker = group.worker("nord", centre=f"postgresql:///{database(group)}?host={cable.folder}&user=nord")
        stage.wait_for(20, worker)
        cable.cut()
        until(stage.still, living=[worker])
        cable.mend()
        stage.wait_for(20, worker)
        group.centre()
        group.finish(run.id)
    alike(group, stage)


def database(group: Fleet) -> str:
    return str(conninfo_to_dict(group.url)["dbname"])
