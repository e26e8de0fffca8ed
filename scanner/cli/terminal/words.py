"""The closed sets of the product as people read them, and their colours."""

from __future__ import annotations

from typing import Final

from scanner.inventory import State
from scanner.inventory.words import OUTCOME
from scanner.language import Message
from scanner.model import Certainty, Role, Status

__all__ = ["CERTAINTY", "COLOUR", "HEADING", "OUTCOME", "ROLE", "STATE", "STATUS", "heading"]

STATUS: Final = {
    Status.UNSUPPORTED: Message("unsupported"),
    Status.DEPENDS: Message("depends"),
    Status.ENDING: Message("ending"),
    Status.SUPPORTED: Message("supported"),
    Status.UNKNOWN: Message("unknown"),
}
CERTAINTY: Final = {
    Certainty.CERTAIN: Message("certain"),
    Certainty.PROBABLE: Message("probable"),
    Certainty.HINT: Message("hint"),
}
ROLE: Final = {
    Role.CLIENT: Message("client"),
    Role.SERVER: Message("server"),
    Role.EMBEDDED: Message("embedded"),
    Role.SERVICE: Message("service"),
    Role.UNSTATED: Message("-"),
}
STATE: Final = {
    State.OPEN: Message("open"),
    State.PLANNED: Message("planned"),
    State.ISOLATED: Message("isolated"),
    State.REPLACED: Message("replaced"),
    State.WAIVED: Message("waived"),
    State.CLOSED: Message("closed"),
}
HEADING: Final = {
    "ward": Message("ward"),
    "site": Message("site"),
    "establishment": Message("establishment"),
    "group": Message("group"),
    "building": Message("building"),
    "os": Message("system"),
    "status": Message("status"),
    "owner": Message("owner"),
    "certain": Message("certain"),
    "probable": Message("probable"),
    "to_verify": Message("to verify"),
    "seen": Message("seen"),
    "scope": Message("in scope"),
    "never_scanned": Message("never scanned"),
    "identified": Message("identified"),
    "silent": Message("silent"),
    "phantoms": Message("phantoms"),
    "excluded": Message("excluded"),
    "passive": Message("passive"),
    "fragile": Message("fragile"),
    "stopped": Message("stopped"),
    "oldest_scan": Message("oldest scan"),
    "newest_scan": Message("newest scan"),
    "subnet": Message("subnet"),
    "address": Message("address"),
    "name": Message("name"),
    "certainty": Message("certainty"),
    "end": Message("end of support"),
    "change": Message("change"),
    "before": Message("before"),
    "after": Message("after"),
    "trend": Message("trend"),
    "source": Message("heard by"),
    "machines": Message("machines"),
}
COLOUR: Final = {
    Status.UNSUPPORTED: "red",
    Status.DEPENDS: "yellow",
    Status.ENDING: "yellow",
    Status.SUPPORTED: "green",
    Status.UNKNOWN: "",
}


def heading(key: str) -> str:
    """The heading of a column, in the language of this process."""
    return HEADING[key].render()
