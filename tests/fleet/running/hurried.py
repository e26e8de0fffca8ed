"""``python -m tests.fleet.running.hurried COMMAND...``: the product, with a fifth of every patience.

The proof with the times of the product is ``tests/prove``'s; here the order of things is tested.
"""

from __future__ import annotations

import sys

from scanner.cli.terminal.front import main
from scanner.fleet import port

FACTOR = 5


def hurry() -> None:
    """Shorten the port's times, before anything reads them."""
    for name in ("HEARTBEAT", "STALE", "LOOK", "LEASE"):
        setattr(port, name, getattr(port, name) / FACTOR)
    from scanner.fleet import lease  # noqa: PLC0415 - it reads them

    lease._ASK_EVERY /= FACTOR  # type: ignore[misc]  # constant for everybody else
    if "procrastinate" in sys.modules:
        raise AssertionError("somebody was faster")
    from scanner.fleet.engine import taking  # noqa: PLC0415 - the same

    taking._POLL /= FACTOR  # type: ignore[misc]  # the same


if __name__ == "__main__":
    hurry()
    main()
