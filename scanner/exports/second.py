"""A second process that makes half of an export's rows, where there are very many.

What is written is the same byte by byte, in the same order, and a few hundred machines are in memory at a
time. Where the other process cannot be had, or is killed, its part is made here.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, Final, Self, TextIO, TypeAlias

from scanner.errors import VetusteError
from scanner.exports.sources import Source
from scanner.inventory import Inventory
from scanner.inventory.portions import AT_ONCE, Reader

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator
    from multiprocessing.connection import Connection

    from scanner.exports import Options
    from scanner.inventory import Asset
    from scanner.inventory.database import Database
    from scanner.inventory.portions import Portion, Terms

Maker: TypeAlias = "Callable[[Options], Callable[[Asset], str]]"
"""What makes the text of an asset, whatever stands before it: a function of a module, for others to find."""

ALONE: Final = 20_000
"""So many assets are done before it is worth it to start another process."""
_GONE: Final = (EOFError, OSError)
"""What a pipe says whose other end is closed."""
_SELDOM: Final = 100_000
"""So many objects come before it is looked which of them are circles."""


def texts_of(assets: Iterable[Asset], options: Options, maker: Maker) -> Generator[str]:
    """The text of each asset, in their order; to be closed where not all of them are taken.

    Raises:
        InventoryError: the inventory cannot be read, here or there.
    """
    if isinstance(assets, Source) and _processors() > 1:
        yield from _shared(assets, options, maker)
    else:
        yield from map(maker(options), assets)


def write_texts(stream: TextIO, assets: Iterable[Asset], options: Options, maker: Maker) -> int:
    """Write the text of each asset, in their order; gives their number. Raises as :func:`texts_of`."""
    number = 0
    with closing(texts_of(assets, options, maker)) as texts:
        for text in texts:
            stream.write(text)
            number += 1
    return number


def _processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _shared(source: Source, options: Options, maker: Maker) -> Iterator[str]:
    reader, make, done = Reader(source.inventory, source.terms), maker(options), 0
    with ExitStack() as stack:
        other: Second | None = None
        for portion in reader.portions(2 * AT_ONCE):
            if done >= ALONE and other is None:
                other = stack.enter_context(Second(source, options, maker))
            done += len(portion.ids)
            if other is None or not other.is_ready():
                yield from map(make, reader.read(portion))
                continue
            mine, theirs = portion.halves()
            other.ask(theirs)
            yield from map(make, reader.read(mine))
            told = other.told()
            yield from map(make, reader.read(theirs)) if told is None else told


class Second:
    """The other process; it ends when this one leaves it, or ends."""

    def __init__(self, source: Source, options: Options, maker: Maker) -> None:
        self._ready = self._gone = False
        context = multiprocessing.get_context("spawn")  # a copy of this process might hold locks of others
        self._pipe, far = context.Pipe()
        given = (far, source.inventory.database, source.terms, options, maker)
        self._process = context.Process(target=_serve, args=given, daemon=True)
        with far, _deaf():
            try:
                self._process.start()
            except OSError:
                self._gone = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pipe.close()
        if self._process.pid is not None:
            self._process.terminate()  # it only reads
            self._process.join()
            self._process.close()

    def is_ready(self) -> bool:
        """Whether it can be asked; it takes a second to begin."""
        if not self._ready and not self._gone:
            try:
                self._ready = self._pipe.poll() and bool(self._pipe.recv())
            except _GONE:
                self._gone = True
        return self._ready and not self._gone

    def ask(self, portion: Portion) -> None:
        """Let it begin with a portion."""
        try:
            self._pipe.send(portion)
        except _GONE:
            self._gone = True

    def told(self) -> list[str] | None:
        """The texts of the portion that it was asked for; None where it is no more.

        Raises:
            InventoryError: it could not read the inventory.
        """
        if self._gone:
            return None
        try:
            found: list[str] | VetusteError = self._pipe.recv()
        except _GONE:
            self._gone = True
            return None
        if isinstance(found, VetusteError):
            raise found
        return found


@contextmanager
def _deaf() -> Iterator[None]:
    """What is started now does not hear Ctrl-C, which a terminal sends to all: it ends with this process."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)


def _serve(pipe: Connection, database: Database, terms: Terms, options: Options, maker: Maker) -> None:
    """The life of the other process: make what is asked for, until nobody is there any more."""
    gc.freeze()
    gc.set_threshold(_SELDOM)
    try:
        with Inventory(database) as inventory:
            reader, make = Reader(inventory, terms), maker(options)
            pipe.send(True)  # noqa: FBT003 - it is ready
            while True:
                portion: Portion = pipe.recv()
                try:
                    texts: list[str] | VetusteError = list(map(make, reader.read(portion)))
                except VetusteError as error:
                    texts = error
                pipe.send(texts)
    except _GONE:
        return
