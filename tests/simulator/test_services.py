"""What the machines say beside SMB, and what they do with anything else; no socket."""

from __future__ import annotations

import base64
import ssl
import struct
import warnings
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.simulator.answers import End
from scanner.simulator.personalities import algorithms, personality
from scanner.simulator.services import SERVICES
from tests.simulator import client
from tests.simulator.client import MAPPER, NDR, NDR64, NTLM_NEGOTIATE, RESOLVER, SYSTEM
from tests.simulator.machines import EVERY, HONEST, machine, said, service, speaker, told

if TYPE_CHECKING:
    from scanner.simulator.machine import Machine

OVER_TCP = [one.probe for one in SERVICES if one.speaker and one.probe != "smb"]
OVER_UDP = [one.probe for one in SERVICES if one.answer]
CR = client.connection_request(11)
VALID = [
    *(client.snmp(0xA0, 1, SYSTEM + b"\1\0"), client.discovery(), client.node_status(), CR),
    *(client.bind(MAPPER, NDR, NDR64, secret=NTLM_NEGOTIATE), client.lookup(), client.call(5)),
    *(b"SSH-2.0-x\r\n", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"),
]


def having(probe: str) -> list[str]:
    return [key for key in EVERY if service(probe).spoken(personality(key))]


def damaged(data: bytes, damage: list[tuple[int, int]], cut: int) -> bytes:
    copy = bytearray(data)
    for place, value in damage:
        copy[place % len(copy)] = value
    return bytes(copy[:cut])


anything = st.one_of(
    st.binary(max_size=200),
    st.builds(
        damaged,
        st.sampled_from(VALID),
        st.lists(st.tuples(st.integers(0, 300), st.integers(0, 255)), max_size=3),
        st.integers(1, 400),
    ),
)


@given(st.data(), st.sampled_from(OVER_TCP), st.lists(anything, max_size=4))
def test_any_bytes_are_answered_or_end_the_connection(
    data: st.DataObject, probe: str, messages: list[bytes]
) -> None:
    connection = speaker(probe, machine(data.draw(st.sampled_from(having(probe)))))
    connection.greeting()
    for message in messages:
        said(connection, message)
        if connection.end is not End.OPEN:
            break


@given(st.data(), st.sampled_from(OVER_UDP), anything)
def test_any_datagram_is_answered_or_passed_over(data: st.DataObject, probe: str, datagram: bytes) -> None:
    told(probe, machine(data.draw(st.sampled_from(having(probe)))), datagram)


@pytest.mark.parametrize("probe", OVER_UDP)
def test_an_answer_is_never_answered(probe: str) -> None:
    for key in having(probe):
        for datagram in VALID:
            answer = told(probe, machine(key), datagram)
            assert not answer or told(probe, machine(key), answer) == b""


# NetBIOS


@pytest.mark.parametrize("key", having("netbios"))
def test_a_machine_tells_its_names_to_who_calls_it_or_anybody(key: str) -> None:
    host = machine(key)
    answer = told("netbios", host, client.node_status())
    assert answer[:4] == b"\x12\x34\x84\0"
    names = [answer[57 + 18 * place :][:18] for place in range(answer[56])]
    assert (b"CARD-PC-0123".ljust(15) + b"\0\x04\0") in names
    assert (b"CHU-DEMO".ljust(15) + b"\0\x84\0") in names
    assert len(answer) == 57 + 18 * len(names) + 46
    unit = answer[57 + 18 * len(names) :][:6]
    assert unit == (bytes(6) if host.personality.samba else host.mac)
    own = told("netbios", host, client.node_status(b"CARD-PC-0123   \0"))
    assert own[56:] == answer[56:]
    assert told("netbios", host, client.node_status(b"CARD-PC-0124   \0")) == b""
    assert told("netbios", host, client.node_status(flags=0x8400)) == b""


# SNMP


def bindings(answer: bytes) -> tuple[int, int, bytes]:
    """Error status, error index and the bindings of an answer that is short."""
    at = answer.index(b"\2\1\x4d") + 3
    return answer[at + 2], answer[at + 5], answer[at + 6 :]


@pytest.mark.parametrize("key", having("snmp"))
def test_an_agent_speaks_its_versions_to_its_community(key: str) -> None:
    host = machine(key)
    for version in (0, 1):
        answer = told("snmp", host, client.snmp(0xA0, version, SYSTEM + b"\5\0"))
        assert (b"CARD-PC-0123" in answer) == (version + 1 in host.personality.snmp)
        assert told("snmp", host, client.snmp(0xA0, version, SYSTEM + b"\1\0", community=b"private")) == b""
    assert bool(told("snmp", host, client.discovery())) == (3 in host.personality.snmp)
    assert told("snmp", host, client.snmp(0xA3, 1, SYSTEM + b"\5\0")) == b""


def test_a_description_has_the_machines_own_name() -> None:
    answer = told("snmp", machine("samba"), client.snmp(0xA0, 1, SYSTEM + b"\1\0"))
    assert b"Linux card-pc-0123 6.1.0-28-amd64 #1 SMP" in answer


def test_what_an_agent_has_not_is_an_error_in_version_1_and_an_exception_later() -> None:
    names = (SYSTEM + b"\5\0", SYSTEM + b"\x63\0")
    asked = client.snmp(0xA0, 0, *names)
    assert bindings(told("snmp", machine("2003"), asked)) == (2, 2, bindings(asked)[2])
    status, index, found = bindings(told("snmp", machine("2003"), client.snmp(0xA0, 1, *names)))
    assert (status, index) == (0, 0)
    assert found.endswith(b"\x80\0")


@pytest.mark.parametrize("kind", [0xA1, 0xA5])
def test_the_system_group_can_be_walked(kind: int) -> None:
    host, name, seen = machine("ubuntu"), SYSTEM, []
    for _ in range(7):
        _, _, found = bindings(told("snmp", host, client.snmp(kind, 1, name)))
        name = found[found.index(SYSTEM) :][:8]
        seen.append(name[6])
    assert seen == [1, 2, 3, 4, 5, 6, 7]
    assert bindings(told("snmp", host, client.snmp(kind, 1, name)))[2].endswith(b"\x82\0")
    assert bindings(told("snmp", host, client.snmp(kind, 0, name)))[:2] == (2, 1)


def test_an_engine_has_its_enterprises_kind_of_id() -> None:
    for key, head, size in (("samba", "80001f8880", 17), ("catalyst", "8000000903", 11)):
        answer = told("snmp", machine(key), client.discovery())
        at = answer.index(bytes.fromhex(head))
        engine = answer[at : at + answer[at - 1]]
        assert len(engine) == size
        assert bytes.fromhex("2b060106030f01010400") in answer
        user = told("snmp", machine(key), client.discovery(engine, b"operator"))
        assert bytes.fromhex("2b060106030f01010300") in user
    assert told("snmp", machine("catalyst"), client.discovery()).count(machine("catalyst").mac) == 2


# RDP


CREDSSP = bytes.fromhex("3037a003020106a130302e302ca02a0428") + NTLM_NEGOTIATE


@pytest.mark.parametrize(
    ("key", "asked", "expected"),
    [
        ("xp", 11, ""),
        ("2003", None, ""),
        ("w10", None, ""),
        ("vista", 0, "0200080000000000"),
        ("vista", 1, "0200080001000000"),
        ("vista", 11, "0200080002000000"),
        ("w7", 11, "0201080002000000"),
        ("w7", 1, "0300080005000000"),
        ("w10", 0, "0300080005000000"),
        ("w10", 3, "021f080002000000"),
        ("w10", 11, "021f080008000000"),
    ],
)
def test_a_server_chooses_among_what_the_client_can(key: str, asked: int | None, expected: str) -> None:
    connection = speaker("rdp", machine(key))
    answer = said(connection, client.connection_request(asked))
    assert answer[:4] == bytes((3, 0, 0, len(answer)))
    assert answer[4:11] == bytes((len(answer) - 5, 0xD0, 0, 0, 0x12, 0x34, 0))
    assert answer[11:].hex() == expected
    assert connection.end is (End.CLOSE if expected.startswith("03") else End.OPEN)


_WHATEVER_THE_TIME = ssl.VerifyFlags(0x200000)
"""X509_V_FLAG_NO_CHECK_TIME: these machines live in the past."""


class Client:
    """TLS of a client that trusts one certificate at most, over a machine's connection."""

    def __init__(self, host: Machine, trusted: bytes = b"") -> None:
        self.connection = speaker("rdp", host)
        said(self.connection, CR)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.set_ciphers("ALL:@SECLEVEL=0")
        if trusted:
            context.load_verify_locations(cadata=ssl.DER_cert_to_PEM_cert(trusted))
            context.verify_flags |= _WHATEVER_THE_TIME
        else:
            context.verify_mode = ssl.CERT_NONE
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # as old as the machines
            context.minimum_version = ssl.TLSVersion.TLSv1
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.session = context.wrap_bio(self.incoming, self.outgoing)
        self.hear(self.session.do_handshake)

    def hear(self, wanted: object) -> bytes:
        """Let both talk until the client has what it wants, or the machine hangs up."""
        assert callable(wanted)
        while True:
            try:
                return wanted() or b""
            except ssl.SSLWantReadError:
                self.incoming.write(said(self.connection, self.outgoing.read()))
            if self.connection.end is not End.OPEN:
                return b""

    def say(self, data: bytes) -> bytes:
        self.session.write(data)
        return self.hear(lambda: self.session.read(4096))


@pytest.mark.parametrize("key", [key for key in having("rdp") if personality(key).rdp != "classic"])
def test_tls_comes_with_a_certificate_of_the_machines_own_and_a_challenge(key: str) -> None:
    host = machine(key)
    first = Client(host)
    version = {"TLSv1": "TLSv1", "TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[host.personality.tls]
    assert first.session.version() == version
    certificate = first.session.getpeercert(binary_form=True)
    assert certificate
    trusting = Client(host, certificate)
    named = ((("commonName", "card-pc-0123.chu-demo.example"),),)
    shown = trusting.session.getpeercert()
    assert shown
    assert shown["subject"] == shown["issuer"] == named
    answer = trusting.say(CREDSSP)
    at = answer.index(b"NTLMSSP\0\2")
    major, minor, build = map(int, host.personality.ntlm.split("."))
    assert struct.unpack_from("<BBH", answer, at + 48) == (major, minor, build)
    assert answer[:2] == b"\x30\x81" or answer[:2] == b"\x30\x82"
    assert bytes((0xA0, 3, 2, 1, host.personality.credssp)) in answer[:12]


def test_a_machine_in_no_domain_has_a_certificate_of_its_bare_name() -> None:
    certificate = Client(machine("w10", joined=False)).session.getpeercert(binary_form=True)
    assert certificate
    assert certificate.count(b"\x0c\x0cCARD-PC-0123") == 2


@pytest.mark.parametrize("data", [b"\3\0\0\x0crubbish!", b"\x30\3abc", b"GET / HTTP/1.1\r\n\r\n"])
def test_nothing_but_credssp_is_spoken_inside(data: bytes) -> None:
    talk = Client(machine("w10"))
    talk.say(data)
    assert talk.connection.end is End.CLOSE


def test_a_request_of_credssp_may_come_in_pieces() -> None:
    talk = Client(machine("w10"))
    talk.session.write(CREDSSP[:20])
    said(talk.connection, talk.outgoing.read())
    assert talk.connection.end is End.OPEN
    assert b"NTLMSSP\0\2" in talk.say(CREDSSP[20:])


# MSRPC


def results(answer: bytes) -> list[tuple[int, int, bytes]]:
    return [struct.unpack_from("<HH20s", answer, 36 + 24 * place) for place in range(answer[32])]


@pytest.mark.parametrize("key", having("msrpc"))
def test_a_bind_is_accepted_in_the_syntax_that_both_like_best(key: str) -> None:
    accepted, refused = (0, 0), (2, 2)
    both = results(said(speaker("msrpc", machine(key)), client.bind(MAPPER, NDR, NDR64)))
    one = results(said(speaker("msrpc", machine(key)), client.bind(MAPPER, NDR64)))
    if personality(key).x64:
        assert both == [(*refused, bytes(20)), (*accepted, NDR64)]
        assert one == [(*accepted, NDR64)]
    else:
        assert both == [(*accepted, NDR), (*refused, bytes(20))]
        assert one == [(*refused, bytes(20))]
    unknown = results(said(speaker("msrpc", machine(key)), client.bind(bytes(20), NDR)))
    assert unknown == [(2, 1, bytes(20))]


@pytest.mark.parametrize("key", having("msrpc"))
def test_a_bind_that_begins_ntlm_is_challenged_and_no_call_gets_through(key: str) -> None:
    connection = speaker("msrpc", machine(key))
    answer = said(connection, client.bind(MAPPER, NDR, secret=NTLM_NEGOTIATE))
    token = answer[answer.index(b"NTLMSSP") :]
    assert struct.unpack_from("<HH", answer, 8) == (len(answer), len(token))
    version = personality(key).ntlm
    if version:
        major, minor, build = map(int, version.split("."))
        assert struct.unpack_from("<BBH", token, 48) == (major, minor, build)
    assert fault(said(connection, client.lookup())) == 5
    assert said(connection, client.rpc(16, bytes(4), b"NTLMSSP\0\3\0\0\0".ljust(64, b"\0"))) == b""


def fault(answer: bytes) -> int:
    """The status of a fault; 0 where it is none."""
    return int.from_bytes(answer[24:28], "little") if answer[2] == 3 else 0


@pytest.mark.parametrize("key", having("msrpc"))
def test_strangers_see_the_endpoints_where_windows_lets_them(key: str) -> None:
    kind = personality(key)
    connection = speaker("msrpc", machine(key))
    said(connection, client.bind(MAPPER, NDR))
    answer = said(connection, client.lookup())
    if not kind.epm:
        assert fault(answer) == 5
        return
    assert answer[44:48] == b"\2\0\0\0"
    assert b"\1\0\7\2\0" + kind.rpc.to_bytes(2, "big") in answer
    assert bytes((192, 0, 2, 7)) in answer
    assert (b"Event log TCPIP\0" in answer) == (kind.rpc >= 49152)
    one = said(connection, client.lookup(1))
    assert one[44:48] == b"\1\0\0\0"
    assert one[24:44] != bytes(20)
    rest = said(connection, client.lookup(500, one[24:44]))
    assert rest[44:48] == b"\1\0\0\0"
    assert rest[24:44] == bytes(20)
    last = said(connection, client.lookup(1, said(connection, client.lookup(1, one[24:44]))[24:44]))
    assert last[44:48] == bytes(4)
    assert last[-4:] == bytes.fromhex("d6a0c916")


@pytest.mark.parametrize("key", having("msrpc"))
def test_the_resolver_tells_name_and_address_to_anybody(key: str) -> None:
    connection = speaker("msrpc", machine(key))
    said(connection, client.bind(RESOLVER, NDR))
    answer = said(connection, client.call(5))
    if personality(key).com < 6:
        assert fault(answer) == 0x1C010002
        return
    assert struct.unpack_from("<HH", answer, 24) == (5, personality(key).com)
    count, start = struct.unpack_from("<HH", answer, 36)
    strings = answer[40 : 40 + 2 * start].decode("utf-16-le")
    assert strings == "\7CARD-PC-0123\0\x07192.0.2.7\0\0"
    assert len(answer) == 40 + 2 * count + (-2 * count % 4) + 8


def test_calls_without_a_context_and_in_64_bits_are_faults() -> None:
    connection = speaker("msrpc", machine("w10"))
    assert fault(said(connection, client.lookup())) == 0x1C00001C
    said(connection, client.bind(MAPPER, NDR64))
    assert fault(said(connection, client.lookup())) == 5
    assert said(connection, b"\5\0\x0b\3\0\0\0\0" + client.bind(MAPPER, NDR)[8:]) == b""
    assert connection.end is End.RESET


# SSH


@pytest.mark.parametrize("key", having("ssh"))
def test_a_server_says_who_it_is_then_what_it_offers(key: str) -> None:
    connection, kind = speaker("ssh", machine(key)), personality(key)
    assert connection.greeting() == kind.ssh.encode()
    assert kind.ssh.endswith("\n")
    offered = said(connection, b"SSH-2.0-client\r\n")
    size, padding = struct.unpack_from(">IB", offered)
    assert len(offered) == 4 + size
    assert len(offered) % 8 == 0
    assert padding >= 4
    assert offered[5] == 20
    for text in algorithms(kind.kexinit).values():
        assert struct.pack(">I", len(text)) + text.encode() in offered
    assert said(connection, offered) == b""
    for size, share in ((32, 32), (1190, 1071), (65, 65), (256, 256)):
        reply = said(connection, kex_init(size))
        name, *parts = strings(strings(reply[6:])[0])
        assert name == (
            b"ssh-ed25519" if "ssh-ed25519" in algorithms(kind.kexinit)["host_key"] else b"ssh-rsa"
        )
        assert [len(part) for part in parts] == ([32] if name == b"ssh-ed25519" else [3, 257])
        assert len(strings(reply[6:])[1]) == share
    assert connection.end is End.OPEN


def test_nothing_is_spoken_after_the_host_key() -> None:
    connection = speaker("ssh", machine("samba"))
    said(connection, b"SSH-2.0-client\r\n" + kex_init(32))
    assert said(connection, kex_init(32)[:5] + b"\x32" + bytes(42)) == b""
    assert connection.end is End.CLOSE


def kex_init(size: int) -> bytes:
    payload = b"\x1e" + struct.pack(">I", size) + bytes(size)
    return struct.pack(">IB", 1 + len(payload) + 6, 6) + payload + bytes(6)


def strings(data: bytes) -> list[bytes]:
    """Up to three strings ([RFC 4251] section 5)."""
    found: list[bytes] = []
    while data and len(found) < 3:
        size = int.from_bytes(data[:4], "big")
        found.append(data[4 : 4 + size])
        data = data[4 + size :]
    return found


def test_a_host_key_is_the_machines_own_and_stays() -> None:
    def key_of(host: Machine) -> bytes:
        connection = speaker("ssh", host)
        said(connection, b"SSH-2.0-client\r\n")
        return strings(said(connection, kex_init(32))[6:])[0]

    one, other = machine("samba"), replace(machine("samba"), guid=bytes(16))
    assert key_of(one) == key_of(machine("samba"))
    assert key_of(one) != key_of(other)


def test_nt4_names_its_domain_in_a_challenge_and_nothing_else() -> None:
    answer = said(speaker("msrpc", machine("nt4")), client.bind(MAPPER, NDR, secret=NTLM_NEGOTIATE))
    token = answer[answer.index(b"NTLMSSP") :]
    assert struct.unpack_from("<HHI", token, 40) == (0, 0, len(token))
    assert not struct.unpack_from("<I", token, 20)[0] & 0x02800000
    assert token[48:] == "CHU-DEMO".encode("utf-16-le")


def test_who_does_not_speak_ssh_is_told_so() -> None:
    connection = speaker("ssh", machine("samba"))
    assert said(connection, b"GET / HTTP/1.0\n") == b"Protocol mismatch.\n"
    assert connection.end is End.CLOSE


# HTTP


def page(key: str, request: str) -> tuple[str, bytes, End]:
    connection = speaker("http", machine(key))
    head, _, body = said(connection, request.encode()).partition(b"\r\n\r\n")
    return head.decode(), body, connection.end


@pytest.mark.parametrize("key", having("http"))
def test_a_web_server_says_what_it_is(key: str) -> None:
    kind = personality(key)
    head, body, end = page(key, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    assert head.startswith("HTTP/1.1 401 Unauthorized" if kind.http_ntlm else "HTTP/1.1 200 OK")
    assert f"\r\nServer: {kind.http}\r\n" in head
    assert f"\r\nContent-Length: {len(body)}" in head
    assert (f"<title>{kind.title}</title>" in body.decode()) == bool(kind.title)
    assert end is End.CLOSE
    assert page(key, "HEAD / HTTP/1.1\r\n\r\n")[:2] == (head, b"")
    assert page(key, "POST / HTTP/1.1\r\n\r\n")[0].startswith("HTTP/1.1 400 ")


def test_there_is_an_icon_where_there_is_one() -> None:
    head, body, _ = page("laserjet", "GET /favicon.ico HTTP/1.1\r\n\r\n")
    assert "Content-Type: image/x-icon" in head
    assert body[:6] == b"\0\0\1\0\1\0"
    assert struct.unpack_from("<II", body, 14) == (len(body) - 22, 22)
    assert page("ubuntu", "GET /favicon.ico HTTP/1.1\r\n\r\n")[0].startswith("HTTP/1.1 404 ")


@pytest.mark.parametrize("scheme", ["NTLM", "Negotiate"])
def test_who_begins_ntlm_is_challenged_on_the_same_connection(scheme: str) -> None:
    head, _, _ = page("2016", "GET / HTTP/1.1\r\n\r\n")
    assert "\r\nWWW-Authenticate: Negotiate\r\nWWW-Authenticate: NTLM\r\n" in head
    token = base64.b64encode(NTLM_NEGOTIATE).decode()
    head, _, end = page("2016", f"GET / HTTP/1.1\r\nauthorization: {scheme} {token}\r\n\r\n")
    assert end is End.OPEN
    (answer,) = (line for line in head.split("\r\n") if line.startswith("WWW-Authenticate: "))
    challenge = base64.b64decode(answer.removeprefix(f"WWW-Authenticate: {scheme} "))
    assert challenge.startswith(b"NTLMSSP\0\2")
    assert struct.unpack_from("<BBH", challenge, 48) == (10, 0, 14393)
    for wrong in ("NTLM !", "NTLM é", "Basic eDp5", f"Basic {token}", "NTLM"):
        head = page("2016", f"GET / HTTP/1.1\r\nAuthorization: {wrong}\r\n\r\n")[0]
        assert "\r\nWWW-Authenticate: NTLM\r\n" in head


def test_every_service_has_machines_and_every_machine_a_service() -> None:
    for one in SERVICES:
        assert any(one.spoken(personality(key)) for key in EVERY)
    for key in EVERY:
        assert any(one.spoken(personality(key)) for one in SERVICES)
    assert set(HONEST) >= set(having("netbios"))
