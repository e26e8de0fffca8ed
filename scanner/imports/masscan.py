"""``import masscan``: masscan's JSON, a record a line (``-oD``), or a list of them with one a line (``-oJ``).

A record is a port that is open, or a banner; those of one host are strewn over the file. What a banner says
is read as the protocol's probe reads it. Banners are bytes, each written as the character of its number.
"""

from __future__ import annotations

import binascii
import re
from typing import TYPE_CHECKING, Any, Final

from scanner.errors import ConfigError
from scanner.imports import Format
from scanner.imports.banners import ended, greeted
from scanner.imports.heard import (
    demand_address,
    moment_of,
    observation,
    one_line,
    port_of,
    transport_of,
    version_of,
)
from scanner.imports.replaying import replayed
from scanner.imports.streams import each_read, values
from scanner.language import Message
from scanner.probes import http1, lines, x509

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scanner.imports import Source
    from scanner.imports.heard import Words
    from scanner.model import Observation

MASSCAN: Final = "masscan"
"""Whose observation it is that a port is open: no probe's."""

_LONGEST: Final = 1 << 16
"""Characters of a banner that are read; masscan writes no more."""


def read(source: Source) -> Iterator[Observation | ConfigError]:
    """What every record of the file says, as it comes."""
    return each_read(values(source), source, lambda value: _of_value(value, source))


def _of_value(value: Any, source: Source) -> Iterator[Observation]:  # noqa: ANN401 - JSON is anything
    for record in value if isinstance(value, list) else [value]:
        yield from _of_record(record, source)


def _of_record(record: Any, source: Source) -> Iterator[Observation]:  # noqa: ANN401 - JSON is anything
    if not isinstance(record, dict):
        raise ConfigError("is no record of masscan: it must be an object")
    address = demand_address(record.get("ip"), "ip")
    at = moment_of(record.get("timestamp"), source.now)
    ports = record.get("ports", [record])
    for each in ports if isinstance(ports, list) else ():
        port, transport = (each.get("port"), each.get("proto")) if isinstance(each, dict) else (None, None)
        number, carrier = port_of(port), transport_of(transport)
        told = None if number is None or carrier is None else _told(each)
        if told and number and carrier:
            yield observation((address, number, carrier), told[0], at, told[1])


def _told(port: Mapping[str, Any]) -> tuple[str, Words] | None:
    """What is told of a port, and as which probe's words; None of one that is not open.

    A banner stands in ``service`` (``-oJ``) or in ``data`` (``-oD``), its protocol beside it.
    """
    data = port.get("service") or port.get("data")
    data = data if isinstance(data, dict) else {}
    name, banner = data.get("name") or data.get("service_name"), data.get("banner")
    if isinstance(name, str) and isinstance(banner, str):
        return _heard(name, banner[:_LONGEST].encode("latin-1", "replace"))
    return (MASSCAN, {}) if "open" in (port.get("status"), data.get("status")) else None


def _heard(name: str, raw: bytes) -> tuple[str, Words]:
    if name in _GREETINGS:
        return _GREETINGS[name], replayed(_GREETINGS[name], ended(raw))
    if name in _READERS:
        probe, reader = _READERS[name]
        return probe, reader(raw)
    probe, words = greeted(raw)
    return probe or MASSCAN, words


_GREETINGS: Final = {
    "ftp": "ftp", "http": "http", "imap": "imap", "pop": "pop3", "smtp": "smtp", "ssh": "ssh",
    "telnet": "telnet", "vnc": "vnc",
}  # fmt: skip
"""masscan's names of protocols, to the probes that its banners are told to as they are."""

_SMB_FIELD: Final = re.compile(
    r"(?:^|(?<= ))(SMBv1|guid=|time=|boottime=|TZ=|domain=|version=|ntlm-ver=|name=|domain-dns=|name-dns=|"
    r"forest=|target=|os=|ver=)"
)
_SMB_KEYS: Final = {
    "os=": "smb.native_os",
    "ver=": "smb.native_lm",
    "name-dns=": "ntlm.dns_name",
    "domain-dns=": "ntlm.dns_domain",
    "forest=": "ntlm.dns_forest",
}
_REVISION: Final = "15"
"""[MS-NLMP] 2.2.2.10: where the field is another, what stands before it is no version."""


def _smb(raw: bytes) -> Words:
    """``SMBv1  time=… domain=… version=6.1.7601 ntlm-ver=15 domain=… name=… os=… ver=…``: some of them.

    Behind the version the names are those of the NTLM challenge. Where there is none, they are those of the
    negotiation; before a version they are either those or the challenge's target, and are not taken.
    """
    parts = _SMB_FIELD.split(raw.decode("utf-8", "replace"))
    said: dict[str, str] = {}
    for field, value in zip(parts[1::2], parts[2::2], strict=True):
        late = "ntlm-ver=" in said and "os=" not in said and field in {"domain=", "name="}
        said.setdefault(f"ntlm {field}" if late else field, value.strip())
    found = {key: said.get(field, "") for field, key in _SMB_KEYS.items()}
    if "ntlm-ver=" in said:
        found |= {f"ntlm.netbios_{name}": said.get(f"ntlm {name}=", "") for name in ("name", "domain")}
    else:
        found |= {f"netbios.{name}": said.get(f"{name}=", "") for name in ("name", "domain")}
    version = version_of(said.get("version=", ""))
    if version and said.get("ntlm-ver=") == _REVISION:
        found |= {"ntlm.version": version, "ntlm.challenge": "versioned"}
    return {**found, "smb.smb1": "yes" if "SMBv1" in said else ""}


def _certificate(raw: bytes) -> Words:
    """A certificate in base64."""
    try:
        return x509.facts(binascii.a2b_base64(raw, strict_mode=True))
    except binascii.Error:
        return {}


_SNMP: Final = re.compile(r"(?:^|\n)sysDescr:(.*?)(?=\nsys[A-Z]|\Z)", re.DOTALL)


def _snmp(raw: bytes) -> Words:
    """A line for each object, by its name; descriptions may have several themselves."""
    found = _SNMP.search(raw.decode("utf-8", "replace"))
    return {"snmp.sysdescr": one_line(found[1]) if found else ""}


_READERS: Final[Mapping[str, tuple[str, Callable[[bytes], Words]]]] = {
    "X509": ("tls", _certificate),
    "http.server": ("http", lambda raw: {"http.server": lines.text(raw)}),
    "smb": ("smb", _smb),
    "snmp": ("snmp", _snmp),
    "title": ("http", lambda raw: {"http.title": http1.title(b"<title>%b</title>" % raw)}),
}
"""The same, to those whose words are picked out of banners."""


FORMAT: Final = Format(
    "masscan",
    read,
    Message("Import what masscan heard: its JSON, -oD or -oJ."),
    Message(
        "Taken are the banners of --banners (SSH, HTTP, SMB, FTP, mail, telnet, VNC, SNMP, certificates), "
        "and which ports are open."
    ),
    "masscan.ndjson",
)
