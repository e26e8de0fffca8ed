"""Which language a visitor reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.language import LANGUAGES

if TYPE_CHECKING:
    from starlette.requests import HTTPConnection

COOKIE: Final = "vetuste-language"
_MOST: Final = 20


def language_for(request: HTTPConnection) -> str:
    """As asked in the address, as asked before, as the browser would like it, English."""
    asked = (request.query_params.get("lang", ""), request.cookies.get(COOKIE, ""))
    return next(
        (each for each in asked if each in LANGUAGES), _preferred(request.headers.get("accept-language", ""))
    )


def _preferred(header: str) -> str:
    """The first language of a browser's list that we have (RFC 9110, 12.5.4)."""
    wanted = [_weighed(part) for part in header.split(",")[:_MOST]]
    known = [(weight, tag) for weight, tag in wanted if tag in LANGUAGES and weight > 0]
    return max(known, key=lambda each: each[0])[1] if known else LANGUAGES[0]


def _weighed(part: str) -> tuple[float, str]:
    tag, _, weight = part.partition(";")
    try:
        number = float(weight.strip().removeprefix("q=")) if weight.strip() else 1.0
    except ValueError:
        number = 0.0
    return number, tag.strip().partition("-")[0].lower()
