"""Which routers are asked, on which terms, and what of their tables is believed; nothing is sent here."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.addresses import AddressMap, AddressSet, address_of, number_of
from scanner.classify import default_classifier
from scanner.config import load_site
from scanner.inventory import Recorder, assets_rows, open_inventory
from scanner.model import Attempt, Endpoint, Observation, Outcome, Transport
from scanner.probes.snmp_tables import TABLES, Neighbour
from scanner.scan import Lore, Past, Request, Settling, past_of, prepare
from scanner.scan.neighbours import announce_left, ask_routers
from scanner.scan.routers import Machine, Place, Routers
from scanner.scan.work import Work
from scanner.sweep.visit import Visit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanner.config import SiteFile
    from scanner.inventory import Inventory
    from scanner.language import Message
    from scanner.scan import Ground, Tally

NOON = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
CARD = "00:0c:29:00:00:05"
ROUTER, INNER, FAR = "10.20.0.1", "10.20.5.1", "10.99.0.1"
WIDE = "10.20.0.0/24"
SITE = """
[site]
name = "Test"
[policy]
profile = "office"
{policy}
[snmp]
community_env = ["VETUSTE_SNMP"]
routers = ["10.20.0.1", "10.20.5.1", "10.99.0.1"]
[[ward]]
name = "Wide"
subnets = ["10.20.0.0/24", "fd00:20::/64"]
{ward}
[[ward]]
name = "Inner"
window = "22:00-05:30 Europe/Paris"
subnets = ["10.20.5.0/24"]
[[ward]]
name = "Quiet"
passive_only = true
subnets = ["10.20.9.0/24"]
[[ward]]
name = "Bench"
lab = true
subnets = ["10.20.7.0/24"]
"""


@pytest.fixture(autouse=True)
def _community(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VETUSTE_SNMP", "ward-reader")


def site_of(folder: Path, *, policy: str = "", ward: str = "") -> SiteFile:
    file = folder / "site.toml"
    file.write_text(SITE.format(policy=policy, ward=ward), encoding="utf-8")
    return load_site(file)


def ground_of(folder: Path, *targets: str, policy: str = "", ward: str = "", **asked: Any) -> Ground:  # noqa: ANN401 - fields of Request
    site = site_of(folder, policy=policy, ward=ward)
    return prepare(Request(targets, site, **asked), 1000)


def reasons(ground: Ground) -> dict[str, str]:
    return {routers: why.render("en") for routers, why in ground.routers.reasons()}


# --- who is asked


def test_every_router_is_asked_whose_scope_and_profile_allow_it(tmp_path: Path) -> None:
    ground = ground_of(tmp_path)
    assert list(map(address_of, ground.routers.asked)) == [ROUTER, INNER, FAR]
    assert reasons(ground) == {}


def test_each_on_the_terms_of_its_ward_whatever_ward_is_scanned(tmp_path: Path) -> None:
    ground = ground_of(tmp_path, WIDE)
    inner = ground.gate.terms_of(number_of(INNER))
    assert (inner.ward, str(inner.window)) == ("Inner", "22:00-05:30 Europe/Paris")
    far = ground.gate.terms_of(number_of(FAR))
    assert (far.ward, far.limits.profile, far.window) == ("", "office", None)
    windowed = ground_of(tmp_path, WIDE, policy='window = "01:00-02:00 Europe/Paris"')
    assert str(windowed.gate.terms_of(number_of(FAR)).window) == "01:00-02:00 Europe/Paris"


def test_no_other_address_comes_into_scope_by_it(tmp_path: Path) -> None:
    scope = ground_of(tmp_path, WIDE).gate.scope
    assert scope.permits(number_of(FAR))
    assert not scope.permits(number_of(FAR) + 1)


@pytest.mark.parametrize(
    ("folder", "why"),
    [
        ({"ward": 'profile = "clinical"'}, "the profile clinical has none of its ports"),
        ({"ward": 'probes = ["smb"]'}, "the site file does not name it among the probes"),
        ({"exclude": (ROUTER,)}, "it is out of scope: excluded, public, fragile, or its subnet is stopped"),
    ],
)
def test_why_one_is_not_asked(tmp_path: Path, folder: dict[str, Any], why: str) -> None:
    ground = ground_of(tmp_path, **folder)
    assert list(map(address_of, ground.routers.asked)) == [INNER, FAR]
    assert reasons(ground) == {ROUTER: why}


def test_a_reason_that_several_share_is_said_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VETUSTE_SNMP", "")
    ground = ground_of(tmp_path)
    assert not ground.routers.asked
    assert reasons(ground) == {f"{ROUTER}, {INNER}, {FAR}": "the site file gives no community for it"}


@pytest.mark.parametrize("asked", [{"profile": "clinical"}, {"ports": frozenset({445})}])
def test_what_the_operator_asks_for_holds_for_routers_too(tmp_path: Path, asked: dict[str, Any]) -> None:
    assert not ground_of(tmp_path, WIDE, **asked).routers.asked


def test_a_router_that_was_stopped_or_is_fragile_is_left_alone(tmp_path: Path) -> None:
    lore = Lore(stopped=("10.20.0.0/24",), fragile=(INNER,))
    ground = prepare(Request(site=site_of(tmp_path)), 1000, lore)
    assert list(map(address_of, ground.routers.asked)) == [FAR]


def test_a_laboratory_at_full_speed_asks_no_router_elsewhere(tmp_path: Path) -> None:
    ground = ground_of(tmp_path, "Bench", profile="lab")
    assert not ground.routers.asked
    assert {ground.gate.terms_of(number_of(router)).limits.profile for router in (ROUTER, INNER, FAR)} == {
        "clinical"
    }


def test_the_community_stands_in_no_words(tmp_path: Path) -> None:
    ground = ground_of(tmp_path)
    assert "ward-reader" not in repr(ground.routers) + repr(ground.gate.terms_of(number_of(ROUTER)))


def test_a_plan_has_their_datagrams(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (with_them,) = ground_of(tmp_path, WIDE).plan()
    monkeypatch.setenv("VETUSTE_SNMP", "")
    (without,) = ground_of(tmp_path, WIDE).plan()
    for one, other in ((with_them.connections, without.connections), (with_them.packets, without.packets)):
        assert (one.least - other.least, one.most - other.most) == (3, 3 * TABLES.exchanges)
    assert with_them.seconds.least == without.seconds.least
    assert with_them.seconds.most > without.seconds.most + TABLES.exchanges * 2


# --- what is believed


def told(ground: Ground, *rows: tuple[str, str]) -> dict[str, tuple[str, ...]]:
    found = ground.routers.machines(Neighbour(*row) for row in rows)
    return {address_of(machine.number): machine.macs for machine in found}


ROWS = tuple(
    (address, CARD)
    for address in ("10.20.0.5", "10.20.5.5", "10.20.9.5", "fd00:20::5", "10.20.0.200", "10.99.0.5")
)


def test_machines_of_the_scope_and_of_passive_wards_are_believed_others_are_not(tmp_path: Path) -> None:
    ground = ground_of(tmp_path, policy='exclude = ["10.20.0.200"]')
    assert told(ground, *ROWS) == dict.fromkeys(
        ("10.20.0.5", "10.20.5.5", "10.20.9.5", "fd00:20::5"), (CARD,)
    )
    assert not ground.gate.scope.permits(number_of("10.20.9.5"))


def test_only_what_was_asked_for_less_what_is_excluded_now(tmp_path: Path) -> None:
    ground = ground_of(tmp_path, "10.20.0.0/25", "Quiet", exclude=("10.20.9.0/28",))
    assert told(ground, *ROWS, ("10.20.9.20", CARD)) == {"10.20.0.5": (CARD,), "10.20.9.20": (CARD,)}


def test_a_card_with_very_many_addresses_of_a_subnet_is_the_routers_own(tmp_path: Path) -> None:
    ground = ground_of(tmp_path)
    eight = [(f"10.20.0.{last}", CARD) for last in range(10, 18)]
    elsewhere = [("10.20.5.5", CARD)]
    assert len(told(ground, *eight, *elsewhere)) == 9
    nine = [*eight, ("10.20.0.18", CARD)]
    assert told(ground, *nine, *elsewhere) == {"10.20.5.5": (CARD,)}
    other = "00:0c:29:00:00:06"
    assert told(ground, *nine, ("10.20.0.10", other))["10.20.0.10"] == (other,)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 3)), max_size=60, unique=True))
def test_never_more_machines_than_the_table_has(rows: list[tuple[int, int]]) -> None:
    first = number_of("10.20.0.0")
    places = AddressMap([(AddressSet([(first, first + 31)]), Place("10.20.0.0/27", "Wide"))])
    routers = Routers((), {}, AddressSet([(first, first + 15)]), places)
    found = list(routers.machines(Neighbour(address_of(first + at), f"card {card}") for at, card in rows))
    assert len({machine.number for machine in found}) == len(found)
    assert {(machine.number - first, mac) for machine in found for mac in machine.macs} <= {
        (at, f"card {card}") for at, card in rows
    }
    for card in range(4):
        number = sum(at < 32 and each == card for at, each in rows)
        assert any(f"card {card}" in machine.macs for machine in found) == (
            number <= 8 and any(at < 16 and each == card for at, each in rows)
        )


def test_who_is_seen_is_visited_first(tmp_path: Path) -> None:
    ground = ground_of(tmp_path, "10.20.0.0/24")
    seen = AddressSet([(number_of("10.20.0.77"),) * 2, (number_of("10.20.9.5"),) * 2])
    order = list(ground.order(seen))
    assert order[0] == number_of("10.20.0.77")
    assert sorted(order) == sorted(ground.order()), "nobody is added, nobody twice"


# --- what is recorded


class Reader:
    """Who reads what is told, and looks at nothing."""

    def __init__(self) -> None:
        self.read: list[str] = []

    def show(self, tally: Tally) -> None:
        """Not looked at."""

    def told(self, message: Message) -> None:
        """Read in English."""
        self.read.append(message.render("en"))


@contextmanager
def working(
    inventory: Inventory, ground: Ground, site: SiteFile, resumed: int | None = None
) -> Iterator[Work]:
    recorder = Recorder(
        inventory,
        site,
        profile="office",
        scope="",
        versions={"data": "d"},
        started=NOON,
        spans=ground.asked.spans,
        resumed=resumed,
    )
    past = Past() if resumed is None else past_of(inventory, resumed)
    settling = Settling(default_classifier(), date(2026, 11, 26), {})
    try:
        yield Work(ground, recorder, settling, Reader(), past)
    finally:
        recorder.finish("interrupted")


def visit(work: Work, address: str, outcome: Outcome, evidence: dict[str, tuple[str, ...]]) -> None:
    made = Visit(work.ground.gate.host(number_of(address)))
    endpoint = Endpoint(address, 445, Transport.TCP)
    work.ground.gate.ledger.append(Attempt(endpoint, "smb", NOON, outcome))
    made.take(Observation(endpoint, "smb", NOON, outcome, evidence))
    work.visited(made)


def test_a_machine_that_is_seen_and_then_answers_is_one_machine(tmp_path: Path) -> None:
    ground, site = ground_of(tmp_path, WIDE), site_of(tmp_path)
    said: dict[str, tuple[str, ...]] = {"ntlm.version": ("5.1.2600",)}
    with open_inventory(f"sqlite:///{tmp_path}/i.db", create=True) as inventory:
        with working(inventory, ground, site) as work:
            for address in ("10.20.0.5", "10.20.0.6", "10.20.0.7"):
                machine = Machine(number_of(address), "Wide", (CARD[:-1] + address[-1],))
                work.neighbours.take(machine, NOON)
                work.neighbours.take(machine, NOON)
            visit(work, "10.20.0.5", Outcome.ANSWERED, said)
            visit(work, "10.20.0.6", Outcome.SILENT, {})
            visit(work, "10.20.0.8", Outcome.SILENT, {})
            assert (work.tally.seen, work.tally.identified, work.tally.visited) == (3, 1, 3)
        assets = {row.address: row for row in assets_rows(inventory, today=NOON.date(), evidence=True)}
    assert {address: row.mac for address, row in assets.items()} == {
        f"10.20.0.{last}": f"{CARD[:-1]}{last}" for last in (5, 6, 7)
    }
    assert assets["10.20.0.5"].evidence == {"mac.address": (CARD,), **said}
    assert assets["10.20.0.5"].identity.candidates
    assert not assets["10.20.0.6"].identity.candidates


def test_a_router_whose_hours_are_over_is_not_asked_and_that_is_said(tmp_path: Path) -> None:
    later = datetime.now(UTC) + timedelta(hours=2)
    closed = f'window = "{later:%H:%M}-{later + timedelta(hours=1):%H:%M} UTC"'
    ground = ground_of(tmp_path, "Bench", ward=closed, exclude=(INNER, FAR))
    assert list(map(address_of, ground.routers.asked)) == [ROUTER]
    with (
        open_inventory(f"sqlite:///{tmp_path}/i.db", create=True) as inventory,
        working(inventory, ground, site_of(tmp_path, ward=closed)) as work,
    ):
        asyncio.run(ask_routers(work))
        announce_left(work)
        assert (work.routers, ground.gate.attempts, ground.gate.ledger) == (set(), 0, [])
        assert isinstance(work.screen, Reader)
        (said,) = work.screen.read
    assert said.startswith(f"the router {ROUTER} was not asked which machines it knows: its ward's hours")


def test_a_scan_that_goes_on_asks_no_router_twice_and_counts_nobody_twice(tmp_path: Path) -> None:
    ground, site = ground_of(tmp_path, WIDE), site_of(tmp_path)
    router = Endpoint(ROUTER, 161, Transport.UDP)
    with open_inventory(f"sqlite:///{tmp_path}/i.db", create=True) as inventory:
        with working(inventory, ground, site) as work:
            ground.gate.ledger.append(Attempt(router, TABLES.name, NOON, Outcome.ANSWERED))
            work.settle()
            work.neighbours.take(Machine(number_of("10.20.0.5"), "Wide", (CARD,)), NOON)
            scan = work.recorder.scan_id
        assert past_of(inventory, scan).routers == frozenset(), (
            "it was not asked to the end, as far as is known"
        )
        with working(inventory, ground, site, scan) as work:
            visit(work, "10.20.0.9", Outcome.SILENT, {})
        with working(inventory, ground, site, scan) as work:
            assert work.routers == {number_of(ROUTER)}
            assert work.neighbours.addresses().spans == ((number_of("10.20.0.5"),) * 2,)
            assert work.tally.seen == 1
            visit(work, "10.20.0.5", Outcome.ANSWERED, {"smb.dialect": ("3.1.1",)})
            assert (work.tally.seen, work.tally.visited) == (1, 2)
        (asset,) = assets_rows(inventory, today=NOON.date(), evidence=True)
    assert asset.evidence == {"mac.address": (CARD,), "smb.dialect": ("3.1.1",)}
