"""The textfile, read by Prometheus' own parser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from scanner.exports.prometheus import METRICS
from tests.exports.hostile import TODAY, WORDS, form, whole, written

if TYPE_CHECKING:
    from prometheus_client.samples import Sample


def samples(*words: str, lang: str = "en") -> list[Sample]:
    text = written("prometheus", iter(()), lang, whole=whole(*words)).decode("utf-8")
    families = list(text_string_to_metric_families(text))
    assert [family.name for family in families] == list(METRICS)
    assert all(family.type == "gauge" and family.documentation for family in families)
    return [sample for family in families for sample in family.samples]


def test_every_figure_is_there_with_its_labels() -> None:
    found = {(each.name, *each.labels.values()): each.value for each in samples("Réa")}
    day = datetime(TODAY.year, TODAY.month, TODAY.day, tzinfo=UTC).timestamp()
    assert found == {
        ("vetuste_machines", "CHU", "Réa", "unsupported", "certain"): 3,
        ("vetuste_machines", "CHU", "Réa", "unsupported", "probable"): 2,
        ("vetuste_machines", "CHU", "Réa", "unsupported", "to_verify"): 1,
        ("vetuste_addresses_seen", "CHU", "Réa"): 9,
        ("vetuste_addresses_in_scope", "CHU", "Réa"): 256,
        ("vetuste_addresses_never_scanned", "CHU", "Réa"): 200,
        ("vetuste_oldest_scan_timestamp_seconds", "CHU", "Réa"): day,
        ("vetuste_newest_scan_timestamp_seconds", "CHU", "Réa"): day,
        ("vetuste_last_scan_timestamp_seconds", "CHU"): datetime(2026, 11, 20, 8, tzinfo=UTC).timestamp(),
    }


def test_names_come_back_as_they_were_whatever_signs_they_have() -> None:
    words = [word for word in WORDS if word.isprintable()]
    found = [each.labels["ward"] for each in samples(*words) if each.name == "vetuste_addresses_seen"]
    assert found == words
    for word in set(WORDS) - set(words):
        assert samples(word)


def test_two_languages_have_the_same_samples() -> None:
    assert samples("Réa", lang="fr") == samples("Réa")


def test_its_group_may_read_it_and_nobody_else() -> None:
    """node_exporter is another user; a directory with the setgid bit gives the file its group."""
    assert form("prometheus").mode == 0o640
    assert form("prometheus").suffix == ".prom"
