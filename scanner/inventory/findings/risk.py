"""How pressing a machine is: points that are added up, each with what it is for. Pure; weights are data."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any, Final

from scanner.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from scanner.model import Certainty, Evidence, Verdict

_MONTHS: Final = 12


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a score."""

    points: int
    en: str
    fr: str

    def render(self, language: str) -> str:
        """What it is for, and how much: ``SMB1 +20``."""
        return f"{self.fr if language == 'fr' else self.en} {self.points:+d}"


@dataclass(frozen=True, slots=True)
class Risk:
    """A score and its parts, in the order of the data."""

    parts: tuple[Part, ...]

    @property
    def score(self) -> int:
        """The sum of its parts."""
        return sum(part.points for part in self.parts)

    def render(self, language: str) -> str:
        """Why it is that much."""
        return ", ".join(part.render(language) for part in self.parts)


@cache
def _weights() -> Mapping[str, Any]:
    return tomllib.loads(files("scanner.inventory.findings").joinpath("risk.toml").read_text("utf-8"))


@cache
def evidence_that_counts() -> frozenset[str]:
    """The keys of evidence that a score depends on."""
    return frozenset(exposure["key"] for exposure in _weights()["exposure"])


def risk_of(verdict: Verdict, certainty: Certainty, told: Evidence, criticality: str, today: date) -> Risk:
    """The score of one machine.

    Args:
        verdict: what the dates say.
        certainty: of its identity.
        told: its evidence, or those keys of it that count.
        criticality: of its ward.
        today: the day that months are counted to.
    """
    weights = _weights()
    parts = [_part(weights["status"].get(verdict.status.value)), _past(verdict, today)]
    if verdict.status is not Status.UNKNOWN:
        parts.append(_part(weights["certainty"].get(certainty.value)))
    parts += _exposures(told)
    parts.append(_part(weights["criticality"].get(criticality)))
    return Risk(tuple(part for part in parts if part is not None and part.points))


def _part(weight: Mapping[str, Any] | None) -> Part | None:
    return None if weight is None else Part(weight["points"], weight["en"], weight["fr"])


def _past(verdict: Verdict, today: date) -> Part | None:
    """The months since its support ended, where it did whatever it is."""
    weight, end = _weights()["months"], verdict.latest
    if verdict.status is not Status.UNSUPPORTED or end is None:
        return None
    months = (today.year - end.year) * _MONTHS + today.month - end.month - (today.day < end.day)
    points = min(int(months * weight["points"]), weight["most"])
    return Part(points, *(weight[language].format(months=months) for language in ("en", "fr")))


def _exposures(told: Evidence) -> Iterator[Part]:
    named = set()
    for exposure in _weights()["exposure"]:
        heard, values = told.get(exposure["key"], ()), exposure.get("values")
        if exposure["name"] in named or not heard or (values and not set(values) & set(heard)):
            continue
        named.add(exposure["name"])
        yield Part(exposure["points"], exposure["en"], exposure["fr"])
