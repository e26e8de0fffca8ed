"""From a plan that is due, or somebody's wish, to a run that is cut into chunks."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from scanner.addresses import IPV6_END, AddressSet
from scanner.classify import default_classifier
from scanner.config import read_site
from scanner.errors import ConfigError
from scanner.fleet.runs import OPEN
from scanner.scan import SPARED_FOR, listened_to, lore_of, prepare, restored
from scanner.schedule.times import parse_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner.addresses import Span
    from scanner.config import SiteFile, SiteSource
    from scanner.fleet.centre_store import CentreStore
    from scanner.fleet.model import FleetSite, Plan, Run
    from scanner.inventory import Inventory

_LOGGER: Final = logging.getLogger("vetuste")
CHUNK: Final = 256
"""Most addresses of a chunk."""
_MANY: Final = 1 << 16
"""Sockets that a worker may have open, for all that the centre knows."""


def cut(addresses: AddressSet) -> tuple[tuple[Span, ...], ...]:
    """Addresses in chunks, in order; blocks of 256 that lie together stay together, where they fit in one."""
    chunks: list[list[Span]] = []
    room = 0
    for block in _blocks(addresses):
        size = sum(last - first + 1 for first, last in block)
        if size > room:
            chunks.append([])
            room = CHUNK
        chunks[-1] += block
        room -= size
    return tuple(AddressSet(chunk).spans for chunk in chunks)


def _blocks(addresses: AddressSet) -> Iterator[list[Span]]:
    """The addresses of each block of 256 that has any."""
    block: list[Span] = []
    for first, last in addresses.spans:
        for start in range(first - first % CHUNK, last + 1, CHUNK):
            part = max(first, start), min(last, start + CHUNK - 1)
            if block and block[0][0] // CHUNK != start // CHUNK:
                yield block
                block = []
            block.append(part)
    if block:
        yield block


def ask(  # noqa: PLR0913 - who is asked for what
    store: CentreStore,
    inventory: Inventory,
    site: FleetSite,
    file: SiteFile,
    request: Mapping[str, object],
    *,
    plan: int | None = None,
) -> Run:
    """Have a site scanned: a run whose jobs the centre queues at its next look.

    Args:
        store: the centre's tables.
        inventory: the centre's inventory: where nothing may be sent at the site, it knows best.
        site: the site.
        file: its site file, read.
        request: what is asked for, as :meth:`scanner.scan.Request.options` gives it.
        plan: what wants it; None where somebody does.

    Raises:
        ConfigError: what is asked for is wrong, or nothing is left of it.
        FleetError: the centre's database cannot be used.
    """
    wanted = restored(request, file)
    lore = lore_of(inventory, file.site.name)
    if wanted.passive_first:
        heard = listened_to(inventory, file.site.name, datetime.now(UTC), SPARED_FOR)
        lore = replace(lore, certain=heard.certain(default_classifier(), AddressSet([(0, IPV6_END)])))
    ground = prepare(wanted, _MANY, lore)
    untouchable = AddressSet(lore.spans()).spans
    return store.runs.add(site.key, request, site.digest, cut(ground.asked), untouchable, plan)


def due_plans(store: CentreStore, now: datetime) -> Iterator[tuple[Plan, datetime]]:
    """The plans that are due, each with when it was; those of paused sites wait."""
    paused = {site.key for site in store.sites.all() if site.paused}
    for plan in store.plans.all():
        if not plan.paused and plan.site not in paused:
            due = parse_times(plan.every, plan.zone).due_since(plan.since, now)
            if due is not None:
                yield plan, due


def start_due(store: CentreStore, inventory: Inventory, now: datetime) -> None:
    """Make a run of each plan that is due; one whose site is being scanned is left out, and that is told.

    A plan that cannot be carried out is told too, and judged again when it is due next.

    Raises:
        FleetError, InventoryError: a database cannot be used; what is due is due at the next look as well.
    """
    for plan, due in due_plans(store, now):
        with store.transaction():
            if not store.plans.was_due(plan.id, due):
                continue
            if store.runs.all(states=OPEN, site=plan.site):
                _LOGGER.warning("plan %d: the site %s is being scanned, it is left out", plan.id, plan.site)
                continue
            site = store.sites.one(plan.site)
            try:
                run = ask(store, inventory, site, source_of(site).file, plan.request, plan=plan.id)
            except ConfigError as error:
                _LOGGER.warning("plan %d of the site %s: %s", plan.id, plan.site, error)
            else:
                _LOGGER.info("plan %d of the site %s: run %d", plan.id, plan.site, run.id)


def source_of(site: FleetSite) -> SiteSource:
    """The site file of a site, read.

    Raises:
        ConfigError: it is wrong for this program.
    """
    with TemporaryDirectory() as folder:
        file = Path(folder, "site.toml")
        file.write_bytes(site.text)
        return read_site(file)
