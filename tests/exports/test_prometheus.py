"""The textfile, read by Prometheus' own parser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client.parser import text_string_to_metric_families

from scanner.exports.operation import Operation
from scanner.exports.prometheus import METRICS
from scanner.exports.whole import Whole, whole_of
from scanner.inventory import Filters, open_inventory, settle_findings
from scanner.inventory.lateness import Lateness
from scanner.language import Message
from scanner.model import Trip
from tests.exports.hostile import TODAY, WORDS, form, whole, written
from tests.inventory.group import SITES, build, file_of
from tests.inventory.hospital import NOON, recorder

if TYPE_CHECKING:
    from pathlib import Path

    from prometheus_client.samples import Sample


EIGHT = datetime(2026, 11, 20, 8, tzinfo=UTC).timestamp()


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
        ("vetuste_last_scan_timestamp_seconds", "CHU"): EIGHT,
        ("vetuste_site", "CHU", "Hôpital", "GHT"): 1,
        ("vetuste_last_whole_scan_timestamp_seconds", "CHU"): EIGHT,
        ("vetuste_scan_late", "CHU"): 1,
        ("vetuste_scan_late_timestamp_seconds", "CHU"): EIGHT + 86_400,
        ("vetuste_last_scan_state", "CHU", "done"): 1,
        ("vetuste_last_scan_duration_seconds", "CHU"): 5400,
        ("vetuste_last_scan_attempts", "CHU"): 1234,
        ("vetuste_breakers_open", "CHU"): 2,
        ("vetuste_findings", "CHU", "open"): 4,
        ("vetuste_findings", "CHU", "waived"): 1,
    }


def test_names_come_back_as_they_were_whatever_signs_they_have() -> None:
    words = [word for word in WORDS if word.isprintable()]
    found = [each.labels["ward"] for each in samples(*words) if each.name == "vetuste_addresses_seen"]
    assert found == words
    for word in set(WORDS) - set(words):
        assert samples(word)


def test_of_a_site_that_was_never_scanned_only_that_is_told() -> None:
    never = Operation((Lateness.of_nobody("Neuf"),))
    text = written("prometheus", iter(()), whole=Whole(operation=never)).decode()
    told = {line for line in text.splitlines() if not line.startswith("#")}
    assert told == {
        'vetuste_site{site="Neuf",establishment="",group=""} 1',
        'vetuste_scan_late{site="Neuf"} 1',
        'vetuste_breakers_open{site="Neuf"} 0',
    }


def test_how_the_night_went_is_told_of_the_wards_that_are_wanted(tmp_path: Path) -> None:
    with open_inventory(f"sqlite:///{tmp_path}/inventory.db", create=True) as inventory:
        build(inventory, tmp_path)
        settle_findings(inventory, today=TODAY)
        with recorder(inventory, file_of(tmp_path, "Nord")) as scan:
            scan.trip(Trip("10.0.0.128/25", "Bloc", NOON, Message("x")))
            scan.finish("done", {"attempts": 12}, ended=NOON)

        def told(filters: Filters) -> Operation:
            return whole_of(inventory, filters, today=TODAY, now=NOON).operation

        every, of_ward = told(Filters()), told(Filters(sites=frozenset({"Nord"}), ward="Accueil"))
        assert every.findings == {(name, "open"): gone for name, (_, _, gone, _) in SITES.items()}
        assert every.breakers == {"Nord": 1}
        assert [row.site for row in every.sites] == sorted(SITES)
        assert (of_ward.findings, of_ward.breakers["Nord"]) == ({("Nord", "open"): 4}, 0)
        assert [row.site for row in of_ward.sites] == ["Nord"]
        assert whole_of(inventory, Filters(), today=TODAY).operation == Operation()


def test_two_languages_have_the_same_samples() -> None:
    assert samples("Réa", lang="fr") == samples("Réa")


def test_its_group_may_read_it_and_nobody_else() -> None:
    """node_exporter is another user; a directory with the setgid bit gives the file its group."""
    assert form("prometheus").mode == 0o640
    assert form("prometheus").suffix == ".prom"
