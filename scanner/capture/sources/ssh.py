"""SSH: both ends begin by naming their software ([RFC 4253] 4.2)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.capture.telling import Hear, StreamSource, Told
from scanner.probes import ssh

if TYPE_CHECKING:
    from scanner.capture.telling import Direction, Hearing


def hear(direction: Direction) -> Hearing:
    """The identification of either end."""
    protocol, software = ssh.parse_identification((yield Hear(ssh.identification)))
    yield Told({"ssh.protocol": protocol, "ssh.banner": software}, direction.side)


SOURCES: Final = (StreamSource("ssh", ("ssh.protocol", "ssh.banner"), re.compile(rb"SSH-[12]\."), hear),)
