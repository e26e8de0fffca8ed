"""What is only overheard, and the names of makers: no more is made of them than the gathered facts say."""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING

import pytest

from scanner.classify import default_classifier
from scanner.classify.makers import maker_of
from scanner.fingerprints import load_fingerprints
from scanner.lifecycle import load_lifecycle
from scanner.model import Certainty
from tests.corpus import CORPUS, FACTS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner.fingerprints import Match
    from scanner.model import Identity

RELEASES = load_lifecycle().releases
SYSTEMS = {
    "95": {"Windows 95"},
    "98": {"Windows 98"},
    "98 SE": {"Windows 98"},
    "ME": {"Windows Me"},
    "NT 4.0": {"Windows NT 4.0"},
    "2000": {"Windows 2000"},
    "XP": {"Windows XP"},
    "XP x64": {"Windows XP"},
    "2003": {"Windows Server 2003"},
    "2003 R2": {"Windows Server 2003 R2"},
    "Vista": {"Windows Vista"},
    "2008": {"Windows Server 2008"},
    "7": {"Windows 7"},
    "2008 R2": {"Windows Server 2008 R2"},
    "8": {"Windows 8"},
    "2012": {"Windows Server 2012"},
    "8.1": {"Windows 8.1"},
    "2012 R2": {"Windows Server 2012 R2"},
    "10": {"Windows 10"},
    "10 <=1709": {"Windows 10"},
    "10 1607": {"Windows 10"},
    "10 1703+": {"Windows 10"},
    "10 1803+": {"Windows 10", "Windows 11"},
    "11": {"Windows 11"},
    "2016": {"Windows Server 2016"},
    "2016+": {"Windows Server 2016", "Windows Server 2019", "Windows Server 2022"},
    "2019": {"Windows Server 2019"},
    "2019+": {"Windows Server 2019", "Windows Server 2022"},
    "2000 and every later": {"Windows 2000", "Windows XP", "Windows 11", "Windows Server 2022"},
    "CE": {"Windows CE"},
    "Samba": {"Samba"},
    "2.4-2.6": {"Debian"},
    "3.x": {"Debian"},
    "8.x": {"FreeBSD"},
    "9.x": {"FreeBSD"},
    "10.x": {"macOS"},
    "Solaris": {"Solaris"},
    "HP-UX": {"HP-UX"},
}
"""The products that a system of the facts is, in its shortest form."""
TOO_NEW = {"XP": "Windows 7", "2000": "Windows 7", "Vista": "Windows 11", "10 1703+": "Windows 7"}
"""A product that is surely not it."""


def _facts(name: str) -> list[dict[str, str]]:
    if FACTS is None:
        return []
    with (FACTS / name).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


MEDICAL = _facts("medical.csv")
BANNERS = _facts("banners.csv")


def _of(protocol: str, field: str = "") -> list[dict[str, str]]:
    return [row for row in BANNERS if row["protocol"] == protocol and row["field"].startswith(field)]


def _classify(key: str, value: str) -> Identity:
    return default_classifier().classify({key: (value,)})


def _match(key: str, value: str) -> Match:
    match = load_fingerprints().match(key, value)
    assert match, (key, value)
    return match


def _products(identity: Identity) -> set[str]:
    return {RELEASES[name].product for name in identity.candidates}


def _systems(words: str) -> set[str]:
    """The products of a system of the facts: ``Windows Vista / 7`` or ``Windows 2003/2003 R2``."""
    parts = re.split(r" ?/ ?| or ", words)
    plain = (re.sub(r"^(?:Windows |Server |Linux |FreeBSD |Mac OS X ){1,2}", "", part) for part in parts)
    return set().union(*(SYSTEMS[part] for part in plain))


def _row(row: dict[str, str]) -> str:
    return row.get("id") or f"{row['value']} ({row['key']})"


# --- makers


@pytest.mark.parametrize("fact", [row for row in MEDICAL if row["category"] == "oui"], ids=_row)
def test_a_maker_of_medical_equipment_is_known(fact: dict[str, str]) -> None:
    for name in _registered(fact):
        identity = _classify("mac.vendor", name)
        assert identity.attributes["device"] == "medical"
        assert identity.attributes["vendor"].casefold() in fact["vendor"].casefold()
        assert not identity.candidates


@pytest.mark.parametrize("fact", [row for row in MEDICAL if row["category"] == "oui_trap"], ids=_row)
def test_a_name_that_misleads_is_not_medical(fact: dict[str, str]) -> None:
    for name in _registered(fact):
        identity = _classify("mac.vendor", name)
        assert identity.attributes.get("device") != "medical"
        assert "fragile" not in identity.attributes


