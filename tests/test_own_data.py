"""A site's own data: it overrides and extends what ships, and is judged by the same rules."""

from __future__ import annotations

import json
import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from scanner.classify import default_classifier
from scanner.data import data_directories, data_version, use_own
from scanner.errors import DataError
from scanner.lifecycle import load_lifecycle, unchecked
from tests.cli.process import run

if TYPE_CHECKING:
    from collections.abc import Iterator

MODALITIES = """\
source = "the maker's letter of 2025-03-01"
checked = 2025-03-02
family = "Windows"
vendor = "Example Imaging"

[release]
ct-2 = { name = "Example CT 2", product = "Example CT", role = "embedded", build = "2", end = 2024-06-30 }
ct-3 = { name = "Example CT 3", product = "Example CT", role = "embedded", build = "3", end = 2031-06-30 }
"""
TITLES = """\
evidence = "http.title"

[[fingerprint]]
name = "Example CT"
pattern = 'Example CT (?P<version>[0-9]) console'
asserts = { product = "Example CT", build = "{version}" }
names = { vendor = "Example Imaging", product = "Example CT", version = "{version}", device = "medical" }
examples = [{ value = "Example CT 2 console", gives = { version = "2" } }]
refuses = ["Example CT console"]
"""
CONSOLE = {"http.title": ("Example CT 2 console",)}


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Path]:
    """A directory with a modality: its dates, and how it is recognised."""
    (tmp_path / "own" / "lifecycle").mkdir(parents=True)
    (tmp_path / "own" / "lifecycle" / "modalities.toml").write_text(MODALITIES, encoding="utf-8")
    (tmp_path / "own" / "http.title.toml").write_text(TITLES, encoding="utf-8")
    yield tmp_path / "own"
    use_own(None)


def test_a_modality_is_known_without_touching_code(own: Path) -> None:
    assert "modalities-ct-2" not in default_classifier().classify(CONSOLE).candidates
    before = data_version()
    use_own(lambda: own)
    identity = default_classifier().classify(CONSOLE)
    assert identity.candidates == ("modalities-ct-2",)
    assert identity.attributes["device"] == "medical"
    assert data_version() != before
    use_own(None)
    assert (data_version(), len(data_directories())) == (before, 1)


def test_a_line_of_the_site_replaces_one_that_ships(own: Path) -> None:
    text = MODALITIES.replace("ct-2 = {", "xp-sp3 = {").replace(
        "Example CT 2", "Windows XP SP3, as we know it"
    )
    (own / "lifecycle" / "windows.toml").write_text(text.replace("ct-3", "example-3"), encoding="utf-8")
    (own / "lifecycle" / "modalities.toml").unlink()
    (own / "http.title.toml").unlink()
    use_own(lambda: own)
    assert load_lifecycle().releases["windows-xp-sp3"].end == date(2024, 6, 30)
    assert "windows-7-sp1" in load_lifecycle().releases


def test_a_fingerprint_of_the_site_is_asked_first(own: Path) -> None:
    said = {"smb.native_os": ("Windows 5.1",)}
    assert default_classifier().classify(said).attributes["product"] == "Windows XP"
    (own / "smb.native_os.toml").write_text(
        'evidence = "smb.native_os"\n[[fingerprint]]\nname = "Our pumps"\npattern = "Windows 5[.]1"\n'
        'names = { device = "pump" }\nexamples = [{ value = "Windows 5.1" }]\nrefuses = ["Windows 5.2"]\n',
        encoding="utf-8",
    )
    use_own(lambda: own)
    assert dict(default_classifier().classify(said).attributes) == {"device": "pump"}


def test_a_mistake_in_it_stops_everything(own: Path) -> None:
    (own / "http.title.toml").write_text(TITLES.replace("console'", "console(?:a*)*'"), encoding="utf-8")
    use_own(lambda: own)
    with pytest.raises(DataError, match=r"http\.title\.toml:5: pattern \(Example CT\): would be slow"):
        default_classifier()


def test_a_directory_that_is_not_there_is_named(tmp_path: Path) -> None:
    use_own(lambda: tmp_path / "nowhere")
    with pytest.raises(DataError, match="there is no such directory of data"):
        default_classifier()
    use_own(None)


# --- on the command line


