"""Connections that bring no request, or not the whole of one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import uvicorn
from starlette.responses import PlainTextResponse

from scanner.dashboard import protocol
from scanner.dashboard.server import listen

if TYPE_CHECKING:
    import pytest


async def _told(port: int, *parts: bytes) -> bytes:
    """What comes before the server hangs up, where these parts are sent, and then nothing more."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for part in parts:
        writer.write(part)
        await writer.drain()
    told = await reader.read()
    writer.close()
    await writer.wait_closed()
    return told


async def _served(*visits: tuple[bytes, ...]) -> list[bytes]:
    with listen("127.0.0.1", 0) as heard:
        config = uvicorn.Config(
            PlainTextResponse("here\n"),
            http=protocol.Protocol,
            lifespan="off",
            log_config=None,
            timeout_keep_alive=1,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[heard]))
        port = heard.getsockname()[1]
        told = list(await asyncio.gather(*(_told(port, *visit) for visit in visits)))
        server.should_exit = True
        await serving
    return told


def test_who_does_not_finish_a_request_is_hung_up_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "PATIENCE", 1.0)
    whole = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    nothing, some, second = asyncio.run(
        _served((), (b"GET / HTTP/1.1\r\n", b"Host: loc"), (whole, b"GET / HTTP/1.1\r\nHo"))
    )
    assert (nothing, some) == (b"", b"")
    assert second.startswith(b"HTTP/1.1 200 OK")
    assert second.count(b"here") == 1
