"""How many connections this process can hold open."""

from __future__ import annotations

import resource
from typing import Final

_RESERVED: Final = 64
"""Descriptors kept for files, the database and the event loop."""


def descriptor_limit() -> int:
    """Raise the soft limit of open files to the hard one; how many sockets may be open then."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return max(1, hard - _RESERVED)
