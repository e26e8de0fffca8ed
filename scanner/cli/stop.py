"""Halt every scan of this machine within one second; what they learnt is kept.

Each scan is told to end as Ctrl-C would tell it. One that still sends after that is killed: its inventory is
sound, and vetuste scan --resume goes on with it.
"""

from __future__ import annotations

import os
import signal
import time
from typing import Final

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.exits import FAILED
from scanner.cli.terminal.options import formats
from scanner.cli.terminal.output import complain, say, write_json
from scanner.language import translate
from scanner.transport.sending import held_up, senders

_GRACE: Final = 0.5
"""Seconds in which a scan has to cease by itself."""
_LOOK_EVERY: Final = 0.02


@command_of(__doc__, examples=(("Whatever scans here, of whomever:", "sudo vetuste stop"),))
@formats("table", "json")
def command(*, form: str) -> None:
    """Tell all, kill those that do not cease, say what became of each."""
    found = set(senders())
    refused = {process for process in found if not _tell(process, signal.SIGTERM)}
    stubborn = _still_sending(found - refused)
    for process in stubborn:
        _tell(process, signal.SIGKILL)
    if form == "json":
        write_json(
            {"stopped": sorted(found - refused), "killed": sorted(stubborn), "refused": sorted(refused)}
        )
    elif not found:
        say("No scan is running on this machine.")
    else:
        say(
            "{number} scans were halted; vetuste scan --resume goes on with them.",
            number=len(found - refused),
        )
    if refused:
        complain(
            translate(
                "scans of other users go on (processes {processes}): sudo vetuste stop halts them"
            ).format(processes=", ".join(map(str, sorted(refused))))
        )
        raise SystemExit(FAILED)


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
