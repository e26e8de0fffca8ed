"""What can be done with a worker's credentials: everything is tried, and only its own site is reached.

Not proven here, and said in docs/fleet.md: that they may send notifications, keep their connections busy, and
see names of roles and tables, which PostgreSQL shows to everybody.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg import errors, sql

from scanner.fleet.model import Hold
from scanner.fleet.worker_store import WorkerStore
from tests.fleet.centres import as_role, take

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.fleet.centres import Centre

Thief = psycopg.Connection[tuple[Any, ...]]

DENIED = (errors.InsufficientPrivilege,)

UPDATE = "UPDATE jobs.procrastinate_jobs SET {} WHERE status = '{}'"
PROGRESS = (
    "INSERT INTO fleet.progress (run, number, site, visited, total, seen, attempts) VALUES ({}, 0, 0, 0, 0)"
)
DELIVERY = "INSERT INTO fleet.deliveries (run, number, site, job, attempt, body{}) VALUES ({})"

WRITTEN = {"fleet.deliveries", "fleet.progress", "jobs.procrastinate_jobs", "jobs.procrastinate_workers"}
READ = WRITTEN | {"fleet.centre", "fleet.sites", "fleet.runs", "fleet.chunks"}


@pytest.fixture(scope="module")
def secrets(centre: Centre) -> dict[str, int]:
    """Runs of both sites, each with a chunk delivered, one under way and one waiting."""
    made = {site: centre.add_run(site, chunks=3) for site in ("north", "south")}
    for site in made:
        worker = WorkerStore(as_role(centre.dsn, site))
        for _ in range(2):
            hold, run, number = take(worker, site)
            if number == 1:
                assert worker.deliver(hold, run, number, f"secret of {site}".encode())
                worker.link.rows("SELECT procrastinate_finish_job_v1(%s, 'succeeded', false)", (hold.job,))
        worker.link.close()
    centre.store.plans.add("south", "daily 22:00", "UTC", {"targets": ["10.1.0.0/24"]})
    return made


@pytest.fixture
def thief(centre: Centre, secrets: dict[str, int]) -> Iterator[Thief]:
    """Somebody with north's credentials and a client of their own; nothing of what they did is kept."""
    assert secrets
    with psycopg.connect(as_role(centre.dsn, "north"), autocommit=False) as connection:
        connection.execute("SET search_path = jobs")
        connection.commit()
        yield connection
        connection.rollback()


def tables(centre: Centre) -> list[str]:
    return [
        name
        for (name,) in centre.store.link.rows(
            "SELECT relnamespace::regnamespace || '.' || quote_ident(relname) FROM pg_class"
            " WHERE relkind IN ('r', 'v', 'p', 'm', 'f') AND relnamespace::regnamespace::text"
            " IN ('public', 'jobs', 'fleet') ORDER BY 1"
        )
    ]


def columns(centre: Centre, table: str) -> list[str]:
    rows = centre.store.link.rows(
        "SELECT attname FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        (table,),
    )
    return [name for (name,) in rows]


def denied(thief: Thief, statement: str, *values: object) -> bool:
    """Whether it is refused, or reaches no row."""
    try:
        with thief.transaction(force_rollback=True):
            cursor = thief.execute(statement.encode(), values or None)
            return cursor.rowcount == 0
    except DENIED:
        return True


def copied(thief: Thief, table: str) -> bytes:
    """What COPY gives of a table, which may be nothing."""
    try:
        with thief.transaction(), thief.cursor().copy(f"COPY {table} TO STDOUT".encode()) as copying:
            return b"".join(bytes(part) for part in copying)
    except DENIED:
        return b""


def test_tables_are_all_known(centre: Centre) -> None:
    assert {name for name in tables(centre) if name.startswith("fleet.")} > {"fleet.plans", "fleet.sites"}
    assert len([name for name in tables(centre) if name.startswith("public.")]) > 10
    assert len([name for name in tables(centre) if name.startswith("jobs.")]) == 4


