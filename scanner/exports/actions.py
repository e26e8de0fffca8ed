"""What someone must do about a machine, and by when."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from scanner.language import Message
from scanner.model import Certainty, Status

if TYPE_CHECKING:
    from datetime import date

    from scanner.inventory.rows import Asset


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do; nothing where there is nothing to do."""

    what: Message | None = None
    due: date | None = None
    """The day that support ends, or ended: a day of the past is overdue. None where no date is known."""


def action_for(asset: Asset, today: date) -> Action:
    """What the verdict asks for."""
    verdict = asset.verdict
    match verdict.status:
        case Status.UNSUPPORTED:
            return Action(_replace(asset, today), verdict.latest)
        case Status.DEPENDS:
            names = " / ".join(dict.fromkeys(release.name for release in asset.candidates))
            return Action(
                Message("find out which of these it is: {names}", {"names": names}), verdict.earliest
            )
        case Status.ENDING:
            return Action(Message("plan its replacement before support ends"), verdict.earliest)
        case Status.UNKNOWN:
            return Action(Message("find out what it is"))
        case Status.SUPPORTED:
            smb1 = "yes" in asset.evidence.get("smb.smb1", ())
            return Action(Message("turn SMB1 off")) if smb1 else Action()


def _replace(asset: Asset, today: date) -> Message:
    paid = [release.esu_end for release in asset.candidates if release.esu_end and release.esu_end >= today]
    if paid and len(paid) == len(asset.candidates):
        return Message(
            "isolate it, then replace it; a paid extension exists until {date}",
            {"date": min(paid).isoformat()},
        )
    if asset.identity.certainty is Certainty.CERTAIN:
        return Message("isolate it, then replace it")
    return Message("confirm what it is; isolate it, then replace it")
