"""What the network has and a register has not, the reverse, and where the two contradict each other."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import select

from scanner.addresses import AddressBits, AddressMap, AddressSet, number_of
from scanner.inventory.blocks import number_of_block
from scanner.inventory.evidence import evidence_of
from scanner.inventory.identities import from_columns
from scanner.inventory.records.record import said_by
from scanner.inventory.records.telling import standing
from scanner.inventory.tables import ASSETS, COVERAGE, IDENTITIES, RECORDS, SITES, SUBNETS, WARDS
from scanner.inventory.transactions import reading
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from sqlalchemy.engine import Connection, Row

    from scanner.classify import Classifier
    from scanner.inventory.store import Inventory
    from scanner.model import Identity

UNREGISTERED: Final = "unregistered"
UNSEEN: Final = "unseen"
DIFFERING: Final = "differing"
KINDS: Final = (UNREGISTERED, UNSEEN, DIFFERING)
"""A machine that the register has not; a record that is no machine of the network; two that say otherwise."""

_AT_ONCE: Final = 500
_NO_ADDRESS: Final = Message("the register knows no address of it")
_OUTSIDE: Final = Message("its address {address} lies in no ward")
_NEVER: Final = Message("its address {address} was never scanned")
_ASKED: Final = Message("its address {address} was scanned")


@dataclass(frozen=True, slots=True)
class Difference:
    """One machine on which network and register do not agree."""

    kind: str
    site: str
    ward: str
    register: str
    name: str = ""
    asset: int | None = None
    address: str = ""
    system: str = ""
    """By the network."""
    last_seen: datetime | None = None
    own_id: str = ""
    registered: str = ""
    """The system by the register, as it has it."""
    enabled: bool | None = None
    contact: datetime | None = None
    reasons: tuple[Message, ...] = ()


@dataclass(frozen=True, slots=True)
class _Ground:
    """Where addresses of a site lie, and which were asked."""

    wards: AddressMap[str]
    asked: AddressBits

    def of(self, addresses: Sequence[str]) -> tuple[str, Message]:
        """The ward of a record by its addresses, and what became of the first that lies in one."""
        for address in addresses:
            if (ward := self.wards.get(number_of(address))) is not None:
                text = _ASKED if number_of(address) in self.asked else _NEVER
                return ward, Message(text.text, {"address": address})
        return "", Message(_OUTSIDE.text, {"address": addresses[0]}) if addresses else _NO_ADDRESS


def registers_in(inventory: Inventory) -> tuple[str, ...]:
    """The registers of which records were imported.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    with reading(inventory) as connection:
        wanted = select(RECORDS.c.register).distinct().order_by(RECORDS.c.register)
        return tuple(connection.scalars(wanted))


def differences(inventory: Inventory, register: str, classifier: Classifier) -> Iterator[Difference]:
    """Everything on which the network and a register do not agree, site by site; what is gone does not count.

    Raises:
        InventoryError: the inventory cannot be read.
    """
    sites = select(SITES).where(
        SITES.c.id.in_(select(RECORDS.c.site_id).where(RECORDS.c.register == register))
    )
    with reading(inventory) as connection:
        for site in connection.execute(sites.order_by(SITES.c.name)).all():
            yield from _unregistered(connection, site, register)
            yield from _unseen(connection, site, register)
            yield from _differing(connection, site, register, classifier)


_ASSET: Final = (
    *(ASSETS.c[name] for name in ("id", "name", "fqdn", "address", "last_seen")),
    WARDS.c.name.label("ward"),
    *(IDENTITIES.c[name] for name in ("candidates", "certainty", "reasons", "attributes")),
)


