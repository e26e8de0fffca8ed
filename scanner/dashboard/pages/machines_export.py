"""The list of machines as a file: the same machines, the same filters, sent while it is made."""

from __future__ import annotations

import io
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, BinaryIO, Final

from starlette.exceptions import HTTPException
from starlette.responses import StreamingResponse

from scanner.dashboard.access import note
from scanner.dashboard.asked import asked, terms_of
from scanner.dashboard.handing import handed
from scanner.dashboard.pages import Page
from scanner.dashboard.pages.machines import PATH, page_of, sight_of
from scanner.exports import Options, formats
from scanner.exports.files import write_bytes
from scanner.exports.whole import Whole, whole_of
from scanner.inventory.listing import wards_seen
from scanner.inventory.portions import Reader
from scanner.inventory.rows import Filters
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.house import House
    from scanner.exports import Format
    from scanner.inventory import Asset, Inventory
    from scanner.inventory.portions import Terms

_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "jsonl": "application/x-ndjson; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""The formats that are offered."""


def export(request: Request) -> Response:
    """The file; where the filters are wrong, the page that says so."""
    house: House = request.app.state.house
    name = request.path_params["form"]
    if name not in _TYPES:
        raise HTTPException(404)
    form = next(each for each in formats() if each.name == name)
    told = asked(request.query_params)
    dialect = request.query_params.get("dialect", "")
    if dialect and dialect not in form.dialects:
        wrong = Message("This format has no such dialect.")
        told = replace(told, complaints=(*told.complaints, wrong))
    wards = wards_seen(house.inventory, sight_of(request.state.visitor))
    if told.complaints:
        return page_of(request, told, wards, 400)
    terms = terms_of(told, wards, house.today, evidence=form.evidence)
    whole = _whole(house.inventory, terms) if form.whole else Whole()
    options = Options(house.today, request.state.visitor.language, dialect, whole)
    note(request, "export", what=f"{name} of {told.address(PATH)}")
    headers = {"Content-Disposition": f'attachment; filename="{_file_name(form, house.today)}"'}
    pieces = _pieces(form, Reader(house.inventory, terms).assets(), options)
    return StreamingResponse(pieces, media_type=_TYPES[name], headers=headers)


def _file_name(form: Format, today: date) -> str:
    """Of nothing that anybody wrote."""
    return f"machines-{today.isoformat()}{form.suffix}"


def _pieces(form: Format, assets: Iterable[Asset], options: Options) -> Iterator[bytes]:
    def write(stream: BinaryIO) -> None:
        if form.binary:
            write_bytes(form, assets, stream, options)
            return
        text = io.TextIOWrapper(stream, "utf-8", "replace", newline="")
        form.write(assets, text, options)
        text.flush()
        text.detach()

    return handed(write)


@dataclass(frozen=True)
class OfWards(Filters):
    """Filters that want these wards, and no other."""

    wards: frozenset[tuple[str, str]] = frozenset()

    def of_place(self, site: str, ward: str) -> bool:
        """Whether it is one of them."""
        return (site, ward) in self.wards


def _whole(inventory: Inventory, terms: Terms) -> Whole:
    """What the export is of: of the wards that the terms want, and of no other."""
    wards = frozenset((ward.where.site, ward.name) for ward in terms.wards)
    wanted = OfWards(os=terms.filters.os, status=terms.filters.status, wards=wards)
    whole = whole_of(inventory, wanted, today=terms.today)
    sites = {site for site, _ in wards}
    return replace(whole, scans={site: at for site, at in whole.scans.items() if site in sites})


PAGES: Final = (Page(f"{PATH}/export/{{form}}", export),)
