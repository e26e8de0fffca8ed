"""Bundles that programs send: sites without a line to the centre's database, by HTTPS."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse

from scanner.bundles import read_bundle
from scanner.bundles.importing import import_bundle
from scanner.dashboard.access import note
from scanner.dashboard.pages import Page
from scanner.dashboard.visitor import Role
from scanner.errors import ConfigError, DataError

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.house import House
    from scanner.dashboard.visitor import Visitor

LARGEST: Final = 1 << 28
"""Most bytes of a bundle; a million lines of a ledger take 20 million."""
_LOG: Final = logging.getLogger("vetuste.dashboard")


def take(request: Request) -> Response:
    """Take a bundle into the inventory, whole, and say what became of it."""
    house: House = request.app.state.house
    visitor: Visitor = request.state.visitor
    if house.signers is None:
        raise HTTPException(404)
    try:
        bundle = read_bundle(request.state.file)
        name = bundle.head.name
        if visitor.wards or (visitor.sites and name not in visitor.sites):
            raise HTTPException(403)
        site = house.site if house.site is not None and house.site.site.name == name else None
        taken = import_bundle(house.url, bundle, site, house.signers)
    except DataError as error:
        note(request, "refused", f"a bundle: {error}")
        return JSONResponse({"refused": str(error)}, 422)
    except ConfigError as error:
        _LOG.error("%s", error)
        raise HTTPException(503) from error
    note(
        request, "bundle", f"{bundle.digest}: scan {taken.scan} of {name}{' again' if taken.already else ''}"
    )
    return JSONResponse({"site": name, **taken.as_dict()})


PAGES: Final = (Page("/bundles", take, methods=("POST",), needs=Role.OPERATOR, takes=LARGEST),)
