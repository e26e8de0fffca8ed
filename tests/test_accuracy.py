"""The accuracy over real answers: the page is current, and nothing falls below what is promised."""

from __future__ import annotations

from collections import Counter
from typing import Final

import pytest

from scanner.classify import Classifier, default_classifier
from scanner.fingerprints import load_fingerprints
from scanner.lifecycle import load_lifecycle
from scanner.model import Certainty, Status
from tests.accuracy.__main__ import PAGE
from tests.accuracy.heard import everything
from tests.accuracy.page import page, share
from tests.accuracy.scoring import ASPECTS, Result, score
from tests.corpus import CORPUS, FACTS

RESULTS = score(everything(CORPUS, FACTS), default_classifier()) if CORPUS and FACTS else []
each = pytest.mark.parametrize(
    "result", RESULTS, ids=lambda result: f"{result.case.kind}: {result.case.label}"[:90]
)
FRESH: Final = Classifier(load_fingerprints(), load_lifecycle())
"""Hears the answers in the order in which the tests run, which is another one."""
LEAST: Final = {
    False: {"family": 97.0, "product": 93.0, "version": 93.0},
    True: {"family": 94.0, "product": 92.0, "version": 95.0},
}
"""Percent that must be right, of what may be looked at and of what is kept back."""
MOST_WRONG: Final = 1.0


def _counted(*, unseen: bool) -> Counter[tuple[str, str]]:
    return Counter(
        (aspect, mark)
        for result in RESULTS
        if result.case.unseen is unseen
        for aspect in ASPECTS
        if (mark := result.mark(aspect))
    )


@pytest.mark.parametrize("unseen", [False, True] if RESULTS else [], ids=["seen", "unseen"])
def test_nothing_falls_below_what_is_promised(*, unseen: bool) -> None:
    counted = _counted(unseen=unseen)
    shares = {aspect: share(counted, aspect, "right") for aspect in LEAST[unseen]}
    assert all(shares[aspect] >= least for aspect, least in LEAST[unseen].items()), shares
    wrong = {aspect: share(counted, aspect, "wrong") for aspect in LEAST[unseen]}
    assert all(part < MOST_WRONG for part in wrong.values()), wrong


@each
def test_no_supported_system_is_called_unsupported_nor_the_other_way_round(result: Result) -> None:
    assert result.verdict != "wrong"
    if result.case.family == "Windows" and result.case.ended:
        assert result.dated.status is not Status.SUPPORTED
    assert result.identity.candidates or result.identity.certainty is Certainty.HINT


@pytest.mark.parametrize(
    "result", RESULTS[::-1], ids=lambda result: f"{result.case.kind}: {result.case.label}"[:90]
)
def test_what_is_remembered_is_what_is_fresh(result: Result) -> None:
    assert FRESH.classify(result.case.evidence) == result.identity


@pytest.mark.parametrize("text", [page(RESULTS)] if RESULTS else [], ids=["docs/accuracy.md"])
def test_the_page_is_what_the_classification_gives(text: str) -> None:
    assert PAGE.read_text(encoding="utf-8") == text
