"""``vetuste listen --interface``: what passes a wire comes into the inventory, and Ctrl-C loses nothing."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from tests.cli.process import FRONT, environment
from tests.cli.test_listen import DEBIAN, segment
from tests.namespaces import wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.namespaces import Wire

pytestmark = pytest.mark.namespaces
SEND = """
import socket, sys
with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as sending:
    sending.bind((sys.argv[1], 0))
    sending.send(bytes.fromhex(sys.argv[2]))
"""


@pytest.fixture(scope="module")
def cable() -> Iterator[Wire]:
    with wire("listen") as made:
        yield made


def speak(cable: Wire, server: str) -> None:
    """Put a server's greeting on the wire."""
    frame = segment(server, "10.20.0.200", (22, 40000), DEBIAN).hex()
    cable.hospital.run(sys.executable, "-c", SEND, cable.ends[1], frame)


def started(cable: Wire, folder: Path, *words: str) -> subprocess.Popen[str]:
    """A listener; it is ready when the interface hears everything."""
    listening = cable.scanner.start(
        *(sys.executable, str(FRONT), "listen", "--interface", cable.ends[0], *words),
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    while listening.poll() is None:
        packet = cable.scanner.run("cat", "/proc/net/packet").stdout
        if packet.count("\n") > 1:
            time.sleep(0.2)  # the socket is there; its process is about to listen
            break
        time.sleep(0.05)
    return listening


def test_ctrl_c_ends_it_in_order_and_everything_is_kept(cable: Wire, tmp_path: Path) -> None:
    with started(cable, tmp_path) as listening:
        for server in ("10.20.0.1", "10.20.0.2"):
            speak(cable, server)
        time.sleep(1)
        listening.send_signal(signal.SIGINT)
        out, err = listening.communicate(timeout=60)
    assert listening.returncode == 130, err
    assert "Machines heard: 2, of which identified: 2, unsupported: 2." in out
    assert "0 lost by the kernel" in err
    with closing(sqlite3.connect(tmp_path / "inventory.db")) as connection:
        ((state, request),) = connection.execute("SELECT state, request FROM scans")
        assert (state, json.loads(request)) == ("interrupted", {"listen": cable.ends[0]})
        assert connection.execute("SELECT count(*) FROM ledger").fetchone() == (0,)


def test_for_so_long_and_no_inventory_is_left(cable: Wire, tmp_path: Path) -> None:
    with started(cable, tmp_path, "--for", "4s", "--jsonl") as listening:
        speak(cable, "10.20.0.3")
        out, err = listening.communicate(timeout=60)
    assert listening.returncode == 0, err
    assert [json.loads(line)["host"] for line in out.splitlines()] == ["10.20.0.3"]
    assert list(tmp_path.iterdir()) == []
