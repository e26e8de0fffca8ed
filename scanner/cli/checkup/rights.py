"""Rights: none is needed; some ways to look at hosts need one, and it is safest given to one scan alone."""

from __future__ import annotations

import os
import stat
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from scanner.cli.checkup import Finding, State
from scanner.language import Message

_RAW: Final = 1 << 13
"""CAP_NET_RAW, capabilities(7)."""
_STATUS: Final = Path("/proc/self/status")
_FILE_CAPABILITY: Final = "security.capability"
"""The extended attribute that setcap(8) writes."""
UNIT: Final = (
    "User=vetuste",
    "AmbientCapabilities=CAP_NET_RAW",
    "CapabilityBoundingSet=CAP_NET_RAW",
    "NoNewPrivileges=yes",
)
"""What a unit of systemd.exec(5) says, so that one scan has this one right, and can get no other."""


def rights(user: int | None = None) -> Finding:
    """Which rights this process has; none is needed."""
    if (os.geteuid() if user is None else user) == 0:
        says = Message("root, which no command of this version needs")
        return Finding("rights", State.WARN, says, Message("run it as an ordinary user"))
    return Finding("rights", State.OK, Message("an ordinary user: all that is needed"))


def raw(*, allowed: bool | None = None, scapy: bool | None = None) -> Finding:
    """Whether hosts can be looked at from a raw socket, by SYN and by ARP."""
    if not (_may_send_raw() if allowed is None else allowed):
        says = Message("no right to raw sockets: --sweep syn and --sweep arp are not possible")
        values = {"options": " ".join(f"-p {line}" for line in UNIT), "lines": ", ".join(UNIT)}
        fix = Message(
            "give it to one scan, not to a program: systemd-run --pipe --wait {options} vetuste scan …; "
            "in a unit: {lines}",
            values,
        )
        return Finding("raw", State.WARN, says, fix)
    if not (find_spec("scapy") is not None if scapy is None else scapy):
        says = Message("--sweep syn is possible; --sweep arp lacks scapy")
        return Finding("raw", State.WARN, says, Message('pip install "vetuste[arp]"'))
    return Finding("raw", State.OK, Message("--sweep syn and --sweep arp are possible"))


def interpreter(program: Path | None = None) -> Finding:
    """Whether the Python interpreter itself carries rights, which whoever may run it then has."""
    file = (program or Path(sys.executable)).resolve()
    if not _carries_rights(file):
        return Finding(
            "interpreter", State.OK, Message("the Python interpreter carries no rights of its own")
        )
    values = {"file": str(file)}
    says = Message("{file} carries rights, which every program of whoever may run it has", values)
    fix = Message("setcap -r {file}; chmod u-s,g-s {file}; give rights to one scan, not to Python", values)
    return Finding("interpreter", State.WARN, says, fix)


def _carries_rights(file: Path) -> bool:
    """Whether a file has a capability, or runs as its owner or group."""
    try:
        if file.stat().st_mode & (stat.S_ISUID | stat.S_ISGID):
            return True
        return bool(os.getxattr(file, _FILE_CAPABILITY))
    except (OSError, AttributeError):  # it has none; or this system knows none
        return False


def _may_send_raw(status: Path = _STATUS) -> bool:
    """Whether a child process has the right: of root, or handed down (ambient), or from the interpreter."""
    kept = _capabilities(status)
    handed_down = os.geteuid() == 0 or _carries_rights(Path(sys.executable).resolve())
    return bool((kept.get("CapEff", 0) if handed_down else kept.get("CapAmb", 0)) & _RAW)


def _capabilities(status: Path) -> dict[str, int]:
    """The sets of capabilities of this process, by their names in proc(5)."""
    try:
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        pairs = (line.split(":", 1) for line in lines if line.startswith("Cap"))
        return {name: int(value, 16) for name, value in pairs}
    except (OSError, ValueError):
        return {}
