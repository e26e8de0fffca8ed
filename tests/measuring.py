"""How much memory a command had at most, whoever starts it."""

from __future__ import annotations

import sys

_BETWEEN = """
import resource, subprocess, sys
code = subprocess.call(sys.argv[1:])
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
sys.exit(code)
"""


def measured(command: list[str]) -> list[str]:
    """The command line that runs another, and ends standard error with its peak in KiB.

    A small process stands between: Linux counts the memory of whoever starts a process as that process's own.
    """
    return [sys.executable, "-c", _BETWEEN, *command]
