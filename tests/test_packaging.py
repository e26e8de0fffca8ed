"""The product works from wheel, sdist, editable installation and plain checkout, and brings its data."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
LOCATE = (
    "import scanner, scanner.data as data; from scanner.language import translate;"
    "print(scanner.__file__); print(data.data_directory()); print(data.data_version());"
    "print(translate('The inventory cannot be used.', 'fr'))"
)


@dataclass(frozen=True)
class Built:
    sdist: Path
    wheel: Path
    wheel_of_sdist: Path


def run(command: list[str | Path], folder: Path, **environment: str) -> str:
    """The output of a command that ends well and says nothing on stderr."""
    clean = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
    settings = {**clean, "PYTHONDONTWRITEBYTECODE": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", **environment}
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def build(kind: str, source: Path, target: Path) -> Path:
    run([sys.executable, "-m", "hatchling", "build", "--target", kind, "--directory", target], source)
    (archive,) = target.iterdir()
    return archive


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("built")
    sdist = build("sdist", ROOT, folder / "sdist")
    with tarfile.open(sdist) as archive:
        archive.extractall(folder / "source", filter="data")
    (source,) = (folder / "source").iterdir()
    return Built(sdist, build("wheel", ROOT, folder / "wheel"), build("wheel", source, folder / "again"))


@pytest.fixture(scope="session")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--quiet", "install", "--no-deps", "--no-index", "--target"]
    run([*pip, folder / "site", built.wheel], folder)
    return folder / "site"


@pytest.fixture(scope="session")
def here() -> list[str]:
    """Where this checkout's package and data are, what version the data has, and a French sentence."""
    return run([sys.executable, "-c", LOCATE], ROOT, PYTHONPATH=str(ROOT)).splitlines()


def files(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def on_disk(folder: str) -> dict[str, bytes]:
    return {
        file.relative_to(ROOT).as_posix(): file.read_bytes()
        for file in (ROOT / folder).rglob("*")
        if file.is_file() and file.suffix != ".pyc"
    }


def test_only_the_package_and_its_metadata_reach_site_packages(built: Built) -> None:
    assert {name.split("/")[0] for name in files(built.wheel)} == {"scanner", f"vetuste-{VERSION}.dist-info"}


def test_the_wheel_has_every_file_of_the_package_and_all_data(built: Built) -> None:
    shipped = {name: content for name, content in files(built.wheel).items() if name.startswith("scanner/")}
    data = {f"scanner/_{name}": content for name, content in on_disk("fingerprints").items()}
    assert shipped == {**on_disk("scanner"), **data}
    for needed in ("py.typed", "locale/fr/LC_MESSAGES/vetuste.mo", "inventory/migrations/env.py"):
        assert f"scanner/{needed}" in shipped
    assert data


def test_the_wheel_names_its_licence_and_its_command(built: Built) -> None:
    content = files(built.wheel)
    assert content[f"vetuste-{VERSION}.dist-info/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert b"vetuste = scanner.cli:main" in content[f"vetuste-{VERSION}.dist-info/entry_points.txt"]
    assert b"\nLicense-Expression: GPL-2.0-or-later\n" in content[f"vetuste-{VERSION}.dist-info/METADATA"]


def test_the_sdist_makes_the_same_wheel(built: Built) -> None:
    assert files(built.wheel_of_sdist) == files(built.wheel)


def test_the_sdist_can_test_itself_and_has_no_leftovers(built: Built) -> None:
    with tarfile.open(built.sdist) as archive:
        names = {name.split("/", 1)[1] for name in archive.getnames()}
    assert {
        "Makefile",
        "requirements/lock.txt",
        "cli.py",
        "tests/test_packaging.py",
        "docs/safety.md",
    } <= names
    assert not [
        name for name in names if "__pycache__" in name or name.startswith((".venv", "inventory.db-"))
    ]
    assert not names & {"inventory.db", "remediation.csv"}


def test_it_works_from_a_wheel(installed: Path, here: list[str], tmp_path: Path) -> None:
    found = run([sys.executable, "-c", LOCATE], tmp_path, PYTHONPATH=str(installed)).splitlines()
    assert found[:2] == [
        str(installed / "scanner" / "__init__.py"),
        str(installed / "scanner" / "_fingerprints"),
    ]
    assert found[2:] == here[2:]
    assert found[3] != "The inventory cannot be used."


def test_it_works_from_an_editable_installation(here: list[str], tmp_path: Path) -> None:
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--quiet",
        "install",
        "--no-deps",
        "--no-index",
        "--no-build-isolation",
    ]
    run([*pip, "--ignore-installed", "--prefix", tmp_path / "prefix", "--editable", ROOT], tmp_path)
    (folder,) = (tmp_path / "prefix").glob("**/site-packages")
    program = f"import sys; sys.path.insert(0, ''); import site; site.addsitedir({str(folder)!r}); {LOCATE}"
    assert run([sys.executable, "-c", program], tmp_path).splitlines() == here


def test_every_way_in_is_the_same_command(installed: Path, tmp_path: Path) -> None:
    said = run([sys.executable, ROOT / "cli.py", "--version"], tmp_path)
    assert VERSION in said
    assert run([installed / "bin" / "vetuste", "--version"], tmp_path, PYTHONPATH=str(installed)) == said
    assert run([installed / "bin" / "vetuste", "--help"], tmp_path, PYTHONPATH=str(installed)) == run(
        [sys.executable, ROOT / "cli.py", "--help"], tmp_path
    )


def test_the_front_door_of_a_checkout_is_eight_lines() -> None:
    assert len((ROOT / "cli.py").read_text(encoding="utf-8").splitlines()) <= 8
