"""What a remote desktop's answers may say of a machine, and what not."""

from __future__ import annotations

from datetime import date

import pytest

from scanner.classify import default_classifier
from scanner.lifecycle import judge, load_lifecycle
from scanner.model import Certainty, Identity, Status

RELEASES = load_lifecycle().releases
TODAY = date(2026, 11, 23)
XP = {"rdp.confirm": "0300000b06d00000123400", "rdp.negotiation": "none"}
FREERDP = {"rdp.confirm": "030000130ed000000000000203080002000000", "rdp.negotiation": "hybrid"}


def classify(*parts: dict[str, str]) -> Identity:
    said = {key: (value,) for part in parts for key, value in part.items()}
    return default_classifier().classify(said)


def products(identity: Identity) -> set[str]:
    return {RELEASES[name].product for name in identity.candidates}


def status(identity: Identity) -> Status:
    return judge([RELEASES[name] for name in identity.candidates], TODAY).status


def test_eleven_bytes_mean_xp_2000_or_2003_and_never_for_certain_alone() -> None:
    identity = classify(XP)
    assert {"Windows XP", "Windows 2000", "Windows Server 2003"} <= products(identity)
    assert {RELEASES[name].family for name in identity.candidates} == {"Windows"}
    assert (identity.certainty, status(identity)) == (Certainty.PROBABLE, Status.UNSUPPORTED)


@pytest.mark.parametrize(
    "second", [{"ntlm.version": "5.1.2600"}, {"smb.native_os": "Windows 5.1"}], ids=["NTLM", "SMB"]
)
def test_a_second_voice_makes_xp_certain(second: dict[str, str]) -> None:
    identity = classify(XP, second)
    assert products(identity) == {"Windows XP"}
    assert identity.certainty is Certainty.CERTAIN


def test_freerdp_2_is_never_said_to_be_an_unsupported_windows_7() -> None:
    identity = classify(FREERDP, {"ntlm.version": "6.1.7601", "ntlm.challenge": "versioned"})
    assert "FreeRDP" in products(identity)
    assert (identity.certainty, status(identity)) == (Certainty.PROBABLE, Status.DEPENDS)


def test_freerdp_3_is_no_windows_11() -> None:
    assert products(classify(FREERDP, {"ntlm.version": "10.0.22631"})) == {"FreeRDP"}


@pytest.mark.parametrize("version", ["6.1.7601", "10.0.22631"])
def test_what_freerdp_says_too_is_not_certain_over_rdp_alone(version: str) -> None:
    said = {"rdp.negotiation": "hybrid", "rdp.flags": "restricted-admin", "rdp.tls": "TLS 1.2"}
    assert classify(said, {"ntlm.version": version}).certainty is Certainty.PROBABLE


@pytest.mark.parametrize(
    ("said", "never"),
    [
        ({"rdp.tls": "TLS 1.3"}, {"Windows XP", "Windows 7", "Windows 10", "Windows Server 2019"}),
        ({"rdp.flags": "restricted-admin"}, {"Windows XP", "Windows Vista", "Windows Server 2008"}),
        ({"rdp.negotiation": "tls"}, {"Windows NT 4.0", "Windows 2000"}),
        ({"rdp.negotiation": "hybrid-ex"}, {"Windows NT 4.0", "Windows 2000"}),
    ],
)
def test_what_a_release_cannot_do_it_is_not(said: dict[str, str], never: set[str]) -> None:
    identity = classify(said)
    assert not products(identity) & never
    assert {"Windows 11", "Windows Server 2022"} <= products(identity)
    assert identity.certainty is Certainty.HINT


def test_the_tls_of_a_web_server_says_nothing_of_the_system() -> None:
    said = {"smb.native_os": "Windows 5.1", "ntlm.version": "5.1.2600"}
    assert classify(said, {"tls.version": "TLS 1.3"}).candidates == classify(said).candidates
