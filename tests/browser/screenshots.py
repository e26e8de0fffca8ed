"""``python -m tests.browser.screenshots FOLDER`` (``make screenshots``): every page, to be looked at.

In each language, light and dark, on a wall screen and on a phone, and the first ones as they are printed.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from playwright.sync_api import sync_playwright

from scanner.dashboard.access import Access
from scanner.language import LANGUAGES
from tests.browser.odd_hospital import build
from tests.browser.routes import WITHOUT_MARKS, links_of, some_of_each
from tests.browser.serving import OPERATOR, served
from tests.browser.watching import CHROMIUM, PHONE, QUIET, WALL, Watched, spoken

if TYPE_CHECKING:
    from playwright.sync_api import Browser

SCHEMES: Final = ("light", "dark")
_LONGEST: Final = 80


def name_of(path: str) -> str:
    """A file's name for an address."""
    return re.sub(r"[^\w-]+", "-", path).strip("-")[:_LONGEST] or "overview"


def addresses(watched: Watched) -> list[str]:
    """Every page, and some that they link to."""
    links: list[str] = []
    pages = [path for path in WITHOUT_MARKS if watched.is_page(path)]
    for path in pages:
        watched.open(path)
        links += links_of(watched.page, watched.origin)
    behind = some_of_each(links)
    return [*pages, *(link for link in behind if watched.is_page(link))]


def shoot(browser: Browser, origin: str, folder: Path) -> int:
    """Put the pictures into a folder; says how many."""
    watched, number = Watched(browser, origin), 0
    for path in addresses(watched):
        for language in LANGUAGES:
            watched.open(spoken(path, language))
            for width, scheme in ((width, scheme) for width in (WALL, PHONE) for scheme in SCHEMES):
                watched.look(width, scheme)
                file = folder / f"{name_of(path)}.{language}.{scheme}.{width}.png"
                watched.page.screenshot(path=file, full_page=True, animations="disabled")
                number += 1
        watched.page.pdf(path=folder / f"{name_of(path)}.pdf", print_background=True)
    for line in dict.fromkeys(watched.close()):
        sys.stderr.write(f"{line}\n")
    return number


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    for old in (*folder.glob("*.png"), *folder.glob("*.pdf")):
        old.unlink()
    with (
        TemporaryDirectory() as scratch,
        served(build(Path(scratch)), Access(local=OPERATOR)) as origin,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        number = shoot(browser, origin, folder)
        browser.close()
    sys.stdout.write(f"{number} pictures in {folder}\n")


if __name__ == "__main__":
    main()
