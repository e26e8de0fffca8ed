"""The server: one process, one socket, until somebody ends it."""

from __future__ import annotations

import contextlib
import logging
import socket
import ssl
import sys
from typing import TYPE_CHECKING, Final

import uvicorn

from scanner.dashboard.protocol import Protocol
from scanner.errors import ConfigError
from scanner.process import signalled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from starlette.types import ASGIApp

_LARGEST_HEADERS: Final = 64 << 10
_GRACE: Final = 5
"""Seconds for answers that are under way when somebody ends it."""
_MOST: Final = 512
"""Connections at a time; whoever comes then is told to come again."""
_WAITING: Final = 512
_TURN: Final = 0.0005
"""Seconds that one thread has Python to itself where another waits: an answer asks the database again and
again, and each time whatever works out figures has its turn first."""


class _Server(uvicorn.Server):
    """Ends in order at the first signal, and lets the command say how that went."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take the signals while it runs, and raise none of them afterwards."""
        with signalled(self.handle_exit):
            yield


def listen(host: str, port: int) -> socket.socket:
    """A socket that hears there, before anything else is begun.

    Raises:
        ConfigError: somebody else does, or it cannot be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    heard = socket.socket(family, socket.SOCK_STREAM)
    try:
        heard.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        heard.bind((host, port))
        heard.listen(_WAITING)
    except OSError as error:
        heard.close()
        raise ConfigError(
            "{host} port {port} cannot be listened on: {why}", host=host, port=port, why=error.strerror
        ) from error
    return heard


def run(app: ASGIApp, heard: socket.socket, tls: tuple[Path, Path] | None, begun: Callable[[], None]) -> None:
    """Answer until SIGINT or SIGTERM.

    Args:
        app: the dashboard.
        heard: what :func:`listen` gave.
        tls: the files of the certificate and of its key.
        begun: called before the first answer.

    Raises:
        ConfigError: the certificate or its key cannot be used.
    """
    config = uvicorn.Config(
        app,
        http=Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=_GRACE,
        limit_concurrency=_MOST,
        h11_max_incomplete_event_size=_LARGEST_HEADERS,
        ssl_certfile=str(tls[0]) if tls else None,
        ssl_keyfile=str(tls[1]) if tls else None,
    )
    _log_with_ours()
    try:
        config.load()
    except (ssl.SSLError, OSError) as error:
        why = error.strerror or error
        raise ConfigError("the certificate or its key cannot be used: {why}", why=why) from error
    begun()
    sys.setswitchinterval(_TURN)
    _Server(config).run(sockets=[heard])


def _log_with_ours() -> None:
    theirs, ours = logging.getLogger("uvicorn"), logging.getLogger("vetuste")
    theirs.handlers, theirs.propagate = ours.handlers, False
    theirs.setLevel(max(ours.level, logging.WARNING))