def test_no_whole_table_may_be_read_written_locked_or_emptied(centre: Centre, thief: Thief) -> None:
    """Rights are columns' rights: what needs one to a table is refused for each of them."""
    may = "SELECT has_table_privilege('north', %s, %s)"
    verbs = ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER")
    for table in tables(centre):
        assert not [verb for verb in verbs if centre.store.link.rows(may, (table, verb))[0][0]], table
        for statement in (
            *("DELETE FROM {}", "TRUNCATE {}", "TRUNCATE {} CASCADE", "DROP TABLE {}", "VACUUM {}"),
            *("LOCK TABLE {} IN ACCESS SHARE MODE", "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE"),
            *("ALTER TABLE {} DISABLE ROW LEVEL SECURITY", "ALTER TABLE {} OWNER TO north"),
            *("ALTER TABLE {} DISABLE TRIGGER ALL", "GRANT ALL ON {} TO north"),
            "CREATE POLICY mine ON {} USING (true)",
        ):
            with pytest.raises((*DENIED, errors.ActiveSqlTransaction)), thief.transaction():
                thief.execute(statement.format(table).encode())


def test_columns_are_read_and_written_as_they_are_needed_and_no_more(centre: Centre) -> None:
    may = "SELECT has_column_privilege('north', %s, %s, %s)"
    granted = {
        (table, verb): {
            name for name in columns(centre, table) if centre.store.link.rows(may, (table, name, verb))[0][0]
        }
        for table in tables(centre)
        for verb in ("SELECT", "INSERT", "UPDATE", "REFERENCES")
    }
    found = {key: names for key, names in granted.items() if names}
    assert {table for table, _ in found} == READ
    assert {table for table, verb in found if verb != "SELECT"} == WRITTEN
    assert not {table for table, verb in found if verb == "REFERENCES"}
    assert "body" not in found["fleet.deliveries", "SELECT"]
    assert ("fleet.deliveries", "UPDATE") not in found
    assert ("jobs.procrastinate_jobs", "INSERT") not in found
    assert not found["jobs.procrastinate_jobs", "UPDATE"] & {"id", "queue_name_", "args", "task_name"}
    assert found["jobs.procrastinate_workers", "INSERT"] == {"last_heartbeat"}


def test_of_every_table_only_own_rows_are_seen(centre: Centre, thief: Thief) -> None:
    """Each column that may be read is read: nothing of it is south's."""
    for table in tables(centre):
        for column in columns(centre, table):
            name = sql.Identifier(*table.split(".")), sql.Identifier(column)
            try:
                with thief.transaction():
                    rows = thief.execute(sql.SQL("SELECT {1}::text FROM {0}").format(*name)).fetchall()
            except DENIED:
                continue
            assert table in READ, (table, column)
            assert "south" not in json.dumps(rows), (table, column)
        assert b"south" not in copied(thief, table), table
    assert {row[0] for row in thief.execute("SELECT site FROM fleet.runs")} == {"north"}
    assert {row[0] for row in thief.execute("SELECT queue_name FROM jobs.procrastinate_jobs")} == {"north"}


def test_other_sites_rows_are_not_changed(centre: Centre, thief: Thief, secrets: dict[str, int]) -> None:
    before = centre.store.link.rows("SELECT to_jsonb(j) FROM jobs.procrastinate_jobs j ORDER BY id")
    run = secrets["south"]
    for statement in (
        UPDATE.format("attempts = attempts + 1", "doing' AND queue_name = 'south"),
        "UPDATE jobs.procrastinate_jobs SET status = 'failed' WHERE lock = 'site:south'",
        "UPDATE jobs.procrastinate_workers SET last_heartbeat = 'epoch' WHERE site = 'south'",
        "SELECT id FROM jobs.procrastinate_jobs WHERE queue_name = 'south' FOR UPDATE",
        "SELECT id FROM jobs.procrastinate_jobs WHERE queue_name = 'south' FOR SHARE",
        "UPDATE fleet.progress SET visited = 0 WHERE site = 'south'",
        "SELECT id FROM procrastinate_fetch_job_v2(ARRAY['south']::varchar[], 1) WHERE id IS NOT NULL",
        PROGRESS.format(f"{run}, 1, 'south'"),
        DELIVERY.format("", f"{run}, 2, 'south', 1, 0, ''"),
    ):
        assert denied(thief, statement), statement
    # with its own name on another site's chunk, the key to the chunk itself refuses
    with pytest.raises(errors.ForeignKeyViolation), thief.transaction():
        thief.execute(PROGRESS.format(f"{run}, 1, 'north'").encode())
    theirs = centre.store.link.rows("SELECT id FROM jobs.procrastinate_workers WHERE site = 'south'")
    for (worker,) in theirs:
        thief.execute("SELECT procrastinate_update_heartbeat_v1(%s)", (worker,))
        thief.execute("SELECT procrastinate_unregister_worker_v1(%s)", (worker,))
        thief.execute("SELECT procrastinate_prune_stalled_workers_v1(-1000)")
    thief.commit()
    assert centre.store.link.rows("SELECT id FROM jobs.procrastinate_workers WHERE site = 'south'") == theirs
    rows = centre.store.link.rows("SELECT to_jsonb(j) FROM jobs.procrastinate_jobs j ORDER BY id")
    south = [row for row in rows if row[0]["queue_name"] == "south"]
    assert south == [row for row in before if row[0]["queue_name"] == "south"]


