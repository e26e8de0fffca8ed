"""Halt every scan of this machine within one second; what they learnt is kept.

Each scan is told to end as Ctrl-C would tell it. One that still sends after that is killed: its inventory is
sound, and vetuste scan --resume goes on with it.
"""

from __future__ import annotations

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.exits import FAILED
from scanner.cli.terminal.options import formats
from scanner.cli.terminal.output import complain, say, write_json
from scanner.language import translate
from scanner.transport.stopping import stop_all


@command_of(__doc__, examples=(("Whatever scans here, of whomever:", "sudo vetuste stop"),))
@formats("table", "json")
def command(*, form: str) -> None:
    """Tell all, kill those that do not cease, say what became of each."""
    done = stop_all()
    if form == "json":
        write_json({name: sorted(getattr(done, name)) for name in ("stopped", "killed", "refused")})
    elif not done.stopped | done.refused:
        say("No scan is running on this machine.")
    else:
        say(
            "{number} scans were halted; vetuste scan --resume goes on with them.",
            number=len(done.stopped),
        )
    if done.refused:
        complain(
            translate(
                "scans of other users go on (processes {processes}): sudo vetuste stop halts them"
            ).format(processes=", ".join(map(str, sorted(done.refused))))
        )
        raise SystemExit(FAILED)
