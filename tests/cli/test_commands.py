"""The commands that read an inventory, as processes over a real one."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import sqlite3
import stat
import subprocess
import sys
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from alembic import command

from scanner.classify import default_classifier
from scanner.inventory import Inventory, open_inventory
from scanner.inventory.migrating import alembic_config
from scanner.inventory.sqlite import APPLICATION, SQLite
from scanner.inventory.transactions import writing
from tests.cli.conftest import XP
from tests.cli.process import FRONT, environment, process, run
from tests.inventory.group import SITES
from tests.inventory.group import build as build_group
from tests.inventory.hospital import NOON, host, recorder, seen, site_file

if TYPE_CHECKING:
    from pathlib import Path

DAY = "--today=2026-11-23"
FIGURES = ["certain", "probable", "to_verify", "seen", "scope", "never_scanned"]


def read(hospital: Path, *arguments: str, **changes: Any) -> str:  # noqa: ANN401 - strings, but mypy sees keywords
    code, out, err = run(*arguments, cwd=hospital, **changes)
    assert (code, err) == (0, "")
    return out


def exported(hospital: Path, *arguments: str) -> str:
    """What an export writes, and nothing but it; what it is of stands on standard error."""
    code, out, err = run("export", *arguments, DAY, cwd=hospital)
    assert code == 0
    assert len(re.findall(r"\d+", err)) == 4
    assert err.count("\n") == 1
    assert err not in out
    return out


def test_count_as_the_contract_has_it(hospital: Path) -> None:
    rows = json.loads(read(hospital, "count", "--os", "Windows XP", "--by", "ward", "--json", DAY))
    assert list(rows[0]) == ["ward", *FIGURES]
    assert {row["ward"]: [row[name] for name in FIGURES] for row in rows} == {
        "Archives": [0, 0, 0, 0, 256, 256],
        "Cardiologie": [3, 0, 0, 3, 256, 0],
        "Réanimation": [1, 0, 0, 3, 256, 0],
    }


def test_who_cannot_be_told_any_more_is_in_no_figure_and_explained(tmp_path: Path) -> None:
    site, url = site_file(tmp_path), f"sqlite:///{tmp_path}/inventory.db"
    says, identity = dict(XP), default_classifier().classify(XP)
    named = {**says, "ntlm.netbios_name": ("PC-1",), "netbios.mac": ("00:11:22:33:44:55",)}
    with open_inventory(url, create=True) as inventory:
        for day, met in enumerate(({"10.20.0.5": says, "10.20.0.6": named}, {"10.20.0.5": named})):
            at = NOON + timedelta(days=day)
            with recorder(inventory, site, at=at) as scan:
                for address, told in met.items():
                    scan.record(host(address, "Cardiologie", identity, seen(address, told, at=at)))
    lines = read(tmp_path, "count", "--os", "Windows XP", DAY).splitlines()
    assert lines[-3].startswith("1 certain, 0 probable, 0 to verify, of 1 ")
    assert lines[-1] == "In no figure: 1 that nothing but an address told, where others answer now."
    assert len(json.loads(read(tmp_path, "assets", "--json", DAY))) == 1
    proof = read(tmp_path, "explain", "1", DAY).splitlines()
    assert "Others answer at its address since 2026-11-21 12:00 UTC, and nothing else tells it" in proof[3]
    assert json.loads(read(tmp_path, "explain", "1", "--json", DAY))["displaced"] == "2026-11-21T12:00:00Z"
    assert json.loads(read(tmp_path, "explain", "2", "--json", DAY))["displaced"] is None


def test_count_in_csv_has_the_same_figures(hospital: Path) -> None:
    text = read(hospital, "count", "--os", "xp", "--by", "owner,building", "--format", "csv", DAY)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert list(rows[0]) == ["owner", "building", *FIGURES]
    assert {(row["owner"], row["building"]): row["certain"] for row in rows} == {
        ("", ""): "0",
        ("DSI", "B"): "3",
        ("biomedical", "B"): "1",
    }


def test_the_table_of_counts_is_sorted_and_adds_up(hospital: Path) -> None:
    lines = read(hospital, "count", "--os", "Windows XP", DAY).splitlines()
    assert [line.split()[0] for line in lines[:6]] == [
        "ward", "Cardiologie", "Réanimation", "Archives", "-----------", "total",
    ]  # fmt: skip
    assert lines[5].split()[1:] == ["4", "0", "0", "6", "768", "256"]
    assert lines[-2:] == [
        "4 certain, 0 probable, 0 to verify, of 6 machines seen.",
        "768 addresses in scope, 256 of them never scanned.",
    ]


def test_a_place_is_summed_once_whatever_its_rows(hospital: Path) -> None:
    lines = read(hospital, "count", "--by", "ward", "--by", "os", DAY).splitlines()
    assert next(line for line in lines if line.startswith("total")).split()[-3:] == ["6", "512", "0"]


def test_the_table_of_counts_in_french(hospital: Path) -> None:
    lines = read(hospital, "count", "--os", "Windows XP", "--lang", "fr", DAY).splitlines()
    assert lines[0].split() == [
        "service",
        "certain",
        "probable",
        "à",
        "vérifier",
        "vues",
        "périmètre",
        "jamais",
        "scanné",
    ]
    assert lines[-2] == "Certain\u202f: 4, probable\u202f: 0, à vérifier\u202f: 0, sur 6 machines vues."


@pytest.mark.parametrize("width", [20, 40, 72, 80])
@pytest.mark.parametrize("command", [["count", "--os", "xp"], ["assets"]])
def test_tables_fit_any_terminal(command: list[str], width: int, hospital: Path) -> None:
    text = read(hospital, *command, DAY, COLUMNS=str(width))
    table = text.split("\n\n")[0].splitlines()
    assert max(map(len, table)) <= width
    assert "Cardi" in text


def test_an_unknown_system_is_answered_with_what_is_known(hospital: Path) -> None:
    code, out, err = run("count", "--os", "Windws XP", cwd=hospital)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "Windws XP" in err


def test_assets_are_listed_and_filtered(hospital: Path) -> None:
    listed = json.loads(read(hospital, "assets", "--status", "unsupported", "--ward", "réa*", "--json", DAY))
    assert [asset["ip"] for asset in listed] == ["10.20.9.7"]
    (asset,) = listed
    assert asset["name"] == "PC-REA-7"
    assert asset["status"] == "unsupported"
    assert "windows-xp-sp3" in {candidate["release"] for candidate in asset["candidates"]}
    assert asset["last_seen"] == "2026-11-20T21:07:00Z"


def test_assets_as_json_lines_are_the_same_assets(hospital: Path) -> None:
    whole = json.loads(read(hospital, "assets", "--json", DAY))
    lines = [json.loads(line) for line in read(hospital, "assets", "--jsonl", DAY).splitlines()]
    assert lines == whole
    assert len(lines) == 6


def test_no_asset_at_all_is_still_json(hospital: Path) -> None:
    assert json.loads(read(hospital, "assets", "--text", "nowhere", "--json")) == []
    assert read(hospital, "assets", "--text", "nowhere").splitlines()[-1] == "Machines: 0."


def test_explain_goes_from_evidence_to_verdict(hospital: Path) -> None:
    text = read(hospital, "explain", "10.20.9.7", DAY)
    order = ['smb.native_os is "Windows 5.1"', "Windows XP SP3", "unsupported (certain)", "10.20.9.7:445/tcp"]
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    assert "2014-04-08" in text
    assert "smb.native_os.toml" in text
    candidates = text.partition("Candidates and their dates")[2].partition("Verdict")[0]
    ends = re.findall(r"\d{4}-\d\d-\d\d", candidates)
    assert len(ends) > 5
    assert ends == sorted(ends)


def test_explain_says_the_same_to_programs(hospital: Path) -> None:
    proof = json.loads(read(hospital, "explain", "PC-REA-7", "--json", DAY))
    assert proof["ip"] == "10.20.9.7"
    assert proof["evidence"]["ntlm.version"] == ["5.1.2600"]
    remaining = [len(step["remaining"]) for step in proof["proof"] if step["fingerprint"]]
    assert remaining[-1] <= remaining[0]
    (heard,) = proof["observations"]
    assert (heard["probe"], heard["outcome"], heard["connections"]) == ("smb", "answered", 2)


def test_explain_in_french_is_french(hospital: Path) -> None:
    text = read(hospital, "explain", "10.20.9.7", "--lang", "fr", DAY)
    assert "hors support (certain)" in text
    assert not re.findall(r"\b(the|is|left|between|sent)\b", text)


def test_explain_of_nobody_says_what_to_do(hospital: Path) -> None:
    code, out, err = run("explain", "10.99.99.99", cwd=hospital)
    assert (code, out) == (2, "")
    assert "10.99.99.99" in err
    assert err.count("\n") == 1


def test_exports_go_to_a_private_file_or_to_standard_output(hospital: Path) -> None:
    code, out, err = run("export", "jsonl", "--out", "all.jsonl", DAY, cwd=hospital)
    said = "Exported 6 machines; 6 of 768 addresses in scope were seen, 256 were never scanned.\n"
    assert (code, out, err) == (0, "", said)
    file = hospital / "all.jsonl"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert exported(hospital, "jsonl") == file.read_text(encoding="utf-8")
    (line,) = exported(hospital, "jsonl", "--ward", "Réa*", "--os", "xp").splitlines()
    assert json.loads(line)["ip"] == "10.20.9.7"


def test_the_language_of_an_export_is_that_of_the_site(hospital: Path) -> None:
    french = exported(hospital, "csv")
    assert "statut_support" in french
    assert exported(hospital, "csv", "--lang", "fr") == french
    assert "support_status" in exported(hospital, "csv", "--lang", "en")
    (hospital / "site.toml").unlink()
    assert "support_status" in exported(hospital, "csv")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["csv"], (6, 6, 768, 256)),
        (["jsonl", "--ward", "réa*"], (3, 3, 256, 0)),
        (["jsonl", "--ward", "Archives"], (0, 0, 256, 256)),
        (["remediation"], (5, 6, 768, 256)),
        (["csv", "--status", "unsupported", "--ward", "Cardiologie", "--out", "x.csv"], (3, 3, 256, 0)),
    ],
)
def test_an_export_says_of_how_many_it_is(
    arguments: list[str], expected: tuple[int, ...], hospital: Path
) -> None:
    """The wards that were asked for are what it is of, whatever machines of them were."""
    code, _, err = run("export", *arguments, DAY, cwd=hospital)
    assert (code, tuple(map(int, re.findall(r"\d+", err)))) == (0, expected)
    code, _, err = run("export", *arguments, DAY, "--lang", "fr", cwd=hospital)
    assert (code, sorted(map(int, re.findall(r"\d+", err)))) == (0, sorted(expected))
    code, _, err = run("--quiet", "export", *arguments, DAY, cwd=hospital)
    assert (code, err) == (0, "")


def test_line_ends_and_byte_order_mark_reach_standard_output(hospital: Path) -> None:
    _, out, _ = process("export", "csv", DAY, cwd=hospital)
    assert out.startswith("\ufeff")
    assert out.count("\r\n") == out.count("\n") == 7
    _, out, _ = process("export", "csv", "--dialect", "rfc4180", DAY, cwd=hospital)
    assert not out.startswith("\ufeff")


def test_an_unknown_dialect_leaves_no_file(hospital: Path) -> None:
    code, _, err = run("export", "csv", "--dialect", "odd", "--out", "x.csv", cwd=hospital)
    assert code == 2
    assert "rfc4180" in err
    assert not (hospital / "x.csv").exists()


def test_rejudge_of_today_changes_nothing(hospital: Path) -> None:
    assert (
        read(hospital, "rejudge").splitlines()[-1]
        == "Today's fingerprints see every machine as it was seen before."
    )
    assert json.loads(read(hospital, "rejudge", "--json")) == []


def test_rejudge_says_what_changed_and_dry_runs_keep_it(hospital: Path) -> None:
    with closing(sqlite3.connect(hospital / "inventory.db", isolation_level=None)) as database:
        database.execute("UPDATE assets SET identity_id = (SELECT min(identity_id) FROM assets)")
    tried = json.loads(read(hospital, "rejudge", "--dry-run", "--json"))
    assert tried
    assert set(tried[0]) == {"id", "ip", "site", "ward", "before", "after"}
    assert json.loads(read(hospital, "rejudge", "--json")) == tried
    assert json.loads(read(hospital, "rejudge", "--json")) == []


def test_db_check_backup_upgrade(hospital: Path) -> None:
    assert "sound" in read(hospital, "db", "check")
    assert json.loads(read(hospital, "db", "check", "--json"))["faults"] == []
    assert "already" in read(hospital, "db", "upgrade")
    assert "copy.db" in read(hospital, "db", "backup", "copy.db")
    assert stat.S_IMODE((hospital / "copy.db").stat().st_mode) == 0o600
    assert json.loads(read(hospital, "assets", "--json", "--db", "copy.db", DAY)) == json.loads(
        read(hospital, "assets", "--json", DAY)
    )
    code, _, err = run("db", "backup", "copy.db", cwd=hospital)
    assert code == 2
    assert "copy.db" in err


def test_db_upgrade_of_an_older_inventory_makes_a_backup_first(tmp_path: Path) -> None:
    for options, kept in (((), 1), (("--no-backup",), 1), ((), 2)):
        _older(tmp_path / "inventory.db")
        assert "from schema 0005" in read(tmp_path, "db", "upgrade", *options)
        copies = sorted(tmp_path.glob("inventory.schema-0005.*.db"))
        assert len(copies) == kept
        assert json.loads(read(tmp_path, "db", "check", "--json", "--db", str(copies[-1]))) == {
            "schema": "0005",
            "faults": [],
        }


def _older(path: Path) -> None:
    """An inventory that an older program made, in place of what is there."""
    path.unlink(missing_ok=True)
    with closing(sqlite3.connect(path)) as database:
        database.execute(f"PRAGMA application_id = {APPLICATION}")
    with Inventory(SQLite(path)) as inventory, writing(inventory, rebuilding=True) as connection:
        command.upgrade(alembic_config(connection), "0005")


def test_db_restore_brings_a_backup_back(hospital: Path) -> None:
    read(hospital, "db", "backup", "copy.db")
    before = read(hospital, "assets", "--json", DAY)
    code, _, err = run("db", "restore", "copy.db", cwd=hospital)
    assert (code, "--replace" in err) == (2, True)
    (hospital / "inventory.db").write_bytes((hospital / "inventory.db").read_bytes()[: 4096 * 7])
    code, _, err = run("db", "check", cwd=hospital)
    assert (code, "db restore" in err) == (3, True)
    assert "inventory.db.before-restore-1" in read(hospital, "db", "restore", "copy.db")
    assert read(hospital, "assets", "--json", DAY) == before
    assert "sound" in read(hospital, "db", "check")


def test_a_database_that_cannot_be_reached_is_told_without_its_password(hospital: Path) -> None:
    url = "postgresql://me:s3cr3t@127.0.0.1:1/inventory"
    for words in (("count",), ("db", "check"), ("doctor",), ("scan", "--plan")):
        _, out, err = process(*words, cwd=hospital, VETUSTE_DB=url)
        assert "s3cr3t" not in out + err
        assert "Traceback" not in err
    code, _, err = run("count", "--db", url, cwd=hospital)
    assert (code, "postgresql://127.0.0.1:1/inventory: the database cannot be reached" in err) == (3, True)


def test_db_check_of_a_damaged_inventory(hospital: Path) -> None:
    file = hospital / "inventory.db"
    content = bytearray(file.read_bytes())
    content[8192:12288] = b"\xa5" * 4096
    file.write_bytes(content)
    code, _, err = run("db", "check", cwd=hospital)
    assert code == 3
    assert err.startswith("vetuste: ")
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "changes", "expected"),
    [
        (["--db", "given.db"], {"VETUSTE_DB": "variable.db"}, "given.db"),
        (["--db", "sqlite:///given.db"], {}, "given.db"),
        ([], {"VETUSTE_DB": "variable.db"}, "variable.db"),
        ([], {"VETUSTE_DB": "sqlite:///variable.db", "VETUSTE_SITE": "other.toml"}, "variable.db"),
        ([], {"VETUSTE_SITE": "other.toml"}, "of-other.db"),
        (["--site", "other.toml"], {"VETUSTE_SITE": "absent.toml"}, "of-other.db"),
        ([], {}, "of-site.db"),
    ],
)
def test_which_inventory(
    arguments: list[str], changes: dict[str, Any], expected: str, tmp_path: Path
) -> None:
    text = '[site]\nname = "x"\n[inventory]\nurl = "sqlite:///of-{}.db"\n'
    for name in ("site", "other"):
        (tmp_path / f"{name}.toml").write_text(text.format(name), encoding="utf-8")
    code, _, err = run("count", *arguments, cwd=tmp_path, **changes)
    assert code == 2
    assert expected in err


def in_a_terminal(hospital: Path, *arguments: str, **changes: str) -> str:
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, str(FRONT), *arguments],
        cwd=hospital,
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ) as started:
        os.close(theirs)
        seen = b""
        while True:
            try:
                part = os.read(ours, 4096)
            except OSError:  # the end of a terminal
                break
            if not part:
                break
            seen += part
        started.wait(60)
    os.close(ours)
    return seen.decode()


@pytest.mark.parametrize("command", [["assets"], ["count"], ["explain", "10.20.9.7"], ["doctor"]])
def test_colours_on_a_terminal_and_not_in_a_pipe(command: list[str], hospital: Path) -> None:
    assert "\x1b[" in in_a_terminal(hospital, *command, DAY)
    assert "\x1b" not in run(*command, DAY, cwd=hospital)[1]


@pytest.mark.parametrize(
    ("option", "changes"), [("--no-color", {}), ("-q", {"NO_COLOR": "1"}), ("-q", {"TERM": "dumb"})]
)
def test_no_colour_where_someone_said_so(option: str, changes: dict[str, str], hospital: Path) -> None:
    assert "\x1b" not in in_a_terminal(hospital, "assets", DAY, option, **changes)


def test_what_the_network_said_is_printed_and_not_obeyed(hospital: Path) -> None:
    with closing(sqlite3.connect(hospital / "inventory.db", isolation_level=None)) as database:
        database.execute("UPDATE assets SET name = ?", ("\x1b]0;owned\x07\x1b[2J\u202e",))
    for words in (
        ["assets"],
        ["assets", "--json"],
        ["assets", "--jsonl"],
        ["assets", "--format", "csv"],
        ["explain", "10.20.9.7"],
    ):
        text = read(hospital, *words, DAY)
        assert not set(text) & {"\x1b", "\x07", "\u202e"}
        assert "owned" in text


def test_a_cell_that_a_spreadsheet_would_run_is_text(hospital: Path) -> None:
    with closing(sqlite3.connect(hospital / "inventory.db", isolation_level=None)) as database:
        database.execute("UPDATE assets SET name = '=HYPERLINK(1)'")
    rows = list(csv.DictReader(io.StringIO(read(hospital, "assets", "--format", "csv", DAY), newline="")))
    assert {row["name"] for row in rows} == {"'=HYPERLINK(1)"}


def test_machines_of_the_same_address_are_told_apart_by_their_site(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/inventory.db"
    with open_inventory(url, create=True) as inventory:
        build_group(inventory, tmp_path)
    _, out, _ = run("assets", "--db", url, "--os", "xp", cwd=tmp_path)
    assert {line.split()[0] for line in out.splitlines() if " 10.0.0.1 " in line} == set(SITES)
