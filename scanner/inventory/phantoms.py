"""Addresses that something else answers for: a firewall or a router that accepts or refuses for all of them.

They are told by what they have in common. Where nearly all of 256 addresses give the same answer, and nothing
in it belongs to one machine alone, one device speaks for them, and none of them is a machine. They are looked
for when a scan ends, from what it recorded: so a scan that was killed and resumed finds the same ones.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from sqlalchemy import delete, func, or_, select

from scanner.inventory.coverage import MAP_BYTES
from scanner.inventory.evidence import values_of
from scanner.inventory.findings.keeping import forget_findings
from scanner.inventory.identity.traits import ADDRESS
from scanner.inventory.records.keeping import release_records
from scanner.inventory.statements import insert_rows
from scanner.inventory.tables import (
    ASSETS,
    EVIDENCE,
    EVIDENCE_KEYS,
    IDENTITIES,
    OBSERVATIONS,
    PHANTOMS,
    SCANS,
    SIGHTS,
    TRAITS,
    VISITS,
)
from scanner.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import ColumnElement
    from sqlalchemy.engine import Connection

_PREFIX: Final = 3
"""Bytes of an IPv4 address that its block has."""
_LEAST: Final = 128
"""Addresses of a block that were asked before anything is said of it."""
_FEWEST: Final = 64
"""Addresses that must be alike in any case."""
_NEARLY_ALL: Final = 0.98
"""The share that must answer alike: of 250 telephones of one kind in a ward, a few are always unplugged."""
_MOST: Final = 0.9
"""The same where real machines would differ: all accept and say nothing, or bear one machine's names."""
_CIRCUMSTANCES: Final = frozenset({"tcp.synack"})
"""Evidence that says nothing of its own."""
_OWN: Final = frozenset(
    {
        *("smb.server_guid", "smb.boot_time", "ntlm.netbios_name", "ntlm.dns_name", "netbios.name"),
        *(
            "netbios.mac",
            "neighbour.mac",
            "mac.address",
            "dhcp.mac",
            "ssh.hostkey",
            "tls.certificate",
            "snmp.engine_id",
            "ldap.host",
        ),
    }
)
"""Evidence that two machines never share."""


_NONE: Final = "[]"
_NOTHING: Final = "{}"
"""What is stored of an identity of which nothing is known."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What one address answered in a scan."""

    asset: int
    last: int
    """The last byte of the address."""
    said: frozenset[tuple[str, tuple[str, ...]]]
    accepts: bool
    """Whether it accepted a connection."""
    known: bool
    """Whether another scan heard something there."""

    @property
    def share(self) -> float:
        """How many must answer like this before one device speaks for all."""
        if self.said:
            return _MOST if any(key in _OWN for key, _ in self.said) else _NEARLY_ALL
        return _MOST if self.accepts else _NEARLY_ALL


def phantoms_among(asked: int, block: Sequence[Answered]) -> list[Answered]:
    """Those of a block's addresses that are no machines.

    Args:
        asked: how many addresses of the block were asked.
        block: those that answered.
    """
    if asked < _LEAST or not block:
        return []
    alike = Counter((each.said, each.accepts) for each in block)
    (common, number), *_ = alike.most_common(1)
    mute = [each for each in block if (each.said, each.accepts) == common]
    others = len(block) - number
    return mute if number >= max(_FEWEST, mute[0].share * (asked - others)) else []


def settle_phantoms(connection: Connection, site_id: int, scan_id: int) -> int:
    """Take away the assets of a scan that are none, and keep which addresses they were.

    What another scan or an import heard of a machine stays: it is known to be there.

    Returns:
        How many addresses were taken for machines, and are none.
    """
    number = 0
    for block, asked, dense in _blocks(connection, scan_id):
        before = PHANTOMS.c.scan_id != scan_id  # what the same scan told before it was interrupted stays
        connection.execute(delete(PHANTOMS).where(*_of(site_id, block), before))
        found = phantoms_among(asked, _answers(connection, site_id, scan_id, block)) if dense else []
        gone = [each for each in found if not each.known]
        if not gone:
            continue
        keep_phantoms(connection, site_id, scan_id, block, sum(1 << each.last for each in gone))
        _remove(connection, [each.asset for each in gone])
        number += len(gone)
    return number


def keep_phantoms(connection: Connection, site_id: int, scan_id: int, block: bytes, bits: int) -> None:
    """Keep which addresses of a block are no machines, beside those that the same scan told of before."""
    wanted = select(PHANTOMS.c.addresses).where(*_of(site_id, block), PHANTOMS.c.scan_id == scan_id)
    bits |= int.from_bytes(connection.scalar(wanted) or b"", "little")
    row = [site_id, block, scan_id, bits.to_bytes(MAP_BYTES, "little")]
    insert_rows(connection, PHANTOMS, row, replace=True)


