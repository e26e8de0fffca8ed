"""What machines speak over connections: bytes of a client in, bytes of the machine out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Final

from scanner.simulator.answers import End, Situation

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.simulator.machine import Machine

NETBIOS: Final = 139


class Speaker(ABC):
    """One connection with a machine.

    Args:
        machine: who answers.
        service: the registered port, whatever port the simulator really uses.
        now: the machine's clock, as a FILETIME.
        random: gives that many random bytes.
    """

    __slots__ = ("_situation", "end")

    def __init__(
        self, machine: Machine, service: int, now: Callable[[], int], random: Callable[[int], bytes]
    ) -> None:
        self._situation = Situation(machine, service == NETBIOS, now, random)
        self.end = End.OPEN
        """What becomes of the connection after what was said last."""

    def greeting(self) -> bytes:
        """What is said before the client says anything."""
        return b""

    @abstractmethod
    def length(self, data: bytes) -> int:
        """How long the first message is; 0 while that cannot be known."""

    @abstractmethod
    def answer(self, message: bytes) -> bytes:
        """What is said to one whole message."""
