"""Registers and tables of wards on the command line."""

from __future__ import annotations

import csv
import io
import json
import tomllib
import zipfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.process import process, run
from tests.imports.register_samples import AD, FILES, PEOPLE

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(hospital: Path) -> Path:
    for name, content in FILES.items():
        (hospital / f"{name}.csv").write_bytes(content)
    return hospital


def told(folder: Path, *arguments: str) -> Any:  # noqa: ANN401 - JSON is anything
    code, out, err = run(*arguments, "--json", cwd=folder)
    assert (code, err) == (0, "")
    return json.loads(out)


def test_a_directory_is_imported_again_and_again(folder: Path) -> None:
    found = told(folder, "import", "ad", "ad.csv")
    assert {name: found[name] for name in ("format", "whole", "wrong", "records", "new", "gone")} == {
        "format": "ad", "whole": True, "wrong": 0, "records": 3, "new": 3, "gone": 0,
    }  # fmt: skip
    again = told(folder, "import", "ad", "ad.csv")
    assert (again["records"], again["new"], again["gone"]) == (3, 0, 0)
    content = (folder / "inventory.db").read_bytes()
    assert not [name for name in PEOPLE if name.encode() in content]


def test_what_it_says_to_people(folder: Path) -> None:
    code, out, err = run("import", "ad", "ad.csv", cwd=folder)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "Records: 3, of which new: 3.",
        "Records of this site that are matched with an asset: 0. Assets seen otherwise: 0.",
    ]
    head, *rows = AD.split("\n")[1:]
    fewer = "\n".join([head, *rows[2:]])
    code, out, _ = run("import", "ad", "-", "--partial", cwd=folder, stdin=fewer.encode())
    assert (code, "gone" in out) == (0, False)
    code, out, _ = run("import", "ad", "-", cwd=folder, stdin=fewer.encode())
    assert (code, "not have them any more: 1." in out) == (0, True)


def test_a_wrong_file_leaves_nothing_and_a_wrong_line_is_named(folder: Path) -> None:
    before = (folder / "inventory.db").read_bytes()
    code, out, err = run("import", "glpi", "ad.csv", cwd=folder)
    assert (code, out) == (2, "")
    assert err.startswith("vetuste: ad.csv:1: is no list of computers of GLPI")
    assert (folder / "inventory.db").read_bytes() == before
    code, out, err = run(
        "import", "ad", "-", cwd=folder, stdin=AD.replace('"computer"', '"user"', 1).encode()
    )
    assert (code, err) == (2, "vetuste: stdin:3: ObjectClass: is no computer\n")
    assert "Mistakes in the file: 1" in out


def test_network_and_register_are_compared(folder: Path) -> None:
    code, _, err = run("reconcile", "ad", cwd=folder)
    assert (code, err) == (2, "vetuste: no records of 'ad' were imported; known here: -\n")
    told(folder, "import", "ad", "ad.csv")
    rows = told(folder, "reconcile", "ad")
    assert [row["kind"] for row in rows].count("unseen") == 3
    assert [row["ip"] for row in rows if row["kind"] == "unregistered"][:2] == ["10.20.0.1", "10.20.0.2"]
    old = next(row for row in rows if row["name"] == "ANCIEN-9")
    assert (old["ward"], old["enabled"], old["last_contact"]) == (
        "Archives",
        False,
        "2015-01-12T17:45:10+00:00",
    )
    assert old["reasons"][-1] == "its address 10.20.30.9 was never scanned"
    sums = {row["ward"]: row for row in told(folder, "reconcile", "ad", "--by-ward")}
    assert sums["Cardiologie"] == {
        "site": "CHU de Démonstration", "ward": "Cardiologie", "unregistered": 3, "unseen": 1, "differing": 0,
    }  # fmt: skip
    assert {row["kind"] for row in told(folder, "reconcile", "ad", "--only", "unseen")} == {"unseen"}
    assert {row["ward"] for row in told(folder, "reconcile", "ad", "--ward", "arch*")} == {"Archives"}
    for form in ("table", "csv", "jsonl"):
        code, out, err = run("reconcile", "ad", "--format", form, cwd=folder)
        assert (code, err) == (0, "")
        assert "ANCIEN-9" in out
    code, out, _ = run("reconcile", "ad", cwd=folder)
    assert out.splitlines()[-1] == "Not in the register: 6. Not on the network: 3. Differing: 0."
    code, out, err = run("reconcile", "ad", "--by-ward", cwd=folder)
    assert (code, err) == (0, "")


