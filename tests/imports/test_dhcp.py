"""Leases of every server: who held an address, and when they were last dealt with, and nothing beyond it."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import ConfigError
from scanner.imports import CutShortError
from scanner.model import Observation
from tests.imports.mutating import places, replaced
from tests.imports.samples import (
    DHCP,
    DHCPD,
    DHCPD6,
    KEA4,
    KEA_ANSWER,
    KEA_LEASES,
    NMAP,
    WINDOWS,
    ZGRAB2,
    heard,
    read,
    windows_table,
)
from tests.imports.test_every_format import VALUES, damaged, try_to_read

if TYPE_CHECKING:
    from collections.abc import Iterable

POSTE = {
    "dhcp.mac": ("00:0c:29:c6:da:f5",),
    "dhcp.hostname": ("poste-5",),
    "dhcp.domain": ("reanimation.lan",),
}
MAC = {"dhcp.mac": ("00:80:a3:01:02:03",)}
WINDOWS_SAID = {
    "10.20.0.5:68/udp dhcp": {**POSTE, "dhcp.hostname": ("POSTE-5",)},
    "10.20.0.7:68/udp dhcp": {**MAC, "dhcp.hostname": ("perfuseur & 7",)},
    "10.20.0.9:68/udp dhcp": {},
}
SAID = {
    "dhcpd": {
        "10.20.0.5:68/udp dhcp": {
            **POSTE,
            "dhcp.hostname": ("POSTE-5",),
            "dhcp.vendor_class": ("MSFT 5.0",),
        },
        "10.20.0.7:68/udp dhcp": {**MAC, "dhcp.hostname": ('Café "radio" {1}; #2',)},
        "10.20.9.9:68/udp dhcp": {},
    },
    "dhcpd6": {
        "[2001:db8::5]:546/udp dhcp": {key: POSTE[key] for key in ("dhcp.hostname", "dhcp.domain")},
    },
    "kea4": {
        "10.20.0.5:68/udp dhcp": POSTE,
        "10.20.0.7:68/udp dhcp": MAC,
        "10.20.0.9:68/udp dhcp": {"dhcp.hostname": ("sans-carte",)},
    },
    "kea6": {"[2001:db8::5]:546/udp dhcp": POSTE, "[2001:db8::6]:546/udp dhcp": {}},
    "kea answer": {"10.20.0.5:68/udp dhcp": POSTE, "[2001:db8::7]:546/udp dhcp": {}},
    **dict.fromkeys(["windows", "windows utf-16", "table", "french table"], WINDOWS_SAID),
}
EXPORT = ["2026-11-25T08:00", "2026-11-20T12:00", "2026-11-24T08:00"]
TABLE = ["2026-11-23T09:00", "2026-11-18T12:00", "2026-11-22T08:00"]
DEALT = {
    "dhcpd": ["2026-11-26T11:40", "2026-11-26T05:00", "2026-11-26T10:00"],
    "dhcpd6": ["2026-11-26T09:00"],
    "kea4": ["2026-11-26T12:00", "2026-11-26T11:36", "2026-11-26T09:53"],
    "kea6": ["2026-11-26T12:00", "2026-11-26T12:00"],
    "kea answer": ["2026-11-26T12:00", "2026-11-26T10:46"],
    "windows": EXPORT,
    "windows utf-16": EXPORT,
    "table": TABLE,
    "french table": TABLE,
}
"""When clients were last dealt with; it is read on 2026-11-26 at 12:00."""
SERVERS = list(DHCP)


def moments(found: Iterable[Observation | ConfigError]) -> list[str]:
    return [f"{each.at:%Y-%m-%dT%H:%M}" for each in found if isinstance(each, Observation)]


def errors(found: Iterable[Observation | ConfigError]) -> list[str]:
    return [str(each) for each in found if isinstance(each, ConfigError)]


@pytest.mark.parametrize("server", SERVERS)
def test_leases_that_are_held_are_seen_when_their_client_was_last_dealt_with(server: str) -> None:
    assert heard("dhcp", DHCP[server]) == SAID[server]
    assert moments(read("dhcp", DHCP[server])) == DEALT[server]


@pytest.mark.parametrize("server", SERVERS)
def test_what_clients_and_relays_are_called_by_is_not_kept(server: str) -> None:
    kept = repr(read("dhcp", DHCP[server])).lower()
    for word in ("gi1/0/7", "e0:2b", "aabbccdd", "03030303", "ff:01", "52-41", "52:41", "a3:01:02:04"):
        assert word not in kept
    for address in ("10.20.0.6", "10.20.0.8", "10.20.0.10'", "2001:db8:1::", "2001:db8:ff"):
        assert address not in kept


@pytest.mark.parametrize("server", SERVERS)
def test_a_file_that_ends_early_gives_what_stood_whole_before_and_says_so(server: str) -> None:
    content = DHCP[server]
    whole, before = len(SAID[server]), 0
    for end in range(0, len(content), max(1, len(content) // 150)):
        found = try_to_read("dhcp", content[:end])
        wrong = [each for each in found if isinstance(each, ConfigError)]
        assert len(wrong) <= 1
        if wrong:
            assert found[-1] is wrong[0]
            assert isinstance(wrong[0], CutShortError) or len(found) == 1
        assert before <= len(found) - len(wrong) <= whole
        before = len(found) - len(wrong)
        names = {
            name
            for each in found
            if isinstance(each, Observation)
            for name in each.evidence.get("dhcp.hostname", ())
        }
        assert names <= {name for said in SAID[server].values() for name in said.get("dhcp.hostname", ())}


@pytest.mark.parametrize("server", SERVERS)
@given(seed=st.integers(min_value=0, max_value=1 << 32))
def test_damage_is_an_error_of_ours_at_worst(server: str, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(4):
        try_to_read("dhcp", damaged(DHCP[server], chance))


@given(data=st.data())
def test_any_value_may_stand_where_another_was_expected(data: st.DataObject) -> None:
    answer = [{"arguments": {"leases": KEA_LEASES}, "result": 0}]
    place = data.draw(st.sampled_from(list(places(answer))))
    try_to_read("dhcp", replaced(answer, place, data.draw(VALUES)))


@given(
    line=st.sampled_from(DHCPD.splitlines() + KEA4.splitlines()),
    words=st.lists(
        st.sampled_from(["lease", "10.0.0.1", "{", "}", ";", '"', "active", "#", "\\", ","]), max_size=9
    ),
)
def test_words_out_of_place_are_an_error_of_ours_at_worst(line: str, words: list[str]) -> None:
    for text in (DHCPD, KEA4):
        try_to_read("dhcp", text.replace(line, " ".join(words)).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x",
        b"# a comment\n",
        b'lease {\n  interface "eth0";\n  fixed-address 10.0.0.1;\n}\n',  # a client's
        b"<html><DHCPServer/></html>",
        b'<!DOCTYPE DHCPServer [<!ENTITY a "b">]><DHCPServer>&a;</DHCPServer>',
        b'[{"result": 1, "text": "unable to forward command to the dhcp4 service"}]',
        b'"Name";"Address"\n',
        b"address,name\n10.0.0.1,a\n",
        NMAP.encode(),
        ZGRAB2.encode(),
        "lease 10.0.0.1 {".encode("utf-16-le"),
    ],
)
def test_a_file_that_is_something_else_is_refused_whole(content: bytes) -> None:
    with pytest.raises(ConfigError, match=r"^file:1: is no file of leases of ISC dhcpd, Kea or Windows$"):
        read("dhcp", content)


def test_an_export_that_nests_too_deeply_is_refused_whole() -> None:
    with pytest.raises(ConfigError, match=r"^file:3: is refused: its tags are nested too deeply"):
        read("dhcp", WINDOWS.replace("<MajorVersion>", "<a>" * 99).encode())


@pytest.mark.parametrize(
    "content",
    [
        b"authoring-byte-order little-endian;\n",
        KEA4.splitlines(keepends=True)[0].encode(),
        b'[{"arguments": {"leases": [ ]}, "result": 3, "text": "0 IPv4 lease(s) found."}]',
        b"<DHCPServer><IPv4><Scopes/></IPv4></DHCPServer>",
        b'"IPAddress","AddressState"\r\n',
    ],
)
def test_a_server_may_have_no_leases(content: bytes) -> None:
    assert read("dhcp", content) == []


# --- What stands


def lease(address: str = "10.0.0.1", state: str = "active", host: str = "a", more: str = "") -> str:
    times = "starts 4 2026/11/26 06:00:00;\n  ends 4 2026/11/26 18:00:00;"
    return f'lease {address} {{\n  {times}\n  binding state {state};\n  client-hostname "{host}";\n{more}}}\n'


def hosts(*texts: str) -> list[str]:
    found = read("dhcp", "".join(texts).encode())
    return [each.evidence["dhcp.hostname"][0] for each in found if isinstance(each, Observation)]


@pytest.mark.parametrize(
    "state", ["free", "expired", "released", "abandoned", "reset", "backup", "bootp", ""]
)
def test_only_an_active_lease_is_a_sign_of_life(state: str) -> None:
    assert hosts(lease(state=state)) == []
    assert hosts(lease(), lease(state=state)) == []
    assert hosts(lease(state=state), lease()) == ["a"]


def test_the_last_lease_of_an_address_stands_however_many_there_are() -> None:
    leases = [lease(f"10.0.{n % 7}.1", host=f"h{n}") for n in range(3000)]
    assert sorted(hosts(*leases)) == sorted(f"h{n}" for n in range(2993, 3000))


def test_a_row_of_kea_with_a_lifetime_of_nothing_deletes_the_lease() -> None:
    header, first, *_ = KEA4.splitlines(keepends=True)
    assert len(read("dhcp", (header + first).encode())) == 1
    assert read("dhcp", (header + first + first.replace(",43200,", ",0,")).encode()) == []


def test_the_first_files_of_kea_had_no_states() -> None:
    old = "address,hwaddr,client_id,valid_lifetime,expire,subnet_id,fqdn_fwd,fqdn_rev,hostname\n"
    row = "10.0.0.1,00:0c:29:c6:da:f5,,3600,1795690000,1,0,0,a\n"
    assert heard("dhcp", (old + row).encode()) == {
        "10.0.0.1:68/udp dhcp": {"dhcp.mac": ("00:0c:29:c6:da:f5",), "dhcp.hostname": ("a",)}
    }


def test_leases_of_bsd_have_no_states() -> None:
    held = "lease 10.0.0.1 {\n starts 4 2026/11/26 06:00:00;\n hardware ethernet 0:c:29:c6:da:f5;\n}\n"
    assert moments(read("dhcp", held.encode())) == ["2026-11-26T06:00"]
    assert read("dhcp", held.replace("hardware", "abandoned;\n hardware").encode()) == []


# --- When


@pytest.mark.parametrize(
    ("times", "at"),
    [
        ("cltt epoch 1795690000; # Thu", ["2026-11-26T10:46"]),
        ("cltt never;", ["2026-11-26T06:00"]),
        ("cltt 4 2026/13/45 99:99:99;", ["2026-11-26T06:00"]),
        ("cltt 4 2027/01/01 00:00:00;", ["2026-11-26T12:00"]),  # its clock is wrong: never later than now
        ("cltt 4 1970/01/01 00:00:00;", ["2026-11-26T06:00"]),
    ],
)
def test_moments_of_dhcpd(times: str, at: list[str]) -> None:
    assert moments(read("dhcp", lease(more=times + "\n").encode())) == at


def test_a_lease_that_does_not_say_when_is_left_out() -> None:
    content = lease().replace("starts", "begins") + lease("10.0.0.2")
    found = read("dhcp", content.encode())
    assert errors(found) == ["file:6: 10.0.0.1: does not say when its client was last dealt with"]
    assert len(found) == 2


def table(*rows: tuple[str, str, str]) -> bytes:
    lines = (f'"10.0.0.{n}","{scope}","{state}","{ends}"\n' for n, (scope, state, ends) in enumerate(rows, 1))
    return ('"IPAddress","ScopeId","AddressState","LeaseExpiryTime"\n' + "".join(lines)).encode()


def test_without_the_time_of_a_scope_it_is_the_usual_one_or_more_where_some_lease_shows_it() -> None:
    rows = [
        ("a", "Active", "2026-12-26 12:00:00"),  # 30 days from now
        ("a", "Active", "2026-12-01 12:00:00"),
        ("a", "ActiveReservation", ""),
        ("b", "Active", "2026-11-28 12:00:00"),
        ("c", "ActiveReservation", ""),
    ]
    assert moments(read("dhcp", table(*rows))) == [
        "2026-11-26T12:00",
        "2026-11-01T12:00",
        "2026-10-27T12:00",
        "2026-11-20T12:00",
        "2026-10-27T12:00",
    ]


def test_of_an_old_file_nothing_is_said_to_be_new() -> None:
    rows = [("a", "Active", "01/02/2025 12:00:00"), ("a", "ActiveReservation", ""), ("", "Active", "x")]
    assert moments(read("dhcp", table(*rows))) == ["2025-01-24T12:00"] * 3


def test_that_a_file_is_read_now_is_nobodys_sign_of_life() -> None:
    rows = [("a", "ActiveReservation", ""), ("a", "Active", "31/12/9999 23:59:59"), ("b", "Active", "?")]
    assert moments(read("dhcp", table(*rows))) == ["2026-11-18T12:00"] * 3


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("28/11/2026 13:05:09", "2026-11-20T13:05"),
        ("28.11.2026 13:05:09", "2026-11-20T13:05"),
        ("11/28/2026 1:05:09 PM", "2026-11-20T13:05"),
        ("11/28/2026 12:05:09 AM", "2026-11-20T00:05"),
        ("11/28/2026 12:05 PM", "2026-11-20T12:05"),
        ("28/11/2026 1:05:09 PM", "2026-11-20T13:05"),
        ("02/12/2026 13:05:09", "2026-11-24T13:05"),
        ("12/2/2026 1:05:09 PM", "2026-11-24T13:05"),
        ("2026-11-28 13:05:09", "2026-11-20T13:05"),
        ("2026-11-28T13:05:09.0000000+01:00", "2026-11-20T12:05"),
        ("2026-11-28T13:05:09Z", "2026-11-20T13:05"),
        ("99/99/2026 13:05:09", "2026-11-18T12:00"),
        ("30/02/2026 13:05:09", "2026-11-18T12:00"),
    ],
)
def test_moments_of_windows(text: str, at: str) -> None:
    assert moments(read("dhcp", table(("a", "Active", text)))) == [at]


@pytest.mark.parametrize(
    ("lasts", "at"),
    [
        ("6.00:00:00", EXPORT[0]),
        ("08:00:00", "2026-12-01T00:00"),
        ("10675199.02:48:05.4775807", "2026-11-23T08:00"),
        ("x", "2026-11-23T08:00"),
        ("00:00:00", "2026-11-23T08:00"),
    ],
)
def test_how_long_a_scope_of_windows_lets_addresses(lasts: str, at: str) -> None:
    found = moments(read("dhcp", WINDOWS.replace("6.00:00:00", lasts).encode()))
    assert found[0] == min(at, "2026-11-26T12:00")


# --- What of it


@pytest.mark.parametrize(
    ("text", "host", "domain"),
    [
        ("PC-1.chu.LAN.", "PC-1", "chu.lan"),
        ("PC-1.", "PC-1", None),
        ("*", None, None),
        ("10.0.0.1", None, None),
        ("iPad de M. Untel", "iPad de M. Untel", None),
        ("v1.2", "v1.2", None),
        ("a" * 400, "a" * 255, None),
        (r"\033[31m\200", "\ufffd[31m\ufffd", None),
        ("", None, None),
    ],
)
def test_names_of_hosts(text: str, host: str | None, domain: str | None) -> None:
    (said,) = heard("dhcp", lease(host=text).encode()).values()
    expected = {"dhcp.hostname": host, "dhcp.domain": domain}
    assert said == {key: (value,) for key, value in expected.items() if value is not None}


@pytest.mark.parametrize(
    ("hardware", "mac"),
    [
        ("ethernet 00:0C:29:c6:DA:f5", "00:0c:29:c6:da:f5"),
        ("ethernet 0:c:29:c6:da:f5", "00:0c:29:c6:da:f5"),
        ("ethernet 00:00:00:00:00:00", None),
        ("ethernet 01:00:5e:00:00:01", None),
        ("ethernet ff:ff:ff:ff:ff:ff", None),
        ("ethernet 00:0c:29:c6:da", None),
        ("ethernet 00:0c:29:c6:da:f5:00:01", None),
        ("infiniband 00:0c:29:c6:da:f5", None),
        ("token-ring 00:0c:29:c6:da:f5", None),
        ("ethernet", None),
    ],
)
def test_hardware_addresses_are_those_of_ethernet(hardware: str, mac: str | None) -> None:
    (said,) = heard("dhcp", lease(host="", more=f"  hardware {hardware};\n").encode()).values()
    assert said == ({} if mac is None else {"dhcp.mac": (mac,)})


# --- What is wrong


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("lease 10.0.0.999 {\n}\n", "file:7: lease: is no address"),
        ('lease 10.0.0.2 {\n  client-hostname "b;\n}\n', "file:8: has a text without its end"),
        ("lease 10.0.0.2 {\n  binding state active;\n", "file:9: begins before the one above has its end"),
        (f"# {'x' * (1 << 20)}\n", "file:7: is longer than 1 MiB"),
    ],
)
def test_a_wrong_lease_of_dhcpd_is_named_and_the_rest_goes_on(wrong: str, why: str) -> None:
    found = read("dhcp", (lease() + wrong + lease("10.0.0.3", host="c")).encode())
    assert errors(found) == [why]
    assert len(found) == 3


@pytest.mark.parametrize(
    ("wrong", "why"),
    [
        ("10.20.0.77,x\n", "file:2: has 2 columns, where the header has 12"),
        ("10.20.0.777,,,1,1795690000,1,0,0,,0,,0\n", "file:2: address: is no address"),
        (
            "10.20.0.77,,,1,x,1,0,0,,0,,0\n",
            "file:2: 10.20.0.77: does not say when its client was last dealt with",
        ),
        (
            "10.20.0.77,,,99999999999,1795690000,1,0,0,,0,,0\n",
            "file:2: 10.20.0.77: does not say when its client was last dealt with",
        ),
    ],
)
def test_a_wrong_row_of_kea_is_named_and_the_rest_goes_on(wrong: str, why: str) -> None:
    header, rest = KEA4.split("\n", 1)
    found = read("dhcp", f"{header}\n{wrong}{rest}".encode())
    assert errors(found) == [why]
    assert len(found) == 1 + len(SAID["kea4"])


def test_a_wrong_lease_of_an_answer_is_named_and_the_rest_goes_on() -> None:
    first = json.dumps(KEA_LEASES[0])
    wrong = [
        '{"ip-address": 7}',
        '{"ip-address": "10.0.0.1", }',
        "null",
        "[7]",
        '"x"',
        '{"ip-address": "10.0.0.1"}',
    ]
    lines = ",\n".join([*wrong, first])
    found = read("dhcp", f'{{"arguments": {{"leases": [\n{lines}]}}}}'.encode())
    assert [error.partition(": ")[2][:20] for error in errors(found)] == [
        "ip-address: is no ad",
        "is no JSON at column",
        "is no object",
        "is no object",
        "is no object",
        "10.0.0.1: does not s",
    ]
    assert len(found) == 7


def test_an_object_without_an_end_ends_an_answer() -> None:
    content = KEA_ANSWER.replace('"state": 0', f'"state": "{"x" * (2 << 20)}', 1)
    found = read("dhcp", content.encode())
    assert errors(found) == ["file:5: begins an object of more than 1 MiB: what stood whole before was taken"]


def test_a_wrong_row_of_windows_is_named_and_the_rest_goes_on() -> None:
    text = windows_table(",", {}).replace('"10.20.0.6"', '"10.20.0.6', 1).replace('"10.20.0.10"', '"here"', 1)
    found = read("dhcp", text.encode())
    assert errors(found)[0].startswith("file:4: ")
    assert errors(found)[1] == "file:8: IPAddress: is no address"
    assert len(found) == 2 + len(WINDOWS_SAID)


def test_a_wrong_lease_of_an_export_is_named_and_the_rest_goes_on() -> None:
    found = read("dhcp", WINDOWS.replace("<IPAddress>10.20.0.6<", "<IPAddress>here<").encode())
    assert errors(found) == ["file:43: IPAddress: is no address"]
    assert len(found) == 1 + len(WINDOWS_SAID)


def test_an_export_that_stops_being_xml_gives_what_stood_whole_before() -> None:
    found = read("dhcp", WINDOWS.replace("<IPAddress>10.20.0.7<", "<IPAddress>10.20.0.7</x><").encode())
    assert errors(found)[0].startswith("file:45: is damaged here, and what stood whole before was taken: ")
    assert len(found) == 2


def test_the_prefixes_of_dhcpd6_are_no_addresses() -> None:
    assert "iaprefix" in DHCPD6
    assert len(read("dhcp", DHCPD6.encode())) == 1