@pytest.mark.parametrize("way", ["option", "environment"])
def test_classify_uses_it(own: Path, way: str) -> None:
    (own / "hosts.jsonl").write_text(json.dumps({"host": "ct", "evidence": CONSOLE}) + "\n", encoding="utf-8")
    chosen = ["--data", "."] if way == "option" else []
    named = str(own) if way == "environment" else ""
    _, out, _ = run("classify", "hosts.jsonl", "--today", "2026-01-01", *chosen, cwd=own, VETUSTE_DATA=named)
    said = json.loads(out)
    assert (said["status"], said["latest"]) == ("unsupported", "2024-06-30")
    _, out, _ = run("classify", "hosts.jsonl", cwd=own)
    assert json.loads(out)["status"] == "unknown"


def test_the_site_file_names_it(own: Path) -> None:
    (own.parent / "site.toml").write_text(
        '[site]\nname = "A"\n[data]\ndirectory = "own"\n[[ward]]\nname = "W"\nsubnets = ["10.0.0.0/24"]\n',
        encoding="utf-8",
    )
    (own.parent / "empty").mkdir()
    _, with_it, _ = run("data", "check", cwd=own.parent)
    _, without, _ = run("data", "check", "--data", "empty", cwd=own.parent)
    assert int(with_it.split()[0]) == int(without.split()[0]) + 2


def test_a_file_is_judged_before_it_is_used(own: Path) -> None:
    code, out, _ = run("data", "check", "lifecycle/modalities.toml", "--today", "2026-11-26", cwd=own)
    assert code == 0
    assert "every rule is kept; releases: 2 new, 0 that replace others" in out
    assert "modalities-ct-3: checked on 2025-03-02 (the maker's letter of 2025-03-01)" in out
    _, out, _ = run("data", "check", "http.title.toml", "--data", ".", cwd=own)
    assert "fingerprints of http.title: 1, asked before the others" in out


def test_a_fingerprint_that_fits_no_release_is_refused(own: Path) -> None:
    code, _, err = run("data", "check", "http.title.toml", cwd=own)
    assert code == 2
    assert 'Example CT: no release fits what is said of "Example CT 2 console"' in err


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("end = 2024-06-30", 'end = "2024"', "modalities.toml:7: release.ct-2.end: must be a date"),
        (
            'build = "2", end',
            'build = "2", released = 2025-01-01, end',
            "release.ct-2.end: lies before the release",
        ),
        (
            'name = "Example CT 3"',
            'name = "Example-CT 2"',
            "release.ct-3.name: is hardly to be told from Example CT 2",
        ),
        ('"Example Imaging"', '"microsoft"', "vendor: is hardly to be told from Microsoft"),
        ("ct-3", "CT_3", "an id is lower-case letters and digits"),
        ("role = ", "rolle = ", "unknown key; did you mean role?"),
        ("end = 2031", "esu = [2032-01-01, 2031-01-01], end = 2031", "or a list of them, in their order"),
        ('build = "2"', 'bits = 16, build = "2"', "release.ct-2.bits: must be 32 or 64"),
        ("[release]", "[release", "is not TOML"),
    ],
)
def test_what_is_wrong_is_named_with_file_entry_and_rule(own: Path, old: str, new: str, why: str) -> None:
    file = own / "lifecycle" / "modalities.toml"
    file.write_text(MODALITIES.replace(old, new), encoding="utf-8")
    code, out, err = run("data", "check", "lifecycle/modalities.toml", cwd=own)
    assert (code, out) == (2, "")
    assert why in err
    assert "modalities.toml" in err


def test_a_file_without_fingerprints_is_refused(own: Path) -> None:
    (own / "http.title.toml").write_text('evidence = "http.title"\nfingerprint = []\n', encoding="utf-8")
    code, out, err = run("data", "check", "http.title.toml", cwd=own)
    assert (code, out) == (2, "")
    assert "http.title.toml:2: fingerprint: must be tables, [[fingerprint]]" in err


def test_what_the_document_shows_is_right(tmp_path: Path) -> None:
    text = (Path(__file__).parents[1] / "docs" / "adding-a-product.md").read_text(encoding="utf-8")
    shown = re.findall(r"^`data/([^`]+)`:\n\n```toml\n(.*?)```", text, re.DOTALL | re.MULTILINE)
    assert [name for name, _ in shown] == ["lifecycle/modalities.toml", "http.title.toml"]
    for name, content in shown:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content, encoding="utf-8")
    use_own(lambda: tmp_path)
    assert default_classifier().classify(CONSOLE).candidates == ("modalities-ct-2",)
    use_own(None)


def test_only_dates_are_checked_each_year() -> None:
    today = date(2027, 11, 24)
    old = unchecked(load_lifecycle().releases.values(), today)
    assert old
    assert all(release.end for release in old)
    assert not unchecked(old, date(2026, 11, 24))
