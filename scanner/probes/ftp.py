"""The FTP probe: the greeting, and not a word of ours ([RFC 959] 4.2 and 5.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, lines, replies

if TYPE_CHECKING:
    from scanner.probes import Conversation, Peer

_GREETINGS: Final = (b"220", b"120", b"421")
"""Ready, ready in some minutes, and not available ([RFC 959] 5.4)."""


def converse(_peer: Peer) -> Conversation:
    """The server speaks first; SYST and FEAT would tell more, but many want a login before them."""
    said = replies.greeting((yield Send(b"", lines.reply())), *_GREETINGS)
    if said:
        yield Learnt({"ftp.banner": said})


PROBE: Final = Probe(
    "ftp",
    Transport.TCP,
    (21,),
    ("ftp.banner",),
    converse,
    rank=46,
    size=0,
    logs=(
        "That somebody connected and left: IIS writes ControlChannelOpened and ControlChannelClosed "
        "(IIS 7 and later, W3C log of the FTP site), vsftpd a CONNECT line (vsftpd.conf(5), log_ftp_protocol "
        "and xferlog), ProFTPD and Pure-FTPd a line in the system's log."
    ),
    trouble="None is known: not a byte is sent.",
)
