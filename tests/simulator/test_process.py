"""The simulator on its sockets: who answers SYNs, who does not, how odd machines behave, how it ends."""

from __future__ import annotations

import selectors
import signal
import socket
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from scanner.simulator import Hospital, steering
from tests.namespaces import wire
from tests.simulator.client import REQUESTS
from tests.simulator.process import Running, command, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ODD = ("tarpit", "noise", "reset", "endless", "drip", "gigantic")
MIX = ",".join([*(f"{key}=4" for key in ODD), "silent=20", "nt4=4", "xp=40"])


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
    every = [f"127.32.{ward}.{octet}" for ward in range(4) for octet in range(256)]
    listening = {row["address"] for row in simulator.truth if row["listening"] == "yes"}
    assert len(listening) == 180
    assert connected([*every, "127.0.0.1"], simulator.ports[which], 180, 0.5) == listening


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


@pytest.mark.parametrize(
    "words",
    [
        ("--mix", "w77=1"),
        ("--hosts", "0"),
        ("--wards", "0"),
        ("--hosts", "many"),
        ("--ports", "1"),
        ("--ports", "70000,1"),
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


@pytest.mark.namespaces
def test_another_machine_cannot_reach_it() -> None:
    with wire("reach", "10.78.0.0/24") as cable:
        process = cable.hospital.start(
            *command("--hosts", "20", "--wards", "1", "--ports", "14450,11390"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        with process:
            assert process.stdout
            process.stdout.readline()
            scan = ["nmap", "-n", "-Pn", "-sT", "-p14450,11390", "10.255.0.2", "-oG", "-"]
            assert "14450/closed" in cable.scanner.run(*scan).stdout
            assert "14450/open" not in cable.scanner.run(*scan).stdout
            process.communicate(timeout=20)
