"""When enough is known of a host: its verdict is certain, and no further answer could change it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from scanner.language import Message
from scanner.lifecycle import Policy, judge, load_lifecycle
from scanner.model import Certainty, Status

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from scanner.classify import Classifier
    from scanner.model import Evidence, Identity, Observation
    from scanner.scan.listened import Listened

_OPEN: Final = frozenset({Status.DEPENDS, Status.UNKNOWN})
"""What a further answer may turn into something better known."""


@dataclass(slots=True)
class Settling:
    """Makes an identity of evidence, and says whether anything more need be asked."""

    classifier: Classifier
    today: date
    policies: Mapping[str, Policy]
    """What the site decides about verdicts, by ward."""
    listened: Listened | None = None
    """What listening told of hosts before."""
    _statuses: dict[tuple[tuple[str, ...], str], Status] = field(default_factory=dict)

    def beside(self, address: str, answers: tuple[Observation, ...]) -> tuple[Observation, ...]:
        """What a host answered, and what listening heard of it.

        Raises:
            InventoryError: the inventory cannot be read.
        """
        return answers if self.listened is None else self.listened.beside(address, answers, self.classifier)

    def settled(self, evidence: Evidence, ward: str) -> Message | None:
        """Why nothing more need be asked of a host of this ward, or None where something may be learnt."""
        identity = self.classifier.classify(evidence)
        status = self._status(identity, ward)
        if identity.certainty is not Certainty.CERTAIN or status in _OPEN:
            return None
        return Message("what it had said by then settles its verdict: {status}", {"status": status.value})

    def is_open(self, evidence: Evidence, ward: str) -> bool:
        """Whether the dates do not decide yet: a second opinion may be worth its price."""
        return self._status(self.classifier.classify(evidence), ward) in _OPEN

    def _status(self, identity: Identity, ward: str) -> Status:
        key = identity.candidates, ward
        if key not in self._statuses:
            releases = load_lifecycle().releases
            candidates = [releases[name] for name in identity.candidates]
            self._statuses[key] = judge(candidates, self.today, self.policies.get(ward)).status
        return self._statuses[key]
