from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

CONFTEST = Path(__file__).with_name("conftest.py")
INSIDE = "import pytest\ndef test_it(): pytest.skip('no reason')\n"
OUTSIDE = "import pytest\npytest.skip('no reason', allow_module_level=True)\n"
EXPECTED = "import pytest\n@pytest.mark.xfail\ndef test_it(): assert False\n"
FINE = "def test_it(): pass\n"


def run(folder: Path, program: str, **environment: str) -> tuple[int, str]:
    (folder / "conftest.py").write_bytes(CONFTEST.read_bytes())
    (folder / "test_one.py").write_text(program)
    settings = {key: value for key, value in os.environ.items() if key != "CI"} | environment
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "test_one.py"]
    done = subprocess.run(command, cwd=folder, env=settings, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


@pytest.mark.parametrize("program", [INSIDE, OUTSIDE, EXPECTED], ids=["test", "module", "expected failure"])
def test_what_is_skipped_fails_in_ci_and_only_there(tmp_path: Path, program: str) -> None:
    code, said = run(tmp_path, program, CI="1")
    assert code != 0
    assert "which CI does not accept" in said
    code, said = run(tmp_path, program)
    assert "which CI does not accept" not in said
    assert code in (0, 5)  # 5: no test was collected


def test_a_test_without_its_data_is_left_out_unless_in_ci(tmp_path: Path) -> None:
    program = "import pytest\n@pytest.mark.parametrize('one', [])\ndef test_it(one): pass\n" + FINE.replace(
        "it", "that"
    )
    assert "skipped" not in run(tmp_path, program)[1]
    assert run(tmp_path, program, CI="1")[0] != 0


def test_what_passes_passes_in_ci(tmp_path: Path) -> None:
    assert run(tmp_path, FINE, CI="1")[0] == 0
