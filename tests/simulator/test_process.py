"""The simulator on its sockets: who answers SYNs, who does not, how odd machines behave, how it ends."""

from __future__ import annotations

import selectors
import signal
import socket
import ssl
import subprocess
import tomllib
from collections import Counter
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from scanner.simulator import Hospital, datagrams, steering
from scanner.simulator.mix import parse_mix
from scanner.simulator.personalities import personality
from tests.namespaces import wire
from tests.simulator.client import (
    MAPPER,
    NDR,
    REQUESTS,
    SYSTEM,
    bind,
    connection_request,
    node_status,
    snmp,
)
from tests.simulator.machines import service
from tests.simulator.process import Running, command, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ODD = ("tarpit", "noise", "reset", "endless", "drip", "gigantic")
SPEAKING = ("nt4=4", "xp=40", "w10=9", "samba=4", "laserjet=4")
MIX = ",".join([*(f"{key}=4" for key in ODD), "silent=20", *SPEAKING])


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(
        tmp_path_factory.mktemp("simulator"), *["--hosts", "200", "--wards", "3", "--mix", MIX]
    ) as found:
        yield found


def connected(addresses: list[str], port: int, wanted: int, grace: float) -> set[str]:
    """Who lets us connect; after the wanted number it goes on to listen for ``grace`` seconds."""
    there: set[str] = set()
    with selectors.DefaultSelector() as selector:
        for address in addresses:
            client = socket.socket()
            client.settimeout(0)
            client.connect_ex((address, port))
            selector.register(client, selectors.EVENT_WRITE, address)
        while events := selector.select(grace if len(there) >= wanted else 20):
            for key, _ in events:
                assert isinstance(key.fileobj, socket.socket)
                there.add(key.data)
                selector.unregister(key.fileobj)
                key.fileobj.close()
        for key in list(selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
    return there


def said_by(address: str, port: int, request: bytes, most: int, patience: float) -> bytes:
    """What comes back until ``most`` bytes, the end of the connection or a silence."""
    heard = b""
    with socket.create_connection((address, port), timeout=20) as client:
        client.sendall(request)
        client.settimeout(patience)
        try:
            while len(heard) < most:
                chunk = client.recv(65536)
                if not chunk:
                    break
                heard += chunk
        except TimeoutError:
            pass
    return heard


def refused(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*words), capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60, check=False
    )


@pytest.mark.parametrize("which", [0, 1])
def test_listening_machines_answer_syns_and_nothing_else_does(simulator: Running, which: int) -> None:
    answer_syns(simulator, simulator.ports[which])


@pytest.mark.parametrize("probe", ["rdp", "msrpc", "ssh", "http"])
def test_dark_addresses_are_dark_whatever_the_service(simulator: Running, probe: str) -> None:
    answer_syns(simulator, simulator.port(probe))


def answer_syns(simulator: Running, port: int) -> None:
    every = [f"127.32.{ward}.{octet}" for ward in range(4) for octet in range(256)]
    listening = {row["address"] for row in simulator.truth if row["listening"] == "yes"}
    assert len(listening) == 180
    assert connected([*every, "127.0.0.1"], port, 180, 0.5) == listening


def test_dark_addresses_stay_dark_under_a_flood(simulator: Running) -> None:
    dark = [f"127.99.{index >> 8}.{index & 255}" for index in range(1500)]
    for _ in range(2):
        assert connected(dark, simulator.ports[0], 0, 0.3) == set()


def test_the_truth_is_the_plan(simulator: Running) -> None:
    assert simulator.said["hosts"] == len(simulator.truth) == 200
    assert simulator.said["wards"] == len({row["ward"] for row in simulator.truth}) == 3
    kinds = Counter(row["personality"] for row in simulator.truth)
    assert (kinds["xp"], kinds["silent"], kinds["tarpit"]) == (40, 20, 4)
    assert {row["listening"] for row in simulator.truth if row["personality"] == "silent"} == {"no"}


def test_an_xp_says_that_it_is_one(simulator: Running) -> None:
    with socket.create_connection((simulator.where("xp"), simulator.ports[0]), timeout=20) as client:
        client.sendall(REQUESTS["negotiate"])
        assert client.recv(4096)[4:9] == b"\xffSMB\x72"
        client.sendall(REQUESTS["plain"])
        assert "Windows 5.1".encode("utf-16-le") in client.recv(4096)


