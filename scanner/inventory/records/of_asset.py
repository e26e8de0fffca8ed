"""What registers have of one asset."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from scanner.inventory.tables import RECORDS
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from sqlalchemy.engine import Connection


@dataclass(frozen=True, slots=True)
class RecordRow:
    """One record as it is kept."""

    register: str
    own_id: str
    name: str
    """Its fully qualified name where the register has one."""
    system: str
    """With its version."""
    enabled: bool | None
    managed: bool | None
    contact: datetime | None
    """When the machine itself last spoke to the register."""
    last_seen: datetime
    """In the register: by an import."""
    gone: datetime | None
    """Since when the register does not have it any more."""
    facts: Mapping[str, str]
    """What else it says of the device."""
    matching: tuple[Message, ...]
    """Why it is this asset."""


def records_of(connection: Connection, asset_id: int) -> tuple[RecordRow, ...]:
    """The records that are an asset, by register."""
    columns = RECORDS.c
    wanted = select(RECORDS).where(columns.asset_id == asset_id).order_by(columns.register, columns.id)
    return tuple(
        RecordRow(
            row.register,
            row.own_id,
            row.fqdn or row.name,
            " ".join(filter(None, (row.system, row.version))),
            _said(row.enabled),
            _said(row.managed),
            row.contact,
            row.last_seen,
            row.gone,
            {name: str(value) for name, value in json.loads(row.facts).items()},
            tuple(Message(*reason) for reason in json.loads(row.matching)),
        )
        for row in connection.execute(wanted)
    )


def _said(flag: int | None) -> bool | None:
    return None if flag is None else bool(flag)
