"""Systems and the services on them, two systems behind one address, and what contradicts without claiming."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from scanner.classify import default_classifier
from scanner.lifecycle import judge, load_lifecycle
from scanner.model import Certainty, Role, Status

if TYPE_CHECKING:
    from scanner.model import Evidence, Identity

RELEASES = load_lifecycle().releases
TODAY = date(2026, 11, 26)
DEBIAN_10: Evidence = {"ssh.banner": ("OpenSSH_7.9p1 Debian-10+deb10u2",)}
SAMBA: Evidence = {
    "smb.native_lm": ("Samba 4.9.5-Debian",),
    "smb.native_os": ("Windows 6.1",),
    "ntlm.version": ("6.1.0",),
}
SERVER_2019: Evidence = {
    "ntlm.version": ("10.0.17763",),
    "smb.native_os": ("Windows Server 2019 Standard 17763",),
}


def classify(*parts: Evidence) -> Identity:
    evidence = {key: value for part in parts for key, value in part.items()}
    return default_classifier().classify(evidence)


def told(identity: Identity) -> str:
    return "\n".join(reason.render("en") for reason in identity.reasons)


def status(identity: Identity) -> Status:
    return judge([RELEASES[name] for name in identity.candidates], TODAY).status


def test_a_service_leaves_its_system() -> None:
    both = classify(DEBIAN_10, SAMBA)
    assert both.candidates == ("debian-10",)
    assert both.certainty is Certainty.CERTAIN
    assert both.attributes["product"] == "Debian"
    assert status(both) is Status.UNSUPPORTED
    assert "Samba 4.9 may run on it" in told(both)


def test_a_service_alone_stands_for_its_machine() -> None:
    alone = classify(SAMBA)
    assert {RELEASES[name].product for name in alone.candidates} == {"Samba"}
    assert status(alone) is Status.DEPENDS, "what a distribution maintains has no date"


def test_an_old_service_does_not_age_its_system() -> None:
    both = classify(SERVER_2019, {"mssql.version": ("10.50.1600.1",)})
    assert {RELEASES[name].product for name in both.candidates} == {"Windows Server 2019"}
    assert status(both) is Status.SUPPORTED
    assert "SQL Server 2008 R2 RTM may run on it: its own support ends on 2012-07-10" in told(both)
    assert both.attributes["product"] == "Windows Server 2019"


def test_a_service_where_its_system_cannot_be_contradicts() -> None:
    both = classify(SERVER_2019, {"smb.native_lm": ("Samba 4.9.5",)})
    assert both.certainty is Certainty.PROBABLE
    assert {"windows-server-2019", "samba-4-9", "other-anything"} <= set(both.candidates)
    assert not {name for name in both.candidates if name.startswith("debian-")}, "nobody spoke of those"
    assert status(both) is Status.DEPENDS


def test_a_family_of_services_is_that_of_their_systems() -> None:
    services = [release for release in RELEASES.values() if release.role is Role.SERVICE]
    assert services
    families = {release.family for release in RELEASES.values() if release.role is not Role.SERVICE}
    assert {family for release in services for family in release.hosts} <= families


def test_two_systems_behind_one_address_are_said_to_be_two() -> None:
    identity = classify({"ntlm.version": ("6.1.7601", "10.0.26100")})
    assert "ntlm.version was given as 6.1.7601, 10.0.26100: several systems seem to stand behind" in told(
        identity
    )
    assert status(identity) is Status.DEPENDS
    one = classify(
        {"ntlm.version": ("10.0.17763",), "smb.native_os": ("Windows Server 2019 Standard 17763",)}
    )
    assert "several systems" not in told(one)


def test_windows_and_linux_behind_one_address_are_both_kept() -> None:
    identity = classify(SERVER_2019, DEBIAN_10)
    assert {"windows-server-2019", "debian-10", "other-anything"} <= set(identity.candidates)
    assert identity.certainty is Certainty.PROBABLE
    assert "contradicts itself" in told(identity)


@pytest.mark.parametrize(
    "device",
    [
        {"snmp.sysdescr": ("HP ETHERNET MULTI-ENVIRONMENT,ROM V.28.63,JETDIRECT,JD128,EEPROM V.28.65",)},
        {"http.server": ("HP HTTP Server; HP LaserJet 4250",)},
    ],
)
def test_a_printer_that_answers_like_windows_is_not_flagged_as_one(device: Evidence) -> None:
    windows: Evidence = {"smb.native_os": ("Windows 5.1",), "smb.native_lm": ("Windows 2000 LAN Manager",)}
    assert status(classify(windows)) is Status.UNSUPPORTED
    identity = classify(windows, device)
    if not identity.attributes.get("family") or "Windows 5.1" in identity.attributes["family"]:
        pytest.fail("the printer is not recognised")
    assert status(identity) is Status.DEPENDS
    assert "is another system than the candidates" in told(identity)


@pytest.mark.parametrize(
    "hint", [{"mysql.version": ("5.5.62-0+deb8u1",)}, {"http.server": ("Apache/2.4.10 (Debian)",)}]
)
def test_a_hint_is_never_a_verdict(hint: Evidence) -> None:
    identity = classify(hint)
    assert identity.certainty is Certainty.HINT
    assert identity.attributes["product"] == "Debian"
    assert {"debian-8", "other-anything"} <= set(identity.candidates)
    assert status(identity) is Status.DEPENDS


def test_the_width_is_a_bound_and_is_told() -> None:
    either = classify({"ntlm.version": ("5.2.3790",)})
    assert {"windows-xp-x64", "windows-server-2003-sp2"} <= set(either.candidates)
    wide = classify(
        {"smb.native_os": ("Windows 5.1",), "ntlm.version": ("5.1.2600",), "msrpc.ndr64": ("yes",)}
    )
    assert "other-anything" in wide.candidates, "no XP of this build has 64 bits"
    assert (
        classify({"ntlm.version": ("10.0.19041",), "msrpc.ndr64": ("yes",)}).attributes["hardware"]
        == "64-bit"
    )
