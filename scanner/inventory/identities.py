"""Identities as they are stored: once each, whoever has them."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from scanner.language import Message
from scanner.model import Certainty, Identity

if TYPE_CHECKING:
    from collections.abc import Mapping

DIGEST_BYTES: Final = 16


class StoredIdentity(NamedTuple):
    """An identity in the columns of its table, but for the id."""

    digest: bytes
    candidates: str
    certainty: str
    reasons: str
    attributes: str
    data_version: str


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def to_columns(identity: Identity, data_version: str) -> StoredIdentity:
    """What is stored of an identity that a version of the data made; equal identities have equal digests."""
    columns = (
        _json(identity.candidates),
        identity.certainty.value,
        _json([[reason.text, dict(reason.values)] for reason in identity.reasons]),
        _json(dict(identity.attributes)),
        data_version,
    )
    digest = hashlib.blake2b("\0".join(columns).encode(), digest_size=DIGEST_BYTES).digest()
    return StoredIdentity(digest, *columns)


def from_columns(candidates: str, certainty: str, reasons: str, attributes: str) -> Identity:
    """The identity that was stored."""
    return Identity(_candidates(candidates), Certainty(certainty), _reasons(reasons), _attributes(attributes))


# Identities differ mostly in one word of one reason: what else is in them comes back row after row.
@lru_cache(maxsize=1 << 12)
def _candidates(column: str) -> tuple[str, ...]:
    return tuple(json.loads(column))


@lru_cache(maxsize=1 << 12)
def _reasons(column: str) -> tuple[Message, ...]:
    return tuple(Message(text, values) for text, values in json.loads(column))


@lru_cache(maxsize=1 << 12)
def _attributes(column: str) -> Mapping[str, str]:
    found: dict[str, str] = json.loads(column)
    return found


def reasons_to_column(reasons: Mapping[str, Message]) -> str:
    """Why probes were not held, as it is stored; equal reasons are equal text."""
    return _json({name: [reason.text, dict(reason.values)] for name, reason in reasons.items()})


def reasons_from_column(column: str) -> dict[str, Message]:
    """The same, read again."""
    return {name: Message(text, values) for name, (text, values) in json.loads(column).items()}
