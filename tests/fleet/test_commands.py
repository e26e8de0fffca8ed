"""The centre's commands, as an operator gives them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import psycopg
import pytest

from scanner.fleet.link import Link
from scanner.fleet.model import Progress
from scanner.fleet.worker_store import WorkerStore
from tests.cli.process import run
from tests.fleet.centres import OWNER, as_role, give

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.fleet.centres import Centre
    from tests.inventory.servers import Server

SITE = """[site]
name = "Hôpital Nord"

[[ward]]
name = "Cardiologie"
owner = "DSI"
subnets = ["10.20.0.0/24"]
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("centre")
    (made / "nord.toml").write_text(SITE, "utf-8")
    (made / "sud.toml").write_text(SITE.replace("Nord", "Sud"), "utf-8")
    return made


@pytest.fixture(scope="module")
def url(server: Server, owner: str, folder: Path) -> Iterator[str]:
    """A centre that was made by command, with the sites nord and sud."""
    made = server.fresh(empty=True)
    give(server, made, owner)
    told = as_role(made, owner)
    code, out, err = run("fleet", "init", cwd=folder, VETUSTE_DB=told)
    assert (code, out.startswith("The centre is ready")) == (0, True), err
    assert "--print-sql" in err
    sql = said(folder, told, "init", "--print-sql")
    with psycopg.connect(made, autocommit=True) as administrator:
        administrator.execute(sql.encode())
    assert run("fleet", "init", cwd=folder, VETUSTE_DB=told)[2] == ""
    said(folder, told, "site", "add", "nord.toml", "--key", "nord")
    yield told
    server.drop(made)
    for role in ("nord", "sud"):
        server.ask(f"DROP ROLE IF EXISTS {role}")


def said(folder: Path, url: str, *words: str, **variables: str) -> str:
    """What a command that goes well prints."""
    code, out, err = run("fleet", *words, cwd=folder, stdin=b"", VETUSTE_DB=url, **variables)
    assert code == 0, err
    return out


def complaint(folder: Path, url: str, *words: str, **variables: str) -> str:
    """What one that is wrong says: one line, exit code 2."""
    code, out, err = run("fleet", *words, cwd=folder, stdin=b"", VETUSTE_DB=url, **variables)
    assert (code, out) == (2, ""), err
    assert err.count("\n") == 1 or "Usage" in err, err
    return err


def verifier(url: str, role: str) -> str:
    with psycopg.connect(as_role(url, "postgres")) as administrator:
        row = administrator.execute(
            "SELECT rolpassword FROM pg_authid WHERE rolname = %s", (role,)
        ).fetchone()
    return "" if row is None or row[0] is None else str(row[0])


def test_a_site_is_added_with_a_certificate_or_a_password(folder: Path, url: str) -> None:
    assert verifier(url, "nord") == ""
    password = said(folder, url, "site", "add", "sud.toml", "--key", "sud", "--password").strip()
    assert len(password) == 32
    first = verifier(url, "sud")
    assert first.startswith("SCRAM-SHA-256$")
    chosen = "a password of the group's"
    out = said(folder, url, "site", "update", "sud.toml", "--key", "sud", "--password-env", "P", P=chosen)
    assert out == ""
    assert verifier(url, "sud") not in {"", first}
    listed = json.loads(said(folder, url, "site", "list", "--json"))
    assert [(site["key"], site["name"], site["paused"]) for site in listed] == [
        ("nord", "Hôpital Nord", False),
        ("sud", "Hôpital Sud", False),
    ]
    assert "Sites: 2." in said(folder, url, "site", "list")
    said(folder, url, "site", "remove", "sud")
    with psycopg.connect(url) as owner:
        assert owner.execute("SELECT 1 FROM pg_roles WHERE rolname = 'sud'").fetchone() is None


def test_a_site_is_paused_and_goes_on(folder: Path, url: str) -> None:
    said(folder, url, "site", "pause", "nord")
    assert json.loads(said(folder, url, "site", "list", "--json"))[0]["paused"]
    said(folder, url, "site", "resume", "nord")
    assert not json.loads(said(folder, url, "site", "list", "--json"))[0]["paused"]


def test_a_plan_is_kept_as_it_was_asked_for(folder: Path, url: str) -> None:
    words = ("--every", "daily 02:30", "--tz", "Europe/Paris", "--exclude", "10.20.0.7", "--rate", "5")
    code, out, err = run("fleet", "plan", "add", "nord", *words, cwd=folder, VETUSTE_DB=url)
    assert code == 0
    assert "the clocks of Europe/Paris skip 02:30" in err
    assert "nord is due daily 02:30, Europe/Paris; next at " in out
    (plan,) = json.loads(said(folder, url, "plan", "list", "--json"))
    assert (plan["request"]["exclude"], plan["request"]["rate"], plan["paused"]) == (
        ["10.20.0.7"],
        5.0,
        False,
    )
    number = str(plan["plan"])
    said(folder, url, "plan", "pause", number)
    assert json.loads(said(folder, url, "plan", "list", "--json"))[0]["next"] is None
    assert "paused" in said(folder, url, "plan", "list")
    said(folder, url, "plan", "resume", number)
    said(folder, url, "plan", "remove", number)
    assert "Plans: 0." in said(folder, url, "plan", "list")


