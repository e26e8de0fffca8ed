from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from scanner.alerts import evaluate
from scanner.alerts.finding import rules
from scanner.inventory import (
    Decision,
    State,
    alarms_rows,
    clear_breakers,
    decide,
    findings_rows,
    waiting_alarms,
)
from scanner.language import Message
from scanner.model import Certainty, Identity, Outcome, Trip
from tests.alerts.sites import mail, read, rule
from tests.inventory.hospital import NOON, attempt, host, record, recorder, seen

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from scanner.config import SiteSource
    from scanner.inventory import Inventory
    from scanner.model import HostRecord

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
XP = Identity(("windows-xp-sp3",), Certainty.CERTAIN)
SEVEN = Identity(("windows-7-sp1-pro",), Certainty.CERTAIN)
LTSC = Identity(("windows-10-21h2-ltsc",), Certainty.CERTAIN)


def xp(last: int, ward: str = "Cardiologie") -> HostRecord:
    net = {"Cardiologie": "10.20.0", "Bloc": "10.20.1"}[ward]
    return host(f"{net}.{last}", ward, XP)


def source(folder: Path, on: str, **parameters: str | int) -> SiteSource:
    return read(folder, rule(on, ("mail",), **parameters), mail(25))


def told(inventory: Inventory, site: SiteSource, now: datetime = NOW) -> list[str]:
    """What a channel is told that it was not told when this was last asked."""
    before = {each.id for each in waiting_alarms(inventory, "CHU", "mail")}
    evaluate(inventory, site, now)
    waiting = waiting_alarms(inventory, "CHU", "mail")
    return [each.alarm.told.render() for each in waiting if each.id not in before]


def standing(inventory: Inventory) -> list[str]:
    return [each.alarm.told.render() for each in alarms_rows(inventory) if each.cleared is None]


def ended(inventory: Inventory, site: SiteSource, state: str, at: datetime, spans: Sequence[str] = ()) -> int:
    with recorder(inventory, site.file, at=at) as scan:
        for address in spans:
            scan.sent([attempt(address, at=at)])
            scan.visited(int.from_bytes(bytes(map(int, address.split(".")))))
        scan.finish(state, {"hosts": 0}, ended=at)
    return scan.scan_id


def test_every_kind_has_its_file_and_its_line_in_the_documents() -> None:
    assert set(rules()) == {
        *("new-unsupported", "in-new-ward", "isolated-answers", "breaker", "scan-failed", "scan-late"),
        *("ward-not-scanned", "support-ends"),
    }


def test_machines_that_were_there_already_are_counted_and_new_ones_told(
    inventory: Inventory, tmp_path: Path
) -> None:
    site = source(tmp_path, "new-unsupported")
    record(inventory, site.file, [xp(1), xp(2), host("10.20.0.9", "Cardiologie", LTSC)])
    assert told(inventory, site) == ["there when this was looked at for the first time: 2"]
    assert told(inventory, site) == []
    record(inventory, site.file, [xp(1), xp(2), xp(3)])
    assert told(inventory, site) == ["PC-3 (10.20.0.3) is no longer supported: Windows XP"]
    ids = [finding.id for _, finding in findings_rows(inventory, today=NOW.date())]
    decide(inventory, ids, Decision(State.PLANNED, due=NOW.date(), owner="DSI"), author="a", today=NOW.date())
    assert told(inventory, site) == []
    assert len(standing(inventory)) == 3, "planning is no end"


def test_a_machine_that_is_gone_and_comes_back_is_told_anew(inventory: Inventory, tmp_path: Path) -> None:
    site = source(tmp_path, "new-unsupported")
    told(inventory, site)
    record(inventory, site.file, [xp(1)])
    assert len(told(inventory, site)) == 1
    ((_, finding),) = findings_rows(inventory, today=NOW.date())
    decide(inventory, [finding.id], Decision(State.CLOSED, note="gone"), author="a", today=NOW.date())
    assert told(inventory, site) == []
    assert standing(inventory) == []
    record(inventory, site.file, [xp(1)])
    assert len(told(inventory, site)) == 1


def test_a_system_is_told_where_there_was_none(inventory: Inventory, tmp_path: Path) -> None:
    site = source(tmp_path, "in-new-ward", system="xp")
    record(inventory, site.file, [xp(1), host("10.20.1.70", "Bloc", SEVEN)])
    assert told(inventory, site) == ["there when this was looked at for the first time: 1"]
    record(inventory, site.file, [xp(1), xp(2)])
    assert told(inventory, site) == []
    record(inventory, site.file, [xp(71, "Bloc")])
    assert told(inventory, site) == ["xp in Bloc, where there was none; machines: 1"]


