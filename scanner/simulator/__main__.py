"""``python -m scanner.simulator``: the simulated hospital as a process of its own.

It prints one line of JSON when it listens, and ends by SIGTERM, by SIGINT or when its standard input closes.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import signal
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from scanner.errors import VetusteError
from scanner.simulator.files import site_file, write_truth
from scanner.simulator.mix import parse_mix
from scanner.simulator.plan import Hospital
from scanner.simulator.server import serve
from scanner.simulator.services import SERVICES, by_probe

if TYPE_CHECKING:
    from collections.abc import Sequence

_IN_ORDER = ", ".join(f"{service.port}/udp" if service.answer else str(service.port) for service in SERVICES)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m scanner.simulator", description="A hospital on 127.0.0.0/8."
    )
    parser.add_argument("--hosts", type=int, default=15_000, help="machines, silent and odd ones included")
    parser.add_argument("--wards", type=int, default=125, help="wards, one /24 each from 127.32.0.0/24 on")
    parser.add_argument("--seed", type=int, default=1, help="decides which machine stands where")
    parser.add_argument("--mix", default="", help="xp=8000,w7=2000: how many of which; the rest as usual")
    parser.add_argument(
        "--ports",
        type=_ports,
        default="14450,11390",
        help=f"what stands for {_IN_ORDER}; 0, and the rest: any",
    )
    parser.add_argument("--site-file", type=Path, help="write a site file for a scan here")
    parser.add_argument("--truth", type=Path, help="write what every machine is here, as CSV")
    return parser.parse_args(words)


def _ports(text: str) -> tuple[int, ...]:
    numbers = tuple(map(int, text.split(",")))
    if not 1 < len(numbers) <= len(SERVICES) or not all(0 <= number < 1 << 16 for number in numbers):
        raise argparse.ArgumentTypeError(f"at least two ports are needed, at most {len(SERVICES)}")
    return numbers


def _end_with_input(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    """Cancel the task when standard input closes, where it is something that can close."""

    def read() -> None:
        if not os.read(0, 4096):
            loop.remove_reader(0)
            task.cancel()

    try:
        mode = os.fstat(0).st_mode
    except OSError:
        return
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or os.isatty(0):
        loop.add_reader(0, read)


async def _run(hospital: Hospital, arguments: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()

    def ready(ports: tuple[int, ...]) -> None:
        if arguments.site_file:
            arguments.site_file.write_text(site_file(hospital, ports), encoding="utf-8")
        if arguments.truth:
            write_truth(hospital, arguments.truth)
        line = {"ports": by_probe(ports), "hosts": hospital.hosts, "wards": len(hospital.wards)}
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    task = asyncio.ensure_future(serve(hospital, arguments.ports, ready))
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, task.cancel)
    _end_with_input(loop, task)
    try:
        await task
    except asyncio.CancelledError:
        return


def main(words: Sequence[str] | None = None) -> int:
    """Run the simulator; the exit code is 0, or that of the error."""
    arguments = _arguments(words)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    try:
        hospital = Hospital(arguments.hosts, arguments.wards, arguments.seed, parse_mix(arguments.mix))
        uvloop.run(_run(hospital, arguments))
    except VetusteError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
