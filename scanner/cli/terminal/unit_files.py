"""``schedule install`` and ``uninstall``: units of systemd, put where it reads them and taken away."""

from __future__ import annotations

import os
import pwd
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.options import Where
from scanner.cli.terminal.output import say, tell
from scanner.cli.terminal.switches import Argument, Option
from scanner.cli.terminal.timing import tell_of_skipped
from scanner.config import read_site
from scanner.errors import ConfigError, VetusteError
from scanner.inventory.database import database_of
from scanner.inventory.drafts import draft_of
from scanner.schedule.entries import demand_name
from scanner.schedule.running import schedule_named
from scanner.schedule.state import schedules_in, state_folder
from scanner.schedule.units import (
    Setting,
    alerts_name,
    alerts_service,
    alerts_timer,
    service,
    timer,
    unit_name,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from scanner.schedule.entries import Schedule

_READABLE = 0o644

_system: Callable[[Any], Any] = click.option(
    "--system/--user",
    cls=Option,
    default=None,
    help="Units of the system (otherwise root's), or of this user.",
)


def own_command() -> tuple[str, ...]:
    """The command that this process is, for children and units: the same interpreter, the same program."""
    # Links are kept: a virtual environment's interpreter is one.
    return (os.path.abspath(sys.executable), os.path.abspath(sys.argv[0]))  # noqa: PTH100 - it drops ".."


@command_of(
    """Write units of systemd for schedules: a hardened service and its timer for each.

    Where the site file has alerts, two more have them sent once an hour. They run as the owner of the state
    folder. What was missed while the machine was off is caught up once.
    """,
    name="install",
    examples=(
        ("All schedules of this user:", "vetuste schedule install"),
        ("To read before anybody installs them:", "vetuste schedule install --system --out /tmp/units"),
    ),
)
@click.argument("names", nargs=-1, cls=Argument)
@_system
@click.option("--out", cls=Option, type=click.Path(path_type=Path), metavar="DIR", help="Write them there.")
@click.option(
    "--hours",
    cls=Option,
    type=click.IntRange(1, 1000),
    default=72,
    help="End a run after so many; 72 otherwise.",
)
def install(*, names: tuple[str, ...], system: bool | None, out: Path | None, hours: int) -> None:
    """Write them, and say how they are switched on."""
    systems = os.geteuid() == 0 if system is None else system
    state, folder = state_folder(os.environ), _units_folder(system=systems) if out is None else out
    kept = schedules_in(state, _owner_of(state) if systems else None)
    if not kept:
        raise ConfigError("there is no schedule: vetuste schedule add makes one")
    chosen = [schedule_named(kept, name) for name in names] or list(kept.values())
    made = [_units_of(each, state, hours, system=systems) for each in chosen]
    for each, units in zip(chosen, made, strict=True):
        _write_units(folder, units)
        tell_of_skipped(each.name, each.times, datetime.now(UTC))
        for name in units:
            say("{file} was written.", file=folder / name)
    if out is None:
        timers = " ".join(name for units in made for name in units if name.endswith(".timer"))
        control = "systemctl" if systems else "systemctl --user"
        tell(
            "now: {control} daemon-reload && {control} enable --now {timers}", control=control, timers=timers
        )


@command_of(
    """Remove the units of a schedule; the schedule itself stays.""",
    name="uninstall",
    examples=(
        ("Once its timer is disabled (systemctl disable --now):", "sudo vetuste schedule uninstall site"),
    ),
)
@click.argument("name", cls=Argument)
@_system
@click.option("--out", cls=Option, type=click.Path(path_type=Path), metavar="DIR", help="From there.")
def uninstall(*, name: str, system: bool | None, out: Path | None) -> None:
    """Remove the files."""
    systems = os.geteuid() == 0 if system is None else system
    folder = _units_folder(system=systems) if out is None else out
    removed = _remove_units(folder, demand_name(name))
    if not removed:
        raise ConfigError("no unit of the schedule {name} is there", file=folder, name=name)
    for file in removed:
        say("{file} was removed.", file=file)
    tell("now: {control} daemon-reload", control="systemctl" if systems else "systemctl --user")


def _units_folder(*, system: bool) -> Path:
    """Where systemd looks for units of the system, or for those of this user."""
    if system:
        return Path("/etc/systemd/system")
    home = Path(os.environ.get("XDG_CONFIG_HOME", ""))
    return (home if home.is_absolute() else Path.home() / ".config") / "systemd" / "user"


def _owner_of(state: Path) -> int:
    """Whose the state folder is: with whose rights the system's units run.

    Raises:
        ConfigError: there is none.
    """
    try:
        return state.stat().st_uid
    except OSError as error:
        raise ConfigError(
            "no schedule was added here: {why}", file=state, why=os.strerror(error.errno or 0)
        ) from error


def _units_of(schedule: Schedule, state: Path, hours: int, *, system: bool) -> dict[str, str]:
    """The units of a schedule: names of files, and what stands in them.

    Raises:
        ConfigError: a path cannot stand in a unit.
    """
    user = _name_of(_owner_of(state)) if system else None
    setting = Setting(own_command(), state, tuple(_folders(schedule)), user, hours)
    name, alerts = unit_name(schedule), alerts_name(schedule)
    units = {
        f"{name}.service": service(schedule, setting),
        f"{name}.timer": timer(schedule, datetime.now(UTC).date()),
    }
    if not read_site(schedule.site).file.alerts:
        return units
    return units | {
        f"{alerts}.service": alerts_service(schedule, setting),
        f"{alerts}.timer": alerts_timer(schedule),
    }


def _write_units(folder: Path, units: dict[str, str]) -> None:
    """Write them, each whole or not at all.

    Raises:
        VetusteError: they cannot be written there.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in units.items():
            with draft_of(folder / name) as draft:
                draft.write_text(text, encoding="utf-8")
                draft.chmod(_READABLE)
                draft.replace(folder / name)
    except OSError as error:
        raise _failed(folder, error) from error


def _remove_units(folder: Path, name: str) -> list[Path]:
    """Remove the units of a schedule, which may be gone itself; those that were there.

    Raises:
        VetusteError: they cannot be removed.
    """
    of_one = (f"vetuste-{name}", f"vetuste-{name}-alerts")
    found = [folder / f"{each}.{kind}" for each in of_one for kind in ("timer", "service")]
    there = [file for file in found if file.is_file()]
    try:
        for file in there:
            file.unlink()
    except OSError as error:
        raise _failed(folder, error) from error
    return there


def _folders(schedule: Schedule) -> Iterator[Path]:
    """Where a scan writes: beside an inventory that is a file."""
    url = Where(schedule.database, str(schedule.site)).url()
    if url.startswith("sqlite:"):
        yield (schedule.folder / str(database_of(url).place)).parent


def _name_of(user: int) -> str:
    try:
        return pwd.getpwuid(user).pw_name
    except KeyError:
        return str(user)


def _failed(folder: Path, error: OSError) -> VetusteError:
    return VetusteError(
        "the units cannot be written or removed: {why}", file=folder, why=os.strerror(error.errno or 0)
    )
