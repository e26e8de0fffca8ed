"""What is asked for, checked against the site file: nothing is sent here."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.addresses import AddressSet, address_of, number_of
from scanner.config import load_site
from scanner.errors import ConfigError
from scanner.inventory import ScanRow
from scanner.probes import probes
from scanner.scan import Lore, Request, prepare, request_of
from scanner.transport.gate import ForbiddenError
from scanner.transport.limits import PROFILES, REFUSED_PORTS

if TYPE_CHECKING:
    from scanner.config import SiteFile

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SITE_FILE = Path(__file__).with_name("site.toml")


@pytest.fixture
def site() -> SiteFile:
    return load_site(SITE_FILE)


def test_without_targets_every_ward_but_passive_ones_and_exclusions(site: SiteFile) -> None:
    ground = prepare(Request(site=site), 1000)
    assert len(ground.asked) == 3 * 256 - 16
    assert ground.untouched == 256 + 16
    assert {terms.ward: len(addresses) for addresses, terms in ground.shares} == {
        "Cardiologie": 240,
        "Laboratoire d'essais": 256,
        "Nuit": 256,
    }


def test_a_ward_may_be_named(site: SiteFile) -> None:
    ground = prepare(Request(("cardiologie",), site), 1000)
    assert len(ground.asked) == 240
    assert ground.scope == "cardiologie"


def test_the_gentler_of_ward_and_request_holds(site: SiteFile) -> None:
    by_ward = {terms.ward: terms.limits for _, terms in prepare(Request(site=site), 1000).shares}
    assert by_ward["Cardiologie"].profile == "clinical"
    assert by_ward["Laboratoire d'essais"].profile == "office"
    gentle = {
        terms.limits.profile for _, terms in prepare(Request(site=site, profile="clinical"), 1000).shares
    }
    assert gentle == {"clinical"}


def test_a_rate_can_only_be_lowered(site: SiteFile) -> None:
    for rate, expected in ((10.0, 10.0), (10_000.0, PROFILES["office"].rate)):
        shares = prepare(Request(("10.20.7.0/24",), site, rate=rate), 1000).shares
        assert [terms.limits.rate for _, terms in shares] == [expected]


def test_the_lab_profile_is_for_lab_wards_and_loopback(site: SiteFile) -> None:
    assert prepare(Request(("10.20.7.0/24",), site, profile="lab"), 1000).shares[0][1].limits.rate is None
    assert prepare(Request(("127.0.0.1",), profile="lab"), 1000).shares[0][1].limits.rate is None
    for request in (Request(("Nuit",), site, profile="lab"), Request(("10.0.0.1",), profile="lab")):
        with pytest.raises(ConfigError, match="lab profile"):
            prepare(request, 1000)


def test_refused_ports_are_open_only_to_a_site_file_that_names_them(site: SiteFile) -> None:
    (smb,) = (probe for probe in probes() if probe.name == "smb")
    by_ward = {terms.ward: terms for _, terms in prepare(Request(site=site), 1000).shares}
    gate = prepare(Request(site=site), 1000).gate
    assert gate.services(smb, by_ward["Nuit"]).ports == ((9100, 445), (1139, 139))
    assert gate.services(smb, by_ward["Laboratoire d'essais"]).ports == ((445, 445), (139, 139))


def test_only_the_probes_that_are_named_are_held(site: SiteFile) -> None:
    held = site.model_copy(update={"policy": site.policy.model_copy(update={"probes": ("smb",)})})
    shares = prepare(Request(site=held), 1000).shares
    assert {terms.probes for _, terms in shares} == {frozenset({"smb"})}
    gate = prepare(Request(site=held), 1000).gate
    for probe in probes():
        for _, terms in shares:
            named = gate.services(probe, terms)
            assert bool(named.ports) == (probe.name == "smb")
            assert (named.why_none is None) == (probe.name == "smb")


@pytest.mark.parametrize("table", ["probes", "ports"])
def test_a_probe_that_there_is_not_is_named_with_the_nearest(site: SiteFile, table: str) -> None:
    wrong = {"probes": ("smbb",)} if table == "probes" else {"ports": {"smbb": (445,)}}
    ward = site.wards[0].model_copy(update=wrong)
    with pytest.raises(ConfigError, match="a probe smbb, which there is not; the nearest is smb"):
        prepare(Request(site=site.model_copy(update={"wards": (ward, *site.wards[1:])})), 1000)


def test_secrets_come_from_the_environment_and_stay_out_of_sight(
    site: SiteFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VETUSTE_ONE", "s3cret")
    monkeypatch.delenv("VETUSTE_NONE", raising=False)
    snmp = site.snmp.model_copy(update={"community_env": ("VETUSTE_NONE", "VETUSTE_ONE")})
    ground = prepare(Request(site=site.model_copy(update={"snmp": snmp})), 1000)
    for _, terms in ground.shares:
        assert terms.given["snmp"] == {"community": ("s3cret",)}
        assert "s3cret" not in repr(terms)
    assert "s3cret" not in repr(ground)


def test_dicom_is_called_by_the_name_that_the_site_gives(site: SiteFile) -> None:
    (terms, *_) = (terms for _, terms in prepare(Request(site=site), 1000).shares)
    assert "ae_title" not in terms.given["dicom"]
    dicom = site.dicom.model_copy(update={"ae_title": "ARCHIVE"})
    (terms, *_) = (
        terms for _, terms in prepare(Request(site=site.model_copy(update={"dicom": dicom})), 1000).shares
    )
    assert terms.given["dicom"] == {"ae_title": ("ARCHIVE",), "calling_ae_title": ("VETUSTE",)}


@pytest.mark.parametrize("profile", PROFILES)
def test_no_probe_has_a_refused_port(profile: str) -> None:
    gate = prepare(Request(("127.0.0.1",), profile=profile), 1000).gate
    terms = gate.terms_of(number_of("127.0.0.1"))
    assert not {port for probe in probes() for port, _ in gate.services(probe, terms).ports} & REFUSED_PORTS


def test_the_clinical_profile_knows_four_services() -> None:
    assert {port for _, port in PROFILES["clinical"].services or ()} == {445, 139, 137, 3389}


def test_ports_can_be_narrowed_but_not_to_nothing(site: SiteFile) -> None:
    ground = prepare(Request(("Cardiologie",), site, ports=frozenset({445})), 1000)
    assert {share.ports for share in ground.plan()} == {(445,)}
    with pytest.raises(ConfigError, match="no port is left"):
        prepare(Request(("Cardiologie",), site, ports=frozenset({80})), 1000)


@pytest.mark.parametrize(("sweep", "packets"), [("echo", 1), ("arp", 2)])
def test_a_plan_has_the_packets_of_looks(site: SiteFile, sweep: str, packets: int) -> None:
    (plain,) = prepare(Request(("10.20.0.1",), site, profile="clinical"), 1000).plan()
    (looked,) = prepare(Request(("10.20.0.1",), site, profile="clinical", sweep=sweep), 1000).plan()
    assert looked.packets.most == plain.packets.most + packets
    assert looked.connections == plain.connections, "a host gets no more attempts than before"
    assert looked.seconds.most > plain.seconds.most


def test_where_machines_are_known_the_sweep_begins(site: SiteFile) -> None:
    known = AddressSet.of(["10.20.0.8/30", "192.168.0.0/24"])
    ground = prepare(Request(("Cardiologie",), site), 1000, Lore(known=known))
    order = list(ground.order())
    assert set(order[:4]) == set(AddressSet.of(["10.20.0.8/30"]).spread())
    assert sorted(order) == sorted(ground.asked.spread()), "each once, and nobody that was not asked for"


def test_half_open_looks_are_never_clinical(site: SiteFile) -> None:
    with pytest.raises(ConfigError, match="syn is not allowed under the profile clinical"):
        prepare(Request(("10.20.0.1",), site, profile="clinical", sweep="syn"), 1000)
    assert prepare(Request(("10.20.0.1",), site, profile="clinical"), 1000).method is None


def test_hours_are_the_wards_own(site: SiteFile) -> None:
    night = datetime(2026, 11, 23, 22, 0, tzinfo=UTC)
    ground = prepare(Request(("Nuit",), site), 1000)
    assert ground.opening(night) == night
    assert ground.opening(NOON) == datetime(2026, 11, 23, 21, 0, tzinfo=UTC)
    assert prepare(Request(("Cardiologie", "Nuit"), site), 1000).opening(NOON) == NOON


def test_fragile_devices_and_stopped_subnets_are_held_off(site: SiteFile) -> None:
    lore = Lore(("10.20.0.64/26",), ("10.20.0.7", "10.20.0.241"))
    ground = prepare(Request(("Cardiologie",), site), 1000, lore)
    whole = prepare(Request(("Cardiologie",), site), 1000)
    assert ground.held_off == 64 + 1  # 10.20.0.241 is excluded anyway
    assert ground.asked.size == whole.asked.size - 65
    assert ground.untouched == whole.untouched
    for number in AddressSet.of(["10.20.0.64/26", "10.20.0.7/32"]).spread():
        with pytest.raises(ForbiddenError):
            ground.gate.host(number)
    with pytest.raises(ConfigError, match="breaker list"):
        prepare(Request(("10.20.0.7",), site), 1000, lore)


def test_what_was_asked_for_can_be_asked_for_again(site: SiteFile) -> None:
    asked = Request(
        ("Cardiologie",), site, ("10.20.0.1",), "office", 40.0, frozenset({445}), allow_public=True
    )
    scan = ScanRow(
        7, "X", NOON, None, "killed", "office", "", {}, {}, json.loads(json.dumps(asked.options())), "d"
    )
    assert request_of(scan, Request(site=site), "d") == asked
    assert request_of(scan, asked, "d") == asked
    with pytest.raises(ConfigError, match="something else"):
        request_of(scan, Request(("Nuit",), site), "d")
    with pytest.raises(ConfigError, match="the site file changed"):
        request_of(scan, Request(site=site), "e")


def test_the_vast_subnets_of_ipv6_are_left_out_unless_hosts_in_them_are_named(tmp_path: Path) -> None:
    file = tmp_path / "site.toml"
    ward = '[[ward]]\nname = "Six"\nsubnets = ["10.0.0.0/30", "fd00::/64"]\n'
    file.write_text(f'[site]\nname = "X"\n{ward}', encoding="utf-8")
    assert prepare(Request(site=load_site(file)), 1000).asked.size == 4
    assert prepare(Request(("fd00::7",), load_site(file)), 1000).asked.size == 1


def test_nothing_asked_for_is_an_error() -> None:
    with pytest.raises(ConfigError, match="there is no target"):
        prepare(Request(), 1000)


@given(st.lists(st.tuples(st.integers(0, 11 << 8), st.integers(0, 300)), min_size=1, max_size=4))
def test_whatever_is_asked_nothing_forbidden_is_planned(asked: list[tuple[int, int]]) -> None:
    """Any ranges over and around the subnets: a refusal, or a ground of only what may be touched."""
    site = load_site(SITE_FILE)
    start = number_of("10.20.0.0")
    targets = tuple(f"{address_of(start + low)}-{address_of(start + low + size)}" for low, size in asked)
    forbidden = AddressSet.of(["10.20.9.0/24", "10.20.0.240/28"])
    wards = AddressSet.of(["10.20.0.0/24", "10.20.7.0/24", "10.20.5.0/24"])
    try:
        ground = prepare(Request(targets, site), 1000)
    except ConfigError:
        return
    for number in ground.asked.spread():
        assert number in wards
        assert number not in forbidden
        assert ground.gate.scope.permits(number)
    assert len(ground.asked) == sum(share.addresses for share in ground.plan())


def test_a_low_limit_of_open_files_is_known() -> None:
    few = prepare(Request(("127.0.0.0/24",), profile="lab"), 100)
    assert (few.gate.in_flight, few.held_back) == (100, True)
    many = prepare(Request(("127.0.0.0/24",), profile="lab"), 1000)
    assert (many.gate.in_flight, many.held_back) == (256, False)


def test_what_is_held_off_may_be_larger_than_what_can_be_swept(tmp_path: Path) -> None:
    """A stopped IPv6 subnet, and an exclusion of one, keep nobody from scanning the rest."""
    file = tmp_path / "site.toml"
    ward = '[[ward]]\nname = "Six"\nsubnets = ["10.0.0.0/30", "fd00::/64"]\n'
    file.write_text(f'[site]\nname = "X"\n{ward}', encoding="utf-8")
    request = Request(("10.0.0.0/30", "fd00::7"), load_site(file), ("fd00:1::/64",))
    assert prepare(request, 1000).asked.size == 5
    assert prepare(request, 1000, Lore(("fd00::/64",))).asked.size == 4


def test_nothing_leaves_before_every_role_has_signed(tmp_path: Path) -> None:
    """Whoever prepares a scan and forgets to verify: the gate does not."""
    file = tmp_path / "site.toml"
    ward = '[[ward]]\nname = "One"\nsubnets = ["10.0.0.0/30"]\n'
    signing = '[signing]\nroles = ["biomedical", "rssi"]\n'
    file.write_text(f'[site]\nname = "X"\nsigned = true\n{signing}{ward}', encoding="utf-8")
    gate = prepare(Request(site=load_site(file)), 1000).gate
    door = gate.host(number_of("10.0.0.1"))
    for role in ("biomedical", "rssi"):
        with pytest.raises(ForbiddenError, match="rssi"):
            door.demand_leave()
        gate.unsigned -= {role}
    door.demand_leave()