@pytest.mark.parametrize(
    "change",
    [
        "queue_name = 'south'",
        "lock = 'site:south'",
        "lock = NULL",
        "priority = 1000",
        "attempts = attempts + 1",
        "attempts = 0, status = 'todo'",
        "attempts = attempts - 1, status = 'failed'",
        "status = 'todo'",
        "worker_id = NULL",
        "abort_requested = true",
        "status = 'todo', attempts = attempts + 1, queue_name = 'south'",
        "status = 'todo', attempts = attempts + 1, lock = 'mine'",
        "status = 'cancelled', attempts = attempts + 1",
    ],
)
def test_of_an_own_job_that_is_held_nothing_else_is_changed(thief: Thief, change: str) -> None:
    with pytest.raises(DENIED), thief.transaction():
        thief.execute(UPDATE.format(change, "doing").encode())


@pytest.mark.parametrize("column", ["id", "args", "task_name", "queueing_lock"])
def test_what_a_job_is_about_is_not_changed(thief: Thief, column: str) -> None:
    with pytest.raises(DENIED), thief.transaction():
        thief.execute(UPDATE.format(f"{column} = DEFAULT", "doing").encode())


@pytest.mark.parametrize(
    ("of", "change"),
    [
        ("todo", "status = 'succeeded', attempts = attempts + 1"),
        ("todo", "status = 'doing'"),  # with no worker that could be known as dead
        ("todo", "attempts = 99"),
        ("succeeded", "status = 'todo', attempts = attempts + 1"),
        ("succeeded", "status = 'doing'"),
    ],
)
def test_jobs_that_are_not_held_stay_as_they_are(thief: Thief, of: str, change: str) -> None:
    with pytest.raises(DENIED), thief.transaction():
        thief.execute(UPDATE.format(change, of).encode())


def test_a_wait_is_not_put_on_the_lock_of_a_site(thief: Thief) -> None:
    """A job given back with a time of its own has none: it would keep every other of the site."""
    (job,) = thief.execute("SELECT id FROM jobs.procrastinate_jobs WHERE status = 'doing'").fetchone() or (0,)
    thief.execute(
        "SELECT procrastinate_retry_job_v2(%s, now() + interval '1 year', NULL, NULL, NULL)", (job,)
    )
    left = thief.execute("SELECT status, scheduled_at FROM procrastinate_jobs WHERE id = %s", (job,))
    assert left.fetchone() == ("todo", None)


