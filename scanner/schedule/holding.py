"""Two runs never overlap: one lock of the kernel's for all schedules of a state folder, and who holds it.

The scan holds it too, so that a run that is killed while its scan goes on lets no second one begin.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from scanner.errors import VetusteError
from scanner.inventory.locking import held
from scanner.inventory.utc import moment, stamp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_FILE: Final = "run.lock"
_LARGEST: Final = 1000
"""Bytes of what the holder says of itself."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who runs now."""

    schedule: str
    process: int
    since: datetime


class Held:
    """The lock, as its holder has it."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        """To be handed down to the scan."""

    def tell(self, schedule: str, process: int) -> None:
        """Let others read who holds it."""
        said = {"schedule": schedule, "process": process, "since": stamp(datetime.now(UTC))}
        os.ftruncate(self.descriptor, 0)
        os.pwrite(self.descriptor, json.dumps(said).encode(), 0)


@contextmanager
def holding(folder: Path, schedule: str, *, wait: bool) -> Iterator[Held]:
    """Hold the lock of a state folder, which is there.

    Args:
        folder: the state folder.
        schedule: what for.
        wait: until whoever holds it lets it go.

    Raises:
        VetusteError: another holds it, and is named; or it cannot be taken.
    """
    file = folder / _FILE
    try:
        descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _unlocked(file, error) from error
    try:
        _take(file, descriptor, wait=wait)
        lock = Held(descriptor)
        try:
            lock.tell(schedule, os.getpid())
        except OSError as error:
            raise _unlocked(file, error) from error
        yield lock
    finally:
        os.close(descriptor)


def _take(file: Path, descriptor: int, *, wait: bool) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        found = _said(file)
        if found is None:
            raise VetusteError("another schedule is running: nothing was done") from None
        raise VetusteError(
            "the schedule {name} is running since {since} UTC (process {process}): nothing was done",
            name=found.schedule,
            since=f"{found.since:%Y-%m-%d %H:%M:%S}",
            process=found.process,
        ) from None
    except OSError as error:
        raise _unlocked(file, error) from error


def holder(folder: Path) -> Holder | None:
    """Who runs now; None where nobody does."""
    file = folder / _FILE
    return _said(file) if held(file) else None


def _said(file: Path) -> Holder | None:
    try:
        with file.open("rb") as stream:
            said = json.loads(stream.read(_LARGEST))
        return Holder(str(said["schedule"]), int(said["process"]), moment(said["since"]))
    except (OSError, ValueError, TypeError, KeyError):
        return None


def _unlocked(file: Path, error: OSError) -> VetusteError:
    return VetusteError("the lock cannot be taken: {why}", file=file, why=os.strerror(error.errno or 0))
