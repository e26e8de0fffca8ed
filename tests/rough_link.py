"""``python -m tests.rough_link``: a cable between two namespaces that loses, delays, doubles and reorders.

What ``tc qdisc … netem`` does, on any kernel that has TUN devices, and with a seed. It makes the two ends,
prints one line when they are there, then takes what it shall do from its standard input, one JSON object a
line, and ends with it.
"""

from __future__ import annotations

import ctypes
import fcntl
import heapq
import json
import os
import random
import select
import struct
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_NEW_NETWORK = 0x40000000
_TUNSETIFF = 0x400454CA
_TUN_NO_PI = 0x1001
_LONGEST = 1 << 16
_LIBC = ctypes.CDLL(None, use_errno=True)


def end_in(namespace: str, device: str) -> int:
    """A TUN device in a network namespace: what is read from it left there, what is written arrives there."""
    with Path("/run/netns", namespace).open("rb") as place:
        if _LIBC.setns(place.fileno(), _NEW_NETWORK):
            raise OSError(ctypes.get_errno(), "setns")
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", device.encode(), _TUN_NO_PI))
    return end


@dataclass
class Link:
    """Two ends, and what happens between them, in either direction."""

    ends: tuple[int, int]
    chance: random.Random
    loss: float = 0
    """The part of all packets that is lost."""
    delay: float = 0
    """Seconds on the way."""
    reorder: float = 0
    """The part of the packets that overtakes: without the delay, as netem does it."""
    duplicate: float = 0
    cut: bool = False
    waiting: list[tuple[float, int, int, bytes]] = field(default_factory=list)
    number: int = 0

    def obey(self, orders: dict[str, Any]) -> None:
        """From now on as told."""
        for name, value in orders.items():
            setattr(self, name, value)

    def take(self, end: int) -> None:
        """Read everything that leaves at one end, and decide what becomes of it."""
        other = self.ends[1 - self.ends.index(end)]
        while True:
            try:
                packet = os.read(end, _LONGEST)
            except BlockingIOError:
                return
            except OSError:  # the device is down
                return
            for _ in range(1 + (self.chance.random() < self.duplicate)):
                if self.cut or self.chance.random() < self.loss:
                    continue
                late = 0 if self.chance.random() < self.reorder else self.delay
                self.number += 1
                heapq.heappush(self.waiting, (time.monotonic() + late, self.number, other, packet))

    def deliver(self) -> float | None:
        """Hand over what is due; seconds until the next is, None where nothing waits."""
        while self.waiting:
            due, _, end, packet = self.waiting[0]
            left = due - time.monotonic()
            if left > 0:
                return left
            heapq.heappop(self.waiting)
            try:
                os.write(end, packet)
            except OSError:  # the device is down: as lost as on a cable
                continue
        return None


def main() -> None:
    """Make the ends and carry packets until standard input closes."""
    (near, near_device), (far, far_device) = (word.split("=") for word in sys.argv[1:3])
    link = Link((end_in(near, near_device), end_in(far, far_device)), random.Random(sys.argv[3]))
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    pending = b""
    while True:
        left = link.deliver()
        ready, _, _ = select.select([0, *link.ends], [], [], left)
        for end in link.ends:
            if end in ready:
                link.take(end)
        if 0 in ready:
            said = os.read(0, 4096)
            if not said:
                return
            *lines, pending = (pending + said).split(b"\n")
            for line in lines:
                link.obey(json.loads(line))


if __name__ == "__main__":
    main()
