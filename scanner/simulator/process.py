"""Starting the simulated hospital as a process of its own, that ends with the one that started it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError, VetusteError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_CHECKOUT: Final = Path(__file__).parents[2]

_WRONG: Final = 2
"""The exit code of a simulator that was asked for a hospital that cannot be."""

_PATIENCE: Final = 10.0
"""Seconds that it may take to end."""


@contextmanager
def started(site_file: Path, options: Mapping[str, str]) -> Iterator[None]:
    """A hospital that lives as long as the context: ports of the system's choice, and a site file for a scan.

    Args:
        site_file: where the site file is written.
        options: of ``python -m scanner.simulator``, without their dashes.

    Raises:
        ConfigError: there can be no such hospital.
        VetusteError: it did not start.
    """
    words = [word for name, value in options.items() for word in (f"--{name}", value)]
    command = [
        sys.executable,
        "-m",
        "scanner.simulator",
        "--ports",
        "0,0",
        "--site-file",
        str(site_file),
        *words,
    ]
    with subprocess.Popen(  # noqa: S603 - this interpreter, this package
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=_CHECKOUT,
        start_new_session=True,  # Ctrl-C is for the scan; the hospital ends after it
    ) as process:
        if process.stdin is None or process.stdout is None or process.stderr is None:
            raise VetusteError("the simulated hospital did not start")
        try:
            if not process.stdout.readline():
                process.stdin.close()
                complaint = process.stderr.read().strip()
                kind = ConfigError if process.wait() == _WRONG else VetusteError
                raise kind("the simulated hospital did not start: {why}", why=complaint or "?")
            yield
        finally:
            process.stdin.close()  # it ends when its standard input does
            try:
                process.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
