"""One connection with a simulated machine over SMB, with or without a NetBIOS session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.simulator import answers, netbios
from scanner.simulator.answers import End
from scanner.simulator.speaker import NETBIOS, Speaker

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.simulator.machine import Machine

__all__ = ["DIRECT", "NETBIOS", "Dialogue"]

DIRECT: Final = 445


class Dialogue(Speaker):
    """What a machine answers on one connection to 445 or 139."""

    __slots__ = ("_called",)

    def __init__(
        self, machine: Machine, service: int, now: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        super().__init__(machine, service, now, random)
        self._called = service == DIRECT

    def length(self, data: bytes) -> int:
        """As the session header says."""
        return netbios.length(data)

    def answer(self, message: bytes) -> bytes:
        """What is said to one whole message, its session header included."""
        kind = message[0]
        if kind == netbios.MESSAGE and self._called:
            said, self.end = answers.reply(self._situation, message[4:])
            return netbios.framed(said) if said else b""
        if kind == netbios.KEEP_ALIVE:
            return b""
        if kind == netbios.REQUEST and self._situation.netbios:
            said = netbios.called(self._situation.machine, message)
            self._called = said == netbios.POSITIVE
            self.end = End.OPEN if self._called else End.CLOSE
            return said
        self.end = End.RESET
        return b""
