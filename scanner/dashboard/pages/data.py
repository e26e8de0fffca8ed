"""The fingerprints and dates in use: from where, checked when, and what nobody checked for a year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

from scanner.dashboard import sources
from scanner.dashboard.pages import Page
from scanner.dashboard.rendering import render
from scanner.language import Message
from scanner.lifecycle import load_lifecycle, unchecked

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.house import House
    from scanner.model import Release

_MOST: Final = 50
_LONGEST: Final = 200
KINDS: Final = {
    "release": Message("releases"),
    "fingerprint": Message("fingerprints"),
    "other": Message("other"),
}


def data(request: Request) -> Response:
    """The page: figures, ends of support or what was looked for, files."""
    house: House = request.app.state.house
    query = request.query_params
    text, past = query.get("q", "").strip(), query.get("ends", "") == "past"
    if len(text) > _LONGEST:
        raise HTTPException(400)
    releases = load_lifecycle().releases.values()
    listed = sources.found(text) if text else sources.ends(releases, house.today, past=past)
    start = _start(listed, query.get("after", ""))
    shown = listed[start : start + _MOST]
    return render(
        request,
        "data.html",
        figures=sources.figures(),
        files=sources.files(),
        kinds=KINDS,
        unchecked=unchecked(releases, house.today),
        q=text,
        past=past,
        listed=shown,
        number_listed=len(listed),
        following=shown[-1].id if len(listed) > start + _MOST else "",
        paged=start > 0,
    )


def _start(listed: list[Release], after: str) -> int:
    """The place behind a release; the first, where it is not in the list."""
    return next((place + 1 for place, release in enumerate(listed) if release.id == after), 0)


PAGES: Final = (Page("/data", data, title=Message("Data"), rank=70),)
