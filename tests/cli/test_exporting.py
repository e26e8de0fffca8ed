"""``vetuste export`` in every format that is there, as a process and over a real inventory."""

from __future__ import annotations

import io
import json
import os
import pty
import subprocess
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest

from scanner.exports import Format, formats
from tests.cli.process import FRONT, environment, run, start
from tests.exports.test_xlsx import Book

if TYPE_CHECKING:
    from pathlib import Path

DAY = "--today=2026-11-23"
# One of each way to the outside: text by row, counts, and the two that are bytes.
WAYS = [form for form in formats() if form.binary or form.counts or form.name == "csv"]
every = pytest.mark.parametrize("form", WAYS, ids=lambda form: form.name)


def streamed(hospital: Path, *arguments: str, **changes: str) -> bytes:
    with start("export", *arguments, DAY, cwd=hospital, **changes) as started:
        out, err = started.communicate(timeout=60)
    assert started.returncode == 0, err
    return out


@every
def test_a_file_and_a_pipe_get_the_same_bytes_whenever_and_wherever(form: Format, hospital: Path) -> None:
    code, _, err = run("export", form.name, "--out", "out", DAY, "--lang", "fr", cwd=hospital)
    assert code == 0, err
    file = hospital / "out"
    assert file.stat().st_mode & 0o777 == form.mode
    piped = streamed(hospital, form.name, "--lang", "fr", PYTHONHASHSEED="7", TZ="Asia/Kolkata", LC_ALL="C")
    assert piped == file.read_bytes()


@every
def test_a_reader_who_leaves_is_no_failure(form: Format, hospital: Path) -> None:
    with start("export", form.name, DAY, cwd=hospital) as started:
        assert started.stdout
        assert started.stderr
        started.stdout.close()
        err = started.stderr.read().decode()
        assert started.wait(60) == 0
    assert "Traceback" not in err
    assert "Exception" not in err


@every
def test_a_full_disk_is_one_line_and_exit_code_3(form: Format, hospital: Path) -> None:
    with open("/dev/full", "wb") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            [sys.executable, FRONT, "--quiet", "export", form.name, DAY],
            cwd=hospital, env=environment(), stdout=full, stderr=subprocess.PIPE, check=False,
        )  # fmt: skip
    assert (done.returncode, done.stderr.count(b"\n")) == (3, 1)


@pytest.mark.parametrize("name", [form.name for form in formats() if form.binary])
def test_bytes_are_not_written_to_a_terminal(name: str, hospital: Path) -> None:
    ours, theirs = pty.openpty()
    done = subprocess.run(
        [sys.executable, FRONT, "export", name, DAY],
        cwd=hospital, env=environment(), stdout=theirs, stderr=subprocess.PIPE, check=False,
    )  # fmt: skip
    os.close(theirs)
    os.close(ours)
    assert done.returncode == 2
    assert b"--out" in done.stderr


def test_the_help_names_every_format_that_is_there(hospital: Path) -> None:
    _, out, _ = run("export", "--help", cwd=hospital)
    assert all(form.name in out for form in formats())


def test_the_spreadsheet_and_prometheus_say_what_count_says(hospital: Path) -> None:
    _, out, _ = run("count", "--os", "xp", "--by", "site,ward", "--json", DAY, cwd=hospital)
    counted = [list(row.values()) for row in json.loads(out)]
    book = Book(streamed(hospital, "xlsx", "--lang", "en", "--os", "xp"))
    assert [list(row.values())[:8] for row in book.rows(2)[1:]] == sorted(counted)
    about = {row["A"]: row.get("B") for row in book.rows(3)}
    assert (about["machines in this file"], about["addresses in scope"]) == (4, 768)
    assert [name for name in about if str(name).startswith("of the last scan")] == ["of the last scan: data"]
    text = streamed(hospital, "prometheus", "--os", "xp").decode()
    site = 'site="CHU de Démonstration"'
    assert f'vetuste_machines{{{site},ward="Cardiologie",status="unsupported",certainty="certain"}} 3' in text
    assert f'vetuste_addresses_never_scanned{{{site},ward="Archives"}} 256' in text
    assert f"vetuste_last_scan_timestamp_seconds{{{site}}} " in text


def test_filters_by_ward_hold_for_every_figure(hospital: Path) -> None:
    book = Book(streamed(hospital, "xlsx", "--ward", "réa*"))
    assert [row["B"] for row in book.rows(2)[1:]] == ["Réanimation"]
    assert "Cardiologie" not in streamed(hospital, "prometheus", "--ward", "réa*").decode()


@pytest.mark.parametrize("asked", [["--text", "x"], ["--certainty", "certain"]])
def test_what_counts_cannot_be_filtered_by_is_refused(asked: list[str], hospital: Path) -> None:
    code, _, err = run("export", "prometheus", *asked, "--out", "out.prom", cwd=hospital)
    assert (code, (hospital / "out.prom").exists()) == (2, False)
    assert "--certainty and --text" in err


def test_the_archive_for_glpi_has_one_document_a_machine(hospital: Path) -> None:
    with zipfile.ZipFile(io.BytesIO(streamed(hospital, "glpi"))) as archive:
        assert len(archive.namelist()) == 6
        assert {json.loads(archive.read(name))["partial"] for name in archive.namelist()} == {True}
