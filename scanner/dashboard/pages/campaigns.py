"""Campaigns: scans that are sealed for an audit; to be read only."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from starlette.exceptions import HTTPException

from scanner.dashboard.numbered import number_in_path
from scanner.dashboard.pages import Page
from scanner.dashboard.rendering import render
from scanner.dashboard.words import SCAN_STATES
from scanner.inventory import scans_rows
from scanner.inventory.campaigns import campaigns_rows
from scanner.language import Message

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.house import House
    from scanner.dashboard.visitor import Visitor
    from scanner.inventory.campaigns import Campaign

FIGURES: Final = {
    "certain": Message("certain"),
    "probable": Message("probable"),
    "to_verify": Message("to verify"),
    "seen": Message("seen"),
    "scope": Message("in scope"),
    "never_scanned": Message("never scanned"),
}


def campaigns(request: Request) -> Response:
    """All that the visitor may see, the newest first."""
    return render(request, "campaigns.html", campaigns=_mine(request)[::-1])


def campaign(request: Request) -> Response:
    """One of them, and what its seal says."""
    number = number_in_path(request)
    found = next((each for each in _mine(request) if each.id == number), None)
    if found is None:
        raise HTTPException(404)
    said = json.loads(found.manifest or "{}")
    counts = said.get("counts") or {}
    return render(
        request,
        "campaign.html",
        campaign=found,
        scans=said["scans"] if said else _so_far(request, found),
        states=SCAN_STATES,
        figures=FIGURES,
        wards=counts.get("wards", []),
        rows=sum(segment["rows"] for segment in said.get("segments", [])),
        versions=said.get("versions", {}),
        judged=said.get("today", ""),
    )


def _mine(request: Request) -> list[Campaign]:
    """Those of which the visitor may see everything: what is sealed cannot be shown in part."""
    house: House = request.app.state.house
    visitor: Visitor = request.state.visitor
    return [each for each in campaigns_rows(house.inventory) if _sees(visitor, each)]


def _sees(visitor: Visitor, campaign: Campaign) -> bool:
    if not campaign.wards:
        return visitor.sees(campaign.site, "") or (
            not visitor.wards and (not visitor.sites or campaign.site in visitor.sites)
        )
    return all(visitor.sees(campaign.site, ward) for ward in campaign.wards)


def _so_far(request: Request, campaign: Campaign) -> list[dict[str, Any]]:
    """The scans of its site since it was opened for; which of them came to its wards, closing tells."""
    house: House = request.app.state.house
    return [
        {
            "id": scan.id,
            "state": scan.state,
            "profile": scan.profile,
            "started": f"{scan.started:%Y-%m-%d %H:%M}",
            "ended": f"{scan.ended:%Y-%m-%d %H:%M}" if scan.ended else None,
        }
        for scan in reversed(scans_rows(house.inventory, campaign.site))
        if scan.started >= campaign.since
    ]


PAGES: Final = (
    Page("/campaigns", campaigns, title=Message("Campaigns"), rank=60),
    Page("/campaigns/{number}", campaign),
)
