"""``import dhcp``: the leases of a DHCP server, of ISC, Kea or Windows, told apart by how the file begins.

A machine that answers nobody has asked for its address all the same: that it was there, and when, is what a
lease is worth, with its card's address and the name that it gave itself.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Final

from scanner.errors import ConfigError
from scanner.imports import Format, dhcp_isc, dhcp_kea, dhcp_windows, dhcp_windows_xml
from scanner.imports.decoding import text_of
from scanner.imports.dhcp_leases import Leases
from scanner.language import Message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.imports import Source
    from scanner.imports.decoding import Text
    from scanner.imports.dhcp_leases import Lease
    from scanner.model import Observation

_ENOUGH: Final = 1 << 14
"""Characters of a file by which its kind is told."""


def read(source: Source) -> Iterator[Observation | ConfigError]:
    """What the leases of a file say that stand at its end; what is wrong with it, as it comes.

    The last mistake is said last: after one that the file ends with nothing may come.

    Raises:
        ConfigError: the file is something else, or an attack.
    """
    mistake: ConfigError | None = None
    with Leases(source.now) as leases:
        for found in _leases(source):
            if isinstance(found, ConfigError):
                if mistake is not None:
                    yield mistake
                mistake = found
            else:
                leases.add(found)
        yield from leases.observations()
    if mistake is not None:
        yield mistake


def _leases(source: Source) -> Iterator[Lease | ConfigError]:
    """The leases of a file, whatever wrote it."""
    pieces = text_of(source)
    beginning, rest = "", []
    for piece in pieces:
        if isinstance(piece, ConfigError):
            rest = [piece]
            break
        beginning += piece
        if len(beginning) >= _ENOUGH:
            break
    text: Text = chain([beginning, *rest], pieces)
    if dhcp_isc.begins(beginning):
        return dhcp_isc.read(text, source)
    if dhcp_kea.begins_file(beginning):
        return dhcp_kea.read_file(text, source)
    if dhcp_kea.begins_answer(beginning):
        return dhcp_kea.read_answer(text, source)
    if dhcp_windows_xml.begins(beginning):
        return dhcp_windows_xml.read(text, source)
    if dhcp_windows.begins_table(beginning):
        return dhcp_windows.read_table(beginning, text, source)
    raise ConfigError("is no file of leases of ISC dhcpd, Kea or Windows", file=source.name, line=1)


FORMAT: Final = Format(
    "dhcp",
    read,
    Message("Import which leases a DHCP server gave: ISC dhcpd's, Kea's or Windows'."),
    Message(
        "Files are dhcpd.leases, kea-leases4.csv, answers to lease4-get-all, the XML of Export-DhcpServer "
        "-Leases, and Get-DhcpServerv4Lease | Export-Csv; of ISC and Kea those of IPv6 too. Taken are leases "
        "that a client holds: its address, hardware address, name and vendor class, and when it was last "
        "dealt with. Of Windows' leases only the end is known; that moment is then rather too early."
    ),
    "dhcpd.leases",
)
