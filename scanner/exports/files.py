"""Files of exports: readable by their owner alone, or by their group, whole or not there at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scanner.errors import ConfigError, InventoryError
from scanner.exports import dialect_of

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO, BinaryIO

    from scanner.exports import Format, Options
    from scanner.inventory.rows import Asset


def write_file(export: Format, assets: Iterable[Asset], target: Path, options: Options) -> int:
    """Write an export beside ``target``, then move it there; gives how many rows.

    A file that was there is replaced only when the new one is whole and on the disk.

    Raises:
        ConfigError: the format has no such dialect, or the target is no file.
        InventoryError: the file cannot be written; nothing of it is left.
    """
    dialect_of(export.dialects, options)
    place = target.resolve()  # a link stays a link
    if place.exists() and not place.is_file():
        raise ConfigError("this is no file: name one, or - for standard output", file=target)
    try:
        descriptor, name = tempfile.mkstemp(
            prefix=f".{place.name}.", dir=place.parent
        )  # mkstemp makes it 0600
    except OSError as error:
        raise _unwritten(target, error) from error
    draft = Path(name)
    try:
        with _opened(descriptor, export) as stream:
            number = export.write(assets, stream, options)
            stream.flush()
            os.fchmod(stream.fileno(), export.mode)
            os.fsync(stream.fileno())
        draft.replace(place)
    except OSError as error:
        raise _unwritten(target, error) from error
    finally:
        draft.unlink(missing_ok=True)
    return number


def write_bytes(export: Format, assets: Iterable[Asset], stream: BinaryIO, options: Options) -> int:
    """Write a binary export to a stream that may be a pipe: only once it is whole; gives how many rows.

    Raises:
        ConfigError: the format has no such dialect.
        OSError: it cannot be written.
    """
    with tempfile.TemporaryFile() as draft:
        number = export.write(assets, draft, options)
        draft.seek(0)
        shutil.copyfileobj(draft, stream)
    return number


def _opened(descriptor: int, export: Format) -> IO[Any]:
    if export.binary:
        return os.fdopen(descriptor, "w+b")
    return os.fdopen(descriptor, "w", encoding="utf-8", errors="replace", newline="")


def _unwritten(target: Path, error: OSError) -> InventoryError:
    return InventoryError(
        "the file cannot be written: {reason}", file=target, reason=os.strerror(error.errno or 0)
    )
