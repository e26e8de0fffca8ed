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
    from scanner.model import Evidence

_OPEN: Final = frozenset({Status.DEPENDS, Status.UNKNOWN})
"""What a further answer may turn into something better known."""


@dataclass(slots=True)
class Settling:
    """Makes an identity of evidence, and says whether anything more need be asked."""

    classifier: Classifier
    today: date
    policies: Mapping[str, Policy]
    """What the site decides about verdicts, by ward."""
    _found: dict[tuple[tuple[str, ...], str], Message | None] = field(default_factory=dict)

    def settled(self, evidence: Evidence, ward: str) -> Message | None:
        """Why nothing more need be asked of a host of this ward, or None where something may be learnt."""
        identity = self.classifier.classify(evidence)
        if identity.certainty is not Certainty.CERTAIN:
            return None
        key = identity.candidates, ward
        if key not in self._found:
            releases = load_lifecycle().releases
            candidates = [releases[name] for name in identity.candidates]
            status = judge(candidates, self.today, self.policies.get(ward)).status
            told = Message("what it had said by then settles its verdict: {status}", {"status": status.value})
            self._found[key] = None if status in _OPEN else told
        return self._found[key]