def test_requests_may_arrive_in_pieces_and_together(simulator: Running) -> None:
    with socket.create_connection((simulator.where("xp"), simulator.ports[0]), timeout=20) as client:
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for piece in (REQUESTS["negotiate"][:3], REQUESTS["negotiate"][3:50], REQUESTS["negotiate"][50:]):
            client.sendall(piece)
        first = client.recv(4096)
        client.sendall(REQUESTS["plain"] * 2)
        heard = b""
        while heard.count(b"\xffSMB\x73") < 2:
            heard += client.recv(4096)
    assert first[4:9] == b"\xffSMB\x72"


def test_an_nt4_has_no_445_and_speaks_on_139(simulator: Running) -> None:
    with pytest.raises(ConnectionError):
        said_by(simulator.where("nt4"), simulator.ports[0], REQUESTS["negotiate"], 1, 20)
    request = bytes.fromhex("81000044") + (b"\x20" + b"CKFDENECFDEFFCFGEFFCCACACACACACA" + b"\0") * 2
    assert said_by(simulator.where("nt4"), simulator.ports[1], request, 4, 20) == b"\x82\0\0\0"


@pytest.mark.parametrize(
    ("key", "probe", "said", "begins"),
    [
        ("xp", "rdp", connection_request(11), "0300000b06d00000123400"),
        ("xp", "msrpc", bind(MAPPER, NDR), "05000c03"),
        ("samba", "ssh", b"SSH-2.0-client\r\n", b"SSH-2.0-OpenSSH_9.2p1".hex()),
        ("laserjet", "http", b"GET / HTTP/1.1\r\n\r\n", b"HTTP/1.1 200 OK\r\n".hex()),
    ],
)
def test_each_service_is_spoken_where_it_is_and_reset_elsewhere(
    simulator: Running, key: str, probe: str, said: bytes, begins: str
) -> None:
    start = bytes.fromhex(begins)
    heard = said_by(simulator.where(key), simulator.port(probe), said, len(start), 20)
    assert heard[: len(start)] == start
    other = simulator.where("nt4" if probe != "msrpc" else "laserjet")
    with pytest.raises(ConnectionError):
        said_by(other, simulator.port(probe), said, 1, 20)


def test_tls_is_begun_without_any_power(simulator: Running) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_ciphers("ALL:@SECLEVEL=0")
    with socket.create_connection((simulator.where("w10"), simulator.port("rdp")), timeout=20) as client:
        client.sendall(connection_request(3))
        assert client.recv(19).hex() == "030000130ed00000123400021f080002000000"
        with context.wrap_socket(client) as secured:
            certificate = secured.getpeercert(binary_form=True)
            assert certificate
            assert b"-PC-" in certificate.upper()
            secured.sendall(b"GET / HTTP/1.1\r\n\r\n")
            assert secured.recv(100) == b""


def asked(addresses: list[str], port: int, datagram: bytes, grace: float) -> dict[str, bytes]:
    """Who answers a datagram, from the address that it was sent to, and what."""
    heard: dict[str, bytes] = {}
    with selectors.DefaultSelector() as selector:
        for address in addresses:
            client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            client.connect((address, port))  # hears that address alone
            client.send(datagram)
            selector.register(client, selectors.EVENT_READ, address)
        while events := selector.select(grace):
            for key, _ in events:
                assert isinstance(key.fileobj, socket.socket)
                heard[key.data] = key.fileobj.recv(4096)
                selector.unregister(key.fileobj)
                key.fileobj.close()
        for key in list(selector.get_map().values()):
            assert isinstance(key.fileobj, socket.socket)
            key.fileobj.close()
    return heard


@pytest.mark.parametrize(
    ("probe", "datagram"),
    [("netbios", node_status()), ("snmp", snmp(0xA0, 0, SYSTEM + b"\5\0"))],
)
def test_datagrams_are_answered_by_who_has_the_service(
    simulator: Running, probe: str, datagram: bytes
) -> None:
    kinds = {row["address"]: row["personality"] for row in simulator.truth}
    every = [f"127.32.{ward}.{octet}" for ward in range(4) for octet in range(256)]
    heard = asked([*every, "127.0.0.1"], simulator.port(probe), datagram, 1)
    having = {address for address, key in kinds.items() if service(probe).spoken(personality(key))}
    assert heard.keys() == {address for address in having if not personality(kinds[address]).behaviour}
    planned = Hospital(200, 3, mix=parse_mix(MIX))
    for address, answer in heard.items():
        assert planned.places[address].name.encode() in answer


def test_rubbish_in_datagrams_is_passed_over(simulator: Running) -> None:
    for probe in ("netbios", "snmp"):
        assert asked([simulator.where("nt4")], simulator.port(probe), b"\0" * 3000, 0.2) == {}
        assert asked([simulator.where("nt4")], simulator.port(probe), b"", 0.2) == {}


