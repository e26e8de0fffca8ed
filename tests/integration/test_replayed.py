"""Every host of the corpus, replayed: from packets on a socket to what `count` and `explain` say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from tests.corpus import CORPUS
from tests.integration.product import Product
from tests.integration.recordings import HOSTS, replayed

if TYPE_CHECKING:
    from tests.integration.recordings import Host

__test__ = CORPUS is not None
"""A fresh clone has no recordings: then nothing is collected here, and nothing skipped."""

TODAY = ("--today", "2026-11-23")
ADDRESSES = {name: f"127.78.0.{number}" for number, name in enumerate(HOSTS, 1)}

# Where the recording has a challenge: what is known of the host, its verdict, and how surely. A system in
# NAMED is all that is left, one in AMONG is one of several that are.
UNDATED = ("Samba", "depends", "certain")
NAMED: dict[str, tuple[str, str, str]] = {
    "smb-smb1-ascii 10.10.0.2": ("Windows Server 2008 R2", "unsupported", "certain"),
    "smb-smbclient 127.0.0.1": UNDATED,
    "smbtorture-ntlmssp-moloch-crash": ("Windows pre-release", "unknown", "certain"),
    "Sample_File_MMS_and_GOOSE": ("Windows 2000", "unsupported", "certain"),
    "EIP-ControlProtocolChangeAttempt": ("Windows XP", "unsupported", "certain"),
    "EIP-IPAddressChangeAttempt": ("Windows XP", "unsupported", "certain"),
    "filecontainer-smb 192.168.24.100": ("Windows XP", "unsupported", "certain"),
    "EIP-RemoteModeChangeAttempt": ("Windows Server 2003 R2", "unsupported", "certain"),
    "filestore-filecontainer-smb1-data-offset": ("Windows Server 2008 R2", "unsupported", "certain"),
    "smb_bug_padding": ("Windows 10", "unsupported", "certain"),
    "output-eve-smb-01": ("Windows Server 2019", "supported", "certain"),
    "smbandx 192.168.1.51": ("Windows 10", "unsupported", "certain"),
    "smb-length-5770": ("macOS", "unknown", "certain"),
    "smb1_osx": UNDATED,
    "smb2-peter": UNDATED,
    "smb2-async-read": UNDATED,
    "smb2-delete": ("Windows 10", "unsupported", "certain"),
    "smb2-ntlmssp-negotiateflags 192.168.199.1:139": ("Windows 8.1", "unsupported", "certain"),
    "smb2-ntlmssp-negotiateflags 192.168.199.133": ("Windows 10", "unsupported", "certain"),
}
AMONG: dict[str, tuple[str, str]] = {
    "smb2 10.0.0.12": ("Windows Server 2008", "unsupported"),
    "bug-5162": ("Windows Server 2016", "depends"),
    "dcerpc-smb-ctxid": ("Windows Server 2016", "depends"),
    "dcerpc-bind-no-frag-flag": ("Windows Server 2022", "supported"),
}


def named(part: str) -> str:
    (name,) = (each for each in HOSTS if each.startswith(part))
    return name


@dataclass(frozen=True)
class Scanned:
    """A scan of them all, and what every machine is known as afterwards."""

    product: Product
    known: dict[str, dict[str, Any]]

    def of(self, name: str) -> dict[str, Any]:
        return self.known[ADDRESSES[name]]


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Scanned:
    product = Product(tmp_path_factory.mktemp("replayed"))
    with replayed(host.row(ADDRESSES[name], 0) for name, host in HOSTS.items()) as ports:
        of_service = {host.service: ports[ADDRESSES[name]] for name, host in HOSTS.items()}
        subnets = [f"{address}/32" for address in ADDRESSES.values()]
        product.site(subnets, [of_service[445], of_service[139]])
        product.run("scan")
    return Scanned(product, product.exported(*TODAY))


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest) -> Host:
    return HOSTS[request.param]


def test_every_host_is_seen(scanned: Scanned) -> None:
    assert set(scanned.known) == set(ADDRESSES.values())
    (row,) = scanned.product.counted(*TODAY)
    assert (row["seen"], row["scope"], row["never_scanned"]) == (len(HOSTS), len(HOSTS), 0)


@pytest.mark.parametrize("part", NAMED)
def test_a_host_is_known_for_what_it_is(scanned: Scanned, part: str) -> None:
    known = scanned.of(named(part))
    assert (known["os"], known["status"], known["certainty"]) == NAMED[part]


@pytest.mark.parametrize("part", AMONG)
def test_a_build_of_several_releases_leaves_them_all(scanned: Scanned, part: str) -> None:
    known = scanned.of(named(part))
    product, status = AMONG[part]
    products = {candidate["product"] for candidate in known["candidates"]}
    assert product in products
    assert len(known["candidates"]) > 1
    assert known["status"] == status


def test_no_verdict_is_wrong(scanned: Scanned, host: Host) -> None:
    """Whatever was recorded of a host: it is never said to be supported when it is not, nor the reverse."""
    known = scanned.of(host.name)
    truth = host.truth["eol_2026_11"]
    assert known["status"] != ("unsupported" if truth == "supported" else "supported")
    if truth == "unknown":
        assert known["status"] in {"depends", "unknown"}


def test_the_truth_is_among_the_candidates(scanned: Scanned, host: Host) -> None:
    names = " | ".join(candidate["name"] for candidate in scanned.of(host.name)["candidates"])
    system = host.truth["os_release"]
    words = {"Linux/Unix (Samba) on Ubuntu": "Samba", "QNAP QTS, Samba 4.4.16": "Samba 4.4"}
    words |= {"Samba (NTLM 6.1.0)": "Samba", "Samba 3.6.3": "Samba 3.6", "macOS (SMBX server)": "macOS"}
    words |= {'Windows Code Name "Longhorn" Ultimate': "pre-release"}
    expected = words.get(system) or " ".join(
        word for word in system.split() if word not in {"Standard", "SP1", "Pro", "Home", "(19045)"}
    )
    assert expected in names


def test_no_host_that_says_little_is_said_to_be_certain(scanned: Scanned) -> None:
    told = {named(part) for part in (*NAMED, *AMONG)}
    nameless = set(HOSTS) - told - {name for name in HOSTS if name.startswith("smb-eicar")}
    assert len(nameless) == 5
    for name in nameless:
        assert not any("setup" in kind for kind in HOSTS[name].answers)
        assert scanned.of(name)["certainty"] == "hint"
        assert scanned.of(name)["status"] == "depends"


@pytest.mark.parametrize(
    ("pattern", "certain"),
    [("Windows XP", 3), ("windows xp sp3", 0), ("Windows 2000", 1), ("Windows 7", 0), ("Samba", 4)],
)
def test_counting(scanned: Scanned, pattern: str, certain: int) -> None:
    (row,) = scanned.product.counted("--os", pattern, *TODAY)
    listed = scanned.product.run("assets", "--os", pattern, "--json", *TODAY).stdout
    maybe = listed.count('"ip"')
    assert row["certain"] == certain
    assert row["certain"] + row["probable"] + row["to_verify"] == maybe


def test_the_proof_of_windows_xp(scanned: Scanned) -> None:
    known = scanned.product.explain(ADDRESSES[named("filecontainer-smb 192.168.24.100")])
    steps = {step["key"]: step for step in known["proof"] if step["fingerprint"]}
    assert steps["ntlm.version"]["value"] == "5.1.2600"
    assert steps["smb.native_os"]["value"] == "Windows 5.1"
    left = known["proof"][0]["remaining"]
    for step in known["proof"]:
        assert set(step["remaining"]) <= set(left), "evidence only ever takes candidates away"
        left = step["remaining"]
    assert set(left) == {candidate["release"] for candidate in known["candidates"]}
    assert {"windows-xp-sp3", "windows-xp-sp2"} <= set(left)
    assert known["earliest"] < known["latest"] < "2020"
    (seen,) = known["observations"]
    assert (seen["outcome"], seen["connections"]) == ("answered", 1)


def test_judging_again_changes_nothing(scanned: Scanned) -> None:
    """What is stored of the answers' evidence yields the same machines, without one packet."""
    scanned.product.run("rejudge")
    assert scanned.product.exported(*TODAY) == scanned.known
