"""Whether an identity is what is being counted: certainly, probably, perhaps, or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner.model import Certainty, Identity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.inventory.verdicts import Verdicts
    from scanner.lifecycle import Policy
    from scanner.model import Release, Status


@dataclass(frozen=True, slots=True)
class Question:
    """What is being counted; None: anything."""

    releases: frozenset[str] | None = None
    """Ids of the releases that match."""
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """One line that an identity counts in."""

    column: str
    """``certain``, ``probable`` or ``to_verify``."""
    os: str
    """The product that is asked about; empty when nothing is known, or when all are counted together."""
    status: Status


def answers(
    identity: Identity, question: Question, verdicts: Verdicts, policy: Policy, *, by_os: bool
) -> Iterator[Answer]:
    """Where an identity counts.

    Certain: every candidate matches, and the host said so itself; probable: every candidate matches
    otherwise; to verify: some do. A candidate matches when its release is meant and, where a status is
    asked for, when that is the verdict, or would be if it were the only candidate. An identity without
    candidates is to be verified where no release is asked for. By OS, each product of the candidates is
    asked about in turn, so a machine that may be either of two is to be verified under both.
    """
    candidates = verdicts.candidates(identity)
    status = verdicts.of(candidates, policy).status
    whole = question.status in (None, status)
    if not candidates:
        if question.releases is None and whole:
            yield Answer("to_verify", "", status)
        return
    matching = [
        release
        for release in candidates
        if (question.releases is None or release.id in question.releases)
        and (whole or verdicts.of((release,), policy).status == question.status)
    ]
    for product in dict.fromkeys(release.product for release in matching) if by_os else ("",):
        found = [release for release in matching if not by_os or release.product == product]
        if found:
            yield Answer(_column(found, candidates, identity.certainty), product, status)


def _column(found: list[Release], candidates: tuple[Release, ...], certainty: Certainty) -> str:
    if len(found) < len(candidates):
        return "to_verify"
    return "certain" if certainty is Certainty.CERTAIN else "probable"
