"""Deliveries are recorded once, whatever dies between two steps."""

from __future__ import annotations

import io
import json
from contextlib import closing
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from scanner.addresses import address_of
from scanner.bundles import write_bundle
from scanner.fleet import recording
from scanner.fleet.centre import Centre
from scanner.fleet.centre_store import CentreStore
from scanner.fleet.chunk_scan import key_of
from scanner.fleet.deliveries import Deliveries
from scanner.fleet.engine import JobDispatcher, JobTaker
from scanner.fleet.model import RunState
from scanner.fleet.planning import source_of
from scanner.fleet.runs import Runs
from scanner.fleet.worker_store import WorkerStore
from scanner.inventory import Recorder, open_inventory
from tests.alerts.receivers import Mailbox, mail_server
from tests.alerts.sites import mail, rule
from tests.cli.process import run as run_inside
from tests.fleet.alike import Known, differences, known
from tests.fleet.running.hospitals import until
from tests.inventory.hospital import NOON, XP, host

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.config import SiteSource
    from scanner.fleet.model import Chunk
    from tests.fleet.running.hospitals import Fleet

STEPS = {
    "enqueue": JobDispatcher,
    "set_scan": Runs,
    "mark_taken": Deliveries,
    "set_state": Runs,
    "end": recording,
}


class KilledError(BaseException):
    """As if the process had been killed there."""


def deliver(fleet: Fleet, folder: Path, number: int) -> None:
    """Deliver so many chunks of the site, each as a worker would: with one machine at its first address."""
    store = WorkerStore(fleet.as_role("nord"))
    source = source_of(store.site())
    with closing(store.link), closing(JobTaker(fleet.as_role("nord"), "nord")) as taker:
        for taken in islice(taker, number):
            chunk = store.chunk(taken.run, taken.number)
            body = bundle(folder / f"{taken.number}.db", source, chunk)
            for _ in range(2):
                assert store.deliver(taken.hold, taken.run, taken.number, body)
            taker.done(taken)


def bundle(file: Path, source: SiteSource, chunk: Chunk) -> bytes:
    """What a worker learns of a chunk."""
    first, stream = chunk.spans[0][0], io.BytesIO()
    with open_inventory(f"sqlite:///{file}", create=True) as inventory:
        recorder = Recorder(
            inventory,
            source.file,
            profile="clinical",
            scope="Nord",
            versions={"fleet": key_of(chunk.run, chunk.number)},
            started=NOON,
            digest=source.digest,
            spans=chunk.spans,
        )
        recorder.record(host(address_of(first), "Ward", XP))
        for low, high in chunk.spans:
            for number in range(low, high + 1):
                recorder.visited(number)
        recorder.finish("done", {"addresses": 4}, ended=NOON)
        write_bundle(inventory, recorder.scan_id, stream)
    return stream.getvalue()


def rounds(fleet: Fleet, number: int) -> None:
    """So many rounds of a centre that has just been started."""
    with CentreStore(fleet.url) as store, open_inventory(fleet.url) as inventory:
        centre = Centre(store, inventory, JobDispatcher(fleet.url))
        centre.demand_alone()
        for _ in range(number):
            centre.round()


def whole(fleet: Fleet, folder: Path) -> Known:
    """A run from its beginning to its end; what is known then."""
    run = fleet.ask("nord", chunk=4)
    assert run.chunks == 4
    rounds(fleet, 1)
    deliver(fleet, folder, 4)
    rounds(fleet, 2)
    assert fleet.state(run.id) is RunState.DONE
    return known(fleet.url)


def test_a_run_is_one_scan(one_site: Fleet, tmp_path: Path) -> None:
    found = whole(one_site, tmp_path)
    assert len(found.visited) == 16
    assert {row[1] for row in found.machines} == {f"127.99.0.{last}" for last in (0, 4, 8, 12)}
    assert set(found.machines.values()) == set(found.observations.values()) == {1}
    ((counts,),) = one_site.rows("SELECT counts FROM scans")
    assert json.loads(counts)["visited"] == json.loads(counts)["addresses"] == 16
    rounds(one_site, 2)
    assert differences(known(one_site.url), found) == {}


