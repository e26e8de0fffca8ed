from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from scanner.fleet.centre_store import CentreStore
from scanner.fleet.schema import administrators_sql, install
from scanner.fleet.worker_store import WorkerStore
from scanner.inventory import open_inventory
from tests.fleet.centres import OWNER, Centre, apply_jobs, as_role, give
from tests.inventory.servers import serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.inventory.servers import Server


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    with serving() as started:
        yield started
        started.drop_all()
        for role in ("north", "south", OWNER, "vetuste_site"):
            started.ask(f"DROP ROLE IF EXISTS {role}")


@pytest.fixture(scope="session")
def owner(server: Server) -> str:
    """The role of a centre: it may make roles of sites, and is no administrator."""
    with psycopg.connect(server.url, autocommit=True) as administrator:
        administrator.execute(f"DROP ROLE IF EXISTS {OWNER}".encode())
        administrator.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE".encode())
        administrator.execute(administrators_sql().encode())
        administrator.execute(f"GRANT vetuste_site TO {OWNER} WITH ADMIN OPTION".encode())
    return OWNER


@pytest.fixture
def empty(server: Server, owner: str) -> Iterator[str]:
    """An empty database of that role."""
    url = server.fresh(empty=True)
    give(server, url, owner)
    yield as_role(url, owner)
    server.drop(url)


@pytest.fixture(scope="module")
def centre(server: Server, owner: str) -> Iterator[Centre]:
    """One for all tests of a module, with an inventory and the sites north and south."""
    url = server.fresh(empty=True)
    give(server, url, owner)
    dsn = as_role(url, owner)
    open_inventory(dsn, create=True).close()
    install(dsn, apply_jobs)
    with psycopg.connect(url, autocommit=True) as administrator:
        administrator.execute(administrators_sql().encode())
    with CentreStore(dsn) as store:
        made = Centre(dsn, store)
        made.add_site("north")
        made.add_site("south")
        yield made
    server.drop(url)


@pytest.fixture
def worker(centre: Centre) -> Iterator[WorkerStore]:
    """The store of a worker at north."""
    store = WorkerStore(as_role(centre.dsn, "north"))
    yield store
    store.link.close()
