"""The dashboard under its readers, on loopback: ``python -m tests.bench.dashboard URL [SECONDS]``.

Twenty readers ask every five seconds, all pages in turn, over the inventory of that URL: a million assets
(``python -m tests.bench.million FILE``) in SQLite or PostgreSQL. Machines differ: read the ratios.
"""

from __future__ import annotations

import gzip
import http.client
import os
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from html import unescape
from typing import TYPE_CHECKING, Final

from tests.bench.running import ratio, say
from tests.browser.routes import WITHOUT_MARKS, some_of_each
from tests.browser.serving import run

if TYPE_CHECKING:
    from collections.abc import Iterator

READERS, EVERY, SECONDS = 20, 5.0, 60.0
SEARCHES: Final = ("pc-0765432", "s3.chu", "10.0.77", "nothing")
"""One name, part of many names, the beginning of an address, what nothing is called."""
_SEARCH: Final = re.compile(r'<input[^>]*type="search"[^>]*>')
_PART: Final = re.compile(r'<(?:link rel="stylesheet"|script)[^>]*?(?:href|src)="([^"]+)"')


@dataclass
class Answers:
    """What one address was answered with."""

    seconds: list[float] = field(default_factory=list)
    refused: int = 0


def ask(port: int, path: str) -> tuple[int, str, bytes]:
    """Status, type and body as sent of one answer, over a connection of its own, as it may be compressed."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        return answer.status, answer.headers.get("content-type", ""), answer.read()
    finally:
        connection.close()


def text_of(body: bytes) -> str:
    return (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode()


@contextmanager
def served(url: str) -> Iterator[int]:
    """The port of a dashboard in a process of its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    with subprocess.Popen([sys.executable, "-m", __spec__.name, "--serve", url, str(port)]) as server:
        try:
            while server.poll() is None and not reachable(port):
                time.sleep(0.05)
            yield port
        finally:
            server.terminate()


def reachable(port: int) -> bool:
    with socket.socket() as trying:
        return trying.connect_ex(("127.0.0.1", port)) == 0


def addresses(port: int) -> dict[str, str]:
    """What is asked for, and what it is called: every page, one of each that they link to, and searches."""
    whole: list[str] = []
    links: list[str] = []
    searches: dict[str, str] = {}
    for path in WITHOUT_MARKS:
        began = time.perf_counter()
        status, _, body = ask(port, path)
        if status != 200 or "<html" not in text_of(body)[:200]:
            continue
        say(f"  {1000 * (time.perf_counter() - began):6.0f} ms the first time: {path}")
        whole.append(path)
        text = text_of(body)
        links += [unescape(link) for link in re.findall(r'<a [^>]*?href="([^"#]+)"(?![^>]*download)', text)]
        for box in _SEARCH.findall(text):
            if name := re.search(r'name="(\w+)"', box):
                searches |= {f"{path}?{name[1]}={each}": f"{path}, search for {each}" for each in SEARCHES}
    behind = some_of_each(links)
    asked = [link for link in behind if ask(port, link)[1].startswith("text/html")]
    return {**{path: path for path in [*whole, *asked]}, **searches}


def read(port: int, paths: list[str], first: int, seconds: float, into: dict[str, Answers]) -> None:
    """One reader: asks for a page, reads it until it is time, asks for the next."""
    begun = time.perf_counter() + first * EVERY / READERS
    for number in range(round(seconds / EVERY)):
        time.sleep(max(0.0, begun + number * EVERY - time.perf_counter()))
        path = paths[(first * round(seconds / EVERY) + number) % len(paths)]
        asked = time.perf_counter()
        status = ask(port, path)[0]
        into[path].seconds.append(time.perf_counter() - asked)
        into[path].refused += status != 200


def load(port: int, paths: list[str], seconds: float) -> dict[str, Answers]:
    """What all readers were answered."""
    into = {path: Answers() for path in paths}
    readers = [
        threading.Thread(target=read, args=(port, paths, each, seconds, into)) for each in range(READERS)
    ]
    for each in readers:
        each.start()
    for each in readers:
        each.join()
    return into


def weight(port: int, path: str) -> float:
    """What a browser that knows nothing yet is sent before it shows a page, in kB."""
    body = ask(port, path)[2]
    parts = {unescape(part) for part in _PART.findall(text_of(body))}
    return (len(body) + sum(len(ask(port, part)[2]) for part in parts)) / 1000


def told(named: dict[str, str], found: dict[str, Answers]) -> None:
    for path, answers in found.items():
        if not answers.seconds:
            continue
        name = f"{named[path][:70]} ({len(answers.seconds)})"
        taken = sorted(1000 * each for each in answers.seconds)
        ratio(f"{name}, median, milliseconds", statistics.median(taken), 150)
        ratio(f"{name}, 99 of 100, milliseconds", taken[min(len(taken) - 1, int(0.99 * len(taken)))], 400)
        if answers.refused:
            ratio(f"{name}, not answered with 200", answers.refused, 0)


def main() -> None:
    if sys.argv[1] == "--serve":
        run(sys.argv[2], int(sys.argv[3]))
        return
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else SECONDS
    with served(sys.argv[1]) as port:
        named = addresses(port)
        say(f"load before: {os.getloadavg()[0]:.2f}; {len(named)} addresses")
        for name in ("just started", "then"):  # figures of a million machines are worked out at first
            say(f"{name}, {seconds:.0f} s:")
            found = load(port, list(named), seconds)
            told(named, found)
            everything = sorted(1000 * each for answers in found.values() for each in answers.seconds)
            ratio("all pages, median, milliseconds", statistics.median(everything), 150)
            ratio("all pages, 99 of 100, milliseconds", everything[int(0.99 * len(everything))], 400)
        for path in WITHOUT_MARKS:
            if path in named:
                ratio(f"{path}, first paint, kB as sent", weight(port, path), 100)


if __name__ == "__main__":
    main()
