"""A page of a real browser, and everything that may not happen while somebody looks at it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from tests.browser.odd_hospital import PLANTED

if TYPE_CHECKING:
    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Error, Page, Request, Response

CHROMIUM: Final = "/usr/bin/chromium"
QUIET: Final = [
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE 127.0.0.2",
]
"""Root may not have the sandbox; nothing but loopback is asked for anything."""
OK: Final = 200
PHONE: Final = 390
WALL: Final = 1280
_HEIGHT: Final = {PHONE: 844, WALL: 800}
_GRAVE: Final = {"serious", "critical"}
_AXE: Final = Path(__file__).with_name("vendor") / "axe.min.js"
_LEFT: Final = ("htmx:afterRequest", "htmx:sendAbort", "htmx:sendError")
"""What htmx says when somebody leaves a page that still waits for a part of it."""
_HARM: Final = 'img[src="x"], a[href^="javascript:" i], [onerror], [onclick], main script:not([src])'


class Watched:
    """A page, in a session of its own, and what went wrong on it.

    Args:
        browser: where it is opened.
        origin: where all that it asks for must come from.
        more: options of the session.
    """

    def __init__(self, browser: Browser, origin: str, **more: Any) -> None:  # noqa: ANN401 - Playwright's
        self.origin, self.wrong = origin, list[str]()
        self.refused = False
        """Whether an answer that says no is what the test is about."""
        more.setdefault("viewport", {"width": WALL, "height": _HEIGHT[WALL]})
        self.context = browser.new_context(**more)
        self.context.set_default_timeout(60_000)
        self.page: Page = self.context.new_page()
        self.page.on("console", self._said)
        self.page.on("pageerror", self._failed)
        self.page.on("request", self._asked)
        self.page.on("response", self._answered)
        self.page.on("dialog", self._interrupted)

    def _said(self, message: ConsoleMessage) -> None:
        expected = message.text.startswith(_LEFT) or (self.refused and "status of 4" in message.text)
        if message.type in {"error", "warning"} and not expected:
            self.wrong.append(f"console: {message.text} ({message.location['url']})")

    def _failed(self, error: Error) -> None:
        self.wrong.append(f"script: {error}")

    def _interrupted(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.origin}/", "data:")):
            self.wrong.append(f"asked elsewhere: {request.url}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400 and not self.refused:
            self.wrong.append(f"{response.status}: {response.url}")

    def open(self, path: str) -> Response:
        """Go to an address of the dashboard."""
        answer = self.page.goto(self.origin + path)
        assert answer is not None
        return answer

    def is_page(self, path: str) -> bool:
        """Whether an address is of a whole page: of no file, no part, and nothing that needs parameters."""
        answer = self.context.request.get(self.origin + path, max_redirects=0)
        return answer.status == OK and "<html" in answer.text()[:200]

    def look(self, width: int, scheme: str) -> None:
        """See the page so wide, and in light or dark."""
        self.page.set_viewport_size({"width": width, "height": _HEIGHT[width]})
        self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    def shape(self) -> list[str]:
        """What is wrong with how the page lies on the screen, and what of its data has become markup."""
        found: list[str] = self.page.evaluate(
            """([harm, planted]) => {
                const wrong = [], root = document.documentElement;
                const kept = (each) => each && each !== root
                    && (getComputedStyle(each).overflowX !== 'visible' || kept(each.parentElement));
                if (root.scrollWidth > root.clientWidth) {
                    const wide = [...document.body.querySelectorAll('*')].filter(
                        (each) => each.getBoundingClientRect().right > root.clientWidth + 1 && !kept(each));
                    wrong.push(`${root.scrollWidth} wide on ${root.clientWidth}: `
                        + wide.slice(0, 3).map((each) => each.outerHTML.slice(0, 120)).join(' | '));
                }
                if (document.querySelectorAll('h1').length !== 1) wrong.push('not one h1');
                if (document.querySelector(harm)) wrong.push(document.querySelector(harm).outerHTML);
                if (document.title === planted) wrong.push('a script ran');
                const ids = [...document.querySelectorAll('[id]')].map((each) => each.id);
                if (new Set(ids).size !== ids.length) wrong.push('an id is there twice');
                return wrong;
            }""",
            [_HARM, PLANTED],
        )
        return found

    def barriers(self) -> list[str]:
        """What keeps somebody from reading the page: what axe-core calls serious or critical."""
        self.page.evaluate(_axe())
        found: list[dict[str, Any]] = self.page.evaluate(
            "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
        )
        return [
            f"{each['id']}: {each['nodes'][0]['html'][:200]}: {each['nodes'][0]['failureSummary']}"
            for each in found
            if each["impact"] in _GRAVE
        ]

    def close(self) -> list[str]:
        """Everything that went wrong."""
        self.context.close()
        return self.wrong


@cache
def _axe() -> str:
    return _AXE.read_text(encoding="utf-8")


def spoken(path: str, language: str) -> str:
    """An address in a language."""
    return f"{path}{'&' if urlsplit(path).query else '?'}lang={language}"