@pytest.mark.parametrize(
    "call",
    [
        (
            "SELECT procrastinate_defer_jobs_v1(ARRAY["
            "('north', 'scan', 0, NULL, NULL, '{}', NULL)]::procrastinate_job_to_defer_v1[])"
        ),
        "SELECT procrastinate_defer_periodic_job_v2('north', '', '', 'scan', 0, '', 0, '{}')",
        "SELECT procrastinate_cancel_job_v1(id, true, true) FROM procrastinate_jobs",
        (
            "SELECT procrastinate_finish_job_v1(id, 'succeeded', true)"
            " FROM procrastinate_jobs WHERE status = 'doing'"
        ),
        (
            "SELECT procrastinate_finish_job_v1(id, 'succeeded', false)"
            " FROM procrastinate_jobs WHERE status = 'todo'"
        ),
        (
            "SELECT procrastinate_retry_job_v2(id, NULL, NULL, 'south', 'site:south')"
            " FROM procrastinate_jobs WHERE status = 'doing'"
        ),
        (
            "SELECT procrastinate_retry_job_v2(id, NULL, 9, NULL, NULL)"
            " FROM procrastinate_jobs WHERE status = 'doing'"
        ),
        "INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('north', 'scan')",
        "INSERT INTO procrastinate_events (job_id, type) SELECT id, 'failed' FROM procrastinate_jobs",
        "INSERT INTO procrastinate_workers (site) VALUES ('south')",
        "SELECT nextval('procrastinate_jobs_id_seq')",
        "SELECT setval('procrastinate_events_id_seq', 1)",
        "SELECT fleet.may_let_go('south')",
    ],
)
def test_the_engine_does_nothing_else_for_a_site(thief: Thief, call: str) -> None:
    with pytest.raises(DENIED), thief.transaction():
        thief.execute(call.encode())


def test_only_what_is_held_is_delivered_once_and_of_a_size(thief: Thief, secrets: dict[str, int]) -> None:
    run = secrets["north"]
    rows = thief.execute(
        "SELECT (args->>'number')::int, id, attempts FROM jobs.procrastinate_jobs"
    ).fetchall()
    jobs = {number: Hold(job, attempt) for number, job, attempt in rows}
    insert = (
        "INSERT INTO fleet.deliveries (run, number, site, job, attempt, body)"
        " VALUES (%s, %s, 'north', %s, %s, convert_to(repeat('x', %s), 'UTF8'))"
    )
    held, waiting, done = jobs[2], jobs[3], jobs[1]
    refused: list[tuple[type[Exception] | tuple[type[Exception], ...], tuple[int, ...]]] = [
        (DENIED, (run, 3, waiting.job, waiting.attempt, 1)),  # nobody took it
        (DENIED, (run, 3, held.job, held.attempt, 1)),  # another chunk's job
        (DENIED, (run, 2, held.job, held.attempt + 1, 1)),  # an attempt that is not this one
        (DENIED, (run, 1, done.job, done.attempt, 1)),
        (DENIED, (secrets["south"], 2, held.job, held.attempt, 1)),
        (errors.CheckViolation, (run, 2, held.job, held.attempt, (1 << 24) + 1)),
    ]
    for refusal, values in refused:
        with pytest.raises(refusal), thief.transaction():
            thief.execute(insert, values)
    thief.execute(insert, (run, 2, held.job, held.attempt, 1))
    with pytest.raises(errors.UniqueViolation), thief.transaction():
        thief.execute(insert, (run, 2, held.job, held.attempt, 1))
    with pytest.raises(DENIED), thief.transaction():
        thief.execute("SELECT body FROM fleet.deliveries")


@pytest.mark.parametrize("column", ["sent", "taken"])
def test_when_it_was_delivered_and_recorded_is_the_centres_to_say(thief: Thief, column: str) -> None:
    with pytest.raises(DENIED), thief.transaction():
        thief.execute(DELIVERY.format(f", {column}", "1, 1, 'north', 1, 0, '', now()").encode())