def _registered(fact: Mapping[str, str]) -> set[str]:
    """The name that the facts have for a prefix, and that of the registry that is installed."""
    return {fact["value"], maker_of(fact["key"].ljust(12, "0"))} - {""}


@pytest.mark.parametrize(
    ("name", "vendor", "device"),
    [
        ("VMware, Inc.", "VMware", "virtual machine"),
        ("Acme Ward Medical Systems GmbH", "Acme Ward Medical", "medical"),
        ("Siemens AG", "Siemens", None),
        ("CANON INC.", "Canon", None),
        ("Canon Medical Systems Corporation", "Canon Medical", "medical"),
        ("Lexmark International, Inc.", "Lexmark", "printer"),
        ("Acme Electronics Ltd", None, None),
    ],
)
def test_a_maker_names_a_device_where_it_makes_nothing_else(
    name: str, vendor: str | None, device: str | None
) -> None:
    identity = _classify("mac.vendor", name)
    assert identity.attributes.get("vendor") == vendor
    assert identity.attributes.get("device") == device


@pytest.mark.parametrize(
    ("card", "lease"),
    [
        ("Draeger Medical", "Draeger Infinity"),
        ("Mindray Co., Ltd.", "Mindray BeneVision N17"),
        ("Masimo Corporation", "MASIMO"),
        ("Spacelabs Medical, Inc.", "Spacelabs Xprezzon"),
        ("Welch Allyn, Inc.", "Welch Allyn"),
    ],
)
def test_what_stands_at_the_bedside_is_left_alone_by_its_card_and_by_its_lease(card: str, lease: str) -> None:
    said = _classify("mac.vendor", card), _classify("dhcp.vendor_class", lease)
    assert all("medical device" in identity.attributes["fragile"] for identity in said)


def test_whatever_says_that_it_runs_vxworks_is_left_alone() -> None:
    named = [
        each
        for entries in load_fingerprints().by_key.values()
        for each in entries
        if each.names.get("product") == "VxWorks"
    ]
    assert len(named) > 10
    assert not [each.name for each in named if "fragile" not in each.names]


def test_a_maker_only_suggests_a_system() -> None:
    fingerprints = load_fingerprints().by_key["mac.vendor"]
    assert not [each.name for each in fingerprints if each.asserts]
    assert {each.name for each in fingerprints if each.suggests} == {"Apple", "Raspberry Pi"}
    assert "family" not in _classify("mac.vendor", "Apple, Inc.").attributes


# --- modalities


@pytest.mark.parametrize("fact", [row for row in MEDICAL if row["category"] == "dicom_uid"], ids=_row)
def test_a_root_of_uids_is_a_maker(fact: dict[str, str]) -> None:
    identity = _classify("dicom.class_uid", f"{fact['key']}.6.5")
    assert identity.attributes["vendor"].split()[0].casefold() in fact["vendor"].casefold()
    assert identity.attributes["device"] == "medical"
    assert not identity.candidates


@pytest.mark.parametrize("fact", [row for row in MEDICAL if row["category"] == "dicom_toolkit"], ids=_row)
def test_a_toolkit_is_no_maker(fact: dict[str, str]) -> None:
    for root in fact["key"].split(" | "):
        value = f"{root.rstrip('.')}.1"
        toolkit = re.split(r"[ (]", fact["vendor"])[0]
        assert toolkit.casefold() in _match("dicom.class_uid", value).fingerprint.name.casefold()
        identity = _classify("dicom.class_uid", value)
        assert {"vendor", "fragile"}.isdisjoint(identity.attributes) or toolkit == "OsiriX"
        assert identity.attributes["device"].startswith("DICOM ")


@pytest.mark.parametrize(
    ("application", "device"), [("CARESCAPE GATEWAY", "medical"), ("COBAS_8000", "medical"), ("ORBIS", None)]
)
def test_an_application_is_named_and_a_device_only_where_it_is_known(
    application: str, device: str | None
) -> None:
    identity = _classify("hl7.sending_application", application)
    assert identity.attributes["product"] == application
    assert identity.attributes.get("device") == device
    assert not identity.candidates


# --- what is overheard


@pytest.mark.parametrize("fact", _of("browser", "HostAnnouncement"), ids=_row)
def test_the_version_that_a_host_announces_is_one_of_the_facts(fact: dict[str, str]) -> None:
    wanted = _systems(fact["os"].replace("NT 4.0 or 95", "NT 4.0/95"))
    identity = _classify("browser.version", fact["value"])
    assert wanted <= _products(identity)
    assert identity.certainty != Certainty.CERTAIN


