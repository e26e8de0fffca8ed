"""A link to a PostgreSQL server's socket that can be cut, and mended."""

from __future__ import annotations

import shutil
import socket
import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

NAME = ".s.PGSQL.5432"


@dataclass
class Link:
    """A socket in a folder of its own that leads to another, as long as it is not cut."""

    target: str
    folder: Path
    _ends: list[socket.socket] = field(default_factory=list)
    _listening: socket.socket | None = None

    def mend(self) -> None:
        """Let it lead there."""
        self._listening = listening = socket.socket(socket.AF_UNIX)
        listening.bind(str(self.folder / NAME))
        listening.listen(16)
        (self.folder / NAME).chmod(0o777)
        Thread(target=self._accept, args=(listening,), daemon=True).start()

    def cut(self) -> None:
        """Let it lead nowhere: whoever was connected is not any more, and nobody can connect."""
        (self.folder / NAME).unlink()
        for end in (*([self._listening] if self._listening else []), *self._ends):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()
        self._ends.clear()

    def _accept(self, listening: socket.socket) -> None:
        with suppress(OSError):  # cut
            while True:
                near, far = listening.accept()[0], socket.socket(socket.AF_UNIX)
                far.connect(self.target)
                self._ends += [near, far]
                for one, other in ((near, far), (far, near)):
                    Thread(target=self._carry, args=(one, other), daemon=True).start()

    @staticmethod
    def _carry(one: socket.socket, other: socket.socket) -> None:
        with suppress(OSError):
            while said := one.recv(1 << 16):
                other.sendall(said)
        with suppress(OSError):
            other.shutdown(socket.SHUT_RDWR)


@contextmanager
def link(target: str) -> Iterator[Link]:
    """A link to the socket in a folder."""
    folder = Path(tempfile.mkdtemp(prefix="vtln"))  # a socket's path has 107 bytes at most
    made = Link(f"{target}/{NAME}", folder)
    made.mend()
    try:
        yield made
    finally:
        if (folder / NAME).exists():
            made.cut()
        shutil.rmtree(folder)
