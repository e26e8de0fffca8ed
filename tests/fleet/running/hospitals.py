"""A centre, its workers and a simulated hospital on loopback: each a process, as at a real group."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from scanner.fleet import planning
from scanner.fleet.centre_store import CentreStore
from scanner.fleet.engine import apply_schema
from scanner.fleet.model import FleetSite, Run, RunState
from scanner.fleet.planning import source_of
from scanner.fleet.roles import make_role
from scanner.fleet.schema import install
from scanner.inventory import open_inventory
from scanner.scan import Request
from tests.cli.process import environment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_ROOT = Path(__file__).parents[3]
PATIENCE = 60.0
"""Seconds after which something that a test waits for will not happen."""


def until(
    condition: Callable[[], Any], what: Callable[[], str] = str, living: Sequence[subprocess.Popen[str]] = ()
) -> None:
    """Wait for something that other processes bring about."""
    patience = time.monotonic() + PATIENCE
    while not condition():
        for process in living:
            assert process.poll() is None, f"{process.args!r} ended with {process.returncode}"
        assert time.monotonic() < patience, what()
        time.sleep(0.05)


@dataclass
class Fleet:
    """A centre's database, and everything that runs against it."""

    url: str
    folder: Path
    store: CentreStore
    prefix: tuple[str, ...] = ()
    """A command line that runs the workers where their hospital is."""
    program: tuple[str, ...] = ("-m", "tests.fleet.running.hurried")
    processes: list[subprocess.Popen[str]] = field(default_factory=list)

    def add_site(self, key: str, text: bytes) -> None:
        """A site and its role, as ``vetuste fleet site add`` makes them."""
        make_role(self.store.link, key, None)
        site = FleetSite(key, text, hashlib.sha256(text).hexdigest())
        self.store.sites.add(site, source_of(site).file.site.name)

    def replace_site(self, key: str, text: bytes, **signatures: bytes) -> None:
        """Another site file for a site, with its signatures by role."""
        site = FleetSite(key, text, hashlib.sha256(text).hexdigest(), signatures)
        self.store.sites.update(site, source_of(site).file.site.name)

    def ask(self, key: str, request: Request | None = None, chunk: int = 32) -> Run:
        """Have a site scanned, in chunks of so many addresses."""
        site = self.store.sites.one(key)
        with open_inventory(self.url) as inventory, patch.object(planning, "CHUNK", chunk):
            return planning.ask(
                self.store, inventory, site, source_of(site).file, (request or Request()).options()
            )

    def as_role(self, role: str) -> str:
        """The database's URL for somebody else."""
        return f"{self.url}&user={role}"

    def start(self, *words: str, **changes: str) -> subprocess.Popen[str]:
        """A command of the product, as a process of its own."""
        log = (self.folder / f"{words[0]}-{len(self.processes)}.log").open("w+", encoding="utf-8")
        with log:
            process = subprocess.Popen(
                [*self.prefix, sys.executable, *self.program, *words, "-v"],
                cwd=_ROOT,
                env=environment(**changes),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                text=True,
            )
        self.processes.append(process)
        return process

    def worker(self, key: str, state: str = "state", *words: str, centre: str = "") -> subprocess.Popen[str]:
        """A worker of a site."""
        folder = self.folder / state
        url = centre or self.as_role(key)
        return self.start("worker", "--site", key, "--state", str(folder), *words, VETUSTE_CENTRE=url)

    def centre(self, *words: str) -> subprocess.Popen[str]:
        """The centre's loop."""
        return self.start("fleet", "run", *words, VETUSTE_DB=self.url)

    def state(self, run: int) -> RunState:
        """How a run stands."""
        return self.store.runs.one(run).state

    def finish(self, run: int, state: RunState = RunState.DONE) -> None:
        """Wait until a run has ended so, and is closed in the inventory."""
        until(lambda: self.state(run) in {state, RunState.FAILED}, self.said)
        assert self.state(run) is state, self.said()
        scan = self.store.runs.one(run).scan
        if scan is not None:
            until(lambda: not self.rows(f"SELECT 1 FROM scans WHERE id = {scan} AND state = 'running'"))  # noqa: S608 - a number

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of the centre's database."""
        return self.store.link.rows(sql)

    def said(self) -> str:
        """What every process said."""
        return "\n".join(f"{log.name}: {log.read_text()}" for log in sorted(self.folder.glob("*.log")))

    def end(self) -> None:
        """End everything that still runs."""
        for process in self.processes:
            process.kill()
            process.wait()


@contextmanager
def fleet(url: str, folder: Path, prefix: tuple[str, ...] = ()) -> Iterator[Fleet]:
    """A centre in an inventory's database."""
    install(url, apply_schema)
    with CentreStore(url) as store:
        made = Fleet(url, folder, store, prefix)
        try:
            yield made
        finally:
            made.end()
