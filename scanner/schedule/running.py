"""A run: the scan as a child process, what it said, and how it ended."""

from __future__ import annotations

import json
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import IO, TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.process import signalled
from scanner.schedule.entries import Run, Schedule
from scanner.schedule.holding import holding
from scanner.schedule.state import changing, schedules_in

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from scanner.schedule.holding import Held

_FINE: Final = frozenset({0, 1})
"""Exit codes of a scan that came to its end."""
_WRONG: Final = 2
_FAILED: Final = 3
_BY_SIGNAL: Final = 128
"""A shell adds the signal's number to this."""
_LONGEST: Final = 500
"""Characters kept of what a scan said last."""
_MOST_PRINTED: Final = 1 << 16
"""Bytes that are read of what a scan printed: its counts."""


def schedule_named(schedules: Mapping[str, Schedule], name: str) -> Schedule:
    """The schedule of that name.

    Raises:
        ConfigError: there is none.
    """
    if name not in schedules:
        raise ConfigError("there is no schedule {name}: vetuste schedule list has them", name=repr(name))
    return schedules[name]


def carry_out(  # noqa: PLR0913 - one call, in one place
    folder: Path,
    name: str,
    front: Sequence[str],
    heard: Callable[[str], None],
    after: Sequence[str] = (),
    *,
    wait: bool = False,
) -> Run:
    """Run a schedule now, whether it is due or not, and keep how it ended.

    A SIGTERM or SIGINT is passed on to the scan, which records what it learnt.

    Args:
        folder: the state folder.
        name: the schedule's.
        front: the command that is ``vetuste``.
        heard: is told each line that the scan says to people.
        after: the command of ours that follows the scan, whatever became of it; with its site and inventory.
        wait: for another run to end.

    Raises:
        ConfigError: there is no such schedule.
        VetusteError: another run goes on, or the state folder cannot be used; nothing was done.
    """
    schedule_named(schedules_in(folder), name)
    with holding(folder, name, wait=wait) as lock:
        begun = Run(datetime.now(UTC))
        with changing(folder) as kept:
            schedule = schedule_named(kept, name)
            kept[name] = schedule.with_run(begun)
        child = _Child(schedule, heard, lock)
        with signalled(child.stop):
            ended = _scan(schedule, begun, front, child)
            _keep(folder, name, ended)
            if after and not child.stopped:
                code, says, _ = child.run((*front, *after, *schedule.where))
                if code:
                    ended = replace(ended, says="; ".join(filter(None, (ended.says, says))))
                    _keep(folder, name, ended)
    return ended


def _keep(folder: Path, name: str, run: Run) -> None:
    with changing(folder) as kept:
        if name in kept:  # nobody removed it meanwhile
            kept[name] = kept[name].with_run(run)


def _scan(schedule: Schedule, begun: Run, front: Sequence[str], child: _Child) -> Run:
    """Go on with the scan that was cut short, if there is one and nothing changed; else begin a new one."""
    ended = begun
    ways = ("--resume", "--fresh") if schedule.last and schedule.last.cut_short else ("--fresh",)
    for way in ways:
        code, says, said = child.run((*front, "scan", *schedule.where, "--json", way, *schedule.arguments))
        ended = Run(begun.begun, datetime.now(UTC), code, _counts(said), "" if code in _FINE else says)
        if code != _WRONG or child.stopped:
            break
    return ended


class _Child:
    """A child process of a run: heard, told what this process is told, and never left behind."""

    def __init__(self, schedule: Schedule, heard: Callable[[str], None], lock: Held) -> None:
        self.stopped = False
        """Whether this process was told to end."""
        self._schedule, self._heard, self._lock = schedule, heard, lock
        self._process: subprocess.Popen[str] | None = None

    def stop(self, *_: object) -> None:
        """Pass on what this process was told."""
        self.stopped = True
        if self._process is not None:
            self._process.terminate()

    def run(self, command: Sequence[str]) -> tuple[int, str, bytes]:
        """Its exit code, as a shell has it; the last line that it said; what it printed."""
        with tempfile.TemporaryFile() as printed:
            try:
                process = self._started(command, printed)
            except OSError as error:
                says = f"{error.filename}: {error.strerror}"
                self._heard(f"vetuste: {says}")
                return _FAILED, says, b""
            with process:
                code, last = self._followed(process)
            printed.seek(0)
            return code, last[:_LONGEST], printed.read(_MOST_PRINTED)

    def _started(self, command: Sequence[str], printed: IO[bytes]) -> subprocess.Popen[str]:
        return subprocess.Popen(  # noqa: S603 - our own program, with arguments that were checked
            command,
            cwd=self._schedule.folder,
            stdin=subprocess.DEVNULL,
            stdout=printed,
            stderr=subprocess.PIPE,
            pass_fds=(self._lock.descriptor,),
            encoding="utf-8",
            errors="replace",
        )

    def _followed(self, process: subprocess.Popen[str]) -> tuple[int, str]:
        self._process, last = process, ""
        try:
            if self.stopped:  # between its start and now
                process.terminate()
            with suppress(OSError):  # the disk is full: then others read of this process, not of the scan
                self._lock.tell(self._schedule.name, process.pid)
            for line in process.stderr or ():
                self._heard(line)
                last = line.strip() or last
            code = process.wait()
        except BaseException:
            process.terminate()
            raise
        finally:
            self._process = None
        return (code if code >= 0 else _BY_SIGNAL - code), last


def _counts(printed: bytes) -> dict[str, int]:
    try:
        return {str(name): int(number) for name, number in json.loads(printed)[0].items()}
    except (ValueError, TypeError, LookupError, AttributeError):
        return {}  # it ended before it had any
