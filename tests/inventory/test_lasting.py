"""Whatever is done with an inventory, in whatever order: it holds what a plain model holds, and is sound."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import tempfile
from contextlib import ExitStack, closing, suppress
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from scanner.addresses import address_of, number_of
from scanner.errors import ConfigError
from scanner.inventory import (
    asset_detail,
    assets_rows,
    backup_before_upgrade,
    backup_inventory,
    check_inventory,
    count_rows,
    open_inventory,
    restore_inventory,
    scans_rows,
    upgrade_inventory,
    visited_in,
)
from scanner.inventory.schema import VERSIONS
from tests.inventory.hospital import NOON, RELEASES, TEN, TODAY, XP, attempt, host, recorder, seen

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from scanner.inventory import Inventory
    from tests.inventory.servers import Server

FIRST = number_of("10.0.0.1")
MACHINES = st.sets(st.integers(0, 5), max_size=4)
CLOCKS = st.integers(-400, 400).map(lambda days: NOON + timedelta(days=days))
"""Of this machine, from scan to scan: it jumps back and forth."""


class Life(RuleBasedStateMachine):
    """An inventory, and what must be in it."""

    fresh: Callable[[ExitStack], str]
    """Where the next inventory is to be; made by the test that runs this."""

    @initialize()
    def begin(self) -> None:
        self.end = ExitStack()
        self.folder = Path(self.end.enter_context(tempfile.TemporaryDirectory()))
        self.url = type(self).fresh(self.end)
        self.inventory = open_inventory(self.url, create=True)
        self.heard: dict[int, list[datetime]] = {}
        self.states: list[str] = []
        self.done: list[set[int]] = []
        self.backups = 0

    @rule(machines=MACHINES, at=CLOCKS, ends=st.sampled_from(["done", "failed", "interrupted"]))
    def scan(self, machines: set[int], at: datetime, ends: str) -> None:
        with suppress(RuntimeError, KeyboardInterrupt), recorder(self.inventory, None, at=at) as scan:
            self._visit(scan, machines, at)
            if ends != "done":
                raise RuntimeError if ends == "failed" else KeyboardInterrupt
            scan.settle_phantoms()
        self.states.append(ends)
        self.done.append(machines)

    @rule(one=MACHINES, other=MACHINES, at=CLOCKS)
    def two_scans(self, one: set[int], other: set[int], at: datetime) -> None:
        other = other - one
        with recorder(self.inventory, None, at=at) as first, recorder(self.inventory, None, at=at) as second:
            self._visit(first, one, at)
            self._visit(second, other, at)
        self.states += ["done", "done"]
        self.done += [one, other]

    def _visit(self, scan: Any, machines: set[int], at: datetime) -> None:  # noqa: ANN401 - a recorder
        for machine in machines:
            address = address_of(FIRST + machine)
            said = {"ntlm.netbios_name": (f"PC-{machine}",)}
            scan.record(host(address, "", XP if machine % 2 else TEN, seen(address, said, at=at)))
            scan.sent([attempt(address, at=at)])
            scan.visited(FIRST + machine)
            self.heard.setdefault(machine, []).append(at)

    @rule(at=CLOCKS)
    def resume(self, at: datetime) -> None:
        unfinished = [n for n, state in enumerate(self.states, start=1) if state in ("failed", "interrupted")]
        if unfinished:
            recorder(self.inventory, None, resumed=unfinished[-1]).finish(ended=at)
            self.states[unfinished[-1] - 1] = "done"

    @rule()
    def reopen(self) -> None:
        self.inventory.close()
        self.inventory = open_inventory(self.url)

    @rule()
    def upgrade(self) -> None:
        assert backup_before_upgrade(self.url, TODAY) is None
        assert upgrade_inventory(self.url) == (VERSIONS[-1], VERSIONS[-1])

    @rule()
    def restore(self) -> None:
        """From a backup of now: nothing changes."""
        self.backups += 1
        target = self.folder / f"{self.backups}.backup"
        backup_inventory(self.url, target)
        self.inventory.close()
        with pytest.raises(ConfigError):
            restore_inventory(self.url, target)
        if self.url.startswith("sqlite"):
            restore_inventory(self.url, target, replace=True)
        else:
            self.url = type(self).fresh(self.end)
            restore_inventory(self.url, target)
        self.inventory = open_inventory(self.url)

    @invariant()
    def holds_what_it_must(self) -> None:
        found = {
            asset.address: asset for asset in assets_rows(self.inventory, today=TODAY, releases=RELEASES)
        }
        assert set(found) == {address_of(FIRST + machine) for machine in self.heard}
        for machine, moments in self.heard.items():
            asset = found[address_of(FIRST + machine)]
            assert (asset.first_seen, asset.last_seen) == (min(moments), max(moments))
            assert (asset.name, asset.identity) == (f"PC-{machine}", XP if machine % 2 else TEN)
            detail = asset_detail(self.inventory, str(asset.address), today=TODAY, releases=RELEASES)
            assert sorted(each.at for each in detail.observations) == sorted(moments)
            assert len(detail.ledger) == len(moments)
        rows = count_rows(self.inventory, by=("site",), today=TODAY, releases=RELEASES)
        assert sum(row.seen for row in rows) == len(found)

    @invariant()
    def tells_what_was_done(self) -> None:
        assert [scan.state for scan in reversed(scans_rows(self.inventory))] == self.states
        for number, machines in enumerate(self.done, start=1):
            assert len(visited_in(self.inventory, number)) == len(machines)
        assert check_inventory(self.url).faults == ()

    def teardown(self) -> None:
        if hasattr(self, "end"):
            self.inventory.close()
            self.end.close()


def test_a_long_life(kind: str, request: pytest.FixtureRequest) -> None:
    def fresh(end: ExitStack) -> str:
        if kind == "sqlite":
            return f"sqlite:///{end.enter_context(tempfile.TemporaryDirectory())}/inventory.db"
        server: Server = request.getfixturevalue("server")
        made = server.fresh(empty=True)
        end.callback(server.drop, made)
        return made

    class Lived(Life):
        pass

    Lived.fresh = staticmethod(fresh)
    some = settings(max_examples=5, stateful_step_count=10, suppress_health_check=list(HealthCheck))
    run_state_machine_as_test(Lived, settings=some)


KILLED = """
import os, random, signal, sys
from scanner.inventory import open_inventory
from tests.inventory.hospital import XP, attempt, host, recorder
from sqlalchemy import event
left = int(sys.argv[2])
def count(*_):
    global left
    left -= 1
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
with open_inventory(sys.argv[1]) as inventory:
    for moment in ("before_cursor_execute", "after_cursor_execute", "commit"):
        event.listen(inventory.engine, moment, count)
    with recorder(inventory, None) as scan:
        for n in range(60):
            address = f"10.0.0.{n}"
            scan.record(host(address, "", XP))
            scan.sent([attempt(address)])
            scan.visited((10 << 24) + n)
            if n % 12 == 11:
                scan._writer.write()
                print(n + 1, flush=True)
        scan.settle_phantoms()