@pytest.mark.parametrize(
    ("step", "after"),
    [
        *(("enqueue", True), ("set_scan", False), ("mark_taken", False)),
        *(("set_state", True), ("end", False), ("end", True)),
    ],
)
def test_a_centre_that_is_killed_loses_and_doubles_nothing(
    one_site: Fleet, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str, *, after: bool
) -> None:
    """At its first call, and at each one after: whoever comes next finds what is done, and does the rest."""
    original = getattr(STEPS[step], step)
    killed: list[str] = []

    def kill(*given: Any, **named: Any) -> Any:  # noqa: ANN401 - as whatever is killed
        if after:
            original(*given, **named)
        if len(killed) % 2 == 0:
            killed.append(step)
            raise KilledError
        killed.append("")
        return None if after else original(*given, **named)

    run = one_site.ask("nord", chunk=4)
    monkeypatch.setattr(STEPS[step], step, kill)
    _until_done(one_site, 1)
    deliver(one_site, tmp_path, 4)
    _until_done(one_site, 2)
    assert step in killed
    assert one_site.state(run.id) is RunState.DONE
    found = known(one_site.url)
    assert len(found.visited) == 16
    assert len(found.machines) == 4
    assert set(found.machines.values()) == set(found.observations.values()) == {1}
    assert [scan[1] for scan in found.scans] == ["done"]
    jobs = one_site.rows("SELECT args->'number', attempts FROM jobs.procrastinate_jobs ORDER BY 1")
    assert jobs == [(number, 1) for number in (1, 2, 3, 4)]


def _until_done(fleet: Fleet, number: int) -> None:
    for _ in range(20):
        try:
            return rounds(fleet, number)
        except KilledError:
            continue
    raise AssertionError("it never got through")


def test_a_bundle_that_is_none_ends_the_run_and_harms_no_other(one_site: Fleet, tmp_path: Path) -> None:
    run = one_site.ask("nord", chunk=4)
    rounds(one_site, 1)
    deliver(one_site, tmp_path, 2)
    one_site.rows("UPDATE fleet.deliveries SET body = 'damaged' WHERE number = 1 RETURNING 1")
    rounds(one_site, 2)
    assert one_site.state(run.id) is RunState.FAILED
    assert one_site.rows("SELECT number FROM fleet.deliveries WHERE taken IS NULL") == []
    assert not JobDispatcher(one_site.url).busy(), "what nobody had begun is taken back"
    assert len(known(one_site.url).machines) == 1


def test_chunks_that_were_given_up_end_the_run_as_failed(one_site: Fleet, tmp_path: Path) -> None:
    run = one_site.ask("nord", chunk=4)
    rounds(one_site, 1)
    deliver(one_site, tmp_path, 3)
    one_site.rows("UPDATE jobs.procrastinate_jobs SET status = 'failed' WHERE status = 'todo' RETURNING 1")
    rounds(one_site, 2)
    assert one_site.rows("SELECT state, says FROM fleet.runs") == [("failed", "given up: chunk 4")]
    assert one_site.rows("SELECT state FROM scans") == [("failed",)]
    assert len(known(one_site.url).machines) == 3
    assert one_site.state(run.id) is RunState.FAILED


def test_another_site_file_ends_what_was_cut_by_the_old_one(one_site: Fleet) -> None:
    run = one_site.ask("nord", chunk=4)
    rounds(one_site, 1)
    site = one_site.store.sites.one("nord")
    text = site.text + b"\n# changed\n"
    one_site.replace_site("nord", text)
    rounds(one_site, 2)
    assert one_site.state(run.id) is RunState.FAILED
    assert not JobDispatcher(one_site.url).busy()


def test_when_a_run_ends_whoever_wants_to_know_is_told(one_site: Fleet, tmp_path: Path) -> None:
    with mail_server(Mailbox()) as box:
        rules = f"\n{rule('new-unsupported')}\n{mail(box.port)}\n"
        one_site.replace_site("nord", one_site.store.sites.one("nord").text + rules.encode())
        whole(one_site, tmp_path)
        until(lambda: box.mails)
        until(lambda: one_site.rows("SELECT 1 FROM alarm_deliveries WHERE sent IS NOT NULL"))
    (letter,) = box.letters()
    assert "4" in letter.get_content()


def test_two_centres_are_one_too_many(one_site: Fleet) -> None:
    with CentreStore(one_site.url) as store, open_inventory(one_site.url) as inventory:
        Centre(store, inventory, JobDispatcher(one_site.url)).demand_alone()
        code, _, said = run_inside("fleet", "run", "--once", cwd=one_site.folder, VETUSTE_DB=one_site.url)
        assert (code, len(said.splitlines())) == (3, 1)
        assert "another vetuste fleet run" in said
    assert run_inside("fleet", "run", "--once", cwd=one_site.folder, VETUSTE_DB=one_site.url) == (0, "", "")


def test_a_centre_of_another_version_does_nothing(one_site: Fleet) -> None:
    one_site.rows("UPDATE fleet.centre SET version = '99.0' RETURNING 1")
    code, _, said = run_inside("fleet", "run", cwd=one_site.folder, VETUSTE_DB=one_site.url)
    assert (code, len(said.splitlines())) == (2, 1)
    assert "99.0" in said
