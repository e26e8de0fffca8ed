"""Campaigns: the rows of an inventory, sealed, handed over as a bundle, and compared with their seals."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from scanner.audit.bundle import Bundle
from scanner.audit.canonical import START
from scanner.audit.chain import Lines, Row, linked, raw_digest, segments_of
from scanner.audit.manifest import Manifest, manifest_of, read_manifest
from scanner.errors import InventoryError, VetusteError
from scanner.inventory import count_rows, coverage_rows
from scanner.inventory.campaigns import (
    SEALED,
    Bounds,
    Campaign,
    begin_closing,
    campaign_named,
    campaigns_rows,
    mark_exported,
    scans_of,
    seal,
    sealed_rows,
)
from scanner.inventory.drafts import draft_of
from scanner.inventory.utc import stamp
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date, datetime
    from pathlib import Path

    from scanner.audit.chain import Segment
    from scanner.config import SiteSource
    from scanner.inventory import Inventory
    from scanner.inventory.campaigns import Closing
    from scanner.inventory.campaigns.sealed import SealedRow


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is sealed beside the inventory's rows."""

    at: datetime
    today: date
    """The day that verdicts are for."""
    account: str
    """Of this machine: who closes the campaign."""
    versions: Mapping[str, str]
    """Of the program, and of its data."""
    site: SiteSource | None = None


@dataclass(frozen=True, slots=True)
class State:
    """What became of a closed campaign in the inventory."""

    campaign: Campaign
    faults: tuple[Message, ...]
    """What is not as it was sealed; empty where all is well."""
    missing: int = 0
    """Rows that are in the inventory no more, since their bundle was exported."""


def close_campaign(inventory: Inventory, name: str, with_: Circumstances) -> Manifest:
    """Close a campaign and seal what belongs to it; killed at any time, it is closed or open.

    Raises:
        ConfigError: there is no such campaign, it is closed, or there is nothing to seal.
        InventoryError: a scan of its scope runs or ran meanwhile, or the inventory fails; it stays open.
    """
    closing = begin_closing(inventory, name, with_.at)
    found = (lines.segment for lines in _lines(inventory, closing.campaign, closing.at, _ids(closing)))
    segments = tuple(linked(found))
    said = _said(inventory, closing, with_)
    kept: list[Manifest] = []

    def made(previous: str) -> tuple[str, str]:
        kept.append(manifest_of(said, segments, previous))
        return kept[-1].content.decode(), kept[-1].head

    seal(inventory, closing, with_.account, made)
    return kept[-1]


def export_campaign(inventory: Inventory, name: str, target: Path, at: datetime, *, raw: bool) -> Manifest:
    """Write the bundle of a closed campaign, mode 0600, whole or not at all; the same bytes each time.

    Args:
        inventory: where the campaign is.
        name: its name.
        target: the file; one that is there is replaced.
        at: now; kept as when it was exported.
        raw: whether the answers of machines go into it.

    Raises:
        ConfigError: there is no such campaign, or it is open.
        InventoryError: the inventory is not as it was sealed, or the file cannot be written.
    """
    campaign = campaign_named(inventory, name, closed=True)
    manifest = _manifest(campaign)
    try:
        with draft_of(target) as draft:
            _write(inventory, campaign, manifest, draft, raw=raw)
            draft.replace(target)
    except OSError as error:
        raise InventoryError(
            "the file cannot be written: {reason}", file=target, reason=os.strerror(error.errno or 0)
        ) from error
    mark_exported(inventory, campaign, at)
    return manifest