"""


@pytest.mark.parametrize("part", range(4))
def test_killed_at_any_statement_nothing_is_lost_and_nothing_doubled(
    inventory: Inventory, url: str, part: int
) -> None:
    at = random.Random(f"statement {part}").randrange(1 + 25 * part, 26 + 25 * part)
    done = subprocess.run(
        [sys.executable, "-c", KILLED, url, str(at)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (-signal.SIGKILL, "")
    written = int(["0", *done.stdout.split()][-1])
    assert check_inventory(url).faults == ()
    found = [asset.address for asset in assets_rows(inventory, today=TODAY, releases=RELEASES)]
    assert len(set(found)) == len(found)
    assert len(found) in (written, written + 12), "whole batches, and each that was said to be written"
    with closing(inventory.connect()) as connection:
        for table, each in (("observations", 1), ("ledger", 1), ("evidence", 2), ("sights", 1)):
            assert connection.execute(f"SELECT count(*) FROM {table}").fetchone() == (len(found) * each,)  # noqa: S608 - names from above
    _until_free(inventory)
    recorder(inventory, None).finish()
    assert scans_rows(inventory)[0].state == "done"
    assert all(scan.state in ("done", "killed") for scan in scans_rows(inventory))


def _until_free(inventory: Inventory) -> None:
    """PostgreSQL hears of a death a moment later."""
    for scan in scans_rows(inventory):
        while inventory.database.lock(scan.id).held():
            pass
