"""Numbers in addresses: whatever else is there, nothing is found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.exceptions import HTTPException

if TYPE_CHECKING:
    from starlette.requests import Request

_MOST_DIGITS: Final = 18


def whole_number(text: str) -> int | None:
    """The number that a text is, in ASCII digits; None where it is none, or larger than any of ours."""
    fits = text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS
    return int(text) if fits else None


def number_in_path(request: Request) -> int:
    """The ``{number}`` of an address.

    Raises:
        HTTPException: 404: it is none.
    """
    number = whole_number(request.path_params["number"])
    if number is None:
        raise HTTPException(404)
    return number
