"""Which addresses of the dashboard there are to look at: those of its pages, and what these link to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, urlsplit

from starlette.routing import compile_path

from scanner.dashboard.pages import pages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from playwright.sync_api import Page

SHOWN: Final = [page for page in pages() if "GET" in page.methods]
PATTERNS: Final = [(page.path, compile_path(page.path)[0]) for page in SHOWN]
WITHOUT_MARKS: Final = [page.path for page in SHOWN if "{" not in page.path]
NAMED: Final = [page.path for page in SHOWN if page.title is not None]
"""Those in the navigation."""
OF_EACH: Final = 2
"""Links of one kind that are followed: the same page with the same parameters."""


def kind_of(link: str) -> tuple[str, ...] | None:
    """Which page an address is of, and with which parameters; None for what is no page."""
    parts = urlsplit(link)
    for path, pattern in PATTERNS:
        if pattern.match(parts.path):
            return path, *sorted(
                {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)} - {"lang"}
            )
    return None


def some_of_each(links: Iterable[str]) -> list[str]:
    """Few of each kind, from the beginning and from the end, but for pages that are known without them."""
    kinds: dict[tuple[str, ...], list[str]] = {}
    for link in dict.fromkeys(links):
        kind = kind_of(link)
        if kind is not None and (len(kind) > 1 or kind[0] not in WITHOUT_MARKS):
            kinds.setdefault(kind, []).append(link)
    return [link for each in kinds.values() for link in dict.fromkeys([*each[: OF_EACH - 1], each[-1]])]


def links_of(page: Page, origin: str) -> list[str]:
    """Where a page links to: without the origin, if it is that one."""
    found: list[str] = page.evaluate(
        "() => [...document.querySelectorAll('a[href]')].map((each) => each.href)"
    )
    return [link.removeprefix(origin).partition("#")[0] for link in found]
