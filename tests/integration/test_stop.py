"""``vetuste stop``: one second after it was called, no scan of this machine sends anything."""

from __future__ import annotations

import signal
import subprocess
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.integration.product import Product
from tests.integration.scenes import PATIENCE, hosts, scene, small_wards

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.namespaces


@contextmanager
def machine() -> Iterator[tuple[str, ...]]:
    """A process namespace of the test's own, so that nobody else's scans are stopped: how to run in it.

    It sees the network namespaces that were there before it.
    """
    words = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", "echo $$; cat"]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdin is not None
        assert holder.stdout.readline() == "1\n"
        (inside,) = _children(holder.pid)
        try:
            yield ("nsenter", f"--target={inside}", "--pid", "--mount")
        finally:
            holder.stdin.close()


def _children(parent: int) -> list[str]:
    return Path(f"/proc/{parent}/task/{parent}/children").read_text(encoding="ascii").split()


_INSIDE = 'cd "$0" && exec "$@"'


def on(place: tuple[str, ...], folder: Path, prefix: tuple[str, ...] = ()) -> Product:
    """The product on a machine, on the scanner's end of a cable where the prefix leads there."""
    return Product(folder, (*place, "sh", "-c", _INSIDE, str(folder), *prefix))


def test_nothing_leaves_a_second_after_it(tmp_path: Path) -> None:
    """Two scans at once, of different profiles, on different cables: both end and keep what they have."""
    with ExitStack() as running:
        scenes = [
            running.enter_context(scene(name, tmp_path / name, hosts(f"10.77.{number}.1", 250)))
            for number, name in enumerate(("one", "two"), 1)
        ]
        for number, stage in enumerate(scenes, 1):
            stage.site(*small_wards(f"10.77.{number}.0/24"), f'subnets = ["10.77.{number + 8}.0/24"]')
        place = running.enter_context(machine())
        profiles = ("clinical", "office")
        captures = [running.enter_context(stage.watched()) for stage in scenes]
        scans = [
            running.enter_context(
                on(place, stage.folder, stage.product.prefix).start("scan", "--profile", profile)
            )
            for stage, profile in zip(scenes, profiles, strict=True)
        ]
        for stage, process in zip(scenes, scans, strict=True):
            stage.wait_for_attempts(process, 60)
        called = time.time()
        on(place, tmp_path).run("stop")
        for process in scans:
            _, said = process.communicate(timeout=PATIENCE)
            assert process.returncode == 130, said
        for capture in captures:
            assert len(capture.packets()) > 60
            assert [packet for packet in capture.packets() if packet.at > called + 1] == []
        for stage in scenes:
            assert stage.product.ask("SELECT state FROM scans") == [("interrupted",)]
            assert len(stage.known()) > 0


def test_a_scan_that_cannot_end_in_time_is_killed(tmp_path: Path) -> None:
    """A process that hangs in a write, or was stopped by someone's Ctrl-Z, does not wake up to send on."""
    with scene("hang", tmp_path, hosts("10.77.1.1", 120)) as stage, machine() as place:
        stage.site(*small_wards("10.77.1.0/24"))
        product = on(place, tmp_path, stage.product.prefix)
        with stage.watched() as capture, product.start("scan") as process:
            stage.wait_for_attempts(process, 40)
            (scanning,) = _scans(place)
            subprocess.run([*place, "kill", "-STOP", scanning], check=True)
            called = time.time()
            product.run("stop")
            subprocess.run([*place, "kill", "-CONT", scanning], check=False, capture_output=True)
            process.send_signal(signal.SIGCONT)  # nsenter stops with its child
            process.communicate(timeout=PATIENCE)
        assert [packet for packet in capture.packets() if packet.at > called + 1] == []
        assert process.returncode in {130, -signal.SIGKILL, 128 + signal.SIGKILL}
        product.run("db", "check")


_SCANS = "cd /proc && for place in [0-9]*; do grep -qx vetuste-scan $place/comm && echo $place; done"


def _scans(place: tuple[str, ...]) -> list[str]:
    """Ids of the processes that scan there, as they are numbered there."""
    return subprocess.run(
        [*place, "sh", "-c", _SCANS], capture_output=True, text=True, check=False
    ).stdout.split()


def test_where_nothing_runs_it_says_so(tmp_path: Path) -> None:
    with machine() as place:
        done = on(place, tmp_path).run("stop")
        assert len((done.stdout + done.stderr).strip().splitlines()) == 1
