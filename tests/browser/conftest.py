"""A browser, and dashboards for it to look at."""

from __future__ import annotations

import shutil
from contextlib import ExitStack
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, TypeAlias

import pytest
from playwright.sync_api import expect, sync_playwright

from scanner.dashboard.access import Access
from tests.browser.odd_hospital import Built, build
from tests.browser.serving import OPERATOR, served
from tests.browser.watching import CHROMIUM, QUIET, Watched

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser

    from scanner.dashboard.visitor import Visitor

    AddressFor: TypeAlias = Callable[[Visitor], str]

PATIENCE = 60_000
"""Milliseconds that what is expected may take: other tests run beside."""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("odd"))


@pytest.fixture
def own(built: Built, tmp_path: Path) -> Built:
    """An inventory that a test may change."""
    file = tmp_path / "inventory.db"
    shutil.copy(built.file, file)
    return replace(built, file=file)


@pytest.fixture(scope="module")
def address_for(built: Built) -> Iterator[AddressFor]:
    """Where somebody finds the dashboard; nobody changes anything there."""
    with ExitStack() as running:

        @cache
        def start(visitor: Visitor) -> str:
            return running.enter_context(served(built, Access(local=visitor)))

        yield start


@pytest.fixture
def address(address_for: AddressFor) -> str:
    """Where somebody finds it who may do everything."""
    return address_for(OPERATOR)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One for each module: while it is there, this thread can run no other event loop."""
    expect.set_options(timeout=PATIENCE)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        yield chromium
        chromium.close()


@pytest.fixture
def watch(browser: Browser) -> Iterator[Callable[..., Watched]]:
    """Opens pages; in the end nothing may have gone wrong on any of them."""
    opened: list[Watched] = []

    def open_one(origin: str, **more: object) -> Watched:
        opened.append(Watched(browser, origin, **more))
        return opened[-1]

    yield open_one
    assert [line for each in opened for line in each.close()] == []
