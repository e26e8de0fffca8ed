"""What long work changes in its own process while it goes on, and puts back."""

from __future__ import annotations

import gc
import signal
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

STOPS: Final = (signal.SIGINT, signal.SIGTERM)
"""How a process is asked to end."""


@contextmanager
def rare_collections() -> Iterator[None]:
    """Let the garbage collector look less often while thousands of visits, or verdicts, are under way.

    It would walk all of them, and all that was imported and loaded, for every few hundred new objects: up to
    a fifth of the processor time in user space, to find next to nothing.
    """
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


@contextmanager
def signalled(
    handler: Callable[..., Any] | signal.Handlers, numbers: Iterable[signal.Signals] = STOPS
) -> Iterator[None]:
    """Let these signals do something else, in the main thread, as long as this lasts."""
    before = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, handled in before.items():
            signal.signal(number, signal.SIG_DFL if handled is None else handled)  # None: set from C
