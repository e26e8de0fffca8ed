"""The SQL Server browser: the instances that a host lists to others ([MC-SQLR] 2.2.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.capture.telling import DatagramSource, Told
from scanner.probes import mssql_browser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from scanner.capture.telling import Datagram


def hear(datagram: Datagram) -> Iterator[Told]:
    """The instances of who answers."""
    if datagram.source_port in mssql_browser.PROBE.ports:
        yield Told(mssql_browser.parse_response(datagram.data))


SOURCES: Final = (DatagramSource("mssql_browser", mssql_browser.PROBE.keys, mssql_browser.PROBE.ports, hear),)
