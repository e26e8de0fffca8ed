"""``export jsonl``: one asset a line, for programs (design, section 4.3)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from scanner.exports import Format, dialect_of
from scanner.exports.second import write_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import date, datetime
    from typing import TextIO

    from scanner.exports import Options
    from scanner.inventory.rows import Asset
    from scanner.model import Release


def write(assets: Iterable[Asset], stream: TextIO, options: Options) -> int:
    """Write every asset, in the order given."""
    dialect_of((), options)
    return write_texts(stream, assets, options, _lines)


def _lines(options: Options) -> Callable[[Asset], str]:
    """What makes the line of an asset."""
    return lambda asset: json.dumps(_asset(asset, options.lang), ensure_ascii=False) + "\n"


def _asset(asset: Asset, lang: str) -> dict[str, Any]:
    reasons = (*asset.identity.reasons, *asset.verdict.reasons)
    return {
        "id": asset.id,
        "site": asset.place.site,
        "ward": asset.place.ward,
        "building": asset.place.building,
        "owner": asset.place.owner,
        "ip": asset.address,
        "addresses": [asset.address, *asset.addresses],
        "mac": asset.mac or None,
        "name": asset.name or None,
        "fqdn": asset.fqdn or None,
        "domain": asset.domain or None,
        "status": asset.verdict.status.value,
        "certainty": asset.identity.certainty.value,
        "os": asset.os or None,
        "candidates": [_candidate(release) for release in asset.candidates],
        "earliest": _day(asset.verdict.earliest),
        "latest": _day(asset.verdict.latest),
        "reasons": [reason.render(lang) for reason in reasons],
        "evidence": {key: list(values) for key, values in asset.evidence.items()},
        "first_seen": _moment(asset.first_seen),
        "last_seen": _moment(asset.last_seen),
        "data": asset.data_version,
    }


def _candidate(release: Release) -> dict[str, Any]:
    return {
        "release": release.id,
        "name": release.name,
        "product": release.product,
        "role": release.role.value,
        "end": _day(release.end),
    }


def _day(day: date | None) -> str | None:
    return None if day is None else day.isoformat()


def _moment(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


FORMAT: Final = Format("jsonl", ".jsonl", write)
