"""A whole hospital on 127.0.0.0/8, reachable from this machine alone: for demo, tests and benchmarks.

Its codec is its own: nothing here is shared with the parsers that it tests. :class:`Hospital` is the plan,
and pure; :func:`serve` puts it on sockets; ``python -m scanner.simulator`` is the process.
"""

from __future__ import annotations

from scanner.simulator.plan import Hospital
from scanner.simulator.process import started
from scanner.simulator.server import serve

__all__ = ["Hospital", "serve", "started"]
