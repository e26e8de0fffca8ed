"""A third language is one file: a made-up catalogue, put beside the others, is all that is added."""

from __future__ import annotations

import gettext
import io
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo

from scanner.language import LANGUAGES, own_name
from tests.cli import catalogue

if TYPE_CHECKING:
    from pathlib import Path


def shouted() -> bytes:
    """A language that is English in other brackets."""
    made = Catalog(locale="de")  # for its rule of plurals
    for key in catalogue.messages():
        made.add(key, tuple(f"[[{one}]]" for one in key) if isinstance(key, tuple) else f"[[{key}]]")
    stream = io.BytesIO()
    write_mo(stream, made)
    return stream.getvalue()


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """This checkout as it is, but for one file."""
    folder = tmp_path_factory.mktemp("checkout")
    for name in ("fingerprints", "inventory.db.example"):
        (folder / name).symlink_to(catalogue.ROOT / name)
    (folder / "cli.py").write_bytes((catalogue.ROOT / "cli.py").read_bytes())
    (folder / "scanner").mkdir()
    for part in catalogue.SOURCES.iterdir():
        if part.name not in {"locale", "__pycache__"}:
            (folder / "scanner" / part.name).symlink_to(part)
    (folder / "scanner/locale/xx/LC_MESSAGES").mkdir(parents=True)
    (folder / "scanner/locale/fr").symlink_to(catalogue.SOURCES / "locale/fr")
    (folder / "scanner/locale/xx/LC_MESSAGES/vetuste.mo").write_bytes(shouted())
    return folder


def said(checkout: Path, *command: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout), "PYTHONDONTWRITEBYTECODE": "1", **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_it_is_offered_under_its_own_name(checkout: Path) -> None:
    asked = "from scanner.language import *; from scanner import language as l;"
    asked += "print(l.LANGUAGES, [l.own_name(each) for each in l.LANGUAGES])"
    assert said(checkout, "-c", asked).startswith("('en', 'fr', 'xx') ['English', ")
    assert "[[this language's own name]]" in said(checkout, "-c", asked)


def test_the_command_line_speaks_it(checkout: Path) -> None:
    count = ("cli.py", "count", "--db", "sqlite:///inventory.db.example", "--today", "2026-11-23")
    assert "[[" in said(checkout, *count, "--lang", "xx")
    assert "[[" in said(checkout, *count, LANG="xx_XX.UTF-8", LANGUAGE="", LC_ALL="", LC_MESSAGES="")
    assert "[[" not in said(checkout, *count, "--lang", "fr")


@pytest.mark.parametrize("form", ["csv", "glpi-plan", "glpi-injection"])
def test_exports_speak_it_as_far_as_they_can(form: str, checkout: Path, tmp_path: Path) -> None:
    export = ("cli.py", "export", form, "--db", "sqlite:///inventory.db.example", "--today", "2026-11-23")
    said(checkout, *export, "--lang", "xx", "--out", str(tmp_path / "x"))
    assert "[[" in (tmp_path / "x").read_text(encoding="utf-8-sig")


SWITCHED = """
from starlette.testclient import TestClient
from scanner.dashboard.access import Access
from scanner.dashboard.app import make_app
from scanner.dashboard.house import House
from scanner.dashboard.visitor import Role, Visitor
app = make_app(House("sqlite:///inventory.db.example"), Access(local=Visitor("local", Role.OPERATOR)))
print(TestClient(app, base_url="http://localhost").get("/?lang=xx").text)
"""


def test_the_dashboard_offers_and_speaks_it(checkout: Path) -> None:
    page = said(checkout, "-c", SWITCHED)
    assert '<html lang="xx"' in page
    assert 'hreflang="xx"' in page
    assert "<h1>[[" in page


def test_a_language_without_a_name_is_called_by_its_code() -> None:
    assert [own_name(each) for each in ("en", "xx")] == ["English", "xx"]
    assert LANGUAGES[0] == "en"


def test_the_made_up_language_is_whole() -> None:
    made = gettext.GNUTranslations(io.BytesIO(shouted()))
    assert made.gettext("ward") == "[[ward]]"
