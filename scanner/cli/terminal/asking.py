"""Asking for a scan: the options that say what and how carefully, and the scan that is ready by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import click

from scanner.audit import demand_signed
from scanner.cli.checkup import State
from scanner.cli.checkup.opinions import opinions
from scanner.cli.terminal.options import together
from scanner.cli.terminal.output import tell
from scanner.cli.terminal.scanning import Job, known_of, spared
from scanner.cli.terminal.switches import Option
from scanner.errors import ConfigError
from scanner.language import translate
from scanner.scan import CONNECT, PATIENCE, Request, prepare, request_of
from scanner.sweep.methods import methods
from scanner.transport.descriptors import descriptor_limit
from scanner.transport.limits import PROFILES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from scanner.cli.terminal.options import Where

wish = together(
    click.option(
        "--exclude", cls=Option, multiple=True, metavar="TARGET", help="Never touch these; may be repeated."
    ),
    click.option(
        "--profile", cls=Option, type=click.Choice(list(PROFILES)), help="How carefully; clinical otherwise."
    ),
    click.option(
        "--rate", cls=Option, type=click.FloatRange(min=0.01), help="At most so many attempts a second."
    ),
)
"""What may be asked of any scan, of a site's too: ``--exclude``, ``--profile``, ``--rate``, by name."""

scan_options = together(
    wish,
    click.option("--ports", cls=Option, metavar="LIST", help="Only these of the profile's ports: 445,139."),
    click.option(
        "--sweep",
        cls=Option,
        type=click.Choice([CONNECT, *methods()]),
        default=CONNECT,
        help="How machines are found; docs/safety.md tells the ways apart.",
    ),
    click.option(
        "--deep",
        cls=Option,
        is_flag=True,
        help="Let nmap and impacket have a second look where the verdict stays open; never under clinical.",
    ),
    click.option(
        "--passive-first",
        cls=Option,
        is_flag=True,
        help="Leave alone the machines that listening identified with certainty in the last 7 days.",
    ),
    click.option("--allow-public", cls=Option, is_flag=True, help="Let public addresses be scanned."),
    click.option(
        "--patience",
        cls=Option,
        type=click.FloatRange(min=0),
        default=PATIENCE,
        help="Seconds to wait for a network that is away; 180 otherwise.",
    ),
)
"""What a scan is asked for, ``--exclude`` to ``--patience``; :func:`job_of` reads them by name."""

_OTHERWISE: Final = {"sweep": CONNECT, "patience": PATIENCE}


def arguments_of(asked: Mapping[str, Any]) -> tuple[str, ...]:
    """The command line by which ``vetuste scan`` is asked for the same.

    Args:
        asked: the options of :func:`scan_options`, and ``targets``.
    """
    said = {name: value for name, value in asked.items() if name != "targets" and value}
    found: list[str] = []
    for name, value in said.items():
        option = f"--{name.replace('_', '-')}"
        if value is True:
            found.append(option)
        elif value != _OTHERWISE.get(name):
            found += [f"{option}={each}" for each in (value if isinstance(value, tuple) else (value,))]
    return (*found, "--", *asked["targets"]) if asked["targets"] else tuple(found)


def job_of(asked: Mapping[str, Any], where: Where) -> Job:
    """The scan that is asked for, or the one that was and is not finished; nothing is sent.

    Args:
        asked: the options of :func:`scan_options`, ``targets``, ``planned``, ``resume``, ``fresh`` and
            ``today``.
        where: the site file and the inventory.

    Raises:
        VetusteError: it cannot be carried out.
    """
    if asked["resume"] and asked["fresh"]:
        raise click.UsageError(translate("--resume and --fresh say different things"))
    source = where.site_source()
    # A plan is what one signs by.
    signed = demand_signed(source) if source is not None and not asked["planned"] else ()
    if asked["deep"]:
        _demand_opinions()
    request = _request(asked, source.file if source else None)
    lore, unfinished = known_of(where.url(), source)
    resumed = None
    if asked["resume"]:
        if unfinished is None:
            raise ConfigError("there is no interrupted scan to resume: vetuste scan begins one")
        resumed, request = unfinished, request_of(unfinished, request, source.digest if source else "")
    elif unfinished is not None and not asked["fresh"]:
        tell("scan {scan} was interrupted: --resume goes on with it; this is a new one", scan=unfinished.id)
    if request.passive_first:
        lore = spared(lore, where.url(), source)
    ground = prepare(request, descriptor_limit(), lore)
    ground.gate.unsigned -= frozenset(signed)
    return Job(ground, request, source, where.url(), asked["today"], resumed)


def _demand_opinions() -> None:
    finding = opinions()
    if finding.state is not State.OK:
        raise ConfigError("--deep cannot be had here: {why} (vetuste doctor)", why=finding.says.render())


def _request(asked: Mapping[str, Any], site: Any) -> Request:  # noqa: ANN401 - a SiteFile or None
    return Request(
        asked["targets"],
        site,
        asked["exclude"],
        asked["profile"],
        asked["rate"],
        _ports(asked["ports"]),
        asked["allow_public"],
        asked["patience"],
        asked["deep"],
        asked["sweep"],
        asked["passive_first"],
    )


def _ports(text: str | None) -> frozenset[int] | None:
    if text is None:
        return None
    try:
        ports = frozenset(int(part) for part in text.split(","))
    except ValueError:
        ports = frozenset({0})
    if not all(0 < port < 1 << 16 for port in ports):
        raise ConfigError(
            "{ports} are no ports: write numbers with commas between them", key="--ports", ports=repr(text)
        )
    return ports
