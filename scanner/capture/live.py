"""An interface, heard by a child process that can do nothing else.

The child (``children/hearing.py``) has the socket, no right and no way to send; what it hears comes as a
capture, through a pipe. Here there is never a socket. A thread keeps taking what comes, so that nothing is
lost while somebody is busy with what came before.
"""

from __future__ import annotations

import errno
import json
import math
import os
import re
import struct
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from scanner.capture.frames import ETHERNET
from scanner.capture.sieve import RAW, steps_for
from scanner.capture.telling import Frame
from scanner.capture.waiting import Waiting
from scanner.errors import ConfigError, VetusteError
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_PROGRAM: Final = Path(__file__).with_name("children") / "hearing.py"
_INTERFACES: Final = Path("/sys/class/net")
_EVERY: Final = "any"
"""What other programs call all interfaces together."""
_LONGEST_NAME: Final = 15
_HEADER: Final = struct.Struct("=20xI")
"""A capture's link type stands at the end of its header."""
_RECORD: Final = struct.Struct("=III4x")
"""Seconds, nanoseconds, and bytes that follow (draft-ietf-opsawg-pcap, 5)."""
_NANOSECOND: Final = 1e-9
_LONGEST: Final = 1 << 20
"""Bytes of a record: no interface has longer frames."""
_BLOCK: Final = 1 << 20
_WAIT_SECONDS: Final = 1.0
_WAITING: Final = 128 << 20
"""Bytes that wait here at most; then what comes waits in the kernel's ring."""
_OPTIONS: Final = "-p User=vetuste -p AmbientCapabilities=CAP_NET_RAW -p NoNewPrivileges=yes"
"""Of systemd.exec(5)."""
_COUNTS: Final = re.compile(rb"counts (\d{1,18}) (\d{1,18})")


class Live:
    """An interface that is listened to while this is entered."""

    def __init__(self, interface: str) -> None:
        """Name an interface; nothing happens yet."""
        self.interface = interface
        self.heard = self.lost = 0
        """Packets that the kernel's filter let through: those that were heard, and those that were lost
        because nobody took them in time. A second old at most, and whole at the end."""
        self.over = False
        """Whether nothing comes any more."""
        self._stopped = False
        self._link = ETHERNET
        self._rest = self._line = self._said = b""

    def __enter__(self) -> Self:
        """Begin to listen.

        Raises:
            ConfigError: there is no such interface, it is down, or this machine may not.
            VetusteError: it cannot, for another reason.
        """
        self._child = _started(self.interface)
        assert self._child.stdout is not None  # noqa: S101 - it was asked for
        assert self._child.stderr is not None  # noqa: S101 - the same
        self._out, self._err = self._child.stdout.fileno(), self._child.stderr.fileno()
        self._waiting = Waiting(_WAITING)
        self._fetching = threading.Thread(target=_fetch, args=(self._out, self._waiting), daemon=True)
        try:
            self._begin()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def frames(self, seconds: float = math.inf) -> Iterator[Frame]:
        """What is heard, as it is heard: for so many seconds, or until it is over.

        Raises:
            VetusteError: the interface went away; all that was heard before was given.
        """
        until = time.monotonic() + seconds
        while not self.over and (left := until - time.monotonic()) > 0:
            self._rest = yield from _frames_of(self._rest + self._come(left), self._link)
            self.over = self.over or len(self._rest) > _LONGEST
        if self.over and not self._stopped:
            raise _ended(self._said, self.interface)

    def stop(self) -> None:
        """Let it be over soon: :meth:`frames` still gives what was heard. A signal handler may call this."""
        self._stopped = True
        assert self._child.stdin is not None  # noqa: S101 - it was asked for
        self._child.stdin.close()

    def close(self) -> None:
        """End the child."""
        self.over = self._stopped = True
        with self._child:  # which closes its pipes, and waits for it
            self._child.kill()
            self._waiting.close()
            if self._fetching.is_alive():
                self._fetching.join()

    def _begin(self) -> None:
        """Wait for the header: it comes when everything is dropped."""
        header = b""
        while len(header) < _HEADER.size:
            came = os.read(self._out, _HEADER.size - len(header))
            if not came:
                self._hear_of(to_the_end=True)
                raise _refused(self._said, self.interface)
            header += came
        (self._link,) = _HEADER.unpack(header)
        os.set_blocking(self._err, False)
        self._fetching.start()

    def _come(self, seconds: float) -> bytes:
        """What comes next of the capture; nothing if nothing comes for so many seconds, or at the end."""
        came = self._waiting.take(min(seconds, _WAIT_SECONDS))
        self.over = came == b""
        self._hear_of(to_the_end=self.over)
        return came or b""

    def _hear_of(self, *, to_the_end: bool) -> None:
        """Take what the child tells of itself, line by line: what is there, or all."""
        if to_the_end:
            os.set_blocking(self._err, True)
        with suppress(BlockingIOError):
            while told := os.read(self._err, _BLOCK):
                *lines, self._line = (self._line + told).split(b"\n")
                for line in lines:
                    if counts := _COUNTS.fullmatch(line):
                        self.heard, self.lost = map(int, counts.groups())
                    else:
                        self._said = line


