from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from ipaddress import ip_network
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.addresses import IPV6, AddressMap, AddressSet, address_of, network_span, number_of
from scanner.inventory import (
    COVERED_BY,
    Denominator,
    Filters,
    clear_breakers,
    count_rows,
    coverage_rows,
    denominator,
    open_inventory,
)
from scanner.inventory import latest as latest_module
from scanner.inventory.blocks import (
    SIZE,
    block_of,
    blocks_of,
    both,
    divide,
    less,
    number_of_block,
    size,
    within,
)
from scanner.language import Message
from scanner.model import Certainty, Identity, Trip
from tests.inventory.hospital import (
    NOON,
    NOTHING,
    RELEASES,
    TODAY,
    XP,
    attempt,
    host,
    record,
    recorder,
    site_file,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from scanner.config import SiteFile
    from scanner.inventory import CoverageRow, Inventory
    from scanner.inventory.blocks import Blocks

PUMP = Identity((), Certainty.HINT, attributes={"fragile": "infusion pump"})
KINDS = (XP, NOTHING, PUMP)
NUMBERS = (
    "scope",
    "seen",
    "identified",
    "silent",
    "phantoms",
    "excluded",
    "passive",
    "fragile",
    "stopped",
    "never_scanned",
)
FIGURES = (*NUMBERS, "oldest_scan", "newest_scan")

NETWORKS = (
    *("10.0.0.0/23", "10.0.0.192/26", "10.0.1.16/28", "10.0.1.7/32", "10.0.2.0/30"),
    *("2001:db8::/120", "2001:db8::100/122", "2001:db8::110/124", "2001:db8::ff/128"),
)
FIRST, SIX = number_of("10.0.0.0"), number_of("2001:db8::")
UNIVERSE = (*range(FIRST, FIRST + 0x208), *range(SIX, SIX + 0x144))

networks = st.sampled_from(NETWORKS)
# Where subnets begin and end, and where blocks do, mistakes would be.
numbers = st.one_of(
    st.sampled_from(UNIVERSE),
    st.sampled_from([number for net in NETWORKS for number in network_span(net)]),
)


@dataclass(frozen=True)
class Told:
    """A site as it is drawn: what its file says, what its scans did."""

    wards: dict[str, tuple[str, ...]]
    passive: frozenset[str]
    exclude: tuple[str, ...]
    scans: tuple[tuple[int, frozenset[int], frozenset[int]], ...]
    """Day of November, addresses asked, addresses of them that it was not done with."""
    machines: dict[int, Identity]
    trips: tuple[tuple[str, frozenset[int], bool], ...]
    """Subnet, hosts that fell, whether it was cleared."""
    name: str = field(default="Est", kw_only=True)

    def text(self) -> str:
        """Its site file."""
        lines = [f'[site]\nname = "{self.name}"\n[policy]\nexclude = {list(self.exclude)}']
        for name, nets in self.wards.items():
            passive = str(name in self.passive).lower()
            building = "B" if name < "C" else ""
            lines.append(
                f'[[ward]]\nname = "{name}"\nbuilding = "{building}"\npassive_only = {passive}\n'
                f"subnets = {list(nets)}"
            )
        return "\n".join(lines)

    def asked(self) -> set[int]:
        """Every address that was ever asked."""
        return {number for _, asked, _ in self.scans for number in asked}

    def homes(self) -> dict[int, tuple[str, str]]:
        """Ward and subnet of every address that has one."""
        found: dict[int, tuple[str, str]] = {}
        nets = [(net, ward) for ward, nets in self.wards.items() for net in nets]
        for net, ward in sorted(nets, key=lambda each: ip_network(each[0]).num_addresses, reverse=True):
            found |= dict.fromkeys(numbers_of(net), (ward, net))
        return found

    def last_scan(self, number: int) -> date | None:
        """The scan that was last done with an address; if there is none, the last that asked it."""
        days = [(day, number not in cut) for day, asked, cut in self.scans if number in asked]
        whole = [day for day, done in days if done]
        chosen = (whole or [day for day, _ in days])[-1:]
        return date(2026, 11, chosen[0]) if chosen else None


def numbers_of(net: str) -> range:
    first, last = network_span(net)
    return range(first, last + 1)


@st.composite
def told(draw: st.DrawFn, name: str) -> Told:
    shared = draw(st.lists(networks, unique=True, min_size=1, max_size=6))
    wards: dict[str, tuple[str, ...]] = {}
    for net in shared:
        ward = draw(st.sampled_from("ABCD"))
        mine = wards.get(ward, ())
        if not any(
            ip_network(net).version == ip_network(o).version and ip_network(net).overlaps(ip_network(o))
            for o in mine
        ):  # refused by the site file
            wards[ward] = (*mine, net)
    some = st.frozensets(numbers, max_size=12)
    days = sorted(draw(st.lists(st.integers(1, 28), unique=True, max_size=4)))
    scans = []
    for day in days:
        asked = draw(some) | frozenset(draw(st.sampled_from([(), range(FIRST + 200, FIRST + 280)])))
        scans.append(
            (day, asked, draw(st.frozensets(st.sampled_from(sorted(asked)), max_size=4)) if asked else asked)
        )
    return Told(
        wards,
        draw(st.frozensets(st.sampled_from("ABCD"), max_size=2)),
        tuple(draw(st.lists(networks, unique=True, max_size=2))),
        tuple(scans),
        draw(st.dictionaries(numbers, st.sampled_from(KINDS), max_size=8)),
        tuple(
            draw(st.lists(st.tuples(networks, st.frozensets(numbers, max_size=2), st.booleans()), max_size=2))
        ),
        name=name,
    )


def written(inventory: Inventory, site: Told, file: SiteFile) -> None:
    for day, asked, cut in site.scans:
        with recorder(inventory, file, at=datetime(2026, 11, day, 23, 59, tzinfo=NOON.tzinfo)) as scan:
            for number in sorted(asked):
                scan.sent([attempt(address_of(number), at=NOON + timedelta(days=day))])
                if number not in cut:
                    scan.visited(number)
    with recorder(inventory, file, at=NOON - timedelta(days=400)) as scan:
        for number, identity in site.machines.items():
            ward, _ = site.homes().get(number, ("", ""))
            scan.record(host(address_of(number), ward, identity))
        for subnet, fallen, cleared in site.trips:
            if cleared:
                scan.trip(Trip(subnet, "", NOON, Message("x"), tuple(map(address_of, fallen))))
    clear_breakers(inventory, None, at=NOON, site=site.name)
    with recorder(inventory, file, at=NOON - timedelta(days=400)) as scan:
        for subnet, fallen, cleared in site.trips:
            if not cleared:
                scan.trip(Trip(subnet, "", NOON, Message("x"), tuple(map(address_of, fallen))))


def on_fingers(site: Told, *, known: bool) -> list[tuple[dict[str, str], dict[str, Any]]]:
    """Every address by itself: its names, and what it adds to its row."""
    excluded = {number for net in site.exclude for number in numbers_of(net)}
    passive = {
        number for ward in site.passive for net in site.wards.get(ward, ()) for number in numbers_of(net)
    }
    standing = [trip for trip in site.trips if not trip[2]]
    fragile = {number for number, identity in site.machines.items() if identity is PUMP}
    fragile |= {number for _, fallen, _ in standing for number in fallen}
    stopped = {number for net, _, _ in standing for number in numbers_of(net)}
    sets = (excluded if known else set(), passive if known else set(), fragile, stopped)
    homes, asked = site.homes(), site.asked()
    found = []
    for number in {*homes, *asked, *site.machines}:
        ward, subnet = homes.get(number, ("", ""))
        building = "B" if ward and ward < "C" else ""
        names = {"site": site.name, "ward": ward, "subnet": subnet, "building": building, "owner": ""}
        names |= {"group": "", "establishment": site.name}
        machine, in_scope = site.machines.get(number), number in homes or number in asked
        first = next((place for place, those in enumerate(sets) if number in those), None)
        why: list[int | None] = [int(in_scope and place == first) for place in range(4)]
        if not known:
            why[:2] = None, None
        day = site.last_scan(number)
        row = (
            *(int(in_scope), int(machine is not None), int(machine is XP)),
            *(int(number in asked and machine is None), 0, *why),
            *(int(in_scope and number not in asked), day, day),
        )
        found.append((names, dict(zip(FIGURES, row, strict=True))))
    return found


def together(
    addresses: Iterable[tuple[dict[str, str], dict[str, Any]]], by: Sequence[str]
) -> dict[tuple[str, ...], dict[str, Any]]:
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for names, row in addresses:
        key = tuple(names[name] for name in by)
        other = found.get(key)
        found[key] = row if other is None else {name: _both(name, row[name], other[name]) for name in FIGURES}
    return found


def _both(name: str, one: Any, other: Any) -> Any:  # noqa: ANN401 - numbers, days, None
    if name in {"oldest_scan", "newest_scan"}:
        days = [day for day in (one, other) if day]
        return (min if name == "oldest_scan" else max)(days, default=None)
    return None if None in (one, other) else one + other


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("empty") / "inventory.db"
    open_inventory(f"sqlite:///{file}", create=True).close()
    return file


def rows_of(rows: Sequence[CoverageRow]) -> dict[tuple[str, ...], dict[str, Any]]:
    return {tuple(row.keys.values()): {name: getattr(row, name) for name in FIGURES} for row in rows}


@settings(max_examples=25)
@given(east=told("Est"), west=told("Ouest"), few=st.sampled_from([0, 1000]))
def test_coverage_is_that_of_counting_on_fingers(empty: Path, east: Told, west: Told, few: int) -> None:
    with TemporaryDirectory() as name, pytest.MonkeyPatch.context() as patch:
        patch.setattr(latest_module, "_FEW", few)  # both ways of reading visits
        folder = type(empty)(name)
        shutil.copy(empty, folder / "inventory.db")
        with open_inventory(f"sqlite:///{folder}/inventory.db") as inventory:
            files = []
            for site in (east, west):
                files.append(site_file(folder, site.text()))
                written(inventory, site, files[-1])
            for file in (None, files[0]):
                east_known = file is not None
                addresses = on_fingers(east, known=east_known) + on_fingers(west, known=False)
                for by in (*((key,) for key in COVERED_BY), ("site", "ward", "subnet")):
                    rows = coverage_rows(inventory, by=by, site=file)
                    assert rows_of(rows) == together(addresses, by)
            demand_denominators(inventory, addresses)


def demand_denominators(
    inventory: Inventory, addresses: Sequence[tuple[dict[str, str], dict[str, Any]]]
) -> None:
    """What exports are told to be of is the same; and so is what ``count`` says."""
    for pattern, wards in (("", {"", *"ABCD"}), ("a", {"A"}), ("[bC]", {"B", "C"}), ("nowhere", set())):
        rows = [row for names, row in addresses if names["ward"] in wards]
        assert denominator(inventory, Filters(ward=pattern)) == Denominator(
            sum(row["scope"] for row in rows),
            sum(row["scope"] and row["seen"] for row in rows),
            sum(row["never_scanned"] for row in rows),
        )
    counted = count_rows(inventory, by=("ward",), today=TODAY, releases=RELEASES)
    covered = coverage_rows(inventory, by=("ward",))
    assert [(row.keys, row.seen, row.scope, row.never_scanned) for row in covered] == [
        (row.keys, row.seen, row.scope, row.never_scanned) for row in counted
    ]


def covered(
    inventory: Inventory, site: SiteFile | None = None, *by: str
) -> dict[tuple[str, ...], dict[str, Any]]:
    return rows_of(coverage_rows(inventory, by=by or ("ward",), site=site))


@pytest.fixture
def hospital(inventory: Inventory, site: SiteFile) -> Inventory:
    known = [("10.20.0.1", "Cardiologie", XP), ("10.20.1.64", "Bloc", NOTHING), ("10.20.1.65", "Bloc", PUMP)]
    asked = [number_of(f"10.20.0.{last}") for last in range(256)]
    asked += [number_of(address) for address in ("10.20.1.63", "10.20.1.64", "192.168.1.1", "2001:db8::7")]
    record(inventory, site, [host(*each) for each in known], asked=asked)
    return inventory


def test_a_vast_subnet_is_as_little_work_as_a_small_one(hospital: Inventory, tmp_path: Path) -> None:
    site = site_file(
        tmp_path,
        '[site]\nname = "CHU"\n[policy]\nexclude = ["2001:db8::/66"]\n'
        '[[ward]]\nname = "x"\nsubnets = ["10.20.0.0/30"]\n',
    )
    row = covered(hospital, site)["Vide",]
    assert (row["scope"], row["never_scanned"]) == (4 + 2**64, 3 + 2**64)
    assert (row["silent"], row["excluded"], row["passive"]) == (1, 2**62, 0)
    assert covered(hospital, site, "subnet")["2001:db8::/64",]["excluded"] == 2**62


def test_each_address_has_one_reason_in_this_order(hospital: Inventory, tmp_path: Path) -> None:
    wards = '[[ward]]\nname = "x"\npassive_only = true\nsubnets = ["10.20.1.0/25"]\n'
    head = '[site]\nname = "CHU"\n[policy]\nexclude = {}\n'
    with recorder(hospital, None) as scan:
        scan.trip(Trip("10.20.1.0/24", "", NOON, Message("x"), ()))
    alone = covered(hospital)["Bloc",]
    assert [alone[name] for name in ("excluded", "passive", "fragile", "stopped")] == [None, None, 1, 0], (
        "that breaker is of another site: the one without a name"
    )
    with recorder(hospital, site_file(tmp_path)) as scan:
        scan.trip(Trip("10.20.1.0/24", "", NOON, Message("x"), ("10.20.1.66",)))
    reasons = ("excluded", "passive", "fragile", "stopped")
    for exclude, kept, expected in (
        ([], "", [0, 0, 2, 62]),
        (["10.20.1.65/32"], "", [1, 0, 1, 62]),
        (["10.20.1.64/28"], wards, [16, 48, 0, 0]),
        ([], wards, [0, 64, 0, 0]),
    ):
        text = head.format(exclude) + (kept or '[[ward]]\nname = "x"\nsubnets = ["10.9.0.0/30"]\n')
        row = covered(hospital, site_file(tmp_path, text))["Bloc",]
        assert [row[name] for name in reasons] == expected


def test_outside_every_ward_only_what_was_asked_is_in_scope(hospital: Inventory, site: SiteFile) -> None:
    record(hospital, site, [host("172.16.0.1", "", XP)])
    row = covered(hospital)["",]
    assert [row[name] for name in ("scope", "seen", "identified", "silent", "never_scanned")] == [
        1,
        1,
        1,
        1,
        0,
    ]
    assert denominator(hospital, Filters(ward="Bloc")) == Denominator(64, 2, 63)
    whole = denominator(hospital)
    assert (whole.scope, whole.seen) == (64 + 448 + 4 + 2**64 + 1, 3), "the imported one is not in scope"


def test_a_machine_counts_where_its_address_is_today(hospital: Inventory, tmp_path: Path) -> None:
    moved = '[site]\nname = "CHU"\n[[ward]]\nname = "Neuf"\nsubnets = ["10.20.0.0/23"]\n'
    with recorder(hospital, site_file(tmp_path, moved)):
        pass
    found = covered(hospital)
    assert set(found) == {("",), ("Neuf",)}
    assert (found["Neuf",]["seen"], found["Neuf",]["scope"]) == (3, 512)


def test_the_file_of_another_site_says_nothing(hospital: Inventory, tmp_path: Path) -> None:
    other = site_file(tmp_path, '[site]\nname = "X"\n[[ward]]\nname = "x"\nsubnets = ["10.20.0.0/16"]\n')
    assert {row["excluded"] for row in covered(hospital, other).values()} == {None}


def test_what_was_never_scanned_has_no_date(hospital: Inventory) -> None:
    row = covered(hospital, None, "subnet")["10.20.9.0/30",]
    assert (row["silent"], row["never_scanned"], row["oldest_scan"], row["newest_scan"]) == (0, 4, None, None)


def test_an_empty_inventory_has_no_row(inventory: Inventory) -> None:
    assert coverage_rows(inventory) == ()
    assert denominator(inventory) == Denominator(0, 0, 0)


@pytest.mark.file
def test_a_slash_eight_that_was_asked_as_a_whole(inventory: Inventory, tmp_path: Path) -> None:
    """65,536 blocks: right to the last address, and none of 16 million is looked at by itself."""
    subnets = ["10.0.0.0/8", *(f"10.{second}.0.0/16" for second in range(0, 256, 2))]
    wards = [f'[[ward]]\nname = "{net}"\nsubnets = ["{net}"]' for net in subnets]
    text = '[site]\nname = "CHU"\n[policy]\nexclude = ["10.255.255.7/32"]\n'
    site = site_file(tmp_path, text + "\n".join(wards))
    record(inventory, site, [host("10.2.3.4", "10.2.0.0/16", XP)], asked=[number_of("10.2.3.4")])
    with closing(sqlite3.connect(inventory.path)) as connection, connection:
        connection.execute("DELETE FROM coverage")
        connection.execute("DELETE FROM visits")
        blocks = [(bytes((10, *divmod(block, 256))), b"\xff" * 32) for block in range(1 << 16)]
        connection.executemany("INSERT INTO coverage VALUES (1, 4, ?, ?)", blocks)
        connection.executemany("INSERT INTO visits VALUES (1, 4, ?, ?)", blocks[1:])
    found = covered(inventory, site)
    day = NOON.date()
    assert len(found) == 129
    assert list(found["10.2.0.0/16",].values()) == [65536, 1, 1, 65535, 0, 0, 0, 0, 0, 0, day, day]
    assert list(found["10.0.0.0/8",].values()) == [1 << 23, 0, 0, 1 << 23, 0, 1, 0, 0, 0, 0, day, day]


sets = st.frozensets(
    st.sampled_from([*range(250, 262), *range(IPV6 - 3, IPV6 + 3), IPV6 + SIZE]), max_size=12
)


def listed(blocks: Blocks) -> set[int]:
    found = {block * SIZE + bit for block, bits in blocks.items() for bit in range(SIZE) if bits >> bit & 1}
    assert size(blocks) == len(found)
    assert all(blocks.values()), "no block without an address"
    return found


@given(sets, sets, sets, sets)
def test_blocks_are_sets(
    one: frozenset[int], other: frozenset[int], mine: frozenset[int], yours: frozenset[int]
) -> None:
    left, right = blocks_of(one), blocks_of(other)
    assert listed(left) == one
    assert listed(both(left, right)) == one & other
    assert listed(less(left, right)) == one - other
    assert listed(within(left, AddressSet((n, n) for n in other))) == one & other
    places = AddressMap(
        [(AddressSet((n, n) for n in mine), "m"), (AddressSet((n, n) for n in yours - mine), "y")]
    )
    parts = {value: listed(part) for value, part in divide(left, places).items()}
    expected = {"m": one & mine, "y": one & yours - mine, None: one - mine - yours}
    assert parts == {value: part for value, part in expected.items() if part}


@given(st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6)))
def test_a_block_is_found_again(address: object) -> None:
    number = number_of(str(address))
    assert number_of_block(*block_of(number)) == number - number % SIZE
