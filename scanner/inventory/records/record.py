"""What a register says of one machine, and when that is to be believed of the machine as it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from scanner.model import Evidence

_BUILD: Final = re.compile(r"([0-9]{1,2}\.[0-9])(?: \(|\.)([0-9]{4,5})(?:\)|\.[0-9]{1,5})?")
"""``10.0 (19045)``, as a directory has it, or ``10.0.19045``."""

FRESH: Final = timedelta(days=30)
"""How much older than the last sight of an asset the last contact of its record may be.

A directory replicates the moment of a logon up to 14 days late ([MS-ADA1] lastLogonTimestamp), and a machine
changes its password after 30 days. Behind that, the machine may have been installed anew meanwhile.
"""


@dataclass(frozen=True, slots=True)
class Record:
    """One machine in a register. Nothing in it names a person."""

    register: str
    """``ad``, ``glpi``."""
    own_id: str
    """What the register knows it by."""
    name: str = ""
    fqdn: str = ""
    domain: str = ""
    system: str = ""
    """The name of its system with edition and service pack, as the register has it."""
    version: str = ""
    serial: str = ""
    macs: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    enabled: bool | None = None
    managed: bool | None = None
    """Whether an agent on the machine tells it; None where the register does not say, or has no agents."""
    contact: datetime | None = None
    """When the machine itself last spoke to the register, in UTC."""
    facts: Mapping[str, str] = field(default_factory=dict)
    """What else is said of the device: model, manufacturer, location, …"""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a record stands when it is asked what it tells of an asset."""

    register: str
    system: str
    version: str
    managed: bool | None
    contact: datetime | None
    gone: bool


def tells(record: Standing, seen: datetime) -> bool:
    """Whether the machine itself told the register, and lately enough for an asset that was last seen then.

    What somebody typed, what is gone from the register, and what has no moment is only shown.
    """
    if record.gone or record.managed is False or record.contact is None:
        return False
    return record.contact >= seen - FRESH


def said_by(record: Standing) -> Evidence:
    """What a record says of its machine's system, as evidence.

    A build stands behind the system, in one value: they are one claim, so that of a record that the machine
    contradicts no half narrows what it says itself.
    """
    build = _BUILD.fullmatch(record.version)
    system = " ".join(filter(None, (record.system, f"{build[1]}.{build[2]}" if build else "")))
    values = {"system": system if record.system else "", "version": record.version}
    return {f"{record.register}.{name}": (value,) for name, value in values.items() if value}
