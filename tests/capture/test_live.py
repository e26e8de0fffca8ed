"""An interface that is listened to: what is heard, what is lost, and that nothing is ever sent."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Raw

from scanner.capture.live import Live
from scanner.errors import ConfigError
from tests.capture.tapped import DEVICE, SEND, Hub, hub

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.namespaces
CARD = "02:00:00:00:00:01"
ETHER = Ether(src=CARD, dst="02:00:00:00:00:02")
"""From a machine that is not there, to another one."""
SERVER = """
import socket, sys
with socket.create_server(("10.66.0.2", 22)) as server:
    print("ready", flush=True)
    with server.accept()[0] as conversation:
        conversation.sendall(b"SSH-2.0-OpenSSH_5.3\\r\\n")
        while conversation.recv(100):
            pass
"""
CLIENT = """
import socket
with socket.create_connection(("10.66.0.2", 22)) as conversation:
    conversation.sendall(b"SSH-2.0-PuTTY_Release_0.60\\r\\n")
    conversation.recv(100)
"""


@pytest.fixture(scope="module")
def wired() -> Iterator[Hub]:
    with hub("hear") as machines:
        yield machines


class Listener:
    """The process that listens, as it tells what it hears."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.child = int(self.next()["ready"])

    def next(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(self.process.communicate()[1])
        told: dict[str, Any] = json.loads(line)
        return told

    def frame(self) -> bytes:
        return bytes.fromhex(self.next()["frame"])

    def end(self) -> list[dict[str, Any]]:
        """All that it tells until it ended by itself, after it was asked to."""
        self.process.send_signal(signal.SIGINT)
        told, said = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, said
        return [json.loads(line) for line in told.splitlines()]

    def refusal(self) -> str:
        """What it says where it ends though nobody asked for it."""
        _, said = self.process.communicate(timeout=60)
        return said


@contextmanager
def listening(machines: Hub, *words: str) -> Iterator[Listener]:
    with machines.listening(*words) as process:
        yield Listener(process)


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds: the test ends with the run's own limit if it never does."""
    while not holds():
        time.sleep(0.02)


def runs(process: int) -> bool:
    """Whether there is such a process, and not only what is left of it."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text(encoding="ascii")
    except FileNotFoundError:
        return False


def test_what_two_machines_say_to_each_other_is_learnt(wired: Hub) -> None:
    with listening(wired) as listener:
        server = wired.server.start(sys.executable, "-c", SERVER, stdout=subprocess.PIPE)
        with server:
            assert server.stdout is not None
            assert server.stdout.readline() == "ready\n"
            wired.client.run(sys.executable, "-c", CLIENT)
        told = listener.end()
    learnt = {
        (each["address"], each["port"], *each["evidence"]["ssh.banner"])
        for each in told
        if "ssh.banner" in each.get("evidence", ())
    }
    assert learnt == {("10.66.0.2", 22, "OpenSSH_5.3"), ("10.66.0.1", 0, "PuTTY_Release_0.60")}


def test_nothing_leaves_while_it_listens(wired: Hub, tmp_path: Path) -> None:
    """Neither by the count of the interface, nor by that of somebody else on the hub."""
    said = ETHER / IP(src="10.66.0.1", dst="10.66.0.9")
    frames = [
        bytes(ETHER / ARP(psrc="10.66.0.1", pdst="10.66.0.9")),
        *(bytes(said / UDP(sport=5004, dport=port)) for port in (5004, 4789)),
        *(bytes(said / TCP(flags=how)) for how in ("S", "SA", "R")),
    ]
    before = wired.sent_by_the_ear()
    with (
        wired.server.recording(tmp_path / "wire.pcap", "not", "ether", "src", CARD, on=DEVICE),
        listening(wired) as listener,
    ):
        wired.send(frames)
        heard = {listener.frame() for _ in range(len(frames) - 1)}
        told = listener.end()
    assert heard == {*frames} - {frames[1]}, "and port 5004 is no source's"
    assert told[0] == {"heard": len(frames) - 1, "lost": 0, "frames": len(frames) - 1}
    assert wired.sent_by_the_ear() == before
    seen = wired.server.run("tcpdump", "-n", "-r", tmp_path / "wire.pcap")
    assert seen.stdout == ""


def test_tags_are_put_back(wired: Hub) -> None:
    said = IP(src="10.66.0.1", dst="10.66.0.9") / TCP(flags="PA") / Raw(b"SSH-2.0-x\r\n")
    frames = [
        bytes(ETHER / said),
        bytes(ETHER / Dot1Q(vlan=7, prio=5, dei=1) / said),
        bytes(ETHER / Dot1AD(vlan=11) / Dot1Q(vlan=4095) / said),
        bytes(ETHER / Dot1Q(vlan=1) / Dot1Q(vlan=2) / said),
        bytes(ETHER / Dot1Q(vlan=1) / Dot1Q(vlan=2) / Dot1Q(vlan=3) / said),
        bytes(ETHER / Dot1Q(vlan=0) / ARP()),
    ]
    with listening(wired) as listener:
        wired.send(frames)
        assert [listener.frame() for _ in frames] == frames
        assert listener.end()[0]["lost"] == 0


def test_the_time_is_that_of_the_wire(wired: Hub) -> None:
    with listening(wired) as listener:
        before = time.time()
        wired.send([bytes(ETHER / ARP())])
        told = listener.next()
        assert before < told["at"] < time.time()
        assert told["link"] == 1
        listener.end()


def test_what_is_lost_is_counted(wired: Hub) -> None:
    """A listener that is held up, and more than the kernel keeps for it."""
    said = IP(src="10.66.0.1", dst="10.66.0.9") / TCP(flags="PA") / Raw(bytes(1400))
    number = 60_000
    program = f"""
import socket, sys
frame = bytes.fromhex({bytes(ETHER / said).hex()!r})
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0) as out:
    out.bind(({DEVICE!r}, 0))
    for _ in range({number}):
        out.send(frame)