def test_a_run_is_followed_paused_and_ended(folder: Path, centre: Centre) -> None:
    number = centre.add_run("north", chunks=3)
    worker = WorkerStore(as_role(centre.dsn, "north"))
    worker.tell(Progress(number, 1, 100, 256, 7, 300))
    worker.link.close()
    (told,) = json.loads(said(folder, centre.dsn, "status", str(number), "--json"))
    assert told["state"] == "queued"
    assert (told["visited"], told["addresses"], told["seen"], told["chunks"]) == (100, 256, 7, 3)
    assert told["silent_seconds"] is None
    said(folder, centre.dsn, "pause", str(number))
    assert "is paused" in complaint(folder, centre.dsn, "pause", str(number))
    said(folder, centre.dsn, "resume", str(number))
    assert "is running" in complaint(folder, centre.dsn, "resume", str(number))
    assert f"{number}" in said(folder, centre.dsn, "status")
    said(folder, centre.dsn, "cancel", str(number))
    assert "is cancelled" in complaint(folder, centre.dsn, "cancel", str(number))
    assert "Runs: 0." in said(folder, centre.dsn, "status")
    assert json.loads(said(folder, centre.dsn, "runs", "--json"))[0]["state"] == "cancelled"


def test_a_site_is_scanned_when_somebody_says_so(folder: Path, url: str) -> None:
    assert "waits for a worker of nord; chunks: 1." in said(folder, url, "scan", "nord", "Cardiologie")
    (told,) = json.loads(said(folder, url, "status", "--json"))
    assert (told["site"], told["state"], told["request"]["targets"]) == ("nord", "queued", ["Cardiologie"])
    assert "has runs that are not done" in complaint(folder, url, "site", "remove", "nord")
    (folder / "other.toml").write_text(SITE.replace("10.20.0.0", "10.20.1.0"), "utf-8")
    words = ("fleet", "site", "update", "other.toml", "--key", "nord")
    assert f"as it was: {told['run']}\n" in run(*words, cwd=folder, VETUSTE_DB=url)[2]
    assert "10.99.0.0" in complaint(folder, url, "scan", "nord", "10.99.0.0/24")
    said(folder, url, "site", "update", "nord.toml", "--key", "nord")
    said(folder, url, "cancel", str(told["run"]))


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("site", "add", "none.toml", "--key", "est"), "there is no such site file"),
        (("site", "add", "nord.toml", "--key", "Est"), "is no key of a site"),
        (("site", "add", "nord.toml", "--key", "nord"), "is there already"),
        (("site", "add", "sud.toml", "--key", "postgres"), "choose another key"),
        (("site", "add", "sud.toml", "--key", OWNER), "choose another key"),
        (
            ("site", "add", "nord.toml", "--key", "est", "--password-env", "NONE"),
            "NONE: the variable holds no",
        ),
        (
            ("site", "add", "nord.toml", "--key", "est", "--password", "--password-env", "P"),
            "different things",
        ),
        (("site", "add", "nord.toml", "--key", "est"), "has the name Hôpital Nord too"),
        (("site", "update", "sud.toml", "--key", "est"), "there is no site est"),
        (("site", "remove", "est"), "there is no site est"),
        (("site", "pause", "est"), "there is no site est"),
        (("plan", "add", "est", "--every", "daily 22:00", "--tz", "UTC"), "there is no site est"),
        (("plan", "add", "nord", "--every", "sometimes", "--tz", "UTC"), "is no schedule"),
        (("plan", "add", "nord", "--every", "daily 22:00", "--tz", "Paris"), "is no time zone"),
        (("plan", "add", "nord", "10.99.0.0/24", "--every", "daily 22:00", "--tz", "UTC"), "10.99.0.0"),
        (("plan", "remove", "99"), "there is no plan 99"),
        (("plan", "pause", "-5"), "No such option"),
        (("pause", "99"), "there is no run 99"),
        (("status", "99999999999999999999"), "there is no number"),
        (("init", "--db", "sqlite:///x"), "is a PostgreSQL database"),
        (("init", "--db", "postgresql://v:hush@localhost/x"), "PGPASSFILE"),
        (("init", "--db", "postgresql://v@centre.example/x"), "sslmode=verify-full"),
    ],
)
def test_what_is_wrong_is_one_line(folder: Path, url: str, words: tuple[str, ...], told: str) -> None:
    err = complaint(folder, url, *words, P="a password of the group's")
    assert told in err
    assert "hush" not in err


def test_a_wrong_site_file_leaves_no_role(folder: Path, url: str) -> None:
    (folder / "wrong.toml").write_text(SITE.replace("10.20.0.0/24", "10.20.0.0/33"), "utf-8")
    assert "wrong.toml:7" in complaint(folder, url, "site", "add", "wrong.toml", "--key", "est")
    (folder / "passive.toml").write_text(SITE.replace('owner = "DSI"', "passive_only = true"), "utf-8")
    assert "nothing is left" in complaint(folder, url, "site", "add", "passive.toml", "--key", "est")
    link = Link(url)
    assert link.rows("SELECT 1 FROM pg_roles WHERE rolname = 'est'") == []
    link.close()


def test_a_database_that_is_away_is_one_line_without_its_secret(folder: Path) -> None:
    url = "postgresql://vetuste:hush@127.0.0.1:1/vetuste"
    code, out, err = run("fleet", "site", "list", cwd=folder, VETUSTE_DB=url)
    assert (code, out, err.count("\n")) == (3, "", 1)
    assert "cannot be reached" in err
    assert "hush" not in err


def test_what_is_no_centre_yet_says_how_to_make_it_one(folder: Path, empty: str) -> None:
    code, _, err = run("fleet", "site", "list", cwd=folder, VETUSTE_DB=empty)
    assert code == 3
    assert "vetuste fleet init" in err
