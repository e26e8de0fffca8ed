"""A centre on the tests' own PostgreSQL, with two sites that know nothing of each other."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg
from procrastinate.schema import SchemaManager
from psycopg.conninfo import conninfo_to_dict

from scanner.fleet.model import FleetSite, Hold
from scanner.fleet.roles import make_role

if TYPE_CHECKING:
    from scanner.fleet.centre_store import CentreStore
    from scanner.fleet.worker_store import WorkerStore
    from tests.inventory.servers import Server

OWNER = "vetuste_owner"


def apply_jobs(dsn: str) -> None:
    """Procrastinate's own tables, as it ships them."""
    with psycopg.connect(dsn, options="-c search_path=jobs") as connection:
        there = connection.execute("SELECT to_regclass('procrastinate_jobs')").fetchone()
        if there == (None,):
            connection.execute(SchemaManager.get_schema())


def as_role(url: str, role: str) -> str:
    """The same database, for somebody else."""
    told = {name: str(value) for name, value in conninfo_to_dict(url).items() if value}
    words = "&".join(f"{name}={value}" for name, value in {**told, "user": role}.items() if name != "dbname")
    return f"postgresql:///{told['dbname']}?{words}"


def give(server: Server, url: str, role: str) -> None:
    """Let a role own a database."""
    server.ask(f'ALTER DATABASE "{conninfo_to_dict(url)["dbname"]}" OWNER TO {role}')


@dataclass
class Centre:
    """A centre, and the sites that it has."""

    dsn: str
    store: CentreStore

    def add_site(self, key: str) -> None:
        make_role(self.store.link, key, None)
        self.store.sites.add(FleetSite(key, f'[site]\nname = "{key}"\n'.encode(), f"digest of {key}"), key)

    def add_run(self, site: str, chunks: int = 2) -> int:
        """A run, each of whose chunks has a job, as the engine makes it."""
        spans = [[(number * 256, number * 256 + 255)] for number in range(chunks)]
        run = self.store.runs.add(site, {"targets": []}, f"digest of {site}", spans).id
        for number in range(1, chunks + 1):
            self.store.link.rows(
                "INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, lock, args) VALUES"
                " (%s, 'scan', %s, jsonb_build_object('run', %s::bigint, 'number', %s::int))",
                (site, f"site:{site}", run, number),
            )
        return run


def take(worker: WorkerStore, site: str = "north") -> tuple[Hold, int, int]:
    """Take a job as Procrastinate's own worker does: the hold, its run and its number."""
    worker.link.script("SET search_path = jobs")
    ((number,),) = worker.link.rows("SELECT worker_id FROM procrastinate_register_worker_v1()")
    sql = "SELECT id, attempts, args FROM procrastinate_fetch_job_v2(ARRAY[%s]::varchar[], %s)"
    job, attempts, told = worker.link.rows(sql, (site, number))[0]
    return Hold(job, attempts), told["run"], told["number"]
