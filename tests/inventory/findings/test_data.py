"""What the data of findings must hold to, whoever adds a table."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from scanner.inventory.findings.causes import causes, told
from scanner.inventory.findings.risk import evidence_that_counts
from scanner.language import Message
from scanner.model import Status
from scanner.probes import probes

KEYS = {key for probe in probes() for key in probe.keys}


def test_a_cause_is_a_verdict_or_evidence_and_says_so_in_both_languages() -> None:
    verdicts = [cause.status for cause in causes().values() if cause.status]
    assert verdicts == [Status.UNSUPPORTED, Status.DEPENDS, Status.ENDING]
    assert len({cause.words for cause in causes().values()}) == len(causes())
    for cause in causes().values():
        assert cause.words.en
        assert cause.words.fr
        if cause.status is None:
            assert cause.evidence in KEYS
            assert cause.shown
            assert cause.gone
            assert not cause.shown & cause.gone
            assert told(Message(cause.when_gone.en), "fr") == cause.when_gone.fr != ""
            assert told(Message(cause.when_gone.en), "en") == cause.when_gone.en != ""
        else:
            assert not cause.evidence


@pytest.mark.parametrize("values", [("yes", "no"), ("no", "yes"), ("yes",)])
def test_where_evidence_says_both_the_cause_is_shown(values: tuple[str, ...]) -> None:
    assert causes()["smb1"].of_evidence(values, 1).shown
    assert causes()["smb1"].of_evidence(values, 1).gone is None
    assert causes()["smb1"].of_evidence(("what else",), 1).gone is None
    assert causes()["smb1"].of_evidence((), 1).gone is None


def test_every_exposure_has_its_reason_its_source_and_a_key_that_a_probe_tells() -> None:
    assert evidence_that_counts() <= KEYS
    weights = tomllib.loads(files("scanner.inventory.findings").joinpath("risk.toml").read_text("utf-8"))
    for exposure in weights["exposure"]:
        assert exposure["points"] > 0
        for name in ("en", "fr", "why", "source"):
            assert exposure[name]
    named = [(exposure["name"], exposure["points"]) for exposure in weights["exposure"]]
    for name in {name for name, _ in named}:
        points = [each for other, each in named if other == name]
        assert points == sorted(points, reverse=True), "the first that is heard counts"
