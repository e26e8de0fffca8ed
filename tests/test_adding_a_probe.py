"""``docs/adding-a-probe.md``, followed to the letter in a copy of the checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "adding-a-probe.md").read_text(encoding="utf-8")
FILES = dict(re.findall(r"^## \d\. [^\n]*`([\w./-]+)`\n\n```\w+\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE))


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the checkout consists of, and the files of the page."""
    folder = tmp_path_factory.mktemp("copy") / "checkout"
    left_out = shutil.ignore_patterns(".*", "__pycache__", "inventory.db*", "dist", "build", "integration")
    shutil.copytree(ROOT, folder, ignore=left_out)
    (folder / "tests" / "integration").mkdir()
    if (ROOT.parent / "shared").is_dir():
        (folder.parent / "shared").symlink_to((ROOT.parent / "shared").resolve())
    for name, content in FILES.items():
        assert not (folder / name).exists()
        (folder / name).write_text(content, encoding="utf-8")
    return folder


def run(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", "LANG": "C.UTF-8"}
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )


def test_the_page_makes_three_files() -> None:
    assert sorted(Path(name).parts[0] for name in FILES) == ["fingerprints", "scanner", "tests"]


def test_its_tests_pass(copy: Path) -> None:
    tests = ["tests/probes/test_daytime.py", "tests/probes/test_every_probe.py", "tests/test_fingerprints.py"]
    done = run(copy, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests, "-k", "daytime or Unix")
    assert done.returncode == 0, done.stdout
    passed = int(re.findall(r"(\d+) passed", done.stdout)[-1])
    assert passed >= 12, "its conversations are replayed without being named anywhere"


def test_its_lines_are_clean_and_typed(copy: Path) -> None:
    for name in FILES:
        if name.endswith(".py"):
            assert run(copy, "-m", "ruff", "check", "--no-cache", name).returncode == 0
            assert run(copy, "-m", "ruff", "format", "--no-cache", "--check", name).returncode == 0
    words = (
        "-m",
        "mypy",
        "--cache-dir",
        os.devnull,
        "--follow-imports",
        "silent",
        "scanner/probes/daytime.py",
    )
    done = run(copy, *words)
    assert done.returncode == 0, done.stdout


@pytest.fixture
def server() -> Iterator[int]:
    """A daytime server on a port of its own."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listening.accept()
                    with connection:
                        connection.sendall(b"Thu Nov 26 11:40:51 2026\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        yield listening.getsockname()[1]
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def test_a_scan_holds_it(copy: Path, server: int, tmp_path: Path) -> None:
    site = tmp_path / "site.toml"
    site.write_text(
        '[site]\nname = "S"\n[policy]\nprofile = "lab"\nprobes = ["smb", "daytime"]\n'
        f'[[ward]]\nname = "W"\nsubnets = ["127.0.0.1/32"]\n[ports]\ndaytime = [{server}]\nsmb = [1, 2]\n'
    )
    database = ("--db", f"sqlite:///{tmp_path / 'inventory.db'}")
    done = run(copy, "cli.py", "scan", "--site", str(site), *database)
    assert done.returncode == 0, done.stderr
    told = json.loads(run(copy, "cli.py", "explain", "127.0.0.1", "--json", *database).stdout)
    assert told["evidence"] == {"daytime.text": ["Thu Nov 26 11:40:51 2026"]}
    assert told["identity"]["family"] == "Unix"
    assert run(copy, "-m", "tests.safety").returncode == 0
    assert "## What the probe `daytime` sends" in (copy / "docs" / "safety.md").read_text(encoding="utf-8")
