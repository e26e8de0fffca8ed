"""This installation: its data, its languages, its inventory, its site file."""

from __future__ import annotations

import os
import stat
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from scanner.cli.checkup import Finding, State
from scanner.errors import VetusteError
from scanner.language import Message, translate

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from scanner.cli.terminal.options import Where

_STALE = timedelta(days=365)


def data(today: date) -> Finding:
    """Whether fingerprints and dates are there, sound and recent."""
    from scanner.data import data_version  # noqa: PLC0415 - a broken installation must not break the others
    from scanner.fingerprints import load_fingerprints  # noqa: PLC0415 - the same
    from scanner.lifecycle import load_lifecycle  # noqa: PLC0415 - the same

    try:
        load_fingerprints()
        releases = load_lifecycle().releases.values()
        version = data_version()
    except VetusteError as error:
        return Finding("data", State.FAIL, _said(error), Message("correct it, or install the product again"))
    newest = max((release.checked for release in releases if release.checked), default=None)
    values = {"version": version, "number": str(len(releases)), "date": str(newest)}
    if newest is None or today - newest > _STALE:
        says = Message("the dates of support were last checked on {date}", values)
        return Finding("data", State.WARN, says, Message("install the newest version"))
    return Finding("data", State.OK, Message("version {version}: {number} releases, checked {date}", values))


def languages() -> Finding:
    """Whether the French catalogue is installed."""
    if translate("ward", "fr") != "ward":
        return Finding("languages", State.OK, Message("English and French"))
    says = Message("English only: the French catalogue is missing")
    return Finding("languages", State.WARN, says, Message("install the product again"))


def site(where: Where) -> Finding:
    """Whether there is a site file, and a good one."""
    try:
        found = where.site()
    except VetusteError as error:
        return Finding(
            "site", State.FAIL, _said(error), Message("correct it; docs/site-file.md has every key")
        )
    if found is None:
        says = Message("no site file: only private addresses can be scanned, and no ward is known")
        return Finding(
            "site", State.WARN, says, Message("write one (docs/site-file.md), and name it with --site")
        )
    values = {"name": found.site.name, "number": str(len(found.wards))}
    return Finding("site", State.OK, Message("{name}: {number} wards", values))


def alerts(where: Where) -> Iterator[Finding]:
    """Whether what the channels of the site file need is in the environment; nothing where it has none."""
    try:
        file = where.site()
    except VetusteError:
        return
    if file is None or not file.alerts:
        return
    from scanner.alerts.checking import unset_variables  # noqa: PLC0415 - only where there are rules

    if unset := unset_variables(file, os.environ):
        says = Message("not set: {names}", {"names": ", ".join(unset)})
        yield Finding("alerts", State.WARN, says, Message("set them where vetuste alert send is run"))
        return
    values = {"rules": str(len(file.alerts)), "channels": str(len(file.channels))}
    yield Finding(
        "alerts", State.OK, Message("{rules} rules, {channels} channels: vetuste alert test", values)
    )


def inventory(where: Where) -> Finding:
    """Whether there is an inventory, of this version, private and sound."""
    from scanner.inventory import check_inventory, open_inventory  # noqa: PLC0415 - the same

    try:
        url = where.url()
        with open_inventory(url) as opened:
            path = opened.database.place
        faults = check_inventory(url).faults
    except VetusteError as error:
        absent = url_is_absent(where)
        state = State.WARN if absent else State.FAIL
        fix = (
            Message("vetuste scan makes one") if absent else Message("vetuste db upgrade, or the last backup")
        )
        return Finding("inventory", state, _said(error), fix)
    values = {"path": str(path)}
    if faults:
        says = Message("{path} is damaged: {fault}", {**values, "fault": faults[0]})
        return Finding("inventory", State.FAIL, says, Message("go on from the last backup"))
    if isinstance(path, str):
        return Finding("inventory", State.OK, Message("{path} is sound", values))
    if stat.S_IMODE(path.stat().st_mode) & 0o077:
        fix = Message("chmod 600 {path}", values)
        return Finding("inventory", State.WARN, Message("{path} can be read by others", values), fix)
    return Finding("inventory", State.OK, Message("{path} is sound and private", values))


def folder_of(where: Where) -> Path:
    """Where the inventory is or will be; the current directory where that cannot be known."""
    try:
        name = where.url().removeprefix("sqlite:///")
    except VetusteError:
        return Path.cwd()
    path = Path("." if "://" in name else name)
    return path.parent if path.parent.is_dir() else Path.cwd()


def url_is_absent(where: Where) -> bool:
    """Whether the inventory is simply not there yet."""
    from scanner.inventory import inventory_exists  # noqa: PLC0415 - a broken installation must not break the others

    try:
        return not inventory_exists(where.url())
    except VetusteError:
        return False


def _said(error: VetusteError) -> Message:
    return Message("{error}", {"error": str(error)})
