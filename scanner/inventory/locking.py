"""Who is alive: locks of the kernel's on files beside the inventory.

``flock`` is released when its holder dies, however it dies, and is seen from other containers that have the
same folder. Who must know whether a holder lives asks for a shared lock, which disturbs nobody else's asking.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

from scanner.errors import InventoryError

if TYPE_CHECKING:
    from pathlib import Path


def held(file: Path) -> bool:
    """Whether a living process holds the lock on a file; so too where that cannot be told."""
    try:
        descriptor = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    else:
        return False
    finally:
        os.close(descriptor)


def lock_of(inventory: Path, scan: int) -> Path:
    """The lock of a scan, the same by whatever link the inventory is reached."""
    file = inventory.resolve()
    return file.with_name(f"{file.name}.scan-{scan}.lock")


class FileLock:
    """The lock of a scan: a file beside the inventory."""

    def __init__(self, inventory: Path, scan: int) -> None:
        self._inventory, self._scan = inventory, scan
        self._file = lock_of(inventory, scan)
        self._descriptor: int | None = None

    def held(self) -> bool:
        """Whether somebody living holds it."""
        return held(self._file)

    def elsewhere(self) -> bool:
        """Never: who has this folder is taken for this machine."""
        return False

    def forget(self) -> None:
        """Remove what a dead holder left; only in a write transaction, so that nobody takes it now."""
        self._file.unlink(missing_ok=True)

    def take(self) -> None:
        """Take it.

        Raises:
            InventoryError: somebody living holds it, or it cannot be made.
        """
        if held(self._file):
            raise InventoryError(
                "scan {scan} is running: wait until it ends, or halt it with vetuste stop",
                file=self._inventory,
                scan=self._scan,
            )
        try:
            self._file.unlink(missing_ok=True)
            self._descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(self._descriptor, fcntl.LOCK_EX)
        except OSError as error:
            raise InventoryError(
                "the scan cannot be locked: {reason}", file=self._file, reason=os.strerror(error.errno or 0)
            ) from error

    def release(self) -> None:
        """Let it go, and leave no file."""
        if self._descriptor is not None:
            self._file.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = None