def test_an_isolated_machine_that_answers_is_told_until_somebody_decides(
    inventory: Inventory, tmp_path: Path
) -> None:
    site = source(tmp_path, "isolated-answers")
    record(inventory, site.file, [xp(1), xp(2)])
    assert told(inventory, site) == []
    found = {asset.address: finding.id for asset, finding in findings_rows(inventory, today=NOW.date())}
    decide(inventory, list(found.values()), Decision(State.ISOLATED), author="a", today=NOW.date())
    assert told(inventory, site) == []
    silent = seen("10.20.0.2", outcome=Outcome.SILENT)
    record(inventory, site.file, [xp(1), host("10.20.0.2", "Cardiologie", XP, silent)])
    assert told(inventory, site) == ["PC-1 (10.20.0.1) is isolated, and answered again"]
    assert told(inventory, site) == []
    decide(inventory, [found["10.20.0.1"]], Decision(State.ISOLATED), author="a", today=NOW.date())
    assert told(inventory, site) == []
    assert standing(inventory) == []
    record(inventory, site.file, [xp(1)])
    assert len(told(inventory, site)) == 1


def test_a_trip_of_the_breaker_is_told_until_it_is_cleared(inventory: Inventory, tmp_path: Path) -> None:
    site = source(tmp_path, "breaker")
    cause = Message("{number} hosts fell silent", {"number": "3"})
    with recorder(inventory, site.file) as scan:
        scan.trip(Trip("10.20.0.0/24", "Cardiologie", NOON, cause, ("10.20.0.1", "10.20.0.2")))
        scan.finish("done", {}, ended=NOON)
    assert told(inventory, site) == [
        "10.20.0.0/24 is not scanned any more (3 hosts fell silent); hosts fallen silent: 2"
    ]
    assert told(inventory, site) == []
    clear_breakers(inventory, None, at=NOW)
    assert told(inventory, site) == []
    assert standing(inventory) == []


@pytest.mark.parametrize(("state", "number"), [("failed", 1), ("done", 0), ("interrupted", 0)])
def test_a_scan_that_failed_is_told_until_another_does_not(
    inventory: Inventory, tmp_path: Path, state: str, number: int
) -> None:
    site = source(tmp_path, "scan-failed")
    ended(inventory, site, state, NOON)
    assert len(told(inventory, site)) == number
    ended(inventory, site, "done", NOON + timedelta(hours=1))
    assert told(inventory, site) == []
    assert standing(inventory) == []


def test_a_scan_that_is_late_is_told_once_each_time(inventory: Inventory, tmp_path: Path) -> None:
    site = source(tmp_path, "scan-late")
    assert told(inventory, site) == [], "there never was one"
    ended(inventory, site, "done", NOON)
    late = NOON + timedelta(hours=193)
    assert told(inventory, site, late - timedelta(hours=2)) == []
    assert told(inventory, site, late) == ["the last whole scan ended 2026-11-20 12:00 UTC"]
    assert told(inventory, site, late + timedelta(days=1)) == []
    ended(inventory, site, "done", late)
    assert told(inventory, site, late + timedelta(days=1)) == []
    assert standing(inventory) == []
    assert len(told(inventory, site, late + timedelta(hours=193))) == 1


def test_wards_that_nobody_scans_are_told(inventory: Inventory, tmp_path: Path) -> None:
    site = source(tmp_path, "ward-not-scanned", days=30)
    assert told(inventory, site) == [], "nobody ever scanned anything"
    ended(inventory, site, "done", NOON, ["10.20.0.1"])
    assert told(inventory, site) == [], "it is too early to say"
    later = NOON + timedelta(days=31)
    ended(inventory, site, "done", later, ["10.20.1.70"])
    assert told(inventory, site, later) == [
        "Cardiologie was last scanned 2026-11-20",
        "Vide was never scanned",
    ]
    ended(inventory, site, "done", later, ["10.20.0.2"])
    assert told(inventory, site, later) == []
    assert standing(inventory) == ["Vide was never scanned"]


def test_a_passive_ward_is_never_scanned_and_that_is_meant(inventory: Inventory, tmp_path: Path) -> None:
    site = source(tmp_path, "ward-not-scanned", days=1)
    wards = tuple(ward.model_copy(update={"passive_only": True}) for ward in site.file.wards)
    passive = replace(site, file=site.file.model_copy(update={"wards": wards}))
    ended(inventory, site, "done", NOON)
    assert told(inventory, passive, NOW + timedelta(days=9)) == []


def test_support_that_ends_soon_is_told_by_ward_and_day(inventory: Inventory, tmp_path: Path) -> None:
    record(inventory, source(tmp_path, "breaker").file, [host("10.20.0.9", "Cardiologie", LTSC), xp(1)])
    assert told(inventory, source(tmp_path, "support-ends", months=1)) == []
    site = source(tmp_path, "support-ends", months=2)
    assert told(inventory, site) == ["support ends, or may end, on 2027-01-12; machines in Cardiologie: 1"]
    assert told(inventory, site) == []
    assert told(inventory, site, datetime(2027, 1, 14, tzinfo=UTC)) == []
    assert standing(inventory) == []
