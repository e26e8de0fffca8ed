"""One chunk of a run, scanned into a worker's own inventory as ``vetuste scan`` would, or gone on with."""

from __future__ import annotations

import platform
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scanner.addresses import address_of
from scanner.classify import default_classifier
from scanner.inventory import Recorder, scans_rows
from scanner.scan import (
    NothingLeftError,
    Past,
    Settling,
    listened_to,
    lore_of,
    past_of,
    prepare,
    restored,
    run,
)
from scanner.scan.routers import Routers
from scanner.transport.descriptors import descriptor_limit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from scanner.addresses import Span
    from scanner.config import SiteSource
    from scanner.fleet.model import Chunk, Run
    from scanner.inventory import Inventory, ScanRow
    from scanner.scan import Ground, Request, Screen, Tally


@dataclass
class ChunkScan:
    """The scan of one chunk; it may be gone on with in another process, as long as its inventory is there."""

    inventory: Inventory
    source: SiteSource
    run: Run
    chunk: Chunk

    mark: str = field(init=False)
    """By what the scan is known again in the inventory."""
    whole: Request = field(init=False)
    """What the run asks for; this is a part of it."""

    def __post_init__(self) -> None:
        self.mark = key_of(self.chunk.run, self.chunk.number)
        self.whole = restored(self.run.request, self.source.file)

    def known(self) -> ScanRow | None:
        """What the inventory has of it."""
        rows = scans_rows(self.inventory, self.source.file.site.name)
        return next((row for row in rows if row.versions.get("fleet") == self.mark), None)

    def settled(self) -> ScanRow | None:
        """The same, closed where a process died over it."""
        row = self.known()
        if row is None or row.state != "running":
            return row
        self._recorder(None, row).finish("interrupted")
        return self.known()

    def go_on(
        self, held_back: Callable[[], bool], halted: Callable[[], bool], screen: Screen
    ) -> Tally | None:
        """Scan what is left of it, until that is done, or somebody halts it; None where nothing is left.

        Args:
            held_back: asked before every packet whether nothing may be sent.
            halted: asked a few times a second whether to halt.
            screen: who watches.

        Raises:
            VetusteError: what :func:`scanner.scan.run` raises; what was learnt is kept.
        """
        before = self.known()
        if before is not None and before.state == "done":
            return None
        try:
            ground = self._ground()
        except NothingLeftError:
            self._recorder(None, before).finish("interrupted" if before else "done")
            return None
        ground.gate.held_back = held_back
        recorder = self._recorder(ground, before)
        past = past_of(self.inventory, before.id) if before else Past()
        site, now = self.source.file.site.name, datetime.now(UTC)
        listened = listened_to(self.inventory, site, now)
        settling = Settling(default_classifier(), now.astimezone().date(), ground.policies, listened)
        return run(ground, recorder, settling, screen, past, halted=halted)

    def _ground(self) -> Ground:
        """Where it goes. The first chunk asks routers for the whole run, the others none."""
        lore = lore_of(self.inventory, self.source.file.site.name)
        lore = replace(lore, stopped=(*lore.stopped, *_texts(self.run.untouchable)))
        part = replace(self.whole, targets=tuple(_texts(self.chunk.spans)))
        ground = prepare(part, descriptor_limit(), lore)
        ground.gate.unsigned = frozenset()  # whoever made the source checked them
        asks = self.chunk.number == 1 and self.source.file.snmp.routers
        routers = prepare(self.whole, descriptor_limit(), lore).routers if asks else Routers()
        return replace(ground, routers=routers)

    def _recorder(self, ground: Ground | None, before: ScanRow | None) -> Recorder:
        versions = {"data": default_classifier().version, "python": platform.python_version()}
        return Recorder(
            self.inventory,
            self.source.file,
            profile=ground.profile if ground else self.whole.profile or self.source.file.policy.profile,
            scope=" ".join(self.whole.targets) or self.source.file.site.name,
            versions={**versions, "fleet": self.mark},
            started=datetime.now(UTC),
            request=self.run.request,
            digest=self.source.digest,
            spans=ground.asked.spans if ground else (),
            resumed=before.id if before else None,
        )


def key_of(run: int, number: int) -> str:
    """What a chunk is called, here and at the centre."""
    return f"run {run} chunk {number}"


def _texts(spans: Iterable[Span]) -> Iterable[str]:
    return (f"{address_of(first)}-{address_of(last)}" for first, last in spans)
