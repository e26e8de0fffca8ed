"""Disks that fill up: a small one that only the test's own processes see, and a limit on a file's size."""

from __future__ import annotations

import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.integration.product import Product

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$0" && echo mounted && cat'
_INSIDE = 'cd "$0" && exec "$@"'


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Product]:
    """The product on a disk of this size over a folder, in a mount namespace of its own (needs root)."""
    words = ["unshare", "--mount", "--propagation", "private", "sh", "-c", _MOUNT, str(folder), size]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdin
        assert holder.stdout
        assert holder.stdout.readline() == "mounted\n"
        try:
            inside = ("nsenter", f"--target={holder.pid}", "--mount", "sh", "-c", _INSIDE, str(folder))
            yield Product(folder, inside)
        finally:
            holder.stdin.close()


def make_room(product: Product, size: str) -> None:
    """Give a small disk more space."""
    remount = ["mount", "-o", f"remount,size={size}", str(product.folder)]
    subprocess.run([*product.prefix, *remount], check=True)


def short_files(folder: Path, size: int) -> Product:
    """The product where no file may grow beyond so many bytes."""
    return Product(folder, ("prlimit", f"--fsize={size}:{size}"))
