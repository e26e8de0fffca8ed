"""The hearing part, made to try to send by its own hands: it cannot."""

from __future__ import annotations

import ast
import errno
import json
import sys
from typing import TYPE_CHECKING

import pytest

from tests.capture.tapped import DEVICE, ROOT, Hub, hub

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.namespaces
PROGRAM = ROOT / "scanner" / "capture" / "children" / "hearing.py"
TRIES = """
import ctypes, fcntl, json, os, runpy, socket, struct, sys
hearing = runpy.run_path(sys.argv[1])
confinement = runpy.run_path(str(hearing["_CONFINEMENT"]))
ring, link = hearing["open_interface"](sys.argv[2], {"1": [(6, 0, 0, 1 << 18)]})
packets, other = ring.packets, os.memfd_create("other")
libc = ctypes.CDLL(None, use_errno=True)
frame = bytes.fromhex("020000000002 020000000001 0806") + bytes(46)
read, write = os.pipe()
os.write(write, frame)


def call(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), "")


numbers = {
    "x86_64": {"sendmmsg": 307, "write": 1, "splice": 275, "io_setup": 206, "io_submit": 209},
    "aarch64": {"sendmmsg": 269, "write": 64, "splice": 76, "io_setup": 0, "io_submit": 2},
}[os.uname().machine]
fd = packets.fileno()
rings = ctypes.c_uint64()


def submit():
    kept = ctypes.create_string_buffer(frame)
    order = struct.pack("=QIIHhIQQqQII", 0, 0, 0, 1, 0, fd, ctypes.addressof(kept), len(frame), 0, 0, 0, 0)
    held = ctypes.create_string_buffer(order)
    call(numbers["io_submit"], rings, 1, ctypes.byref(ctypes.c_void_p(ctypes.addressof(held))))


tries = {
    "send": lambda: packets.send(frame),
    "sendto": lambda: packets.sendto(frame, (sys.argv[2], 0x0806)),
    "sendmsg": lambda: packets.sendmsg([frame]),
    "sendmmsg": lambda: call(numbers["sendmmsg"], fd, 0, 0, 0),
    "write": lambda: os.write(fd, frame),
    "write, of a descriptor with a high half": lambda: call(
        numbers["write"], ctypes.c_uint64(1 << 32 | fd), frame, len(frame)
    ),
    "writev": lambda: os.writev(fd, [frame]),
    "pwrite": lambda: os.pwrite(other, frame, 0),
    "pwritev": lambda: os.pwritev(other, [frame], 0),
    "write to a file": lambda: os.write(other, b""),
    "write to a pipe": lambda: os.write(write, frame),
    "write to standard input": lambda: os.write(0, b""),
    "sendfile": lambda: os.sendfile(fd, other, 0, 10),
    "splice": lambda: call(numbers["splice"], read, 0, fd, 0, 10, 0),
    "io_setup": lambda: call(numbers["io_setup"], 1, ctypes.byref(rings)),
    "io_submit": submit,
    "io_uring_setup": lambda: call(425, 1, ctypes.create_string_buffer(120)),
    "dup": lambda: os.dup(fd),
    "dup2": lambda: os.dup2(fd, 1),
    "fcntl": lambda: fcntl.fcntl(fd, fcntl.F_DUPFD, 0),
    "socket": lambda: socket.socket(),
    "connect": lambda: packets.connect((sys.argv[2], 0)),
    "fork": lambda: os.fork(),
    "open": lambda: open("/dev/null"),
    "a call of x32": lambda: call(0x40000000 + 44, fd, frame, len(frame), 0, 0, 0),
}


def tried(names):
    told = {}
    for name in names:
        try:
            tries[name]()
            told[name] = 0
        except OSError as error:
            told[name] = error.errno
    return told


sending = ["send", "sendto", "sendmsg", "write", "writev", "io_setup", "io_submit"]
may = tried([*sending, "pwrite", "pwritev", "write to a file", "write to a pipe"])
confinement["drop_everything"](silent=sys.argv[3] == "silent")
os.write(1, json.dumps([may, tried(sys.argv[4:] or tries)]).encode())
"""


def tried(machines: Hub, folder: Path, how: str, *names: str) -> tuple[dict[str, int], dict[str, int], int]:
    """The errno of each try before and after everything was given up, and how many packets have left."""
    program = folder / "tries.py"
    program.write_text(TRIES, encoding="utf-8")
    before = machines.sent_by_the_ear()
    done = machines.ear.run(sys.executable, "-I", program, PROGRAM, DEVICE, how, *names)
    may, afterwards = json.loads(done.stdout)
    return may, afterwards, machines.sent_by_the_ear() - before


def test_the_hearing_part_cannot_send(tmp_path: Path) -> None:
    with hub("mute") as machines:
        may, afterwards, sent = tried(machines, tmp_path, "silent")
    assert set(may.values()) == {0}
    assert sent == 6, "what was sent before it gave that up"
    assert {name for name, code in afterwards.items() if code != errno.EPERM} == set()


def test_a_raw_part_can_send_and_do_nothing_else(tmp_path: Path) -> None:
    with hub("raw") as machines:
        ways_out = ("socket", "fork", "open", "io_uring_setup", "a call of x32")
        _, afterwards, sent = tried(machines, tmp_path, "raw", "send", "sendto", "sendmsg", *ways_out)
    assert afterwards == {"send": 0, "sendto": 0, "sendmsg": 0} | dict.fromkeys(ways_out, errno.EPERM)
    assert sent == 6 + 3


@pytest.mark.parametrize("file", [PROGRAM, PROGRAM.parents[2] / "confinement.py"], ids=lambda file: file.stem)
def test_what_runs_in_the_child_imports_the_standard_library_only(file: Path) -> None:
    found = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or ".").partition(".")[0])
    assert found - sys.stdlib_module_names == set()


def test_nobody_imports_what_runs_in_the_child() -> None:
    for file in (ROOT / "scanner").rglob("*.py"):
        assert "capture.children" not in file.read_text(encoding="utf-8"), file