@pytest.mark.parametrize(
    ("version", "not_it"),
    [
        ("5.1", "Windows 2000"),
        ("5.1", "Android"),
        ("6.0", "Windows 7"),
        ("6.1", "Windows 8"),
        ("10.0", "Windows 8.1"),
    ],
)
def test_a_version_leaves_no_other_systems(version: str, not_it: str) -> None:
    assert not_it not in _products(_classify("browser.version", version))


@pytest.mark.parametrize("fact", _of("browser", "ServerType"), ids=_row)
def test_a_flag_says_what_the_facts_say(fact: dict[str, str]) -> None:
    # Each flag beside those that every machine sets: workstation, server, and NT where it is not Windows 95.
    flags = int(fact["value"], 16) | (0x3 if "WINDOWS" in fact["os"] else 0x1003)
    match = _match("browser.server_type", f"0x{flags:08x}")
    meaning = fact["os"].removeprefix("SV_TYPE_")
    if meaning in {"SERVER_UNIX", "WINDOWS"}:
        wanted = {"Samba"} if meaning == "SERVER_UNIX" else {"Windows 95", "Windows 98", "Windows Me"}
        assert wanted <= set(match.asserts["product"])
    else:
        is_server = fact["role_hint"] == "server" or meaning == "DOMAIN_BAKCTRL"
        assert match.asserts["role"] == (("server", "service") if is_server else ("client", "embedded"))
    assert match.fingerprint.imitated


@pytest.mark.parametrize(
    ("number", "words"),
    [
        ("0x00001003", "workstation,server,nt"),
        ("0x00009003", "workstation,server,nt,server nt"),
        ("0x0000100b", "workstation,server,domain controller,nt"),
        ("0x00001013", "workstation,server,backup domain controller,nt"),
        ("0x00019a03", "workstation,server,print queue,unix,nt,server nt,potential browser"),
        ("0x00412003", "workstation,server,windows for workgroups,potential browser,windows"),
    ],
)
def test_flags_by_name_say_what_they_say_as_a_number(number: str, words: str) -> None:
    by_number, by_words = (_match("browser.server_type", value) for value in (number, words))
    assert (by_number.asserts, by_number.suggests) == (by_words.asserts, by_words.suggests)


@pytest.mark.parametrize("fact", _of("dhcp", "option60"), ids=_row)
def test_a_vendor_class_is_what_the_facts_say(fact: dict[str, str]) -> None:
    identity = _classify("dhcp.vendor_class", fact["value"])
    if "Xbox" in fact["os"]:
        assert identity.attributes["product"] == "Xbox"
        assert not identity.candidates
    else:
        wanted = _systems(fact["os"].replace("Windows Windows", "Windows").removesuffix(" Windows"))
        assert wanted <= _products(identity)
        assert "Windows NT 4.0" not in _products(identity)
    assert identity.certainty != Certainty.CERTAIN or "CE" in fact["os"]


@pytest.mark.parametrize("fact", _of("dhcp", "option55"), ids=_row)
def test_a_list_of_parameters_suggests_what_the_facts_say(fact: dict[str, str]) -> None:
    is_rule = fact["match"] == "rule"
    value = "1,15,3,6,44,46,47,31,33,249" if is_rule else fact["value"]
    assert not _match("dhcp.parameters", value).asserts
    identity = _classify("dhcp.parameters", value)
    assert _systems(fact["os"]) <= _products(identity)
    assert identity.certainty == Certainty.HINT
    for system, other in TOO_NEW.items():
        assert system not in fact["os"].split()[:2] or other not in _products(identity)


ANSWERS = {
    "tcp-001": [
        "ttl=128 win=65535 opts=mss,nop,ws0,nop,nop,ts0,nop,nop,sok df=1",
        "ttl=128 win=16384 opts=mss,nop,nop,sok df=0",
    ],
    "tcp-002": [f"ttl=128 win={size} opts=mss,nop,nop,sok df=1" for size in ("17520/12", "65535")],
    "tcp-003": ["ttl=128 win=8192 opts=mss,nop,ws8,nop,nop,sok df=1"],
    "tcp-004": [f"ttl=128 win={size} opts=mss,nop,ws8,nop,nop,sok df=1" for size in ("65535", "64240/44")],
    "tcp-005": [f"ttl=128 win={window} opts=mss df=1" for window in ("8760/6", "8820", "8576", "8215")],
    "tcp-006": ["ttl=32 win=8820 opts=mss df=1"],
    "tcp-007": [
        "ttl=64 win=5840/4 opts=mss,nop,nop,sok,nop,ws2 df=1",
        "ttl=64 win=5792/4 opts=mss,sok,ts,nop,ws7 df=1",
    ],
    "tcp-008": ["ttl=64 win=14480/10 opts=mss,sok,ts,nop,ws7 df=1"],
    "tcp-009": [f"ttl=64 win=65535 opts=mss,nop,ws{shift},sok,ts df=1" for shift in (3, 6)],
    "tcp-010": ["ttl=64 win=65535 opts=mss,nop,ws6,nop,nop,ts,sok,eol df=1"],
    "tcp-011": [f"ttl={ttl} win=49232/34 opts=nop,nop,ts,mss,nop,ws0,nop,nop,sok df=1" for ttl in (64, 255)],
    "tcp-012": ["ttl=64 win=32768 opts=mss df=1"],
}  # fmt: skip
"""Answers as the facts describe them, in the form of the evidence."""


