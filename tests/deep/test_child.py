"""Programs that hang, crash, eat memory, babble or outlive: each ends, and what it had said stands."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest
import uvloop

from scanner.deep import child
from scanner.errors import ProtocolError
from tests.deep.processes import those_with, wait_for

PROGRAMS = Path(child.__file__).with_name("children")
ROOT = Path(__file__).parents[2]
SAY = "import json, sys, time\ndef say(what): print(json.dumps(what), flush=True)\n"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a test writes the program that is run; the name of its folder is in no other command line."""
    folder = tmp_path / uuid.uuid4().hex
    folder.mkdir()
    shutil.copy(PROGRAMS / "tethered.py", folder)
    monkeypatch.setattr(child, "_PROGRAMS", folder)
    return folder / "program.py"


def run(file: Path, text: str, seconds: float = 20.0, **request: object) -> tuple[str, list[dict[str, Any]]]:
    """What became of a program, and what it said; nothing of it is left."""
    file.write_text(SAY + text, encoding="utf-8")
    said: list[dict[str, Any]] = []

    def take(line: Any) -> None:  # noqa: ANN401 - whatever a program says
        if "forbidden" in line:
            raise ProtocolError("it makes no sense")
        said.append(line)

    why = uvloop.run(child.run(file.name, request, seconds, take))
    wait_for(str(file.parent), 0)
    return why, said


def test_what_it_says_is_taken_line_by_line(program: Path) -> None:
    why, said = run(program, "say({'asked': json.loads(sys.argv[1])['x']})\nsay({'b': [1]})", x="é")
    assert (why, said) == ("", [{"asked": "é"}, {"b": [1]}])


def test_what_was_said_before_it_hangs_stands(program: Path) -> None:
    why, said = run(program, "say({'a': 1})\ntime.sleep(600)", seconds=2.0)
    assert (why, said) == ("program.py was not done after 2 s", [{"a": 1}])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("import os; os.kill(os.getpid(), 11)", "-11"),
        ("raise SystemExit(3)", "3"),
        ("1 / 0", "1"),
        ("sys.exit()", "0"),
        ("import os; os.close(1)", "1"),
    ],
    ids=["signal", "exit", "error", "too early", "deaf"],
)
def test_what_was_said_before_it_crashes_stands(program: Path, text: str, code: str) -> None:
    why, said = run(program, f"say({{'a': 1}})\n{text}")
    assert said == [{"a": 1}]
    assert why.startswith("program.py ended with ")
    assert why == f"program.py ended with {code}" or text.endswith("os.close(1)")


def test_memory_is_bounded(program: Path) -> None:
    """It gets an error of its own long before this machine notices; a tenth of the limit is no trouble."""
    text = "say({'some': len(bytes(25 << 20))})\ntry: bytes(1 << 28)\nexcept MemoryError: say({'more': 0})"
    assert run(program, text) == ("", [{"some": 25 << 20}, {"more": 0}])
    why, said = run(program, "say({'a': 1})\nhoard = []\nwhile True: hoard.append(bytearray(1 << 20))")
    assert (why, said) == ("program.py ended with 1", [{"a": 1}])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("print('garbage', flush=True)", "not what was asked for: garbage"),
        ("print('[1]', flush=True)", "not what was asked for: [1]"),
        ("print('[' * 100000, flush=True)", "not what was asked for: " + "[" * 40),
        (
            "sys.stdout.buffer.write(bytes(range(256)) + b'\\n'); sys.stdout.flush()",
            "not what was asked for: ",
        ),
        ("say({'forbidden': 1})", "it makes no sense"),
        ("sys.stdout.write('x' * (1 << 20)); sys.stdout.flush()", "a line of more than 524288 bytes"),
        ("for number in range(100): say({'number': number})", "more than 64 lines"),
    ],
    ids=["text", "list", "deep", "bytes", "senseless", "long", "many"],
)
def test_who_babbles_is_ended(program: Path, text: str, why: str) -> None:
    told, said = run(program, f"say({{'a': 1}})\n{text}\ntime.sleep(600)")
    assert said[0] == {"a": 1}
    assert told.startswith(f"program.py: {why}")
    assert told.isprintable()


@pytest.mark.parametrize("text", ["while True: sys.stdout.write('x' * 65536)", "while True: say({'x': 1})"])
def test_endless_talk_costs_no_memory_of_ours(program: Path, text: str) -> None:
    why, said = run(program, text)
    assert "more than" in why
    assert len(said) <= 64


