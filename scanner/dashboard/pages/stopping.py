"""What operators do: stop every scan of this machine, clear a breaker. Each is asked once more first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse

from scanner.dashboard.access import note
from scanner.dashboard.numbered import number_in_path
from scanner.dashboard.pages import Page
from scanner.dashboard.pages.scans import breakers_of
from scanner.dashboard.rendering import render
from scanner.dashboard.visitor import Role
from scanner.errors import ConfigError
from scanner.inventory import clear_breakers
from scanner.transport.stopping import stop_all

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from scanner.dashboard.house import House
    from scanner.inventory import BreakerRow
    from scanner.transport.stopping import Stopped


def ask_stop(request: Request) -> Response:
    """Whether that is meant."""
    return render(request, "stop.html", done=None)


def stop(request: Request) -> Response:
    """Stop them all, whoever's they are, as ``vetuste stop`` does; say what became of them."""
    halt: Callable[[], Stopped] = getattr(request.app.state, "stop", stop_all)
    done = halt()
    numbers = f"{len(done.stopped)} stopped, {len(done.killed)} killed, {len(done.refused)} refused"
    note(request, "stop", what=numbers)
    if done.refused or not done.stopped:
        return render(request, "stop.html", done=done)
    return RedirectResponse("/scans?stopped=1", 303)


def ask_clear(request: Request) -> Response:
    """Whether somebody looked after the hosts."""
    return render(request, "breaker.html", breaker=_breaker(request))


def clear(request: Request) -> Response:
    """Clear one breaker."""
    house: House = request.app.state.house
    breaker = _breaker(request)
    try:
        clear_breakers(house.inventory, [str(breaker.id)], at=house.now(), site=breaker.site)
    except ConfigError:  # somebody else cleared it meanwhile
        raise HTTPException(404) from None
    note(request, "breaker", what=f"{breaker.id} {breaker.subnet} cleared")
    return RedirectResponse("/scans?cleared=1", 303)


def _breaker(request: Request) -> BreakerRow:
    number = number_in_path(request)
    found = next((each for each in breakers_of(request) if each.id == number), None)
    if found is None:
        raise HTTPException(404)
    return found


PAGES: Final = (
    Page("/scans/stop", ask_stop, needs=Role.OPERATOR),
    Page("/scans/stop", stop, methods=("POST",), needs=Role.OPERATOR),
    Page("/scans/breakers/{number}", ask_clear, needs=Role.OPERATOR),
    Page("/scans/breakers/{number}", clear, methods=("POST",), needs=Role.OPERATOR),
)
