"""Which machines an address asks for: filters live there, so that it can be kept and handed on."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from scanner.errors import ConfigError
from scanner.inventory import Filters, State
from scanner.inventory.listing import SORTS, Cursor
from scanner.inventory.patterns import releases_meant
from scanner.inventory.portions import Terms
from scanner.language import Message
from scanner.lifecycle import load_lifecycle
from scanner.model import Certainty, Status

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date
    from enum import StrEnum

    from starlette.datastructures import QueryParams

    from scanner.inventory.wards import Ward

FILTERS: Final = (
    *("text", "group", "establishment", "site", "ward", "building", "owner"),
    *("os", "status", "certainty", "state"),
)
"""The parameters that say which machines, in their order on the page."""
_OF_PLACES: Final = ("group", "establishment", "building", "owner")
"""Those that are whole names of places, whatever the case."""
_OTHERS: Final = ("sort", "after", "lang", "dialect")
_LONGEST: Final = 256
"""Characters of a filter; no name of the inventory is longer."""
_SETS: Final[dict[str, type[StrEnum]]] = {"status": Status, "certainty": Certainty, "state": State}
_SHOWN: Final = 40
"""Characters of what somebody wrote that a complaint repeats."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What an address asks for, and what is wrong with it."""

    values: Mapping[str, str]
    """By parameter: what was written; empty where nothing was."""
    complaints: tuple[Message, ...] = ()
    """What is wrong; then no machine is looked for."""
    sort: str = ""
    cursor: Cursor | None = None
    filters: Filters = field(default_factory=Filters)
    state: State | None = None

    @property
    def is_filtered(self) -> bool:
        """Whether not all machines are asked for."""
        return any(self.values[name] for name in FILTERS)

    def query(self, **others: str) -> str:
        """The parameters that ask for the same machines, and these; what is empty is left out."""
        told = {**{name: self.values[name] for name in FILTERS}, "sort": self.sort, **others}
        return urlencode({name: value for name, value in told.items() if value})

    def address(self, path: str, **others: str) -> str:
        """The address that asks for the same machines, and these."""
        query = self.query(**others)
        return f"{path}?{query}" if query else path


def asked(parameters: QueryParams) -> Asked:
    """What the parameters of an address ask for."""
    complaints = list(_complaints(parameters))
    values = {name: parameters.get(name, "").strip() for name in (*FILTERS, *_OTHERS)}
    if complaints:
        return Asked({name: _shown(value) for name, value in values.items()}, tuple(complaints))
    sort = values["sort"] if values["sort"].removeprefix("-") in SORTS else ""
    filters = Filters(
        values["site"],
        values["ward"],
        values["os"],
        Status(values["status"]) if values["status"] else None,
        Certainty(values["certainty"]) if values["certainty"] else None,
        values["text"],
    )
    state = State(values["state"]) if values["state"] else None
    return Asked(values, (), sort, Cursor.parse(values["after"]), filters, state)


def _complaints(parameters: QueryParams) -> Iterable[Message]:
    for name, value in parameters.multi_items():
        yield from _complaint(name, value)
    for name in dict.fromkeys(parameters):
        if len(parameters.getlist(name)) > 1:
            yield Message("The filter {name} stands there twice.", {"name": _shown(name)})
    sort, after = parameters.get("sort", "").strip(), parameters.get("after", "").strip()
    if sort and sort.removeprefix("-") not in SORTS:
        yield Message("Machines cannot be sorted by {value}.", {"value": _shown(sort)})
    if after and Cursor.parse(after) is None:
        yield Message("No page begins at {value}.", {"value": _shown(after)})
    if system := parameters.get("os", "").strip()[:_LONGEST]:
        yield from _complaint_of_system(system)


def _complaint(name: str, value: str) -> Iterable[Message]:
    if name not in FILTERS and name not in _OTHERS:
        yield Message("There is no filter called {name}.", {"name": _shown(name)})
    elif len(value) > _LONGEST:
        yield Message("The filter {name} is too long: no name has so many letters.", {"name": name})
    elif not value.isprintable():
        yield Message("The filter {name} holds characters that no name has.", {"name": name})
    elif name in _SETS and value.strip() not in ("", *_SETS[name]):
        yield Message("The filter {name} has no value {value}.", {"value": _shown(value), "name": name})


def _complaint_of_system(pattern: str) -> Iterable[Message]:
    try:
        releases_meant(pattern, load_lifecycle().releases)
    except ConfigError as error:
        values = {name: str(value) for name, value in error.values.items()}
        values["pattern"] = _shown(pattern)
        yield Message(error.text, values)


def _shown(text: str) -> str:
    """What somebody wrote, as far as it is repeated to them."""
    text = "".join(letter if letter.isprintable() else "\ufffd" for letter in text[: _SHOWN + 1])
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"


def terms_of(told: Asked, wards: Sequence[Ward], today: date, *, evidence: bool = False) -> Terms:
    """The terms of the same question: of wards that the visitor sees, those that are asked for."""
    asked = {name: told.values[name].casefold() for name in _OF_PLACES}
    wanted = tuple(
        ward
        for ward in wards
        if ward.matches(told.filters)
        and all(value in ("", getattr(ward.where, name).casefold()) for name, value in asked.items())
    )
    return Terms(told.filters, today, load_lifecycle().releases, wanted, evidence, told.state)
