"""Why somebody must act on a machine: a closed set, read from ``causes.toml``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from scanner.inventory.findings.states import Facts
from scanner.language import Message
from scanner.model import Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scanner.model import Release


@dataclass(frozen=True, slots=True)
class Words:
    """A text of the data, in both languages."""

    en: str
    fr: str

    def render(self, language: str) -> str:
        """In a language."""
        return self.fr if language == "fr" else self.en


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason to act: a verdict, or a piece of evidence."""

    name: str
    words: Words
    status: Status | None = None
    """The verdict that shows it."""
    evidence: str = ""
    """Else the key of evidence that does."""
    shown: frozenset[str] = frozenset()
    gone: frozenset[str] = frozenset()
    when_gone: Words = Words("", "")

    def of_verdict(self, status: Status, candidates: Sequence[Release], scan: int) -> Facts:
        """What a verdict says of it; that nothing is known takes nothing back."""
        if status is self.status:
            return Facts(shown=True, told_by=scan)
        if status is Status.UNKNOWN:
            return Facts()
        system = " / ".join(dict.fromkeys(release.product for release in candidates))
        if status is Status.SUPPORTED:
            return Facts(gone=Message("upgraded: {system} is supported", {"system": system}), told_by=scan)
        return Facts(gone=Message("the dates say otherwise now: {system}", {"system": system}), told_by=scan)

    def of_evidence(self, values: Iterable[str], scan: int) -> Facts:
        """What the values of its key say of it."""
        heard = frozenset(values)
        if heard & self.shown:
            return Facts(shown=True, told_by=scan)
        gone = Message(self.when_gone.en) if heard & self.gone else None
        return Facts(gone=gone, told_by=scan)


@cache
def causes() -> Mapping[str, Cause]:
    """All causes by name, the most pressing first."""
    text = files("scanner.inventory.findings").joinpath("causes.toml").read_text("utf-8")
    return {name: _cause(name, table) for name, table in tomllib.loads(text).items()}


def _cause(name: str, table: Mapping[str, Any]) -> Cause:
    return Cause(
        name,
        Words(table["en"], table["fr"]),
        Status(table["status"]) if "status" in table else None,
        table.get("evidence", ""),
        frozenset(table.get("shown", ())),
        frozenset(table.get("gone", ())),
        Words(table.get("gone_en", ""), table.get("gone_fr", "")),
    )


def told(reason: Message, language: str) -> str:
    """A reason of a history in a language: of the data, or of the catalogue."""
    for cause in causes().values():
        if reason.text and reason.text == cause.when_gone.en:
            return cause.when_gone.render(language)
    return reason.render(language)
