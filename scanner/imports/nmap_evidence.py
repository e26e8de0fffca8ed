"""What a host of nmap's XML said, each thing as an observation of the probe that would have asked it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from scanner.imports.heard import moment_of, observation
from scanner.imports.nmap_scripts import HOMES, said
from scanner.model import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from scanner.imports.heard import Words
    from scanner.imports.nmap_hosts import Host
    from scanner.model import Observation
    from scanner.nmap_scripts import Script

NMAP: Final = "nmap"
"""Whose observation it is that a port is open, or a host up: no probe's."""

_SMB: Final = (445, 139)
_PREFERRED, _OLD = "smb2-security-mode", "smb-security-mode"
"""Both tell how messages are signed: of SMB 2, which is preferred where it is spoken, and of SMB 1."""


def heard(host: Host, now: datetime) -> Iterator[Observation]:
    """What a host said; nothing of one that gave no sign of life."""
    if not host.alive or not host.address:
        return
    at = moment_of(host.at, now)
    for port in host.ports:
        yield observation((host.address, port.number, port.transport), NMAP, at, {})
    if host.mac or not host.ports:
        seen = {"mac.address": host.mac.lower(), "mac.vendor": host.vendor}
        yield observation((host.address, 0, Transport.ICMP), NMAP, at, seen)
    for where, probe, words in _told(host):
        if any(words.values()):
            yield observation((host.address, *where), probe, at, words)


def _told(host: Host) -> Iterator[tuple[tuple[int, Transport], str, Words]]:
    """What its scripts heard: where, as whose words."""
    for port in host.ports:
        for script in port.scripts:
            yield (port.number, port.transport), *said(script, port.service)
    spoken = {script.id for script in host.scripts}
    for script in host.scripts:
        probe, words = said(script)
        left_out = "smb.signing" if script.id == _OLD and _PREFERRED in spoken else ""
        kept = {key: values for key, values in words.items() if key != left_out}
        yield _home(host, script), probe, kept


def _home(host: Host, script: Script) -> tuple[int, Transport]:
    """Where a script of a whole host was: SMB on port 139 where 445 is not open."""
    probe, port, transport = HOMES[script.id]
    if probe == "smb":
        port = next((each.number for each in host.ports if each.number in _SMB), port)
    return port, transport
