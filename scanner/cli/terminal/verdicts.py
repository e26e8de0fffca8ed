"""From evidence to a verdict, without an inventory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from scanner.classify import default_classifier
from scanner.cli.terminal.objects import identity_object
from scanner.cli.terminal.text import json_line
from scanner.lifecycle import judge, load_lifecycle

if TYPE_CHECKING:
    from datetime import date

    from scanner.model import Evidence, Identity, Status, Verdict

_KEPT: Final = 8192
"""Distinct identities whose line is remembered, but for what is in its candidates."""
_LONG: Final = 32_768
"""Characters of a line, but for its candidates, above which it is not remembered."""
_CHARACTERS: Final = 16_000_000
"""Of the candidates that are remembered as text: they are long, and many identities share them."""


@dataclass(frozen=True, slots=True)
class _Judged:
    """What the dates say of a set of candidates, as pieces of a line of JSON."""

    verdict: Verdict
    """Without its reasons."""
    candidates: str
    reasons: str
    """Of the verdict, without brackets."""


@dataclass(frozen=True, slots=True)
class _Line:
    """What follows the host's name in its line: its own pieces, between those of its candidates."""

    identity: Identity
    before: str
    between: str
    judged: _Judged


class Judge:
    """Evidence in, a verdict as a line of JSON out; what repeats is judged and written once."""

    def __init__(self, today: date) -> None:
        self._today = today
        self._classifier = default_classifier()
        self._releases = load_lifecycle().releases
        self._lines: dict[int, _Line] = {}
        self._judged: dict[tuple[str, ...], _Judged] = {}
        self._characters = 0

    def line(self, host: str, evidence: Evidence) -> str:
        """What the evidence says of a host, as ``classify`` prints it, without a line end."""
        identity = self._classifier.classify(evidence)
        line = self._lines.get(id(identity))
        if line is None or line.identity is not identity:
            line = self._line(identity)
            if len(self._lines) >= _KEPT:
                self._lines.clear()
            if len(line.before) + len(line.between) <= _LONG:
                self._lines[id(identity)] = line
        judged = line.judged
        start = f'{{"host": {json_line(host)}, {line.before}'
        return f"{start}{judged.candidates}{line.between}{judged.reasons}]}}"

    def status(self, evidence: Evidence) -> Status:
        """What the dates say of such a host."""
        identity = self._classifier.classify(evidence)
        judged = self._judged.get(identity.candidates) or self._judge(identity)
        return judged.verdict.status

    def _line(self, identity: Identity) -> _Line:
        judged = self._judged.get(identity.candidates)
        if judged is None:
            judged = self._judge(identity)
        told = identity_object(identity, judged.verdict, ())
        text = json_line(told)[1:-2]  # without the brace that opens it, and the brackets that close it
        before, mark, between = text.partition('"candidates": [')
        if told["reasons"] and judged.reasons:
            between += ", "
        return _Line(identity, before + mark, between, judged)

    def _judge(self, identity: Identity) -> _Judged:
        candidates = [self._releases[release] for release in identity.candidates]
        verdict = judge(candidates, self._today)
        told = identity_object(replace(identity, reasons=()), verdict, candidates)
        texts = json_line(told["candidates"])[1:-1], json_line(told["reasons"])[1:-1]
        judged = _Judged(replace(verdict, reasons=()), *texts)
        size = sum(map(len, texts))
        if self._characters + size > _CHARACTERS:
            self._judged.clear()
            self._lines.clear()
            self._characters = 0
        self._characters += size
        self._judged[identity.candidates] = judged
        return judged
