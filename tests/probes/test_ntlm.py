"""NTLM challenges: those that impacket and we ourselves write, with and without each of their parts."""

from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from impacket import ntlm as other  # type: ignore[import-untyped]  # it has no stubs

from scanner.errors import ProtocolError
from scanner.probes import ntlm
from tests.probes.made import NTLM_NAMES, challenge, pairs

DOMAIN, SERVER = 0x10000, 0x20000


def test_the_offer_is_read_by_others() -> None:
    offer = other.NTLMAuthNegotiate()
    offer.fromString(ntlm.NEGOTIATE)
    assert offer["message_type"] == 1
    assert offer["host_name"] == offer["domain_name"] == b"", "nobody is named"
    assert offer["flags"] == 0xA2088207
    for flag in (
        other.NTLMSSP_NEGOTIATE_UNICODE,
        other.NTLMSSP_REQUEST_TARGET,
        other.NTLMSSP_NEGOTIATE_NTLM,
        other.NTLMSSP_NEGOTIATE_EXTENDED_SESSIONSECURITY,
        other.NTLMSSP_NEGOTIATE_VERSION,
    ):
        assert offer["flags"] & flag
    assert len(ntlm.NEGOTIATE) == 40


def test_everything_that_a_challenge_says() -> None:
    found = ntlm.parse_challenge(challenge())
    assert found == ntlm.Challenge(
        0xA2898205,
        "5.1.2600",
        "CHU",
        {
            "ntlm.netbios_name": "ward-pc-07",
            "ntlm.netbios_domain": "CHU",
            "ntlm.dns_name": "ward-pc-07.chu.example",
            "ntlm.dns_domain": "chu.example",
            "ntlm.dns_forest": "example",
        },
    )


def test_others_read_the_same_in_it() -> None:
    read = other.NTLMAuthChallenge(challenge())
    info = other.AV_PAIRS(read["TargetInfoFields"])
    names = ntlm.parse_challenge(challenge()).names
    assert info[other.NTLMSSP_AV_HOSTNAME][1].decode("utf-16-le") == names["ntlm.netbios_name"]
    assert info[other.NTLMSSP_AV_DNS_DOMAINNAME][1].decode("utf-16-le") == names["ntlm.dns_domain"]


@pytest.mark.parametrize("build", [0, 2600, 7601, 26100, 32767, 32768, 65535])
def test_a_build_is_unsigned(build: int) -> None:
    raw = challenge(version=struct.pack("<BBHI", 10, 0, build, 0x0F000000))
    assert ntlm.parse_challenge(raw).version == f"10.0.{build}"


def test_no_version_without_its_flag() -> None:
    assert ntlm.parse_challenge(challenge(flags=0xA0898205)).version is None


def test_no_version_where_the_payload_begins_in_its_place() -> None:
    found = ntlm.parse_challenge(challenge(version=b""))
    assert found.version is None
    assert found.names["ntlm.netbios_name"] == "ward-pc-07"


def test_no_version_where_a_payload_of_another_order_begins_in_its_place() -> None:
    info = pairs(NTLM_NAMES)
    target = "CHU".encode("utf-16-le")
    head = struct.pack("<8sIHHII8s8x", b"NTLMSSP\0", 2, 6, 6, 48 + len(info), 0xA2898205, bytes(8))
    raw = head + struct.pack("<HHI", len(info), len(info), 48) + info + target
    found = ntlm.parse_challenge(raw)
    assert (found.version, found.target) == (None, "CHU")


@pytest.mark.parametrize(
    ("flags", "names"),
    [
        (0xA2098205 & ~0x30000 | DOMAIN, {"ntlm.netbios_domain": "CHU"}),
        (0xA2098205 & ~0x30000 | SERVER, {"ntlm.netbios_name": "CHU"}),
        (0xA2098205 & ~0x30000, {}),
    ],
)
def test_without_target_information_the_target_names(flags: int, names: dict[str, str]) -> None:
    assert ntlm.parse_challenge(challenge(flags=flags, info=b"")).names == names


def test_a_target_without_the_unicode_flag_is_oem_text() -> None:
    found = ntlm.parse_challenge(challenge(flags=0xA2020204, target="HÔPITAL".encode("cp850"), info=b""))
    assert found.names == {"ntlm.netbios_name": "HÔPITAL"}


def test_the_shortest_challenge_of_old_hosts() -> None:
    raw = struct.pack("<8sIHHII8s", b"NTLMSSP\0", 2, 0, 0, 32, 0x00000201, bytes(8))
    assert ntlm.parse_challenge(raw) == ntlm.Challenge(0x201, None, "", {})


def test_names_that_are_only_a_terminator_are_none() -> None:
    assert ntlm.parse_challenge(challenge(info=pairs({1: "NAS", 4: "\0", 3: ""}))).names == {
        "ntlm.netbios_name": "NAS"
    }


def test_a_list_may_end_without_its_terminator() -> None:
    assert ntlm.parse_challenge(challenge(info=pairs(NTLM_NAMES)[:-4])).names["ntlm.dns_forest"] == "example"


def test_nothing_behind_the_terminator_counts() -> None:
    info = pairs({1: "NAS"}) + pairs({1: "OTHER"})
    assert ntlm.parse_challenge(challenge(info=info)).names == {"ntlm.netbios_name": "NAS"}


@pytest.mark.parametrize("kind", [0, 1, 3])
def test_another_message_is_no_challenge(kind: int) -> None:
    raw = bytearray(challenge())
    raw[8] = kind
    with pytest.raises(ProtocolError, match="NTLM challenge"):
        ntlm.parse_challenge(bytes(raw))


def test_cut_anywhere_it_is_a_protocol_error_or_says_less() -> None:
    raw = challenge()
    for end in range(len(raw)):
        with pytest.raises(ProtocolError):
            ntlm.parse_challenge(raw[:end])


@given(st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), min_size=1, max_size=3))
def test_damage_is_a_protocol_error_at_worst(changes: list[tuple[int, int]]) -> None:
    raw = bytearray(challenge())
    for place, value in changes:
        raw[place % len(raw)] = value
    with suppress(ProtocolError):
        ntlm.parse_challenge(bytes(raw))


@given(
    st.dictionaries(
        st.integers(1, 5), st.text(st.characters(exclude_characters="\0", codec="utf-16-le"), min_size=1)
    )
)
def test_every_name_comes_back(names: dict[int, str]) -> None:
    found = ntlm.parse_challenge(challenge(info=pairs_of(names))).names
    keys = {1: "netbios_name", 2: "netbios_domain", 3: "dns_name", 4: "dns_domain", 5: "dns_forest"}
    expected = {f"ntlm.{keys[kind]}": text for kind, text in names.items()}
    assert found == (expected or {"ntlm.netbios_domain": "CHU"})


def pairs_of(names: dict[int, str]) -> bytes:
    body = b""
    for kind, text in names.items():
        raw = text.encode("utf-16-le")
        body += struct.pack("<HH", kind, len(raw)) + raw
    return body + bytes(4)