@pytest.mark.parametrize("fact", _of("tcp"), ids=_row)
def test_the_form_of_an_answer_suggests_what_the_facts_say(fact: dict[str, str]) -> None:
    for value in ANSWERS[fact["id"]]:
        assert not _match("tcp.synack", value).asserts
        identity = _classify("tcp.synack", value)
        assert _systems(fact["os"].replace("/2016/10 1607", " / 2016 / 10 1607")) <= _products(identity)
        assert identity.certainty == Certainty.HINT


@pytest.mark.parametrize("key", ["tcp.syn", "tcp.synack"])
def test_the_hosts_of_the_captures_open_and_answer_as_they_are_suggested_to(key: str) -> None:
    told = list(_captured(key))
    fits = [family for family, value in told if family in _families(key, value)]
    assert len(fits) >= 0.9 * len(told), "others stand between, and some hosts only pretend"


def _captured(key: str) -> Iterator[tuple[str, str]]:
    """The family of each host of the captures for which something is suggested, and its segment."""
    if CORPUS is None:
        return
    with (CORPUS / "pcap" / "truth.csv").open(newline="", encoding="utf-8") as opened:
        for row in csv.DictReader(opened):
            segment = row[key.replace(".", "_")].partition(" || ")[0]
            family = re.split(r"[ /]", row["os_family"])[0]
            if not segment or family not in {"Linux", "Windows", "macOS"}:
                continue
            value = _form(segment)
            if load_fingerprints().match(key, value):
                yield family, value


def _families(key: str, value: str) -> set[str]:
    return {RELEASES[name].family for name in _classify(key, value).candidates}


def _form(segment: str) -> str:
    """A segment as the captures have it, its options in hexadecimal, in the form of the evidence."""
    words = dict(word.split("=") for word in segment.split()[:4])
    raw, options, mss = bytes.fromhex(words["opts"]), [], 0
    while raw:
        kind = raw[0]
        length = 1 if kind <= 1 else raw[1]
        body, raw = raw[2:length], raw[length:]
        mss = int.from_bytes(body, "big") if kind == 2 else mss
        named = {0: "eol", 1: "nop", 2: "mss", 3: f"ws{body.hex() and int(body.hex(), 16)}", 4: "sok"}
        options.append("ts" + "0" * (not any(body[:4])) if kind == 8 else named.get(kind, str(kind)))
        if not kind:
            break
    ttl = min(initial for initial in (32, 64, 128, 255) if initial >= int(words["ttl"]))
    window = int(words["win"])
    times = next((f"/{window // size}" for size in (mss, mss - 12) if mss and window % size == 0), "")
    return f"ttl={ttl} win={window}{times} opts={','.join(options)} df={words['df']}"


# --- names of multicast


@pytest.mark.parametrize(
    ("model", "family", "device"),
    [
        ("iMac19,1", "macOS", "workstation"),
        ("Mac16,7", "macOS", "workstation"),
        ("iPhone17,1", "iOS", "phone"),
        ("D84AP", "iOS", "phone"),
        ("N104AP", "iOS", "phone"),
        ("J522xAP", "iOS", "tablet"),
        ("J42dAP", "iOS", "media player"),
        ("AirPort7,120", "AirPort", "wireless access point"),
        ("Xserve", None, "server"),
        ("MacPro7,1@ECOLOR=226,226,224", None, "server"),
    ],
)
def test_a_model_is_a_device_and_perhaps_a_system(model: str, family: str | None, device: str) -> None:
    identity = _classify("mdns.model", model)
    assert identity.attributes.get("family") == family
    assert identity.attributes["device"] == device


def test_each_darwin_is_the_next_macos() -> None:
    builds = {darwin: _match("mdns.osxvers", str(darwin)).asserts["build"] for darwin in range(8, 26)}
    assert builds[8] == ("10.4",)
    assert builds[19] == ("10.15",)
    assert builds[20] == ("11",)
    assert builds[25] == ("26",)
    assert len(set(builds.values())) == len(builds)
