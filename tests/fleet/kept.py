"""A process that is started again a moment after it ended, whatever ended it: as systemd does it."""

from __future__ import annotations

import signal
import subprocess
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.cli.process import environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.product import Product

MOMENT = 1.0
"""Seconds after its end in which it is started again; ``RestartSec=`` of its unit is more."""


@dataclass
class Kept:
    """One command of the product; what it says goes to ``log``."""

    product: Product
    words: tuple[str, ...]
    log: Path
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    process: subprocess.Popen[bytes] | None = None
    due: float = 0
    """When it is to be started, by the monotonic clock, while it does not run."""
    codes: list[int] = field(default_factory=list)
    """How it ended, each time."""

    def tend(self) -> None:
        """Start it where it is due; notice where it ended."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self._start()
        elif self.process.poll() is not None:
            self._ended(now + MOMENT)

    def kill(self, away: float) -> None:
        """End it by SIGKILL; it stays away for so many seconds."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self._ended(0)
        self.due = time.monotonic() + away

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it runs."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(number)

    def end(self) -> int | None:
        """End it in order; how it ended."""
        if self.process is None:
            return None
        self.send(signal.SIGCONT)
        self.send(signal.SIGTERM)
        return self.process.wait(timeout=60)

    def _start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                self.product.command(*self.words),
                cwd=self.product.folder,
                env=environment(**self.environment),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def _ended(self, due: float) -> None:
        assert self.process is not None
        self.codes.append(self.process.returncode)
        self.process, self.due = None, due
