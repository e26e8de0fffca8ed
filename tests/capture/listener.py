"""Listens to an interface, for tests: ``ready`` and the child's number, then each frame as it is heard.

At SIGINT it stops; then come the kernel's counts, and what was learnt.
"""

from __future__ import annotations

import json
import signal
import sys
from typing import TYPE_CHECKING

from scanner.capture.ear import Ear
from scanner.capture.live import Live
from scanner.errors import VetusteError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Frame


def say(**words: object) -> None:
    print(json.dumps(words), flush=True)  # noqa: T201 - the result of this program


def heard(live: Live) -> Iterator[Frame]:
    """Every frame, in rounds of half a second, told as well."""
    while not live.over:
        for frame in live.frames(0.5):
            short = frame.data.hex() if len(frame.data) < 500 else ""
            say(link=frame.link, at=frame.at, frame=short, length=len(frame.data))
            yield frame


def main(interface: str) -> None:
    ear = Ear()
    with Live(interface) as live:
        signal.signal(signal.SIGINT, lambda *_: live.stop())
        say(ready=live._child.pid)
        learnt = list(ear.hear(heard(live)))
        say(heard=live.heard, lost=live.lost, frames=ear.frames)
    for each in learnt:
        say(address=each.endpoint.address, port=each.endpoint.port, evidence=dict(each.evidence))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except VetusteError as error:
        raise SystemExit(f"{error.exit_code}: {error}") from None