def test_a_sign_of_life_is_of_now_and_workers_are_few(thief: Thief) -> None:
    sign = "INSERT INTO jobs.procrastinate_workers (last_heartbeat)"
    told = thief.execute(f"{sign} VALUES ('infinity') RETURNING last_heartbeat <= now()".encode())
    assert told.fetchone() == (True,)
    thief.execute("UPDATE jobs.procrastinate_workers SET last_heartbeat = 'infinity'")
    assert thief.execute(
        "SELECT count(*) FROM jobs.procrastinate_workers WHERE last_heartbeat > now()"
    ).fetchone() == (0,)
    many = f"{sign} SELECT now() FROM generate_series(1, 100)"  # noqa: S608 - constants
    with pytest.raises(DENIED), thief.transaction():
        thief.execute(many.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE public.mine ()",
        "CREATE TABLE jobs.mine ()",
        "CREATE TABLE fleet.mine ()",
        "CREATE TEMPORARY TABLE mine ()",
        "CREATE SCHEMA mine",
        "CREATE FUNCTION jobs.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE EXTENSION dblink",
        "CREATE ROLE mine",
        "CREATE DATABASE mine",
        "CREATE LANGUAGE plperl",
        "CREATE SERVER mine FOREIGN DATA WRAPPER mine",
        "CREATE PUBLICATION mine FOR ALL TABLES",
        "CREATE EVENT TRIGGER mine ON ddl_command_start EXECUTE FUNCTION fleet.guard_job()",
        "SELECT lo_create(0)",
        "SELECT lo_creat(-1)",
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT lo_import('/etc/passwd')",
        "SELECT pg_read_file('/etc/passwd')",
        "SELECT pg_read_binary_file('postgresql.conf')",
        "SELECT pg_ls_dir('.')",
        "SELECT pg_stat_file('postgresql.conf')",
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_advisory_xact_lock(hashtext('vetuste public'), 0)",
        "SELECT pg_try_advisory_lock_shared(1, 2)",
        "SELECT pg_logical_emit_message(false, 'x', 'y')",
        "COPY (SELECT 1) TO '/tmp/x'",
        "COPY (SELECT 1) TO PROGRAM 'id'",
        "COPY fleet.progress FROM PROGRAM 'id'",
        "SELECT * FROM pg_authid",
        "SELECT * FROM pg_shadow",
        "SELECT * FROM pg_statistic",
        "SELECT * FROM pg_hba_file_rules",
        "SELECT * FROM pg_largeobject",
        "SET ROLE postgres",
        "SET ROLE south",
        "SET SESSION AUTHORIZATION south",
        "SET row_security = off; SELECT key FROM fleet.sites",
        "SET session_replication_role = replica",
        "ALTER ROLE north CREATEROLE",
        "ALTER ROLE north BYPASSRLS",
        "ALTER ROLE north CONNECTION LIMIT -1",
        "ALTER ROLE south PASSWORD 'x'",
        "ALTER ROLE vetuste_site LOGIN",
        "GRANT vetuste_site TO south",
        "GRANT south TO north",
        "ALTER SYSTEM SET fsync = off",
        "SELECT pg_reload_conf()",
        "SELECT pg_switch_wal()",
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename <> current_user",
        "SELECT * FROM public.assets",
        "SELECT * FROM public.observations",
        "INSERT INTO public.scans DEFAULT VALUES",
    ],
)
def test_nothing_else_of_the_server_is_reached(thief: Thief, statement: str) -> None:
    refusals = (
        *DENIED,
        errors.UndefinedTable,
        errors.UndefinedFile,
        errors.UndefinedObject,
        errors.FeatureNotSupported,
        errors.ActiveSqlTransaction,
    )
    with pytest.raises(refusals), thief.transaction():
        thief.execute(statement.encode())


def test_nothing_is_heard_of_other_sites_jobs(centre: Centre) -> None:
    with psycopg.connect(as_role(centre.dsn, "north"), autocommit=True) as listening:
        for channel in ("procrastinate_any_queue_v1", "procrastinate_queue_v1#south", "told"):
            listening.execute(sql.SQL("LISTEN {}").format(sql.Identifier(channel)))
        centre.add_run("south", chunks=1)
        centre.store.link.rows("NOTIFY told")
        heard = [notice.channel for notice in listening.notifies(timeout=10, stop_after=1)]
    assert heard == ["told"]


def test_as_the_group_nothing_is_seen_at_all(thief: Thief) -> None:
    thief.execute("SET ROLE vetuste_site")
    for seen in ("key FROM fleet.sites", "run FROM fleet.chunks", "id FROM procrastinate_jobs"):
        assert thief.execute(f"SELECT {seen}".encode()).fetchall() == []


def test_nobody_but_members_of_the_group_comes_in(centre: Centre) -> None:
    may = "SELECT has_database_privilege(%s, current_database(), %s)"
    assert centre.store.link.rows(may, ("north", "CONNECT"))[0][0]
    for right in ("CREATE", "TEMPORARY"):
        assert not centre.store.link.rows(may, ("north", right))[0][0]
    assert not centre.store.link.rows(
        "SELECT has_database_privilege('public', current_database(), 'CONNECT')"
    )[0][0]
