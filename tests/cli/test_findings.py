"""``findings``: listed, decided, shown; in an inventory that scans of others made."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.process import process, run

if TYPE_CHECKING:
    from pathlib import Path

DAY = "--today=2026-11-23"


def listed(hospital: Path, *options: str) -> list[dict[str, Any]]:
    code, out, err = run("findings", "--json", *options, cwd=hospital)
    assert (code, err) == (0, "")
    found: list[dict[str, Any]] = json.loads(out)
    return found


def decided(hospital: Path, *options: str) -> str:
    code, out, err = run("findings", "set", *options, cwd=hospital)
    assert (code, err) == (0, "")
    return out


def test_a_list_in_every_form(hospital: Path) -> None:
    found = listed(hospital)
    assert {each["cause"] for each in found} >= {"unsupported", "smb1"}
    assert {each["state"] for each in found} == {"open"}
    assert len({each["id"] for each in found}) == len(found)
    _, out, _ = run("findings", "--jsonl", cwd=hospital)
    assert [json.loads(line) for line in out.splitlines()] == found
    _, out, _ = run("findings", "--format", "csv", cwd=hospital)
    assert [row["id"] for row in csv.DictReader(io.StringIO(out))] == [str(each["id"]) for each in found]
    _, out, _ = run("findings", cwd=hospital)
    assert out.splitlines()[-1] == f"Findings: {len(found)}."
    _, out, _ = run("findings", "--lang", "fr", cwd=hospital)
    assert "SMB1 est actif" in out


def test_filters_are_those_of_machines_and_of_findings(hospital: Path) -> None:
    everything = listed(hospital)
    for options, kept in (
        (("--ward", "Card*"), lambda each: each["ward"] == "Cardiologie"),
        (("--cause", "smb1"), lambda each: each["cause"] == "smb1"),
        (("--cause", "smb1", "--status", "unsupported", DAY), lambda each: each["cause"] == "smb1"),
        (("--state", "closed"), lambda _: False),
        (("--owner", "nobody"), lambda _: False),
        (("--text", everything[0]["ip"]), lambda each: each["ip"].startswith(everything[0]["ip"])),
    ):
        assert listed(hospital, *options) == [each for each in everything if kept(each)]


def test_a_decision_is_kept_with_its_author_and_its_history(hospital: Path) -> None:
    first, second, *_ = (str(each["id"]) for each in listed(hospital))
    options = ("--state", "planned", "--owner", "DSI", "--due", "2026-01-31", "--by", "the\x1b[31m team")
    assert decided(hospital, first, second, *options, "--note", "ordered\x07") == "Findings changed: 2.\n"
    overdue = listed(hospital, "--overdue", DAY)
    assert [str(each["id"]) for each in overdue] == [first, second]
    assert overdue == listed(hospital, "--owner", "dsi", "--due-before", "2026-02-01", DAY)
    assert not listed(hospital, "--overdue", "--today=2026-01-31")
    assert overdue[0]["overdue"]
    _, out, _ = run("findings", "show", first, "--json", cwd=hospital)
    shown = json.loads(out)
    opened, changed = shown["history"]
    assert (opened["by"], opened["after"]) == (None, {"state": "open"})
    assert changed["before"] == {"state": "open", "owner": "", "due": None}
    assert changed["after"] == {"state": "planned", "owner": "DSI", "due": "2026-01-31"}
    _, out, _ = run("findings", "show", first, cwd=hospital)
    assert "open → planned" in out
    assert "\x1b" not in out
    assert "\x07" not in out


def test_the_author_is_the_account_that_runs_the_command(hospital: Path) -> None:
    first = str(listed(hospital)[0]["id"])
    run(
        "findings",
        "set",
        first,
        "--owner",
        "DSI",
        cwd=hospital,
        LOGNAME="somebody-else",
        USER="somebody-else",
    )
    _, out, _ = run("findings", "show", first, "--json", cwd=hospital)
    assert json.loads(out)["history"][-1]["by"] not in {None, "", "somebody-else"}


@pytest.mark.parametrize(
    ("options", "code", "says"),
    [
        (("--state", "waived"), 2, "--until and --measure"),
        (("--state", "waived", "--until", "2020-01-01", "--measure", "m"), 2, "before today"),
        (("--state", "closed"), 2, "why it is closed"),
        (("--until", "2027-01-01"), 2, "belong to a waiver"),
        ((), 2, "say what is decided"),
        (("--state", "isolated", "--isolated-in", "Archivess"), 2, "neither a subnet nor a ward"),
        (("--state", "odd"), 2, "odd"),
        (("--all", "--owner", "x"), 2, "name findings by their ids, or say --all"),
        (("--note", "x" * 2001), 2, "longer than 2000"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(
    options: tuple[str, ...], code: int, says: str, hospital: Path
) -> None:
    before = listed(hospital)
    found, _, err = run("findings", "set", str(before[0]["id"]), *options, DAY, cwd=hospital)
    assert (found, says in " ".join(err.split())) == (code, True), err
    assert listed(hospital) == before


def test_all_that_filters_leave_needs_a_yes(hospital: Path) -> None:
    before = listed(hospital)
    words = ("findings", "set", "--all", "--cause", "smb1", "--owner", "DSI")
    code, _, err = process(*words, cwd=hospital)
    assert (code, "--yes" in err) == (2, True)
    assert listed(hospital) == before
    code, out, _ = run(*words, "--yes", cwd=hospital)
    ours = [each for each in before if each["cause"] == "smb1"]
    assert (code, out) == (0, f"Findings changed: {len(ours)}.\n")
    assert len(listed(hospital, "--owner", "DSI")) == len(ours)


def test_an_isolation_may_name_a_ward(hospital: Path) -> None:
    first = str(listed(hospital)[0]["id"])
    decided(
        hospital, first, "--state", "isolated", "--isolated-in", "archives", "--isolated-in", "10.9.0.0/24"
    )
    _, out, _ = run("findings", "show", first, "--json", cwd=hospital)
    assert json.loads(out)["isolated_in"] == ["10.20.30.0/24", "10.9.0.0/24"]


def test_an_unknown_finding_is_named(hospital: Path) -> None:
    listed(hospital)
    for words in (("show", "999"), ("set", "999", "--owner", "x")):
        code, _, err = run("findings", *words, cwd=hospital)
        assert (code, "there is no finding 999" in err) == (2, True)


def test_names_from_machines_are_no_authors_and_run_nowhere(hospital: Path) -> None:
    with closing(sqlite3.connect(hospital / "inventory.db", isolation_level=None)) as database:
        database.execute("UPDATE assets SET name = '=cmd|x'")
    _, out, _ = run("findings", "--format", "csv", cwd=hospital)
    for row in csv.DictReader(io.StringIO(out)):
        assert row["name"] == "'=cmd|x"
    run("findings", "set", "--all", "--yes", "--owner", "DSI", cwd=hospital)
    with closing(sqlite3.connect(hospital / "inventory.db")) as database:
        authors = {author for (author,) in database.execute("SELECT author FROM finding_changes")}
    assert "=cmd|x" not in authors
    assert "" in authors