"""
    with listening(wired) as listener:
        os.kill(listener.process.pid, signal.SIGSTOP)
        wired.client.run(sys.executable, "-c", program)
        os.kill(listener.process.pid, signal.SIGCONT)
        told = listener.end()
    (counts,) = (each for each in told if "lost" in each)
    assert counts["lost"] > 0
    assert counts["heard"] + counts["lost"] == number
    lengths = [each["length"] for each in told if "length" in each]
    assert lengths == [len(ETHER / said)] * counts["heard"]


def test_the_child_has_no_rights_left(wired: Hub) -> None:
    with listening(wired) as listener:
        status = Path(f"/proc/{listener.child}/status").read_text(encoding="ascii")
        assert re.search(r"^Uid:\t65534\t65534\t65534\t65534$", status, re.MULTILINE)
        assert re.search(r"^Gid:\t65534\t65534\t65534\t65534$", status, re.MULTILINE)
        assert re.search(r"^Groups:\t ?$", status, re.MULTILINE)
        held = re.findall(r"^Cap(?:Inh|Prm|Eff|Bnd|Amb):\t(\w+)$", status, re.MULTILINE)
        assert held == ["0" * 16] * 5
        assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
        assert re.search(r"^Seccomp:\t2$", status, re.MULTILINE)
        listener.end()


def test_one_right_is_enough(wired: Hub) -> None:
    """An ordinary user, with the right to listen, and that to read these files, which may be root's."""
    rights = "+net_raw,+dac_read_search"
    user = ("setpriv", "--reuid", "65533", "--regid", "65533", "--clear-groups")
    with listening(
        wired, DEVICE, *user, "--inh-caps", rights, "--ambient-caps", rights, "--bounding-set", rights
    ) as listener:
        status = Path(f"/proc/{listener.child}/status").read_text(encoding="ascii")
        assert re.findall(r"^Cap(?:Inh|Prm|Eff|Amb):\t(\w+)$", status, re.MULTILINE) == ["0" * 16] * 4
        wired.send([bytes(ETHER / ARP())])
        assert listener.frame() == bytes(ETHER / ARP())
        listener.end()


def test_the_child_ends_with_its_parent(wired: Hub) -> None:
    with listening(wired) as listener:
        assert runs(listener.child)
        listener.process.kill()
        until(lambda: not runs(listener.child))


