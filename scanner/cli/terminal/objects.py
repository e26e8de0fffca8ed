"""What machines read: verdicts, assets and candidates as JSON objects (design, section 4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import date, datetime

    from scanner.inventory import Asset
    from scanner.language import Message
    from scanner.model import Identity, Release, Verdict

ATTRIBUTES: Final = ("vendor", "family", "product", "version", "edition", "device", "hardware")


def asset_object(asset: Asset) -> dict[str, Any]:
    """An asset, without the evidence that it rests on (``explain`` and ``export jsonl`` have that)."""
    return {
        "id": asset.id,
        "site": asset.place.site,
        "ward": asset.place.ward,
        "ip": asset.address,
        "name": asset.name or None,
        "domain": asset.domain or None,
        "mac": asset.mac or None,
        "os": asset.os or None,
        **identity_object(asset.identity, asset.verdict, asset.candidates),
        "first_seen": moment(asset.first_seen),
        "last_seen": moment(asset.last_seen),
    }


def identity_object(identity: Identity, verdict: Verdict, candidates: Iterable[Release]) -> dict[str, Any]:
    """Status, certainty, identity, candidates, interval and reasons."""
    return {
        "status": verdict.status.value,
        "certainty": identity.certainty.value,
        "identity": attributes_object(identity.attributes),
        "candidates": [release_object(release) for release in candidates],
        "earliest": day(verdict.earliest),
        "latest": day(verdict.latest),
        "reasons": rendered((*identity.reasons, *verdict.reasons)),
    }


def attributes_object(attributes: Mapping[str, str]) -> dict[str, str | None]:
    """What the evidence names; null where it names nothing."""
    return {name: attributes.get(name) for name in ATTRIBUTES}


def release_object(release: Release) -> dict[str, str | None]:
    """A candidate."""
    return {
        "release": release.id,
        "name": release.name,
        "product": release.product,
        "role": release.role.value,
        "end": day(release.end),
    }


def day(when: date | None) -> str | None:
    """A date in ISO 8601, or null."""
    return None if when is None else when.isoformat()


def moment(when: datetime) -> str:
    """A moment in ISO 8601, in UTC."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def rendered(messages: Iterable[Message]) -> list[str]:
    """Reasons in the language of this process."""
    return [message.render() for message in messages]