def verify_inventory(inventory: Inventory) -> Iterator[State]:
    """Compare the inventory with the seals of every closed campaign, in the order of their closing.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    closed = [each for each in campaigns_rows(inventory) if each.place is not None]
    before = START
    for place, campaign in enumerate(sorted(closed, key=lambda each: each.place or 0), start=1):
        try:
            manifest = _manifest(campaign)
        except VetusteError as error:
            values = {key: str(value) for key, value in error.values.items()}
            yield State(campaign, (Message(error.text, values),))
            before = campaign.head or START
            continue
        faults = list(_row_faults(inventory, campaign, manifest))
        if manifest.previous != before or campaign.place != place:
            faults.append(_UNCHAINED)
        missing, changed = _compared(inventory, campaign, manifest)
        yield State(campaign, (*faults, *changed), missing)
        before = manifest.head


_UNCHAINED: Final = Message("the campaign that was closed before it is another one than when it was sealed")
_RESTATED: Final = Message("the inventory says otherwise of it than its manifest: {what}")
_CHANGED: Final = Message("{segment} is not as it was sealed: rows of it were changed, added or dropped")


def _manifest(campaign: Campaign) -> Manifest:
    manifest = read_manifest((campaign.manifest or "").encode())
    if manifest.head != campaign.head:
        raise VetusteError("the manifest is not that of the head: one of them was changed")
    return manifest


def _row_faults(inventory: Inventory, campaign: Campaign, manifest: Manifest) -> Iterator[Message]:
    stated, said = _of_campaign(campaign), manifest.said
    wrong = [key for key in stated if stated[key] != said.get(key)]
    if scans_of(inventory, campaign) != said.get("scans"):
        wrong.append("scans")
    if wrong:
        yield Message(_RESTATED.text, {"what": ", ".join(wrong)})


def _compared(inventory: Inventory, campaign: Campaign, manifest: Manifest) -> tuple[int, list[Message]]:
    """How many rows are missing since they were exported, and the segments that are not as they were."""
    scans = tuple(int(scan["id"]) for scan in manifest.said["scans"])
    found: dict[str, Segment] = {}
    for lines in _lines(inventory, campaign, campaign.closed or campaign.opened, scans):
        found[lines.segment.name] = lines.segment
    sealed = {segment.name: segment for segment in manifest.segments}
    wrong = [name for name in {**sealed, **found} if not _same(sealed.get(name), found.get(name))]
    missing = sum(each.rows for each in sealed.values()) - sum(each.rows for each in found.values())
    if campaign.exported is not None and missing > 0:
        return missing, []
    return 0, [Message(_CHANGED.text, {"segment": name}) for name in wrong[:1]]


def _same(one: Segment | None, other: Segment | None) -> bool:
    if one is None or other is None:
        return False
    return (one.rows, one.size, one.sha256) == (other.rows, other.size, other.sha256)


def _lines(
    inventory: Inventory, campaign: Campaign, closed: datetime, scans: tuple[int, ...]
) -> Iterator[Lines]:
    bounds = Bounds(campaign.site_id, scans, closed, campaign.spans)
    for table in SEALED:
        yield from segments_of(table.name, _sealed(sealed_rows(inventory, table, bounds)))


def _sealed(rows: Iterable[SealedRow]) -> Iterator[Row]:
    for value, answers in rows:
        if "evidence" in value:
            value["raw"] = raw_digest(answers)
        yield Row(value, answers)


def _write(inventory: Inventory, campaign: Campaign, manifest: Manifest, draft: Path, *, raw: bool) -> None:
    scans = tuple(int(scan["id"]) for scan in manifest.said["scans"])
    left = iter(manifest.segments)
    with draft.open("wb") as stream:
        bundle = Bundle(stream, manifest, raw=raw)
        for lines in _lines(inventory, campaign, campaign.closed or campaign.opened, scans):
            if not _same(next(left, None), lines.segment):
                raise _unsealed(inventory)
            bundle.add(lines)
        if next(left, None) is not None:
            raise _unsealed(inventory)
        bundle.finish()
        stream.flush()
        os.fsync(stream.fileno())


def _unsealed(inventory: Inventory) -> InventoryError:
    return InventoryError(
        "the inventory is not as it was sealed, and nothing is exported: vetuste campaign verify says where",
        file=inventory.database.place,
    )


def _ids(closing: Closing) -> tuple[int, ...]:
    return tuple(int(scan["id"] or 0) for scan in closing.scans)


def _of_campaign(campaign: Campaign) -> dict[str, Any]:
    """What the campaign's own row says."""
    spans = None if campaign.spans is None else [list(map(str, span)) for span in campaign.spans]
    times = {"since": stamp(campaign.since), "opened": stamp(campaign.opened)}
    if campaign.closed is not None:
        times |= {"closed": stamp(campaign.closed), "closed_by": campaign.closed_by or ""}
    names = {"name": campaign.name, "site": campaign.site, "opened_by": campaign.opened_by}
    return {**names, **times, "wards": list(campaign.wards), "spans": spans}


def _said(inventory: Inventory, closing: Closing, with_: Circumstances) -> dict[str, object]:
    """Everything that the manifest says but the chain."""
    campaign = closing.campaign
    site: dict[str, str] | None = None
    if with_.site is not None:
        site = {"digest": with_.site.digest}
        with suppress(UnicodeDecodeError):
            site["text"] = with_.site.content.decode()
    return {
        **_of_campaign(campaign),
        "closed": stamp(with_.at),
        "closed_by": with_.account,
        "today": with_.today.isoformat(),
        "versions": dict(with_.versions),
        "site_file": site,
        "scans": list(closing.scans),
        "counts": _counts(inventory, campaign, with_),
    }


def _counts(inventory: Inventory, campaign: Campaign, with_: Circumstances) -> dict[str, object]:
    """The figures of the campaign's wards on the closing day."""
    file = with_.site.file if with_.site is not None else None
    places = ("site", "ward")
    tables: dict[str, Iterable[Any]] = {
        "wards": count_rows(inventory, by=places, today=with_.today),
        "status": count_rows(inventory, by=(*places, "status"), today=with_.today),
        "os": count_rows(inventory, by=(*places, "os"), today=with_.today),
        "coverage": coverage_rows(inventory, by=places, site=file),
    }
    return {
        name: [row.as_dict() for row in rows if _wanted(row.keys, campaign)] for name, rows in tables.items()
    }


def _wanted(keys: Mapping[str, str], campaign: Campaign) -> bool:
    return keys["site"] == campaign.site and (not campaign.wards or keys["ward"] in campaign.wards)
