"""One connection with a simulated machine: bytes of a client in, bytes of the machine out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.simulator import answers, netbios
from scanner.simulator.answers import End

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.simulator.machine import Machine

DIRECT: Final = 445
NETBIOS: Final = 139


class Dialogue:
    """What a machine answers on one connection.

    Args:
        machine: who answers.
        service: 445 or 139, whatever port the simulator really uses.
        now: the machine's clock, as a FILETIME.
        random: gives that many random bytes.
    """

    __slots__ = ("_called", "_situation", "end")

    def __init__(
        self, machine: Machine, service: int, now: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        self._situation = answers.Situation(machine, service == NETBIOS, now, random)
        self._called = service == DIRECT
        self.end = End.OPEN

    def answer(self, frame: bytes) -> bytes:
        """What is said to one whole message, its session header included; :attr:`end` says what follows."""
        kind = frame[0]
        if kind == netbios.MESSAGE and self._called:
            said, self.end = answers.reply(self._situation, frame[4:])
            return netbios.framed(said) if said else b""
        if kind == netbios.KEEP_ALIVE:
            return b""
        if kind == netbios.REQUEST and self._situation.netbios:
            said = netbios.called(self._situation.machine, frame)
            self._called = said == netbios.POSITIVE
            self.end = End.OPEN if self._called else End.CLOSE
            return said
        self.end = End.RESET
        return b""
