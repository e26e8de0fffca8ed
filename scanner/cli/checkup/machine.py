"""This machine: Python, limits of the kernel, disk, clock, languages."""

from __future__ import annotations

import os
import platform
import resource
import shutil
import socket
import sys
import zoneinfo
from datetime import UTC, date, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.cli.checkup import Finding, State
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Callable

_OLDEST: Final = (3, 11)
_DESCRIPTORS: Final = 4096
"""Fewer open files than this hold a fast scan back."""
_PORTS: Final = 16384
"""Fewer ephemeral ports than this run out: a closed connection keeps its port for a minute."""
_SPACE, _LEAST_SPACE = 1 << 30, 100 << 20
_NEIGHBOURS: Final = Path("/proc/sys/net/ipv4/neigh/default/gc_thresh3")
_MANY: Final = 8192
"""Fewer neighbours than this, and thousands of addresses on one segment are too many for a fast scan."""
_PORT_RANGE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_BUILT: Final = date(2026, 11, 1)
"""No clock can be before this version."""


def python(version: tuple[int, ...] = sys.version_info[:3]) -> Finding:
    """Whether this Python is one that the product runs on."""
    values = {"version": ".".join(map(str, version)), "system": platform.platform(terse=True)}
    if version[:2] >= _OLDEST:
        return Finding("python", State.OK, Message("Python {version} on {system}", values))
    fix = Message("install Python 3.11 or newer")
    return Finding("python", State.FAIL, Message("Python {version} is too old", values), fix)


def uvloop(*, there: bool | None = None) -> Finding:
    """Whether the fast event loop is installed."""
    if find_spec("uvloop") is not None if there is None else there:
        return Finding("uvloop", State.OK, Message("the fast event loop is installed"))
    says = Message("the fast event loop is not installed: scans are slower")
    return Finding("uvloop", State.WARN, says, Message("pip install uvloop"))


def descriptors(limit: int | None = None) -> Finding:
    """How many connections may be open at once: the hard limit, which a scan raises its own to."""
    allowed = resource.getrlimit(resource.RLIMIT_NOFILE)[1] if limit is None else limit
    if allowed == resource.RLIM_INFINITY or allowed >= _DESCRIPTORS:
        shown = "∞" if allowed == resource.RLIM_INFINITY else str(allowed)
        return Finding(
            "descriptors", State.OK, Message("{number} files may be open at once", {"number": shown})
        )
    says = Message("only {number} files may be open at once: scans are slower", {"number": str(allowed)})
    fix = Message("raise it: LimitNOFILE=65536 in the systemd unit, or nofile in /etc/security/limits.conf")
    return Finding("descriptors", State.WARN, says, fix)


def ports(file: Path = _PORT_RANGE) -> Finding:
    """How many connections may be made in a minute: each keeps a local port that long."""
    try:
        low, high = (int(word) for word in file.read_text(encoding="ascii").split())
    except (OSError, ValueError):
        says = Message("the range of local ports cannot be read")
        return Finding("ports", State.WARN, says, Message("scan from Linux, with /proc mounted"))
    values = {"number": str(high - low + 1)}
    if high - low + 1 >= _PORTS:
        return Finding("ports", State.OK, Message("{number} local ports for connections", values))
    fix = Message('sysctl -w net.ipv4.ip_local_port_range="16384 60999"')
    return Finding(
        "ports", State.WARN, Message("only {number} local ports: fast scans run out of them", values), fix
    )


def neighbours(file: Path = _NEIGHBOURS) -> Finding:
    """How many machines of its own segments the kernel can know at one time (arp(7), gc_thresh3)."""
    try:
        number = int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        says = Message("how many neighbours the kernel can know cannot be read")
        return Finding("neighbours", State.WARN, says, Message("scan from Linux, with /proc mounted"))
    values = {"number": str(number)}
    if number >= _MANY:
        return Finding("neighbours", State.OK, Message("the kernel can know {number} neighbours", values))
    says = Message(
        "the kernel can know {number} neighbours only: fast sweeps of its segment miss some", values
    )
    fix = Message("sysctl -w net.ipv4.neigh.default.gc_thresh3=16384, or --sweep arp, or a lower --rate")
    return Finding("neighbours", State.WARN, says, fix)


