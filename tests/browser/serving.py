"""The real application on a port of loopback, in a thread of this process."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

import uvicorn

from scanner.dashboard import server
from scanner.dashboard.access import Access
from scanner.dashboard.app import make_app
from scanner.dashboard.house import House
from scanner.dashboard.visitor import Role, Visitor
from tests.browser.odd_hospital import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.browser.odd_hospital import Built

OPERATOR: Final = Visitor("local", Role.OPERATOR)


def run(url: str, port: int) -> None:
    """Serve an inventory to whoever is on this machine, until the process is ended."""
    app = make_app(House(url), Access(local=OPERATOR))
    server.run(app, server.listen("127.0.0.1", port), None, lambda: None)


@contextmanager
def running(app: Any, host: str = "127.0.0.1") -> Iterator[str]:  # noqa: ANN401 - any application
    """The address of an application, while it runs."""
    with socket.socket() as listening:
        listening.bind((host, 0))
        serving = uvicorn.Server(
            uvicorn.Config(app, log_config=None, access_log=False, lifespan="off", server_header=False)
        )
        thread = threading.Thread(target=serving.run, kwargs={"sockets": [listening]})
        thread.start()
        try:
            yield f"http://{host}:{listening.getsockname()[1]}"
        finally:
            serving.should_exit = True
            thread.join()


@contextmanager
def served(built: Built, access: Access) -> Iterator[str]:
    """The address of a dashboard, while it runs: everything is as it was at :data:`NOW`."""
    house = House(built.url, built.site, now=lambda: NOW)
    with running(make_app(house, access)) as origin:
        yield origin
    house.close()
