"""The state folder: schedules and their runs in one small file, whole at any time and for its owner alone."""

from __future__ import annotations

import fcntl
import json
import os
import stat
from contextlib import contextmanager
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from scanner.errors import VetusteError
from scanner.inventory.drafts import draft_of
from scanner.inventory.utc import moment, stamp
from scanner.schedule.entries import Run, Schedule

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_FILE: Final = "schedules.json"
_VERSION: Final = 1
_LARGEST: Final = 1 << 24
"""Bytes: a hundred schedules with all their runs are a tenth of that."""
_OTHERS_MAY_WRITE: Final = stat.S_IWGRP | stat.S_IWOTH


def state_folder(environment: Mapping[str, str]) -> Path:
    """Where this user's schedules are: ``VETUSTE_STATE``, else what the system has for that."""
    asked, home = environment.get("VETUSTE_STATE", ""), environment.get("XDG_STATE_HOME", "")
    if asked:
        return Path(asked).absolute()
    if os.geteuid() == 0:
        return Path("/var/lib/vetuste")
    return (Path(home) if Path(home).is_absolute() else Path.home() / ".local" / "state") / "vetuste"


def schedules_in(folder: Path, owner: int | None = None) -> dict[str, Schedule]:
    """All schedules, by name, in the order of their names.

    Args:
        folder: the state folder.
        owner: the user with whose rights they run; this one otherwise.

    Raises:
        VetusteError: the file cannot be read, is damaged, or others could have written it.
    """
    file = folder / _FILE
    try:
        with file.open("rb") as stream:
            _demand_own(file, os.fstat(stream.fileno()), os.geteuid() if owner is None else owner)
            content = stream.read(_LARGEST + 1)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise VetusteError(
            "the schedules cannot be read: {why}", file=file, why=os.strerror(error.errno or 0)
        ) from error
    try:
        return _read(content)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise VetusteError(
            "the file of the schedules is damaged: move it away, and add them again", file=file
        ) from error


@contextmanager
def changing(folder: Path) -> Iterator[dict[str, Schedule]]:
    """The schedules, to be changed; kept at the end where no error ended it, and by nobody else meanwhile.

    Raises:
        VetusteError: as :func:`schedules_in`; or they cannot be written, and are as they were.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / f"{_FILE}.lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise _unwritten(folder, error) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        kept = schedules_in(folder)
        before = dict(kept)
        yield kept
        if kept != before:
            _write(folder / _FILE, kept.values())
    finally:
        os.close(lock)


def _demand_own(file: Path, found: os.stat_result, owner: int) -> None:
    """What stands in the file is run with the rights of its owner."""
    if found.st_uid != owner or found.st_mode & _OTHERS_MAY_WRITE:
        raise VetusteError(
            "the file of the schedules belongs to another user, or others may write it: it is not trusted",
            file=file,
        )


def _write(file: Path, schedules: Iterable[Schedule]) -> None:
    kept = {"version": _VERSION, "schedules": [asdict(each) for each in schedules]}
    try:
        with draft_of(file) as draft:
            with draft.open("w", encoding="utf-8") as stream:
                json.dump(kept, stream, indent=1, default=_plain)
                stream.flush()
                os.fsync(stream.fileno())
            draft.replace(file)
    except OSError as error:
        raise _unwritten(file, error) from error


def _plain(value: object) -> str:
    return stamp(value) if isinstance(value, datetime) else str(value)


def _unwritten(place: Path, error: OSError) -> VetusteError:
    return VetusteError(
        "the schedules cannot be written: {why}", file=place, why=os.strerror(error.errno or 0)
    )


def _read(content: bytes) -> dict[str, Schedule]:
    if len(content) > _LARGEST:
        raise ValueError(len(content))
    kept = json.loads(content)
    if kept["version"] != _VERSION:
        raise ValueError(kept["version"])
    found = [_schedule(each) for each in kept["schedules"]]
    return {each.name: each for each in sorted(found, key=lambda each: each.name)}


def _schedule(kept: dict[str, Any]) -> Schedule:
    return Schedule(
        str(kept["name"]),
        str(kept["every"]),
        str(kept["zone"]),
        Path(kept["site"]),
        Path(kept["folder"]),
        _moment(kept["added"]),
        str(kept["database"]),
        tuple(map(str, kept["arguments"])),
        tuple(map(_run, kept["runs"])),
    )


def _run(kept: dict[str, Any]) -> Run:
    code, ended = kept["code"], kept["ended"]
    counts = {str(name): int(number) for name, number in kept["counts"].items()}
    return Run(
        _moment(kept["begun"]),
        None if ended is None else _moment(ended),
        None if code is None else int(code),
        counts,
        str(kept["says"]),
    )


def _moment(stored: str) -> datetime:
    found = moment(stored)
    if found.tzinfo is None:
        raise ValueError(stored)
    return found