def _of(site_id: int, block: bytes) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return PHANTOMS.c.site_id == site_id, PHANTOMS.c.block == block


def _blocks(connection: Connection, scan_id: int) -> list[tuple[bytes, int, bool]]:
    """Blocks of IPv4 of which something can be said: how many addresses were asked, whether most answered."""
    name = func.substr(ASSETS.c.packed, 1, _PREFIX)
    answered = (
        select(name, func.count())
        .where(ASSETS.c.last_scan_id == scan_id, func.length(ASSETS.c.packed) == _PREFIX + 1)
        .group_by(name)
        .having(func.count() >= _LEAST * _MOST)
    )
    number: dict[bytes, int] = dict(connection.execute(answered).all())
    visits = (
        select(VISITS.c.block, VISITS.c.addresses)
        .where(VISITS.c.scan_id == scan_id, func.length(VISITS.c.block) == _PREFIX)
        .execution_options(yield_per=1000)
    )
    asked = (
        (block, int.from_bytes(bits, "little").bit_count()) for block, bits in connection.execute(visits)
    )
    return [(block, size, number.get(block, 0) >= _MOST * size) for block, size in asked if size >= _LEAST]


def _answers(connection: Connection, site_id: int, scan_id: int, block: bytes) -> list[Answered]:
    """What the addresses of a block answered in this scan."""
    rows = (
        select(
            ASSETS.c.id, ASSETS.c.packed, OBSERVATIONS.c.id, OBSERVATIONS.c.scan_id, OBSERVATIONS.c.outcome
        )
        .join(OBSERVATIONS, OBSERVATIONS.c.asset_id == ASSETS.c.id)
        .where(
            ASSETS.c.site_id == site_id,
            ASSETS.c.last_scan_id == scan_id,
            func.substr(ASSETS.c.packed, 1, _PREFIX) == block,
        )
    )
    heard: dict[tuple[int, int], list[tuple[int, int, Outcome]]] = {}
    for asset, packed, observation, scan, outcome in connection.execute(rows):
        heard.setdefault((asset, packed[-1]), []).append((observation, scan, Outcome(outcome)))
    evidence = values_of(connection, [seen for each in heard.values() for seen, _, _ in each])
    before = _known_before(connection, [asset for asset, _ in heard], scan_id)
    found = (_answered(*place, seen, evidence, scan_id) for place, seen in heard.items())
    return [replace(each, known=each.known or each.asset in before) for each in found]


def _known_before(connection: Connection, assets: Sequence[int], scan_id: int) -> set[int]:
    """Those of some assets of which another scan knew something, whose observations may be gone by now."""
    seen = (
        select(SIGHTS.c.asset_id)
        .join(IDENTITIES)
        .where(
            SIGHTS.c.asset_id.in_(list(assets)),
            SIGHTS.c.scan_id != scan_id,
            or_(IDENTITIES.c.candidates != _NONE, IDENTITIES.c.attributes != _NOTHING),
        )
    )
    started = select(SCANS.c.started).where(SCANS.c.id == scan_id).scalar_subquery()
    called = (
        select(TRAITS.c.asset_id)
        .join(EVIDENCE_KEYS)
        .where(
            TRAITS.c.asset_id.in_(list(assets)),
            EVIDENCE_KEYS.c.key != ADDRESS,
            or_(TRAITS.c.scan_id != scan_id, TRAITS.c.first < started),
        )
    )
    return {*connection.scalars(seen), *connection.scalars(called)}


def _answered(
    asset: int,
    last: int,
    seen: Sequence[tuple[int, int, Outcome]],
    evidence: dict[int, dict[str, tuple[str, ...]]],
    scan_id: int,
) -> Answered:
    said: dict[str, tuple[str, ...]] = {}
    accepts = known = False
    for observation, scan, outcome in seen:
        heard = {
            key: values for key, values in evidence.get(observation, {}).items() if key not in _CIRCUMSTANCES
        }
        if scan == scan_id:
            said |= heard
            accepts |= outcome.alive and outcome is not Outcome.REFUSED
        else:
            known |= bool(heard)
    return Answered(asset, last, frozenset(said.items()), accepts, known)


def _remove(connection: Connection, assets: Sequence[int]) -> None:
    theirs = select(OBSERVATIONS.c.id).where(OBSERVATIONS.c.asset_id.in_(list(assets)))
    connection.execute(delete(EVIDENCE).where(EVIDENCE.c.observation_id.in_(theirs)))
    connection.execute(delete(OBSERVATIONS).where(OBSERVATIONS.c.asset_id.in_(list(assets))))
    forget_findings(connection, assets)
    for table in (SIGHTS, TRAITS):
        connection.execute(delete(table).where(table.c.asset_id.in_(list(assets))))
    release_records(connection, assets)
    connection.execute(delete(ASSETS).where(ASSETS.c.id.in_(list(assets))))
