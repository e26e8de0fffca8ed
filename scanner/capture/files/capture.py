"""One capture, read once: its frames, and what is wrong with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Final

from scanner.capture.files import pcap, pcapng
from scanner.capture.files.incoming import BLOCK, DamageError, Incoming, blocks_of
from scanner.capture.files.packing import unpacked
from scanner.errors import VetusteError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator
    from contextlib import AbstractContextManager

    from scanner.capture.telling import Frame

FOREIGN: Final = "is no capture: neither pcap nor pcapng"


@dataclass
class Capture:
    """A file, or a stream, that should be a capture."""

    name: str
    """As it is said to people."""
    open: Callable[[], AbstractContextManager[IO[bytes]]]
    size: int | None = None
    """Bytes of it, packed as it may be; None: it is a stream."""
    consumed: int = 0
    """So many bytes of it were read."""
    packets: int = 0
    """So many of its packets were read: to a block, and exactly at the end."""
    complaint: VetusteError | None = None
    """What is wrong with it, known at its end: one line, which names it. What stood before was told."""
    foreign: bool = False
    """It did not even begin like a capture; known at its end."""

    def frames(self, block: int = BLOCK) -> Generator[Frame, None, None]:
        """Its frames, as they come; ``block`` bytes are read at a time.

        A frame whose file says no time, or one that is not in 1970 to 2106, has the time 0. One that is
        longer than any that can be made use of (66,560 bytes) is passed over.
        """
        incoming = Incoming(iter(()))
        try:
            with self.open() as stream:
                incoming = Incoming(unpacked(self._counted(blocks_of(stream, block))))
                yield from self._read(incoming)
        except DamageError as damage:
            self.complaint = VetusteError(damage.text, file=self.name)
            self.complaint.values = {**damage.values, "packets": incoming.packets}
        except OSError as error:
            self.complaint = VetusteError(
                "cannot be read to its end: {why}; packets read: {packets}",
                file=self.name,
                why=error.strerror or error,
                packets=incoming.packets,
            )
        finally:
            self.packets = incoming.packets

    def _counted(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self.consumed += len(block)
            yield block

    def _read(self, incoming: Incoming) -> Iterator[Frame]:
        incoming.more(0, 4)
        magic = incoming.data[:4]
        if magic in pcap.MAGICS:
            return pcap.frames(incoming)
        if magic == pcapng.MAGIC:
            return pcapng.frames(incoming)
        self.foreign = True
        raise DamageError(FOREIGN if magic else "is empty")
