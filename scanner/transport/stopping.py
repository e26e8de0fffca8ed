"""Halting every scan of this machine within one second; what they learnt is kept."""

from __future__ import annotations

import os
import signal
import time
from dataclasses import dataclass
from typing import Final

from scanner.transport.sending import held_up, senders

_GRACE: Final = 0.5
"""Seconds in which a scan has to cease by itself."""
_LOOK_EVERY: Final = 0.02


@dataclass(frozen=True, slots=True)
class Stopped:
    """What became of the scans of this machine: ids of processes."""

    stopped: frozenset[int]
    killed: frozenset[int]
    """Those of them that did not cease by themselves."""
    refused: frozenset[int]
    """Those of other users, which go on."""


def stop_all() -> Stopped:
    """Tell every scan of this machine to end as Ctrl-C would; kill those that still send after that."""
    found = set(senders())
    refused = {process for process in found if not _tell(process, signal.SIGTERM)}
    stubborn = _still_sending(found - refused)
    for process in stubborn:
        _tell(process, signal.SIGKILL)
    return Stopped(frozenset(found - refused), frozenset(stubborn), frozenset(refused))


def _tell(process: int, number: signal.Signals) -> bool:
    """Send a signal; whether that was allowed. One that ended by itself is as good as told."""
    try:
        os.kill(process, number)
    except PermissionError:
        return False
    except ProcessLookupError:
        return True
    return True


def _still_sending(told: set[int]) -> set[int]:
    """Those that did not cease in time."""
    deadline = time.monotonic() + _GRACE
    while (left := told & set(senders())) - held_up(left) and time.monotonic() < deadline:
        time.sleep(_LOOK_EVERY)
    return left
