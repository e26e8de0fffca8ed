"""From evidence to a verdict, without an inventory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scanner.classify import default_classifier
from scanner.cli.terminal.objects import identity_object
from scanner.lifecycle import judge, load_lifecycle

if TYPE_CHECKING:
    from datetime import date

    from scanner.model import Evidence, Identity

_KEPT: Final = 4096
"""Distinct identities whose verdict is remembered."""


class Judge:
    """Evidence in, a verdict as a JSON object out; equal evidence is judged once."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._classifier = default_classifier()
        self._releases = load_lifecycle().releases
        self._judged: dict[int, tuple[Identity, dict[str, Any]]] = {}

    def __call__(self, evidence: Evidence) -> dict[str, Any]:
        """What the evidence says, as ``classify`` prints it."""
        identity = self._classifier.classify(evidence)
        known = self._judged.get(id(identity))
        if known is not None and known[0] is identity:
            return known[1]
        candidates = tuple(self._releases[release] for release in identity.candidates)
        judged = identity_object(identity, judge(candidates, self._today), candidates)
        if len(self._judged) >= _KEPT:
            self._judged.clear()
        self._judged[id(identity)] = identity, judged
        return judged