def test_it_has_no_terminal_no_input_and_nothing_of_ours(program: Path) -> None:
    text = """
import os, resource
say({"input": sys.stdin.read(), "session": os.getsid(0) == os.getpgid(0) == os.getpid(),
  "open": sorted(os.listdir("/proc/self/fd"))[:-1], "names": sorted(os.environ),
  "here": os.listdir("."), "path": [p for p in sys.path if "scanner" in p or not p],
  "limits": [resource.getrlimit(getattr(resource, "RLIMIT_" + k))[0] for k in "AS CPU FSIZE CORE".split()]})
try: os.open("/dev/tty", os.O_RDWR)
except OSError: say({"terminal": None})
say({"scanner": "scanner" in sys.modules})
"""
    with socket.create_server(("127.0.0.1", 0)) as ours:
        ours.set_inheritable(True)
        why, (first, *rest) = run(program, text)
    assert why == ""
    assert first == {
        "input": "",
        "session": True,
        "open": ["0", "1", "2"],
        "names": ["LANG", "LC_CTYPE", "PATH"] if "LC_CTYPE" in first["names"] else ["LANG", "PATH"],
        "here": [],
        "path": [],
        "limits": [1 << 28, 60, 1 << 16, 0],
    }
    assert rest == [{"terminal": None}, {"scanner": False}]


OUTLIVES = """
import signal, subprocess
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(number, signal.SIG_IGN)
other = subprocess.Popen(["sh", "-c", "trap '' TERM INT HUP; while :; do sleep 1; done", FOLDER])
say({"a": 1})
"""


def outliving(folder: Path, then: str) -> str:
    return f"FOLDER = {str(folder)!r}\n{OUTLIVES}\n{then}"


@pytest.mark.parametrize(
    "then",
    [
        "time.sleep(600)",
        "sys.stdout.close(); time.sleep(600)",
        "import os; os.kill(os.getpid(), 9)",
        "say({'forbidden': 1})",
    ],
    ids=["hangs", "hangs, deaf", "killed", "senseless"],
)
def test_what_it_started_ends_with_it(program: Path, then: str) -> None:
    _, said = run(program, outliving(program.parent, then), seconds=3.0)
    assert said == [{"a": 1}]


def test_a_scan_that_is_stopped_ends_it(program: Path) -> None:
    """Both the program and what it started are gone when the task that was cancelled is."""
    program.write_text(SAY + outliving(program.parent, "time.sleep(600)"), encoding="utf-8")

    async def stop() -> dict[int, str]:
        spoken = asyncio.Event()
        task = asyncio.create_task(child.run(program.name, {}, 600, lambda _: spoken.set()))
        await spoken.wait()
        before = those_with(str(program.parent))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return before

    assert len(uvloop.run(stop())) >= 2, "the shell forks now and then"
    wait_for(str(program.parent), 0)


PARENT = """
import asyncio, sys, uvloop
from pathlib import Path
from scanner.deep import child
file = Path(sys.argv[1])
child._PROGRAMS = file.parent
uvloop.run(child.run(file.name, {}, 600, lambda said: print(said, flush=True)))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["SIGKILL", "SIGTERM"])
def test_nothing_is_left_of_it_when_its_parent_is_killed(program: Path, number: signal.Signals) -> None:
    program.write_text(SAY + outliving(program.parent, "time.sleep(600)"), encoding="utf-8")
    command = [sys.executable, "-c", PARENT, str(program)]
    # A folder is all that such an end leaves behind.
    here = {**os.environ, "TMPDIR": str(program.parents[1])}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=here) as parent:
        assert parent.stdout is not None
        said, before = parent.stdout.readline(), those_with(str(program.parent))
        parent.send_signal(number)
    assert said == "{'a': 1}\n"
    assert len(before) >= 3
    wait_for(str(program.parent), 0)


def test_it_can_send_no_datagram_nor_can_what_it_starts(program: Path) -> None:
    text = """
import socket, subprocess
def made(*kind):
    try: socket.socket(*kind).close()
    except OSError as error: return error.errno
    return 0
S = socket
kinds = [(family, kind | flag) for family in (S.AF_INET, S.AF_INET6)
  for kind in (S.SOCK_STREAM, S.SOCK_DGRAM, S.SOCK_RAW) for flag in (0, S.SOCK_NONBLOCK)]
say({"made": [made(*each) for each in kinds], "unix": made(S.AF_UNIX, S.SOCK_DGRAM)})
other = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
say({"other": subprocess.run([sys.executable, "-c", other], stderr=subprocess.DEVNULL).returncode})
"""
    why, said = run(program, text)
    assert why == ""
    assert said == [{"made": [0, 0, 1, 1, 1, 1] * 2, "unix": 0}, {"other": 1}]


def test_who_has_another_parent_does_nothing(program: Path) -> None:
    """It was orphaned before it could be bound to its parent."""
    program.write_text("print('alive')", encoding="utf-8")
    request = json.dumps({"parent": os.getpid() + 1, "memory": 1 << 28})
    command = [sys.executable, "-I", str(program.with_name("tethered.py")), program.name, request]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")


def test_its_folder_goes_with_it(program: Path) -> None:
    text = "import os; open('left', 'w').close(); say({'here': os.getcwd()})"
    _, (said,) = run(program, text)
    assert not Path(said["here"]).exists()
