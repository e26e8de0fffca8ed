"""What one program makes of one endpoint: its evidence, and in the end one observation."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from scanner.model import Observation, Outcome

if TYPE_CHECKING:
    from scanner.model import Evidence
    from scanner.transport.relay import Relay


@dataclass(slots=True)
class Opinion:
    """One that is being formed."""

    relay: Relay
    """The only way to the endpoint; it knows what became of each connection."""
    evidence: dict[str, tuple[str, ...]] = field(default_factory=dict)
    at: datetime | None = None
    """When the program last said something."""

    def learn(self, evidence: Evidence) -> None:
        """The program said something; it stands, whatever becomes of the rest."""
        self.at = datetime.now(UTC)
        for key, values in evidence.items():
            self.evidence[key] = tuple(dict.fromkeys(self.evidence.get(key, ()) + values))

    def observation(self, why: str) -> Observation:
        """What came of it.

        Args:
            why: why the program did not end well; empty where it did.
        """
        trouble = next((each for each in self.relay.endings if each.outcome is not Outcome.ANSWERED), None)
        if self.evidence:
            outcome, detail = Outcome.ANSWERED, ""
        elif trouble is not None:
            outcome, detail = trouble
        elif why or not self.relay.endings:
            outcome, detail = Outcome.FAILED, why or "the program called nobody"
        else:
            outcome, detail = Outcome.FOREIGN, "the program made nothing of the answers"
        return Observation(
            self.relay.endpoint,
            self.relay.probe,
            self.at or datetime.now(UTC),
            outcome,
            self.evidence,
            detail,
            self.relay.attempts,
        )