def retransmissions(option: int | None = getattr(socket, "TCP_SYNCNT", None)) -> Finding:
    """Whether the kernel can be kept from repeating what silent hosts do not answer."""
    says = Message("the kernel sends to silent hosts no more often than it is told")
    if option is None:
        fix = Message("scan from Linux")
        says = Message("TCP_SYNCNT is missing: the kernel repeats its attempts as it likes")
        return Finding("retransmissions", State.FAIL, says, fix)
    return Finding("retransmissions", State.OK, says)


def interface(option: int | None = getattr(socket, "SO_BINDTODEVICE", None)) -> Finding:
    """Whether a scan can be held to one network interface."""
    says = Message("scans can be held to one network interface")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as unconnected:
            if option is None:
                raise PermissionError
            unconnected.setsockopt(socket.SOL_SOCKET, option, b"lo\0")
    except OSError:
        says = Message("scans cannot be held to one network interface: the routing table decides")
        return Finding("interface", State.WARN, says, Message("scan from Linux 5.7 or newer"))
    return Finding("interface", State.OK, says)


def echo(make: Callable[[int, int, int], socket.socket] = socket.socket) -> Finding:
    """Whether ICMP echo can be sent: by a socket that needs no right (icmp(7)), or by a raw one."""
    ways = {
        socket.SOCK_DGRAM: Message("ICMP echo needs no right here: for canaries, and --sweep echo"),
        socket.SOCK_RAW: Message("ICMP echo can be sent, from a raw socket: for canaries, and --sweep echo"),
    }
    for kind, says in ways.items():
        try:
            make(socket.AF_INET, kind, socket.IPPROTO_ICMP).close()
        except OSError:
            continue
        return Finding("echo", State.OK, says)
    fix = Message(
        'let this group alone: sysctl -w net.ipv4.ping_group_range="{group} {group}", kept in /etc/sysctl.d; '
        "or give canaries a port",
        {"group": str(os.getegid())},
    )
    says = Message("no right to ICMP echo: no canary can be asked by it, and --sweep echo is not possible")
    return Finding("echo", State.WARN, says, fix)


def disk(folder: Path, free: int | None = None) -> Finding:
    """Whether there is room for an inventory."""
    left = shutil.disk_usage(folder).free if free is None else free
    values = {"free": f"{left / (1 << 20):.0f}", "folder": str(folder)}
    if left >= _SPACE:
        return Finding("disk", State.OK, Message("{free} MiB are free in {folder}", values))
    fix = Message("make room, or keep the inventory elsewhere (--db)")
    state = State.WARN if left >= _LEAST_SPACE else State.FAIL
    return Finding("disk", state, Message("only {free} MiB are free in {folder}", values), fix)


def clock(now: datetime | None = None) -> Finding:
    """Whether the clock can be right, and which time zone it has."""
    here = (now or datetime.now(UTC)).astimezone()
    values = {"now": here.strftime("%Y-%m-%d %H:%M"), "zone": here.strftime("%Z %z")}
    if here.date() < _BUILT:
        fix = Message("set it: timedatectl set-ntp true")
        return Finding("clock", State.FAIL, Message("the clock is wrong: {now} {zone}", values), fix)
    return Finding("clock", State.OK, Message("{now} {zone}", values))


def zones(wanted: str = "Europe/Paris") -> Finding:
    """Whether the windows of a site file can be understood."""
    try:
        zoneinfo.ZoneInfo(wanted)
    except zoneinfo.ZoneInfoNotFoundError:
        says = Message("{zone} is not known: no scan window can be kept", {"zone": wanted})
        return Finding("zones", State.FAIL, says, Message("apt install tzdata"))
    return Finding("zones", State.OK, Message("time zones are known"))


def terminal(encoding: str | None = None) -> Finding:
    """Whether accents can be printed."""
    used = (encoding or sys.stdout.encoding or "").lower()
    if used.replace("-", "").replace("_", "") == "utf8":
        return Finding(
            "terminal", State.OK, Message("accents can be printed ({encoding})", {"encoding": used})
        )
    says = Message("accents cannot be printed: the encoding is {encoding}", {"encoding": used})
    return Finding("terminal", State.WARN, says, Message("export LANG=C.UTF-8, or fr_FR.UTF-8"))