def _fetch(out: int, waiting: Waiting) -> None:
    """Fetch what comes, to its end."""
    came = b"-"
    while came:
        came = os.read(out, _BLOCK)
        waiting.put(came)


def _started(interface: str) -> subprocess.Popen[bytes]:
    """The child, as it begins.

    Raises:
        ConfigError: this can be no interface.
    """
    if interface == _EVERY:
        raise ConfigError("one interface can be listened to at a time: {names}", names=_interfaces())
    if not 0 < len(interface.encode(errors="replace")) <= _LONGEST_NAME or "\0" in interface:
        raise _refused(b"failed %d" % errno.ENODEV, interface)
    filters = {link: steps_for(link) for link in (ETHERNET, RAW)}
    asked = {"interface": interface, "parent": os.getpid(), "filters": filters}
    return subprocess.Popen(  # noqa: S603 - a program of ours
        [sys.executable, "-I", "-B", str(_PROGRAM), json.dumps(asked)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
        cwd="/",
        env={"LANG": "C.UTF-8"},
        start_new_session=True,  # Ctrl-C is for this process
    )


def _frames_of(data: bytes, link: int) -> Generator[Frame, None, bytes]:
    """The frames of a piece of a capture; what comes back is the beginning of one that goes on."""
    unpack, size, end, new = _RECORD.unpack_from, _RECORD.size, len(data), tuple.__new__
    at = 0
    while at + size <= end:
        seconds, nanoseconds, length = unpack(data, at)
        start = at + size
        if start + length > end:
            break
        at = start + length
        yield new(Frame, (link, seconds + nanoseconds * _NANOSECOND, data[start:at]))
    return data[at:]


def _interfaces() -> str:
    return ", ".join(sorted(each.name for each in _INTERFACES.iterdir()))


def _refused(said: bytes, interface: str) -> VetusteError:
    """Why it did not begin, from what the child said last."""
    word, _, value = said.decode(errors="replace").partition(" ")
    code = int(value) if word == "failed" and value.isdecimal() else 0
    if code in (errno.EPERM, errno.EACCES):
        return ConfigError(
            "no right to listen to {name}; give it to this alone: systemd-run --pipe --wait {options} "
            "vetuste listen … (vetuste doctor says more)",
            name=interface,
            options=_OPTIONS,
        )
    if code in (errno.ENODEV, errno.ENXIO):
        return ConfigError("no interface {name}; there is {names}", name=interface, names=_interfaces())
    if code == errno.ENETDOWN:
        return ConfigError("{name} is down: ip link set {name} up", name=interface)
    if word == "link":
        return ConfigError("{name} cannot be listened to: it is no Ethernet", name=interface)
    why = os.strerror(code) if code else printable(f"{word} {value}")
    return VetusteError("{name} cannot be listened to: {why}", name=interface, why=why)


def _ended(said: bytes, interface: str) -> VetusteError:
    """Why it is over though nobody asked for that."""
    if said == b"gone":
        return VetusteError("{name} went away, or was taken down: nothing is heard any more", name=interface)
    return VetusteError("the hearing part ended: nothing is heard any more from {name}", name=interface)
