"""What long work changes in its own process while it goes on, and puts back."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


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