def test_a_child_that_was_killed_is_told(wired: Hub) -> None:
    with listening(wired) as listener:
        os.kill(listener.child, signal.SIGKILL)
        assert listener.refusal() == f"3: the hearing part ended: nothing is heard any more from {DEVICE}\n"


@pytest.mark.parametrize("how", [("set", "gone", "down"), ("delete", "gone")], ids=lambda how: how[0])
def test_an_interface_that_goes_away_is_told(wired: Hub, how: tuple[str, ...]) -> None:
    wired.ear.run("ip", "link", "add", "gone", "type", "veth", "peer", "other")
    try:
        for device in ("gone", "other"):
            wired.ear.run("ip", "link", "set", device, "up")
        with listening(wired, "gone") as listener:
            last = bytes(ETHER / ARP())
            words = (sys.executable, "-c", SEND, "other")
            wired.ear.run(*words, stdin=json.dumps([last.hex()] * 3))
            wired.ear.run("ip", "link", *how)
            assert [listener.frame() for _ in range(3)] == [last] * 3
            assert listener.refusal() == "3: gone went away, or was taken down: nothing is heard any more\n"
            assert listener.process.returncode == 1
    finally:
        wired.ear.run("ip", "link", "delete", "gone", check=False)


TUNNEL = """
import fcntl, os, struct, sys
name, flags, kind, packet = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), bytes.fromhex(sys.argv[4])
tunnel = os.open("/dev/net/tun", os.O_RDWR)
fcntl.ioctl(tunnel, 0x400454CA, struct.pack("16sH22x", name.encode(), flags | 0x1000))
fcntl.ioctl(tunnel, 0x400454CD, kind)
os.system(f"ip link set {name} up")
print("up", flush=True)
for _ in sys.stdin:
    os.write(tunnel, packet)
"""


@contextmanager
def tunnel(machines: Hub, name: str, kind: int, packet: bytes = b"") -> Iterator[Callable[[], None]]:
    """An interface of some kind of hardware (if_arp.h), on which a packet arrives when asked for."""
    words = (sys.executable, "-c", TUNNEL, name, "1", str(kind), packet.hex())
    with machines.ear.start(*words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        ask = process.stdin

        def arrive() -> None:
            ask.write("now\n")
            ask.flush()

        yield arrive


def test_an_interface_without_ethernet_is_heard(wired: Hub) -> None:
    packet = bytes(IP(src="10.66.0.1", dst="10.66.0.9") / TCP(flags="S"))
    with tunnel(wired, "plain", 65534, packet) as arrive, listening(wired, "plain") as listener:
        arrive()
        told = listener.next()
        assert (told["link"], told["frame"]) == (101, packet.hex())
        (learnt,) = (each for each in listener.end() if "evidence" in each)
        assert learnt["address"] == "10.66.0.1"


def test_what_cannot_be_listened_to_is_told(wired: Hub) -> None:
    wired.ear.run("ip", "link", "add", "dark", "type", "veth", "peer", "darker")
    unable = ("setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw")
    with tunnel(wired, "odd", 803):
        for device, before, says in (
            ("none", (), "2: no interface none; there is "),
            ("dark", (), "2: dark is down: ip link set dark up"),
            ("odd", (), "2: odd cannot be listened to: it is no Ethernet"),
            (DEVICE, unable, f"2: no right to listen to {DEVICE}; give it to this alone: systemd-run "),
        ):
            with wired.listening(device, *before) as process:
                told, said = process.communicate(timeout=60)
            assert told == ""
            assert said.startswith(says)
            assert said.count("\n") == 1


@pytest.mark.parametrize("name", ["any", "", "a" * 16, "lo\0", "../lo", "é" * 8])
def test_what_can_be_no_interface_is_refused(name: str) -> None:
    with pytest.raises(ConfigError), Live(name):
        pass


def test_silence_is_no_end() -> None:
    """A round ends on a wire on which nobody says anything; and after ``stop`` it is over."""
    with Live("lo") as live:
        live.stop()
        live.stop()
        list(live.frames())
        assert live.over
        assert list(live.frames()) == []
