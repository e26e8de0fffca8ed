"""Files that are made whole or not at all: a draft beside the place, mode 0600, put there when it is done.

A kill leaves a draft behind. Its maker holds a lock on it for as long as it lives, so the next maker of the
same file knows which drafts are dead, and removes them.
"""

from __future__ import annotations

import fcntl
import glob
import os
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.inventory.locking import held

if TYPE_CHECKING:
    from collections.abc import Iterator

_BESIDE: Final = ("-wal", "-shm", "-journal", "")
"""What SQLite adds to the name of a database for the files that it keeps beside it; the file itself last."""


@contextmanager
def draft_of(target: Path) -> Iterator[Path]:
    """An empty file beside the target, to be filled and linked there; gone at the end.

    Raises:
        OSError: nothing can be made there.
    """
    for dead in target.parent.glob(f".{glob.escape(target.name)}.{'?' * 8}"):
        if not held(dead):
            _remove(dead)
    descriptor, draft = _draft(target)
    try:
        yield draft
    finally:
        _remove(draft)
        os.close(descriptor)


def _draft(target: Path) -> tuple[int, Path]:
    while True:
        descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)  # makes it 0600
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        if os.fstat(descriptor).st_nlink:
            return descriptor, Path(name)
        os.close(descriptor)  # another maker took it for dead in the instant before it was locked


def _remove(draft: Path) -> None:
    for suffix in _BESIDE:
        draft.with_name(draft.name + suffix).unlink(missing_ok=True)
