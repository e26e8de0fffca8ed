"""What tells of causes and risks: verdicts and the few keys of evidence that count."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import func, select

from scanner.inventory.findings.causes import causes
from scanner.inventory.findings.risk import evidence_that_counts
from scanner.inventory.findings.states import Facts
from scanner.inventory.tables import ASSETS, EVIDENCE, EVIDENCE_KEYS, IDENTITIES, OBSERVATIONS
from scanner.language import Message
from scanner.model import Certainty, Identity

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy.engine import Connection

    from scanner.inventory.findings.causes import Cause
    from scanner.inventory.verdicts import Verdicts
    from scanner.inventory.wards import Ward
    from scanner.model import Release, Status, Verdict

_REMEMBERED: Final = 65_536
"""Verdicts that are kept by site, ward and identity; a hospital has some thousand."""

Group: TypeAlias = tuple[int, int | None, int]
"""Machines of one site, ward and identity."""

_AT_ONCE: Final = 2000

_Judged: TypeAlias = "tuple[Certainty, tuple[Release, ...], Verdict]"


@dataclass(frozen=True, slots=True)
class Machine:
    """One machine, as far as causes and risks go."""

    id: int
    ward: Ward
    scan: int
    """The scan whose evidence made its identity; 0 while it said nothing."""
    certainty: Certainty
    candidates: tuple[Release, ...]
    verdict: Verdict
    told: Mapping[str, tuple[str, ...]]
    """Of the evidence that its identity rests on, what counts."""
    displaced: bool = False
    """Whether nothing tells it but an address, where others were met since."""

    def facts(self, cause: Cause) -> Facts:
        """What it says of a cause."""
        if self.displaced:
            return Facts(lost=Message("others answer at its address now, and nothing else tells it"))
        if cause.status is not None:
            return cause.of_verdict(self.verdict.status, self.candidates, self.scan)
        return cause.of_evidence(self.told.get(cause.evidence, ()), self.scan)


@dataclass(slots=True)
class Machines:
    """Reads machines; what many have in common is judged once."""

    verdicts: Verdicts
    wards: Mapping[tuple[int, int | None], Ward]
    _judged: dict[Group, _Judged] = field(default_factory=dict)

    def read(self, connection: Connection, assets: Sequence[int]) -> Iterator[Machine]:
        """The machines of these ids (a few thousand) that there are, in the order of ids."""
        columns = ASSETS.c
        wanted = (
            select(
                *(columns.id, columns.site_id, columns.ward_id, columns.identity_id),
                *(columns.identity_scan_id, columns.displaced.is_not(None).label("displaced")),
            )
            .where(columns.id.in_(list(assets)))
            .order_by(columns.id)
        )
        rows = connection.execute(wanted).all()
        self._judge(connection, {(row.site_id, row.ward_id, row.identity_id) for row in rows})
        told = _told(connection, assets)
        for row in rows:
            ward = self.wards.get((row.site_id, row.ward_id))
            if ward is not None:  # else it is newer than this run
                judged = self._judged[row.site_id, row.ward_id, row.identity_id]
                known = told.get(row.id, {})
                yield Machine(row.id, ward, row.identity_scan_id or 0, *judged, known, bool(row.displaced))

    def statuses(self, connection: Connection, groups: Sequence[Group]) -> Iterator[Status | None]:
        """What the dates say of machines by site, ward and identity, in that order; None: the ward is new."""
        for start in range(0, len(groups), _AT_ONCE):
            part = groups[start : start + _AT_ONCE]
            self._judge(connection, set(part))
            for group in part:
                judged = self._judged.get(group)
                yield None if judged is None else judged[2].status

    def _judge(self, connection: Connection, groups: set[Group]) -> None:
        if len(self._judged) > _REMEMBERED:
            self._judged.clear()
        new = groups - self._judged.keys()
        columns = IDENTITIES.c
        numbers = {number for *_, number in new}
        wanted = select(columns.id, columns.candidates, columns.certainty).where(columns.id.in_(numbers))
        identities = {
            row.id: Identity(tuple(json.loads(row.candidates)), Certainty(row.certainty))
            for row in connection.execute(wanted)
        }
        for site, place, number in new:
            ward, identity = self.wards.get((site, place)), identities[number]
            if ward is not None:
                candidates = self.verdicts.candidates(identity)
                policy = self.verdicts.policy(ward.settings, ward.name)
                verdict = self.verdicts.of(candidates, policy)
                self._judged[site, place, number] = (identity.certainty, candidates, verdict)


def _told(connection: Connection, assets: Sequence[int]) -> dict[int, dict[str, tuple[str, ...]]]:
    """The evidence that counts, by machine."""
    keys = evidence_that_counts() | {cause.evidence for cause in causes().values() if cause.evidence}
    known = select(EVIDENCE_KEYS.c.id, EVIDENCE_KEYS.c.key).where(EVIDENCE_KEYS.c.key.in_(sorted(keys)))
    names = {row.id: row.key for row in connection.execute(known)}
    its_scan = func.coalesce(ASSETS.c.identity_scan_id, ASSETS.c.last_scan_id)
    heard = (
        select(ASSETS.c.id, EVIDENCE.c.key_id, EVIDENCE.c.value)
        .join(OBSERVATIONS, (OBSERVATIONS.c.asset_id == ASSETS.c.id) & (OBSERVATIONS.c.scan_id == its_scan))
        .join(EVIDENCE, EVIDENCE.c.observation_id == OBSERVATIONS.c.id)
        .where(ASSETS.c.id.in_(list(assets)), EVIDENCE.c.key_id.in_(sorted(names)))
        .order_by(OBSERVATIONS.c.id, EVIDENCE.c.key_id, EVIDENCE.c.position)
    )
    found: dict[int, dict[str, tuple[str, ...]]] = {}
    for asset, key, value in connection.execute(heard):
        evidence = found.setdefault(asset, {})
        evidence[names[key]] = (*evidence.get(names[key], ()), value)
    return found
