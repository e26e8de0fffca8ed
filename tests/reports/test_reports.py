"""Reports for people: their figures are those of the commands, and nobody's name does harm in them."""

from __future__ import annotations

import csv
import json
import re
import shutil
import stat
import sys
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from scanner.reports.management import PRODUCTS, WARDS
from scanner.reports.typography import css_text, name
from scanner.reports.ward import LISTED
from tests.cli.process import run
from tests.reports.pages import Page, figures
from tests.reports.random_hospital import build

if TYPE_CHECKING:
    from importlib.machinery import ModuleSpec

ROOT = Path(__file__).parents[2]
DAY = ("--today", "2026-11-27")
KINDS = ("example", 1)


@pytest.fixture(scope="module", params=KINDS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an inventory."""
    made = tmp_path_factory.mktemp("reports")
    if request.param == "example":
        shutil.copy(ROOT / "inventory.db.example", made / "inventory.db")
    else:
        build(made, request.param).rename(made / "inventory.db")
    return made


@pytest.fixture
def example(tmp_path: Path) -> Path:
    shutil.copy(ROOT / "inventory.db.example", tmp_path / "inventory.db")
    return tmp_path


@cache
def report(folder: Path, *words: str, lang: str = "en") -> Page:
    """A report of an inventory to which nothing happens meanwhile."""
    code, out, err = run("report", *words, *DAY, "--lang", lang, "--db", "inventory.db", cwd=folder)
    assert (code, "vetuste:" in err) == (0, False), err
    return Page(out)


def told(folder: Path, *words: str) -> list[dict[str, Any]]:
    """What a command tells as JSON."""
    code, out, err = run(*words, "--db", "inventory.db", "--lang", "en", cwd=folder)
    assert code == 0, err
    return [json.loads(line) for line in out.splitlines()] if "--jsonl" in words else list(json.loads(out))


def count(folder: Path, *words: str) -> list[dict[str, Any]]:
    return told(folder, "count", *words, *DAY, "--json")


def sums(rows: list[dict[str, Any]], *names: str) -> list[int]:
    return [sum(row[name] for row in rows) for name in names]


FOUND = ("certain", "probable", "to_verify")


def test_the_wards_of_the_management_are_those_of_count(folder: Path) -> None:
    page = report(folder, "management")
    rows = count(folder, "--by", "site,ward", "--status", "unsupported")
    *shown, total = page.table("ward")
    names = (*FOUND, "seen", "never_scanned")
    assert figures(total) == sums(rows, *names)
    if len(rows) > WARDS:
        *shown, others = shown
        assert figures(others)[-5:] == sums(rows[WARDS:], *names)
        assert others[0] == f"{len(rows) - WARDS} other ward" + "s" * (len(rows) - WARDS > 1)
    assert [figures(row) for row in shown] == [[row[name] for name in names] for row in rows[:WARDS]]
    certain, probable, to_verify, seen, _ = sums(rows, *names)
    text = " ".join(" ".join(page.text).split())
    assert f"no support any more: {certain + probable} of {seen}." in text
    assert f"To verify: {to_verify} more machine" in text


def test_systems_and_statuses_of_the_management_are_those_of_count(folder: Path) -> None:
    page = report(folder, "management")
    rows = count(folder, "--by", "os", "--status", "unsupported")
    drawn = re.findall(r"^(\d+) \+ (\d+) \+ (\d+)$", "\n".join(page.text), re.MULTILINE)
    assert [tuple(map(int, row)) for row in drawn] == [
        tuple(row[name] for name in FOUND) for row in rows[:PRODUCTS]
    ]
    statuses = {row["status"]: sums([row], *FOUND) for row in count(folder, "--by", "status")}
    (_, *shown) = page.tables[1]
    order = ("unsupported", "depends", "ending", "supported", "unknown")
    assert [figures(row)[-1] for row in shown[:5]] == [sum(statuses.get(name, [])) for name in order]
    calendar = {row[0]: figures(row[:2])[-1] for row in page.table("support ends")}
    assert calendar["has ended"] == sum(statuses.get("unsupported", []))
    assert calendar["may have ended"] == sum(statuses.get("depends", []))
    assert calendar["not known"] == sum(statuses.get("unknown", []))
    seen = calendar.pop("total")
    assert seen == sum(calendar.values()) == sum(map(sum, statuses.values()))


def test_the_trend_ends_with_what_count_says_today(folder: Path) -> None:
    page = report(folder, "management")
    rows = count(folder, "--by", "site", "--status", "unsupported")
    certain, probable, to_verify, seen = sums(rows, *FOUND, "seen")
    found = re.findall(
        r"27.November.2026: (\d+) of (\d+) machines known then \([^)]*\), (\d+) to verify",
        " ".join(page.text),
    )
    assert [tuple(map(int, each)) for each in found] == [(certain + probable, seen, to_verify)]


def test_the_indicator_counts_what_assets_tells(folder: Path) -> None:
    expected: dict[str, Counter[str]] = {}
    for asset in told(folder, "assets", "--jsonl", *DAY):
        counted = expected.setdefault(asset["site"], Counter())
        roles = {candidate["role"] for candidate in asset["candidates"]}
        if "client" not in roles:
            continue
        if not roles <= {"client", "embedded"}:
            counted["doubtful"] += 1
            continue
        counted["workstations"] += 1
        if asset["status"] == "unsupported":
            counted["certain" if roles == {"client"} and asset["certainty"] == "certain" else "probable"] += 1
        counted["to_verify"] += asset["status"] == "depends"
    rows = report(folder, "management").table("establishment")
    names = ("workstations", "certain", "probable", "to_verify", "doubtful")
    assert {row[0]: figures(row[2:]) for row in rows} == {
        site: [counted[name] for name in names] for site, counted in expected.items()
    }


def test_findings_of_the_management_are_those_of_findings(folder: Path) -> None:
    cells = {row[0]: row[1] for row in report(folder, "management").table("findings opened")}
    live = told(folder, "findings", "--json", *DAY)
    assert int(cells["findings left today"].replace(",", "")) == len(live)


def test_the_auditor_gets_the_counts_the_coverage_and_the_ledger(folder: Path) -> None:
    page = report(folder, "auditor")
    figures_of = {row[0]: figures(row[1:]) for row in page.table("system")}
    rows = count(folder, "--by", "os")
    assert list(figures_of.values()) == [
        [row[name] for name in FOUND]
        for row in sorted(rows, key=lambda row: list(figures_of).index(row["os"] or "(not known)"))
    ]
    covered = told(folder, "coverage", "--by", "site,ward", "--json")
    names = ("scope", "seen", "identified", "silent", "fragile", "stopped", "never_scanned")
    (table,) = (table for table in page.tables if "identified" in table[0])
    assert [figures(row)[-7:] for row in table[1:-1]] == [[row[name] for name in names] for row in covered]
    assert figures(table[-1])[-7:] == sums(covered, *names)
    ledger = told(folder, "ledger", "--jsonl")
    total = page.table("probe")[-1]
    assert figures(total) == [
        len(ledger),
        *(sum(row[name] for row in ledger) for name in ("bytes_sent", "bytes_received")),
    ]


def test_the_sample_of_the_auditor_is_proved_as_explain_does(folder: Path) -> None:
    text = " ".join(" ".join(report(folder, "auditor").text).split())
    assets = {str(asset["id"]): asset for asset in told(folder, "assets", "--jsonl", *DAY)}
    sampled = re.findall(r"asset (\d+) ?,", text)
    expected = Counter(asset["status"] for asset in assets.values())
    drawn = Counter(assets[number]["status"] for number in sampled)
    assert drawn == Counter({status: min(3, number) for status, number in expected.items()})
    code, out, _ = run(
        "explain",
        assets[sampled[0]]["ip"],
        *DAY,
        "--lang",
        "en",
        "--db",
        "inventory.db",
        "--json",
        cwd=folder,
    )
    assert code == 0
    for reason in json.loads(out)["proof"]:
        if reason["fingerprint"]:
            assert f"{reason['value']}" in text


def test_a_ward_gets_what_remediation_exports(folder: Path) -> None:
    for row in count(folder, "--by", "ward"):
        ward = row["ward"]
        words = ("--db", "inventory.db", "--lang", "en", *DAY)
        escaped = re.sub(r"[*?\[]", "?", ward)
        code, _, err = run("report", "ward", "--ward", escaped, "--out", "w.html", *words, cwd=folder)
        assert code == 0, err
        page = Page((folder / "w.html").read_text(encoding="utf-8"))
        run(
            "export",
            "remediation",
            "--ward",
            escaped,
            "--out",
            "r.csv",
            "--dialect",
            "rfc4180",
            *words,
            cwd=folder,
        )
        assert (folder / "w.csv").read_bytes() == (folder / "r.csv").read_bytes()
        machines = list(csv.DictReader((folder / "r.csv").read_text(encoding="utf-8").splitlines()))
        text = " ".join(" ".join(page.text).split())
        assert f"{len(machines)} machine" in text
        assert css_text(name(ward))[:40] in text  # the running head
        listed = [row[2] for row in page.tables[0][1:]] if page.tables else []
        for cell, machine in zip(listed, machines, strict=False):
            assert cell.endswith(machine["ip"])
        assert len(listed) == min(LISTED, len(machines))


@pytest.mark.parametrize("lang", ["en", "fr"])
@pytest.mark.parametrize("chosen", ["management", "auditor"])
def test_nothing_is_asked_of_anybody_and_no_name_does_harm(folder: Path, chosen: str, lang: str) -> None:
    page = report(folder, chosen, lang=lang)
    assert page.links == page.handlers == page.unclosed == []
    assert not page.tags & {"script", "img", "link", "iframe", "object", "embed", "b", "base", "form"}
    style = "".join(page.text)
    assert "@import" not in style
    assert not re.search(r"url\((?!#)", style)
    assert "{{" not in style.replace("{{ 7 * 7 }}", "")


def test_only_one_site_is_told_of_where_that_is_asked(folder: Path) -> None:
    sites = {row["site"]: row["seen"] for row in count(folder, "--by", "site")}
    for site, seen in sites.items():
        page = report(folder, "management", "--only-site", site.upper())
        assert figures(page.table("ward")[-1])[3] == seen
        text = "".join(page.text)
        assert all(other not in text for other in sites if other != site)
        assert "".join(report(folder, "auditor", "--only-site", site).text).count(site)


@pytest.mark.parametrize("chosen", [("management",), ("ward", "--ward", "Accueil*"), ("auditor",)])
def test_reports_are_the_same_again_to_the_byte(example: Path, chosen: tuple[str, ...]) -> None:
    made = []
    for number in (1, 2):
        words = ("--db", "inventory.db", "--lang", "fr", *DAY)
        for form in ("html", "pdf"):
            folder = example / str(number)
            folder.mkdir(exist_ok=True)
            out = str(folder / f"report.{form}")
            assert run("report", *chosen, "--format", form, "--out", out, *words, cwd=example)[0] == 0
        made.append({file.name: file.read_bytes() for file in folder.iterdir()})
        assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert made[0] == made[1]
    assert made[0]["report.pdf"].startswith(b"%PDF-")


def test_management_is_two_pages_and_a_ward_one(example: Path) -> None:
    from weasyprint import HTML  # noqa: PLC0415 - half a second

    for words, most in ((("management",), 2), (("ward", "--ward", "Accueil*"), 1)):
        for lang in ("en", "fr"):
            _, out, _ = run("report", *words, *DAY, "--lang", lang, "--db", "inventory.db", cwd=example)
            assert len(HTML(string=out).render().pages) == most


class _Missing:
    """Finds no WeasyPrint, or one without its libraries."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def find_spec(self, name: str, *_: object) -> ModuleSpec | None:
        if name == "weasyprint":
            raise self.error
        return None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (ImportError("no"), "pip install 'vetuste[pdf]'"),
        (OSError("cannot load libpango"), "apt install libpango"),
    ],
)
def test_without_what_a_pdf_needs_it_says_what_to_install(
    example: Path, monkeypatch: pytest.MonkeyPatch, error: Exception, words: str
) -> None:
    for module in [module for module in sys.modules if module.partition(".")[0] == "weasyprint"]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setattr(sys, "meta_path", [_Missing(error), *sys.meta_path])
    (example / "x.pdf").write_text("before")
    code, out, err = run("report", "management", "--format", "pdf", "--out", "x.pdf", *DAY, cwd=example)
    assert (code, out) == (2, "")
    assert words in err
    assert err.count("\n") == 1
    assert (example / "x.pdf").read_text() == "before"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("ward",), "--ward names the ward"),
        (("management", "--ward", "x"), "--ward names the ward"),
        (("ward", "--ward", "Nowhere"), "there is no ward 'Nowhere'"),
        (("auditor", "--out", "x.csv"), "name the report otherwise"),
        (("auditor", "--out", "nowhere/x.html"), "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said_on_one_line(example: Path, words: tuple[str, ...], says: str) -> None:
    code, out, err = run("report", *words, *DAY, cwd=example)
    assert code in (2, 3)
    assert says in err
    assert (out, err.count("\n")) == ("", 1)
    assert [file.name for file in example.iterdir() if file.suffix in {".html", ".csv"}] == []


def test_the_seal_is_that_of_the_campaign_that_was_closed_last(example: Path) -> None:
    site = (
        '[site]\nname = "CHU de Démonstration"\n[[ward]]\nname = "Accueil A0"\nsubnets = ["127.32.0.0/24"]\n'
    )
    (example / "site.toml").write_text(site, encoding="utf-8")
    words = ("--db", "inventory.db", "--site", "site.toml")
    for verb in (("open", "<2026>", "--from", "2026-11-01"), ("close", "<2026>")):
        code, _, err = run("campaign", *verb, *words, cwd=example)
        assert code == 0, err
    (campaign,) = told(example, "campaign", "list", "--json")
    page = report(example, "auditor")
    assert campaign["head"] in page.text
    assert "The campaign <2026> was closed on" in "".join(page.text)


def test_what_was_done_is_told_since_the_day_that_is_asked_for(example: Path) -> None:
    opened = len(told(example, "findings", "--json"))
    for since, expected in (("2026-01-01", opened), ("9999-01-01", 0)):
        page = report(example, "management", "--since", since)
        (cells,) = (dict(table) for table in page.tables if table[0][0] == "findings opened")
        assert (int(cells["findings opened"]), int(cells["findings left today"])) == (expected, opened)


def test_an_empty_inventory_has_its_reports_too(tmp_path: Path) -> None:
    from scanner.inventory import open_inventory  # noqa: PLC0415 - this alone needs it

    with open_inventory(f"sqlite:///{tmp_path / 'inventory.db'}", create=True):
        pass
    assert "No machine was seen yet." in "".join(report(tmp_path, "management").text)
    assert "No campaign is closed" in "".join(report(tmp_path, "auditor").text)
