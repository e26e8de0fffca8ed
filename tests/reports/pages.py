"""Reading the pages of reports, as a program reads them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Final

VOID: Final = {"meta", "br", "rect", "circle", "line", "path", "polyline"}


class Page(HTMLParser):
    """The tables of a page, and what may do harm in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self.tags: set[str] = set()
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.text: list[str] = []
        self.unclosed: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag begins."""
        self.tags.add(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href", "xlink:href"}]
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]
        if tag not in VOID:
            self.unclosed.append(tag)
        if tag == "table":
            self.tables.append([])
        elif tag == "tr":
            self.tables[-1].append([])
        elif tag in {"th", "td"}:
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        """A tag ends."""
        if tag not in VOID:
            assert self.unclosed.pop() == tag

    def handle_data(self, data: str) -> None:
        """Some text."""
        self.text.append(data)
        if {"td", "th"} & set(self.unclosed):
            self.tables[-1][-1][-1] += data

    def table(self, heading: str) -> list[list[str]]:
        """The rows, without that of its headings, of the only table whose first heading this is."""
        (found,) = (table for table in self.tables if table[0][0].strip() == heading)
        return [[cell.strip() for cell in row] for row in found[1:]]


def figures(row: list[str]) -> list[int]:
    """The cells of a row that are whole numbers."""
    plain = [cell.replace(",", "") for cell in row]
    return [int(cell) for cell in plain if cell.isascii() and cell.isdecimal()]
