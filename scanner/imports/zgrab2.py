"""``import zgrab2``: zgrab2's JSON lines, one host each, with what every module grabbed (``zgrab2_schemas``).

Greetings and header blocks are told to our own probes; certificates are read as the TLS probe reads them; of
SMB, RDP, LDAP and databases the fields are taken that hold a host's own words.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from scanner.errors import ConfigError
from scanner.imports import Format
from scanner.imports.heard import demand_address, moment_of, observation, port_of
from scanner.imports.streams import each_read, values
from scanner.imports.zgrab2_modules import certified, told
from scanner.language import Message
from scanner.model import Transport

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from scanner.imports import Source
    from scanner.model import Observation

_MODULES: Final = 64
"""Grabs of one host that are looked at."""


def read(source: Source) -> Iterator[Observation | ConfigError]:
    """What every line of the file says, as it comes."""
    return each_read(values(source), source, lambda value: _of_host(value, source))


def _of_host(value: Any, source: Source) -> Iterator[Observation]:  # noqa: ANN401 - JSON is anything
    data = value.get("data") if isinstance(value, dict) else None
    if not isinstance(data, dict):
        raise ConfigError("is no line of zgrab2: it must be an object with a key data")
    address = demand_address(value.get("ip"), "ip")
    for grab in list(data.values())[:_MODULES]:
        if isinstance(grab, dict):
            yield from _of_grab(address, grab, source)


def _of_grab(address: str, grab: Mapping[str, Any], source: Source) -> Iterator[Observation]:
    """One module's grab, by the protocol that it names: the name beside it is the operator's."""
    protocol, result = grab.get("protocol"), grab.get("result")
    if not isinstance(protocol, str) or not isinstance(result, dict):
        return
    found = told(protocol, result)
    if found is None:
        return
    at, port = moment_of(grab.get("timestamp"), source.now), port_of(grab.get("port")) or found.port
    if grab.get("status") == "success" or any(found.words.values()):
        yield observation((address, port, Transport.TCP), found.probe, at, found.words)
    if any((certificate := certified(result)).values()):
        yield observation((address, port, Transport.TCP), "tls", at, certificate)


FORMAT: Final = Format(
    "zgrab2",
    read,
    Message("Import what zgrab2 grabbed: its JSON lines."),
    Message(
        "Taken are greetings (SSH, FTP, mail, telnet), web servers' headers and titles, certificates, and "
        "what SMB, RDP, LDAP and databases say of themselves before a logon."
    ),
    "grabs.jsonl",
)
