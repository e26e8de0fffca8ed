"""Closed sets of the inventory as people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.language import Message
from scanner.model import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from scanner.inventory.history.stays import Tie

OUTCOME: Final = {
    Outcome.ANSWERED: Message("answered"),
    Outcome.SILENT: Message("silent"),
    Outcome.REFUSED: Message("refused"),
    Outcome.UNREACHABLE: Message("unreachable"),
    Outcome.RESET: Message("reset"),
    Outcome.CLOSED: Message("closed in mid-conversation"),
    Outcome.STALLED: Message("accepted, then silent"),
    Outcome.FOREIGN: Message("another protocol"),
    Outcome.EXCESSIVE: Message("excessive"),
    Outcome.WITHHELD: Message("withheld, nothing sent"),
    Outcome.FAILED: Message("failed on our side"),
}
_TIES: Final = {
    "merged": Message("asset {other} was merged into asset {asset}"),
    "split": Message("asset {other} was split from asset {asset}"),
}
_KINDS: Final = {
    "card": Message("network card"),
    "guid": Message("SMB server GUID"),
    "name": Message("NetBIOS name"),
    "fqdn": Message("DNS name"),
    "sysname": Message("SNMP name"),
    "subject": Message("certificate's name"),
    "host_key": Message("SSH host key"),
    "engine": Message("SNMP engine"),
    "certificate": Message("certificate"),
    "boot": Message("start time"),
    "address": Message("address, where nothing differs"),
}
"""What machines are known by, in people's words."""


def tied(tie: Tie) -> Message:
    """What was decided of two assets."""
    return Message(_TIES[tie.kind].text, {"asset": str(tie.asset), "other": str(tie.other)})


def known_by(how: Iterable[str], language: str | None = None) -> str:
    """Kinds of traits by which a machine was known again, and those that differed, in people's words."""
    words = {kind: _KINDS[kind.removeprefix("-")].render(language) for kind in how}
    same = ", ".join(text for kind, text in words.items() if not kind.startswith("-"))
    other = ", ".join(text for kind, text in words.items() if kind.startswith("-"))
    if not other:
        return same
    return Message("{same}; different: {other}", {"same": same, "other": other}).render(language)