def test_the_ports_are_told_and_stand_in_the_site_file(simulator: Running) -> None:
    with simulator.site_file.open("rb") as file:
        site = tomllib.load(file)
    assert site["ports"] == simulator.said["ports"]
    assert site["policy"]["probes"] == list(site["ports"])
    assert len(set(chain.from_iterable(site["ports"].values()))) == 8


def test_a_tarpit_accepts_and_says_nothing(simulator: Running) -> None:
    assert said_by(simulator.where("tarpit"), simulator.ports[0], REQUESTS["negotiate"], 1, 0.5) == b""


def test_a_resetting_machine_resets(simulator: Running) -> None:
    with pytest.raises(ConnectionResetError):
        said_by(simulator.where("reset"), simulator.ports[0], REQUESTS["negotiate"], 1, 20)


def test_noise_is_no_smb(simulator: Running) -> None:
    for row in simulator.truth:
        if row["personality"] == "noise":
            heard = said_by(row["address"], simulator.ports[0], REQUESTS["negotiate"], 20, 20)
            assert len(heard) >= 20
            assert heard[4:8] not in {b"\xffSMB", b"\xfeSMB"}


def test_endless_data_does_not_end(simulator: Running) -> None:
    assert (
        len(said_by(simulator.where("endless"), simulator.ports[0], REQUESTS["negotiate"], 1 << 20, 20))
        >= 1 << 20
    )


def test_dripping_machines_say_a_byte_at_a_time(simulator: Running) -> None:
    heard = said_by(simulator.where("drip"), simulator.ports[0], REQUESTS["negotiate"], 2, 20)
    assert 2 <= len(heard) < 40
    assert heard[:2] == b"\0\0"


def test_gigantic_lengths_are_announced_and_not_kept(simulator: Running) -> None:
    for row in simulator.truth:
        if row["personality"] == "gigantic":
            heard = said_by(row["address"], simulator.ports[0], REQUESTS["negotiate"], 1 << 16, 0.5)
            announced = int.from_bytes(heard[1:4], "big")
            assert announced == 0xFFFFFF or b"\xff\xff\xff\xff" in heard[8:]
            assert len(heard) < 200


def test_a_port_that_is_taken_is_one_clear_line(simulator: Running) -> None:
    port = simulator.ports[0]
    done = refused("--ports", f"{port},0")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"port {port} cannot be used: EADDRINUSE\n"
    port = simulator.port("netbios")
    done = refused("--ports", f"0,0,0,{port}")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"port {port} cannot be used: EADDRINUSE\n"


@pytest.mark.parametrize(
    "words",
    [
        ("--mix", "w77=1"),
        ("--hosts", "0"),
        ("--wards", "0"),
        ("--hosts", "many"),
        ("--ports", "1"),
        ("--ports", "70000,1"),
        ("--ports", "0,0,0,0,0,0,0,0,0"),
    ],
)
def test_a_wrong_option_is_refused(words: tuple[str, ...]) -> None:
    done = refused(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it(tmp_path: Path, number: signal.Signals) -> None:
    with running(tmp_path, "--hosts", "20", "--wards", "1") as simulator:
        simulator.process.send_signal(number)
        assert simulator.process.wait(timeout=20) == 0


def test_only_the_loopback_interface_is_listened_on() -> None:
    group = steering.listen(Hospital(20, 1).scatter, 0)
    try:
        for member in (*group.listeners, group.unheard[0]):
            assert member.getsockopt(socket.SOL_SOCKET, 25, 16).rstrip(b"\0") == b"lo"
    finally:
        group.close()
    with datagrams.listen(0) as listener:
        assert listener.getsockopt(socket.SOL_SOCKET, 25, 16).rstrip(b"\0") == b"lo"


@pytest.mark.namespaces
def test_another_machine_cannot_reach_it() -> None:
    with wire("reach", "10.78.0.0/24") as cable:
        process = cable.hospital.start(
            *command("--hosts", "20", "--wards", "1", "--ports", "14450,11390,13389,11370,11350,11610"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with process:
            assert process.stdout
            process.stdout.readline()
            ports = "-pT:14450,11390,13389,11350,U:11370,11610"
            scan = ["nmap", "-n", "-Pn", "-sT", "-sU", ports, "10.255.0.2", "-oG", "-"]
            found = cable.scanner.run(*scan).stdout
            assert found.count("/closed/tcp/") == 4
            assert found.count("/closed/udp/") == 2
            process.communicate(timeout=20)
