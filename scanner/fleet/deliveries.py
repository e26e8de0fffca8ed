"""What workers delivered, until it is recorded in the centre's inventory."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from scanner.fleet.rows import Delivery
from scanner.fleet.runs import chunks_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.fleet.link import Link
    from scanner.fleet.model import Chunk


_UNTAKEN: Final = """
SELECT run, number, site, job, attempt, sent FROM fleet.deliveries WHERE taken IS NULL
ORDER BY sent, run, number
"""


@dataclass(frozen=True, slots=True)
class Deliveries:
    """Rows of ``fleet.deliveries``: one a chunk at most."""

    link: Link

    def untaken(self) -> Iterator[Delivery]:
        """Those that are not recorded yet, the oldest first; bodies are fetched one by one."""
        rows = self.link.rows(_UNTAKEN)
        return (Delivery(*row) for row in rows)

    def body(self, delivery: Delivery) -> bytes:
        """What was delivered: a bundle's bytes, which nobody has looked at. Empty once it was taken."""
        sql = "SELECT body FROM fleet.deliveries WHERE run = %s AND number = %s AND body IS NOT NULL"
        rows = self.link.rows(sql, (delivery.run, delivery.number))
        return bytes(rows[0][0]) if rows else b""

    def mark_taken(self, delivery: Delivery) -> None:
        """Keep that it is recorded, or refused for good: that there was one stays, its body goes."""
        self.link.rows(
            "UPDATE fleet.deliveries SET taken = now(), body = NULL WHERE run = %s AND number = %s",
            (delivery.run, delivery.number),
        )

    def missing(self, run: int) -> tuple[Chunk, ...]:
        """The chunks of a run that nobody delivered yet."""
        return chunks_of(self.link, run, missing=True)

    def chunks(self, run: int) -> tuple[Chunk, ...]:
        """All of its chunks."""
        return chunks_of(self.link, run)
