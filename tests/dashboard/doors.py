"""Dashboards with doors: tokens in a file, a proxy in front, a clock that is put forward."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any

from starlette.testclient import TestClient

from scanner.dashboard.access import Access, AuditLog, Proxy, Register
from scanner.dashboard.access.attempts import Attempts
from scanner.dashboard.access.issuing import enter, new_token
from scanner.dashboard.access.register import Entry
from scanner.dashboard.access.sessions import Sessions
from scanner.dashboard.app import make_app
from scanner.dashboard.visitor import Role
from tests.dashboard.conftest import NOW

if TYPE_CHECKING:
    from pathlib import Path

    from httpx2 import Response

    from scanner.dashboard.house import House

PROXY = "10.0.0.9"
HTML = {"accept": "text/html"}


@dataclass
class Doors:
    """A dashboard that lets in whoever holds a token."""

    house: House
    folder: Path
    options: dict[str, Any] = field(default_factory=dict)
    seconds: float = 0.0

    def __post_init__(self) -> None:
        self.file, self.log = self.folder / "tokens.json", self.folder / "audit.jsonl"
        self.access = Access(
            register=Register(self.file, self._now),
            audit=AuditLog(self.log),
            sessions=Sessions(lambda: self.seconds),
            attempts=Attempts(lambda: self.seconds),
            **self.options,
        )
        self.app = make_app(self.house, self.access)

    def _now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds)

    def give(self, name: str, role: Role, **more: Any) -> str:  # noqa: ANN401 - what an entry has
        """A token for somebody."""
        token = new_token()
        enter(self.file, Entry(name, role, **more), token)
        return token

    def browser(self, address: str = "127.0.0.1", origin: str = "http://127.0.0.1:8642") -> TestClient:
        """Somebody's browser, at an address."""
        return TestClient(
            self.app,
            base_url=origin,
            follow_redirects=False,
            client=(address, 50000),
            raise_server_exceptions=False,
        )

    def events(self) -> list[tuple[str, str]]:
        """What the audit log says, and of whom."""
        lines = self.log.read_text(encoding="ascii").splitlines() if self.log.exists() else []
        told = [json.loads(line) for line in lines]
        return [(each["event"], each["visitor"]) for each in told]


def behind_a_proxy(house: House, folder: Path, role: Role = Role.NOBODY) -> Doors:
    """The same, where a proxy may say who asks."""
    return Doors(house, folder, {"proxy": Proxy((ip_network(PROXY),), role=role)})


def csrf_of(page: Response) -> str:
    """The token of the page's form."""
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', page.text)
    assert found is not None
    return found[1]


def sign_in(browser: TestClient, token: str, **more: str) -> Response:
    """Give a token in the form."""
    form = {"csrf": csrf_of(browser.get("/login", headers=HTML)), "token": token, **more}
    return browser.post("/login", data=form)
