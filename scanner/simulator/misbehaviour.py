"""Machines that accept and then do not answer as SMB does: what networks are full of."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING, Final

from scanner.simulator import netbios

if TYPE_CHECKING:
    from collections.abc import Callable

_CHUNK: Final = 16_384
_PAUSE: Final = 0.02
_DRIP: Final = 1.0
_BANNERS: Final = (
    b"SSH-2.0-dropbear_2012.55\r\n",
    b"220 printer FTP server ready.\r\n",
    b"HTTP/1.0 400 Bad Request\r\nServer: embedded\r\n\r\n",
)
_ANNOUNCED: Final = 0xFFFFFF


class Odd(asyncio.Protocol):
    """One connection with a machine that misbehaves.

    Args:
        transport: the connection, which something else accepted.
        behaviour: ``tarpit``, ``noise``, ``reset``, ``endless``, ``drip`` or ``gigantic``.
        variant: a number of the machine's own: which noise it makes.
        honest: what a well-behaved machine would say to a message.
        reset: ends the connection with a RST.
    """

    def __init__(
        self,
        transport: asyncio.WriteTransport,
        behaviour: str,
        variant: int,
        honest: Callable[[bytes], bytes],
        reset: Callable[[], None],
    ) -> None:
        self._transport = transport
        self._behaviour = behaviour
        self._variant = variant
        self._honest = honest
        self._reset = reset
        self._begun = False
        if behaviour == "noise" and variant % 2:
            transport.write(_BANNERS[variant % len(_BANNERS)])

    def data_received(self, data: bytes) -> None:
        """The client said something: misbehave, once."""
        if self._begun:
            return
        self._begun = True
        if self._behaviour == "reset":
            self._reset()
        elif self._behaviour == "noise":
            self._transport.write(random.Random(self._variant).randbytes(512))  # noqa: S311 - noise, not a secret
        elif self._behaviour == "gigantic":
            self._transport.write(_gigantic(self._honest(data), self._variant))
        elif self._behaviour == "endless":
            self._go_on(_CHUNK_OF[self._variant % 2])
        elif self._behaviour == "drip":
            self._drip(self._honest(data))

    def _go_on(self, chunk: bytes) -> None:
        if self._transport.is_closing():
            return
        if not self._transport.get_write_buffer_size():
            self._transport.write(chunk)
        asyncio.get_running_loop().call_later(_PAUSE, self._go_on, chunk)

    def _drip(self, rest: bytes) -> None:
        if self._transport.is_closing() or not rest:
            return
        self._transport.write(rest[:1])
        asyncio.get_running_loop().call_later(_DRIP, self._drip, rest[1:])


_KEEP_ALIVES: Final = bytes((netbios.KEEP_ALIVE, 0, 0, 0)) * (_CHUNK // 4)
_CHUNK_OF: Final = (_KEEP_ALIVES, b"\0\1\0\0" + bytes(0x10000))
"""Keep-alives for ever, or messages of 64 KiB for ever."""


def _gigantic(answer: bytes, variant: int) -> bytes:
    """An answer that announces far more than it holds: in its header, or in every field from ByteCount on."""
    if variant % 2 or len(answer) < 80:  # noqa: PLR2004 - up to the end of the fixed fields
        return _ANNOUNCED.to_bytes(4, "big") + answer[4:]
    return answer[:68] + b"\xff" * 8 + answer[76:]