def _unregistered(connection: Connection, site: Row[*tuple[Any, ...]], register: str) -> Iterator[Difference]:
    theirs = select(RECORDS.c.asset_id).where(
        RECORDS.c.register == register, RECORDS.c.gone.is_(None), RECORDS.c.asset_id.is_not(None)
    )
    wanted = (
        select(*_ASSET)
        .join(IDENTITIES, IDENTITIES.c.id == ASSETS.c.identity_id)
        .join(WARDS, WARDS.c.id == ASSETS.c.ward_id, isouter=True)
        .where(ASSETS.c.site_id == site.id, ASSETS.c.displaced.is_(None), ASSETS.c.id.not_in(theirs))
        .order_by(WARDS.c.name, ASSETS.c.packed)
    )
    for row in connection.execute(wanted):
        system = _named(from_columns(row.candidates, row.certainty, row.reasons, row.attributes))
        yield Difference(
            UNREGISTERED, site.name, row.ward or "", register, row.fqdn or row.name,
            asset=row.id, address=row.address, system=system, last_seen=row.last_seen,
        )  # fmt: skip


def _unseen(connection: Connection, site: Row[*tuple[Any, ...]], register: str) -> Iterator[Difference]:
    ground = _ground(connection, site.id)
    wanted = select(RECORDS).where(
        RECORDS.c.site_id == site.id,
        RECORDS.c.register == register,
        RECORDS.c.gone.is_(None),
        RECORDS.c.asset_id.is_(None),
    )
    for row in connection.execute(wanted.order_by(RECORDS.c.name, RECORDS.c.id)):
        addresses = json.loads(row.addresses)
        ward, where = ground.of(addresses)
        why = tuple(Message(text, values) for text, values in json.loads(row.matching))
        yield Difference(
            UNSEEN, site.name, ward, register, row.fqdn or row.name,
            address=next(iter(addresses), ""), own_id=row.own_id, registered=_registered(row),
            enabled=None if row.enabled is None else bool(row.enabled), contact=row.contact,
            reasons=(*why, where),
        )  # fmt: skip


def _differing(
    connection: Connection, site: Row[*tuple[Any, ...]], register: str, classifier: Classifier
) -> Iterator[Difference]:
    columns = ("own_id", "register", "system", "version", "managed", "enabled", "contact", "gone", "asset_id")
    wanted = (
        select(
            *(RECORDS.c[name] for name in columns),
            *(ASSETS.c[name] for name in ("name", "fqdn", "address", "last_seen")),
            WARDS.c.name.label("ward"),
        )
        .join(ASSETS, ASSETS.c.id == RECORDS.c.asset_id)
        .join(WARDS, WARDS.c.id == ASSETS.c.ward_id, isouter=True)
        .where(RECORDS.c.site_id == site.id, RECORDS.c.register == register, RECORDS.c.gone.is_(None))
        .order_by(WARDS.c.name, ASSETS.c.packed)
    )
    rows = connection.execute(wanted).all()
    for start in range(0, len(rows), _AT_ONCE):
        batch = rows[start : start + _AT_ONCE]
        heard = evidence_of(connection, [row.asset_id for row in batch], records=False)
        for row in batch:
            seen, said = (
                classifier.classify(each) for each in (heard[row.asset_id][0], said_by(standing(row)))
            )
            if seen.candidates and said.candidates and not set(seen.candidates) & set(said.candidates):
                yield Difference(
                    DIFFERING, site.name, row.ward or "", register, row.fqdn or row.name,
                    asset=row.asset_id, address=row.address, system=_named(seen), last_seen=row.last_seen,
                    own_id=row.own_id, registered=_registered(row),
                    enabled=None if row.enabled is None else bool(row.enabled), contact=row.contact,
                )  # fmt: skip


def _ground(connection: Connection, site_id: int) -> _Ground:
    subnets = select(WARDS.c.name, SUBNETS.c.network).join(SUBNETS).where(WARDS.c.site_id == site_id)
    entries = [(AddressSet.of([row.network]), row.name) for row in connection.execute(subnets)]
    coverage = select(COVERAGE).where(COVERAGE.c.site_id == site_id)
    asked = {
        number_of_block(row.version, row.block) >> 8: int.from_bytes(row.ever, "little")
        for row in connection.execute(coverage)
    }
    return _Ground(AddressMap(entries), AddressBits(asked))


def _named(identity: Identity) -> str:
    """What a machine is, in a word; empty where nothing is known."""
    return identity.attributes.get("product") or identity.attributes.get("family", "")


def _registered(row: Row[*tuple[Any, ...]]) -> str:
    """A system as the register has it, with its version."""
    return " ".join(filter(None, (row.system, row.version)))
