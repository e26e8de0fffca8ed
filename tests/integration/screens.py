"""What a command prints, into a pipe or onto a terminal of the test's own."""

from __future__ import annotations

import os
import pty
import subprocess
from typing import TYPE_CHECKING

from tests.cli.process import environment

if TYPE_CHECKING:
    from tests.integration.product import Product


def on_a_terminal(product: Product, *words: str, **changes: str) -> str:
    """Everything that a command writes to a terminal, both streams, byte for byte."""
    master, slave = pty.openpty()
    process = subprocess.Popen(
        product.command(*words),
        cwd=product.folder,
        env=environment(COLUMNS="500", **changes),
        stdin=subprocess.DEVNULL,
        stdout=slave,
        stderr=slave,
    )
    os.close(slave)
    written = bytearray()
    with process, os.fdopen(master, "rb", buffering=0) as screen:
        while chunk := _read(screen.fileno()):
            written += chunk
    assert process.returncode == 0, written
    return written.decode()


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 1 << 16)
    except OSError:  # how Linux says that nobody holds the other end any more
        return b""


def into_a_pipe(product: Product, *words: str) -> str:
    """Everything that a command writes where no terminal is."""
    process = subprocess.Popen(
        product.command(*words),
        cwd=product.folder,
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    return out.decode()
