"""One UDP socket for every address of 127.0.0.0/8: it hears which one was meant, and answers from it.

Nobody hears of a closed port: no unprivileged program can have the kernel say so for one address of a port
that is open on others.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress
from typing import TYPE_CHECKING, Final

from scanner.simulator.steering import cannot, on_loopback

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.simulator.plan import Hospital
    from scanner.simulator.services import Service

_PKTINFO: Final = 8
"""IP_PKTINFO of ip(7), which Python has no name for yet."""
_INFO: Final = struct.Struct("=i4s4s")
"""struct in_pktinfo: the interface, the address that was meant, the one in the packet's header."""
_LARGEST: Final = 65536
_QUEUE: Final = 1 << 20
"""As many bytes of datagrams as the kernel lets wait."""


def listen(port: int) -> socket.socket:
    """Hear datagrams for ``port`` on every address of the loopback interface; 0 takes a free one.

    Raises:
        ConfigError: the port is taken or forbidden.
    """
    made = on_loopback(socket.SOCK_DGRAM)
    made.setsockopt(socket.IPPROTO_IP, _PKTINFO, 1)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _QUEUE)
    try:
        made.bind(("0.0.0.0", port))  # noqa: S104 - SO_BINDTODEVICE keeps it on the loopback interface
    except OSError as error:
        made.close()
        raise cannot(port, error) from error
    return made


def hear(listener: socket.socket, hospital: Hospital, service: Service, now: Callable[[], int]) -> None:
    """Answer all datagrams that wait."""
    while True:
        try:
            data, ancillary, _, client = listener.recvmsg(_LARGEST, socket.CMSG_SPACE(_INFO.size))
        except BlockingIOError:
            return
        _, _, meant = _INFO.unpack(ancillary[0][2])
        machine = hospital.machine(socket.inet_ntoa(meant))
        if machine is None or machine.personality.behaviour or not service.spoken(machine.personality):
            continue
        said = service.answer(machine, data, now()) if service.answer else b""
        if said:
            source = (socket.IPPROTO_IP, _PKTINFO, _INFO.pack(0, meant, bytes(4)))
            with suppress(OSError):  # a full buffer: datagrams are lost, as on any network
                listener.sendmsg([said], [source], 0, client)
