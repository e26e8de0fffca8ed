"""Which of the programs that have a second opinion are on this machine: nothing of them is imported."""

from __future__ import annotations

import platform
import re
import shutil
import subprocess
from dataclasses import dataclass
from importlib import metadata
from typing import Final

from scanner.wire import printable

MACHINES: Final = frozenset({"x86_64", "aarch64"})
"""Where a program can be kept from sending datagrams (``children/tethered.py``)."""
_SECONDS: Final = 10.0
_VERSION: Final = re.compile(r"Nmap version (\S{1,20})")


@dataclass(frozen=True, slots=True)
class Installed:
    """Versions; empty where something is not there."""

    nmap: str
    python_nmap: str
    impacket: str
    machine: str

    @property
    def complete(self) -> bool:
        """Whether every second opinion can be had here."""
        return bool(self.nmap and self.python_nmap and self.impacket) and self.machine in MACHINES


def installed() -> Installed:
    """What there is now."""
    return Installed(_nmap(), _distribution("python-nmap"), _distribution("impacket"), platform.machine())


def _distribution(name: str) -> str:
    try:
        return printable(metadata.version(name))
    except metadata.PackageNotFoundError:
        return ""


def _nmap() -> str:
    found = shutil.which("nmap")
    if found is None:
        return ""
    try:
        done = subprocess.run(  # noqa: S603 - the nmap of the search path, which is asked nothing
            [found, "--version"], capture_output=True, timeout=_SECONDS, check=False, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    said = _VERSION.search(done.stdout.decode("utf-8", "replace"))
    return printable(said[1]) if said else ""
