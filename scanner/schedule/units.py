"""Units of systemd for a schedule: a service that may do what a scan needs and nothing else, and its timer.

systemd.service(5), systemd.exec(5), systemd.time(7). ``Type=oneshot`` would ignore ``RuntimeMaxSec=``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.schedule.times import DAYS, due

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date
    from pathlib import Path

    from scanner.schedule.entries import Schedule
    from scanner.schedule.times import Times

_FORESIGHT: Final = 10 * 366
"""Days for which a timer is told when to come in place of a time that the clocks skip."""
_ALWAYS: Final = (
    "NoNewPrivileges=yes",
    "UMask=0077",
    "LockPersonality=yes",
    "MemoryDenyWriteExecute=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@resources",
    "SystemCallErrorNumber=EPERM",
)
"""What needs no right to set up, so that units of users have it too."""
_OF_THE_SYSTEM: Final = (
    "DevicePolicy=closed",
    "PrivateDevices=yes",
    "PrivateMounts=yes",
    "PrivateTmp=yes",
    "ProcSubset=all",  # the kernel's tables of routes and neighbours are under /proc/net
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHome=read-only",  # site file and interpreter may be there
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    "ProtectSystem=strict",
    "RemoveIPC=yes",
)
_RAW_CHILD: Final = "CAP_KILL CAP_SETUID CAP_SETGID CAP_SETPCAP"
"""With these the raw part of a scan of root's gives up being root, and is ended by it all the same."""


@dataclass(frozen=True, slots=True)
class Setting:
    """Where units are to run."""

    front: Sequence[str]
    """The command that is ``vetuste``."""
    state: Path
    """The state folder."""
    writable: Sequence[Path] = field(default=())
    """Folders beside it in which a scan writes: that of its inventory."""
    user: str | None = None
    """Of the system's units: who runs them. None: units of a user's own manager."""
    hours: int = 72
    """After so many a run is ended as Ctrl-C would end it."""


def unit_name(schedule: Schedule) -> str:
    """How its units are called, without what is behind the dot."""
    return f"vetuste-{schedule.name}"


def alerts_name(schedule: Schedule) -> str:
    """How the units are called that have its alerts sent between two runs."""
    return f"{unit_name(schedule)}-alerts"


def alerts_timer(schedule: Schedule) -> str:
    """Once an hour: a scan that is late tells nobody so, and what quiet hours held back waits."""
    return _timer(f"Alerts by vetuste: {schedule.name}", ("hourly",))


def alerts_service(schedule: Schedule, setting: Setting) -> str:
    """The service of that timer."""
    words = ("alert", "send", *schedule.where)
    return _service(f"Alerts by vetuste: {schedule.name}", words, schedule, setting)


def timer(schedule: Schedule, today: date) -> str:
    """The timer of a schedule.

    What was missed while the machine was off is caught up once. systemd leaves out what the clocks skip, so
    the timer is told the moments after the gaps of the next ten years one by one.
    """
    return _timer(f"Scan by vetuste: {schedule.name}", calendar(schedule.times, today))


def _timer(about: str, calendars: Sequence[str]) -> str:
    lines = [
        *("[Unit]", f"Description={about}", "", "[Timer]"),
        *(f"OnCalendar={each}" for each in calendars),
        *("AccuracySec=1s", "Persistent=true", "", "[Install]", "WantedBy=timers.target"),
    ]
    return _unit(lines)


def calendar(times: Times, today: date) -> list[str]:
    """When it is due, as systemd.time(7) writes it; gaps of the next ten years after ``today`` included."""
    days = ",".join(DAYS[number].capitalize() for number in sorted(times.weekdays))
    before = "" if len(times.weekdays) == len(DAYS) else f"{days} "
    month_day = "*" if times.month_day is None else f"{times.month_day:02}"
    regular = [f"{before}*-*-{month_day} {at:%H:%M:%S} {times.zone.key}" for at in times.at]
    moved = (due(local) for local in times.skipped(today, _FORESIGHT))
    return [*regular, *(f"{moment:%Y-%m-%d %H:%M:%S} UTC" for moment in moved)]


def service(schedule: Schedule, setting: Setting) -> str:
    """The service of a schedule: one run, after whatever other schedule runs then."""
    words = ("schedule", "run", schedule.name, "--wait")
    return _service(f"Scan by vetuste: {schedule.name}", words, schedule, setting)


def _service(about: str, asked: Sequence[str], schedule: Schedule, setting: Setting) -> str:
    words = (*setting.front, *asked)
    lines = [
        *("[Unit]", f"Description={about}"),
        *(() if setting.user is None else ("Wants=network-online.target", "After=network-online.target")),
        *(
            "",
            "[Service]",
            "Type=exec",
            f"ExecStart={' '.join((_program(words[0]), *(_quoted(word, '$') for word in words[1:])))}",
        ),
        f"WorkingDirectory={_path(schedule.folder)}",
        f"Environment={_quoted(f'VETUSTE_STATE={setting.state}')}",
        "EnvironmentFile=-%E/vetuste/environment",  # /etc, or the user's ~/.config
        # Whoever stops it stops the scan, which writes what it learnt.
        *("KillMode=mixed", "TimeoutStopSec=2min", f"RuntimeMaxSec={setting.hours}h"),
        *_ALWAYS,
        *_families(schedule),
        *(() if setting.user is None else _of_the_system(schedule, setting, setting.user)),
    ]
    return _unit(lines)


def _of_the_system(schedule: Schedule, setting: Setting, user: str) -> list[str]:
    raw = "CAP_NET_RAW" if _is_raw(schedule) else ""
    child = f" {_RAW_CHILD}" if raw and user == "root" else ""
    writable = dict.fromkeys((setting.state, *setting.writable))
    return [
        f"User={user}",
        f"CapabilityBoundingSet={raw}{child}",
        f"AmbientCapabilities={raw if user != 'root' else ''}",
        *_OF_THE_SYSTEM,
        f"ReadWritePaths={' '.join(_quoted(str(folder)) for folder in writable)}",
    ]


def _families(schedule: Schedule) -> list[str]:
    packet = " AF_PACKET" if _is_raw(schedule) else ""
    return [f"RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK{packet}"]


def _is_raw(schedule: Schedule) -> bool:
    """Whether hosts are looked at from raw sockets; plain connections need no right."""
    return any(argument.startswith("--sweep=") for argument in schedule.arguments)


def _unit(lines: Sequence[str]) -> str:
    return "\n".join(lines) + "\n"


def _path(folder: Path) -> str:
    return _demand_one_line(str(folder)).replace("%", "%%")


def _quoted(text: str, more: str = "") -> str:
    """Text as one word; ``%`` is for specifiers, and in commands ``$`` for variables: both are doubled."""
    escaped = _demand_one_line(text).replace("\\", "\\\\").replace('"', '\\"')
    for sign in ("%", *more):
        escaped = escaped.replace(sign, 2 * sign)
    return f'"{escaped}"'


def _program(path: str) -> str:
    """Of a program's own path systemd takes no character for anything but itself, and refuses some."""
    if set(path) & set("\"'\\$"):
        raise _unfit(path)
    return _quoted(path)


def _demand_one_line(text: str) -> str:
    if not text.isprintable():
        raise _unfit(text)
    return text


def _unfit(text: str) -> ConfigError:
    return ConfigError("{name} cannot stand in a unit of systemd: rename it", name=repr(text))
