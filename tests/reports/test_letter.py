"""The letter to the biomedical service: its two languages, its figures, its form on paper."""

from __future__ import annotations

import re
import string
import tomllib
from pathlib import Path

import pytest

from scanner import cli
from scanner.config import SiteSource, read_site
from scanner.probes import probes
from scanner.reports import letter as module
from scanner.reports.letter import Leave, letter
from scanner.transport.limits import PROFILES, REFUSED_PORTS, Terms

LANGUAGES = ("en", "fr")
COMMAND = r"vetuste\s+(stop|breaker|ledger|explain|scope|scan)"
SITE = """
[site]
name = "CHU {de} Démonstration"
[policy]
exclude = ["10.20.1.17"]
[[ward]]
name = "Cardiologie"
building = "B"
subnets = ["10.20.0.0/24", "fd00::/120"]
window = "22:00-05:30 Europe/Paris"
canaries = ["10.20.0.1", "10.20.0.5:443"]
[[ward]]
name = "Réanimation"
owner = "biomedical"
passive_only = true
subnets = ["10.20.9.0/24"]
[[ward]]
name = "Tests"
lab = true
subnets = ["10.20.10.0/24"]
[ward.ports]
smb = [9100]
"""


def words(language: str) -> dict[str, str]:
    folder = Path(module.__file__).parent
    return tomllib.loads((folder / f"letter_{language}.toml").read_text(encoding="utf-8"))


@pytest.fixture
def source(tmp_path: Path) -> SiteSource:
    (tmp_path / "site.toml").write_text(SITE, encoding="utf-8")
    return read_site(tmp_path / "site.toml")


def written(source: SiteSource, language: str) -> str:
    window = source.file.wards[0].window
    leaves = {
        "Cardiologie": Leave(Terms(PROFILES["clinical"], window=window), ("445/tcp", "137/udp")),
        "Tests": Leave(Terms(PROFILES["lab"]), ("9100/tcp",)),
    }
    return letter(source, leaves, language)


def test_both_languages_say_the_same_things() -> None:
    english, french = words("en"), words("fr")
    assert list(english) == list(french)
    for key, text in english.items():
        marks = [
            sorted(name for _, name, _, _ in string.Formatter().parse(each) if name)
            for each in (text, french[key])
        ]
        assert marks[0] == marks[1], key
        assert text.count("\n- ") == french[key].count("\n- "), key
        assert re.findall(COMMAND, text) == re.findall(COMMAND, french[key]), key


def test_the_commands_that_it_names_exist() -> None:
    folder = Path(cli.__file__).parent
    named = set(re.findall(COMMAND, " ".join(words("en").values())))
    assert named == {"stop", "breaker", "ledger", "explain"}
    assert [name for name in named if not (folder / f"{name}.py").exists()] == []


def test_french_has_its_spaces_and_apostrophes() -> None:
    for key, text in words("fr").items():
        assert not re.search(r"[^\s\d\u202f][;!?»](?=\s)| [;:!?»](?=\s|$)|\w'\w|« ", text), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_line_is_wider_than_paper(source: SiteSource, language: str) -> None:
    text = written(source, language)
    assert max(len(line) for line in text.splitlines() if not line.startswith("#")) <= 80
    assert text.endswith("\n")
    assert "\n\n\n" not in text
    assert not re.search(r"\{\w+\}", text.replace("CHU {de} Démonstration", ""))


@pytest.mark.parametrize("language", LANGUAGES)
def test_its_figures_are_those_of_the_code_and_of_the_site_file(source: SiteSource, language: str) -> None:
    text = re.sub(r"\n  (?! )", " ", written(source, language))  # unfolded
    assert "CHU {de} Démonstration" in text
    assert f" {source.digest}\n" in text
    cardio, intensive, tests = re.findall(r"^### .*\n\n((?:- .*\n)+)", text, re.MULTILINE)
    limits = PROFILES["clinical"]
    for figure in (f" {limits.rate:g} ", f" {limits.connections} ", str(limits.host_interval)[2:]):
        assert figure in cardio
    for value in ("10.20.0.0/24, fd00::/120", "445/tcp, 137/udp", "22:00-05:30 Europe/Paris"):
        assert value in cardio
    assert "10.20.0.1, 10.20.0.5:443" in cardio
    assert words(language)["passive"] in intensive
    assert words(language)["always"] in tests
    assert words(language)["no_canary"] in tests
    assert str(PROFILES["lab"].connections) in tests
    assert "\n- 10.20.1.17/32\n" in text
    for probe in probes():
        assert f" {probe.exchanges} " in text
        assert f" {probe.size} " in text


def test_a_port_that_is_named_is_not_said_to_be_refused(source: SiteSource) -> None:
    text = " ".join(written(source, "en").split())
    (listed,) = re.findall(r"controllers may stop: ([^.]*)\.", text)
    ports = set()
    for part in listed.split(", "):
        first, _, last = part.partition("-")
        ports |= set(range(int(first), int(last or first) + 1))
    assert ports == REFUSED_PORTS - {9100}


@pytest.mark.parametrize("language", LANGUAGES)
def test_who_signs_is_asked_to(source: SiteSource, language: str) -> None:
    unsigned = written(source, language)
    assert "ssh-keygen" not in unsigned
    text = SITE.replace("[site]", "[site]\nsigned = true") + '[signing]\nroles = ["biomedical", "rssi"]\n'
    source.path.write_text(text, encoding="utf-8")
    signed = written(read_site(source.path), language)
    assert "ssh-keygen -Y sign -n vetuste-scope" in signed
    assert re.findall(r"^    (\w+)\n    N", signed, re.MULTILINE) == ["biomedical", "rssi"]
