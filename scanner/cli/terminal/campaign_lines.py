"""Campaigns as people and programs read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scanner.audit.heads import head_given
from scanner.cli.terminal.exits import DONE, FAILED
from scanner.cli.terminal.objects import moment
from scanner.cli.terminal.output import complain, say, write_lines
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import heading
from scanner.errors import VetusteError
from scanner.language import translate

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from scanner.campaign import State
    from scanner.inventory.campaigns import Campaign

_FIGURES = ("ward", "certain", "probable", "to_verify", "seen", "scope", "never_scanned")


def print_campaigns(found: Sequence[Campaign]) -> None:
    """The table of ``campaign list``."""
    heads = [
        *(Column(translate("campaign")), Column(heading("site")), Column(translate("from (UTC)"))),
        *(Column(translate("closed (UTC)")), Column(translate("exported (UTC)")), Column(translate("head"))),
    ]
    rows = [
        [each.name, each.site, *map(_shown, (each.since, each.closed, each.exported)), each.head or "-"]
        for each in found
    ]
    write_lines(table(heads, [[Cell(text) for text in row] for row in rows], width=terminal_width()))
    say()
    say("Campaigns: {number}.", number=len(found))


def print_campaign(campaign: Campaign, said: Mapping[str, Any]) -> None:
    """What ``campaign show`` prints: the campaign, and what its manifest says once it is closed."""
    wards = ", ".join(campaign.wards) or translate("all")
    say("Site {site}; wards: {wards}", site=campaign.site or "-", wards=wards)
    say("Opened on {when} UTC by {account}", when=_shown(campaign.opened), account=campaign.opened_by)
    if not said:
        return
    say("Closed on {when} UTC by {account}", when=_shown(campaign.closed), account=campaign.closed_by)
    say("Scans: {number}.", number=len(said["scans"]))
    heads = [Column(heading(name), figures=name != "ward") for name in _FIGURES]
    cells = [[Cell(str(row[name]) or "-") for name in _FIGURES] for row in said["counts"]["wards"]]
    write_lines(table(heads, cells, width=terminal_width()))
    say("Head: {head}", head=campaign.head)


def campaign_object(campaign: Campaign) -> dict[str, Any]:
    """A campaign for programs."""
    times = {name: getattr(campaign, name) for name in ("since", "opened", "closed", "exported")}
    stamps = {name: None if when is None else moment(when) for name, when in times.items()}
    accounts = {"opened_by": campaign.opened_by, "closed_by": campaign.closed_by}
    scope = {"site": campaign.site, "wards": list(campaign.wards)}
    return {"name": campaign.name, **scope, **stamps, **accounts, "head": campaign.head}


def say_what_it_proves(signer: str, *, kept: bool) -> None:
    """What a bundle that is whole proves.

    Args:
        signer: who signed its head; empty: nobody that is known.
        kept: whether the head is the one that was kept elsewhere.
    """
    if signer:
        say("The head was signed by {signer}: since then nothing was changed.", signer=signer)
    if kept:
        say("The head is the one that was kept: since then nothing was changed.")
    if not signer and not kept:
        say(
            "Neither a head nor a signature was given: no byte was changed by accident, but whoever could "
            "write the inventory could have made all of this anew."
        )


def print_states(states: Sequence[State], head: str | None) -> int:
    """What became of the closed campaigns of an inventory; gives the exit code.

    Raises:
        VetusteError: none of them has the head that was kept.
    """
    for state in states:
        name = state.campaign.name
        for fault in state.faults:
            complain(f"{name}: {fault.render()}")
        if state.missing:
            say(
                "{name}: {number} of its rows are no more in the inventory; the bundle exported on {when} "
                "UTC has them",
                name=name,
                number=state.missing,
                when=_shown(state.campaign.exported),
            )
        elif not state.faults:
            say("{name}: as it was sealed; head {head}", name=name, head=state.campaign.head)
    if head is not None and head_given(head) not in {state.campaign.head for state in states}:
        raise VetusteError("no campaign of this inventory has the head {head}", head=head)
    say("Closed campaigns: {number}.", number=len(states))
    return FAILED if any(state.faults for state in states) else DONE


def _shown(when: datetime | None) -> str:
    return "-" if when is None else f"{when:%Y-%m-%d %H:%M}"