def test_a_name_and_a_domain_make_a_machine_a_record(folder: Path) -> None:
    rows = AD.replace("PC-CARDIO-1", "PC-REA-7").replace("DC=chu,DC=example", "DC=autre").encode()
    text = "ID;Name;Operating system - Name;Last inventory date\n5;PC-REA-7;Windows XP;2026-11-20 21:00\n"
    assert (
        told(folder, "import", "glpi", "glpi.csv")["matched"] == 1
    )  # PC-CARDIO-1, which has no domain there
    (folder / "one.csv").write_text(text, encoding="utf-8")
    assert told(folder, "import", "glpi", "one.csv", "--partial")["matched"] == 2
    (folder / "ad.csv").write_bytes(rows)
    told(folder, "import", "ad", "ad.csv")
    code, out, _ = run("explain", "PC-REA-7", "--json", cwd=folder)
    assert code == 0
    assert any(step["key"] == "glpi.system" for step in json.loads(out)["proof"])


def test_wards_are_printed_or_written_to_a_new_file(folder: Path) -> None:
    (folder / "wards.csv").write_text("Service;Sous-réseaux\nUrgences;10.20.50.0/24\n", encoding="cp1252")
    before = (folder / "site.toml").read_bytes(), (folder / "inventory.db").read_bytes()
    code, out, err = run("import", "wards", "wards.csv", cwd=folder)
    assert (code, err) == (0, "Wards: 1, with 1 subnets; to be put into the site file by hand.\n")
    assert tomllib.loads(out) == {"ward": [{"name": "Urgences", "subnets": ["10.20.50.0/24"]}]}
    assert run("import", "wards", "wards.csv", "--out", "wards.toml", cwd=folder)[0] == 0
    assert (folder / "wards.toml").read_text(encoding="utf-8") == out
    assert (folder / "wards.toml").stat().st_mode & 0o777 == 0o600
    for target in ("wards.toml", "site.toml"):
        code, _, err = run("import", "wards", "wards.csv", "--out", target, cwd=folder)
        assert (code, "is there already" in err) == (2, True)
    assert ((folder / "site.toml").read_bytes(), (folder / "inventory.db").read_bytes()) == before


def test_a_single_mistake_keeps_back_all_wards(folder: Path) -> None:
    text = "ward,subnets\nA,10.50.0.0/24\nB,10.20.0.128/25\nC,8.8.8.0/24\n"
    code, out, err = run("import", "wards", "-", "--out", "new.toml", cwd=folder, stdin=text.encode())
    assert (code, out, (folder / "new.toml").exists()) == (2, "", False)
    overlap = "10.20.0.128/25 overlaps 10.20.0.0/24 of the ward 'Cardiologie', which the site file has"
    assert err.splitlines() == [
        f"vetuste: stdin:3: {overlap}",
        "vetuste: stdin:4: 8.8.8.0/24 has public addresses: with --public they may stand",
        "vetuste: nothing was written: mistakes in the file: 2",
    ]


@pytest.mark.parametrize(
    "command", [["import", "ad"], ["import", "glpi"], ["import", "wards"], ["reconcile"]]
)
def test_they_explain_themselves(folder: Path, command: list[str]) -> None:
    code, out, err = process(*command, "--help", cwd=folder)
    assert (code, err) == (0, "")
    assert "Examples" in out


def test_what_an_agent_keeps_is_left_out_of_what_glpi_is_sent(folder: Path) -> None:
    def exported() -> tuple[set[str], set[str], str]:
        """The names with an agent in the plan, and in the documents; and the file for Data Injection."""
        plan = run("export", "glpi-plan", "--lang", "en", "--dialect", "rfc4180", cwd=folder)[1]
        rows = list(csv.DictReader(io.StringIO(plan, newline="")))
        left = {row["name"] for row in rows if row["effect"] == "left out: an agent manages it"}
        assert run("export", "glpi", "--out", "glpi.zip", cwd=folder)[0] == 0
        with zipfile.ZipFile(folder / "glpi.zip") as archive:
            documents = [json.loads(archive.read(name)) for name in archive.namelist()]
        sent = {each["content"].get("hardware", {}).get("name", "") for each in documents}
        assert left | sent == {row["name"] for row in rows}
        return left, sent, run("export", "glpi-injection", cwd=folder)[1]

    def imported(said: str) -> None:
        text = (
            "ID;Name;Operating system - Name;Last inventory date;Automatic inventory\n"
            f"5;PC-REA-7;Windows XP;2010-11-20 21:00;{said}\n"
        )
        (folder / "one.csv").write_text(text, encoding="utf-8")
        assert told(folder, "import", "glpi", "one.csv")["matched"] == 1

    left, before, injected = exported()
    assert (left, "PC-REA-7" in before, "PC-REA-7" in injected) == (set(), True, True)
    imported("Yes")
    left, sent, injected = exported()
    assert (left, sent, "PC-REA-7" in injected) == ({"PC-REA-7"}, before - {"PC-REA-7"}, False)
    imported("No")
    assert exported()[:2] == (set(), before)
