r"""What hosts said to nmap's scripts, as the words of our probes.

Most scripts are read as those are that this product runs itself (``scanner.nmap_scripts``); here are those
that stand only in the files of others. Bytes that are no printable ASCII are ``\xC3`` to nmap, in every text.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.imports.banners import greeted
from scanner.imports.heard import one_line
from scanner.model import Transport
from scanner.nmap_scripts import evidence_of, plain, unescaped
from scanner.probes import http1, ldap, lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scanner.imports.heard import Words
    from scanner.nmap_scripts import Script

HOMES: Final[Mapping[str, tuple[str, int, Transport]]] = {
    "banner": ("", 0, Transport.TCP),
    "http-headers": ("http", 80, Transport.TCP),
    "http-ntlm-info": ("http", 80, Transport.TCP),
    "http-server-header": ("http", 80, Transport.TCP),
    "http-title": ("http", 80, Transport.TCP),
    "imap-ntlm-info": ("imap", 143, Transport.TCP),
    "ldap-rootdse": ("ldap", 389, Transport.TCP),
    "ms-sql-info": ("mssql", 1433, Transport.TCP),
    "ms-sql-ntlm-info": ("mssql", 1433, Transport.TCP),
    "mysql-info": ("mysql", 3306, Transport.TCP),
    "nbstat": ("netbios", 137, Transport.UDP),
    "pop3-ntlm-info": ("pop3", 110, Transport.TCP),
    "rdp-ntlm-info": ("rdp", 3389, Transport.TCP),
    "smb-os-discovery": ("smb", 445, Transport.TCP),
    "smb-protocols": ("smb", 445, Transport.TCP),
    "smb-security-mode": ("smb", 445, Transport.TCP),
    "smb2-security-mode": ("smb", 445, Transport.TCP),
    "smtp-ntlm-info": ("smtp", 25, Transport.TCP),
    "snmp-sysdescr": ("snmp", 161, Transport.UDP),
    "ssl-cert": ("tls", 443, Transport.TCP),
    "telnet-ntlm-info": ("telnet", 23, Transport.TCP),
    "vnc-info": ("vnc", 5900, Transport.TCP),
}
"""The scripts whose words are taken: whose words they are, and where they were heard if that is not told."""


def said(script: Script, service: str = "") -> tuple[str, Words]:
    """What a host said to a script, and whose words these are: a probe's, or empty and nobody's.

    Args:
        script: one of :data:`HOMES`, as it stands in the file.
        service: what nmap takes the port for.
    """
    probe, _, _ = HOMES[script.id]
    if script.id == "banner":
        return greeted(_banner(script.output), service)
    read = _READERS.get(script.id)
    return probe, (read(plain(script)) if read else evidence_of(script))


_CUT: Final = "..."


def _banner(output: str) -> bytes:
    """The greeting in ``banner``, which has several lines where it is long; of a cut one its whole lines."""
    raw = unescaped(output.replace("\n", ""))
    if not output.endswith(_CUT):
        return raw
    return raw[: raw.rfind(b"\n") + 1]


def _title(script: Script) -> Words:
    """``http-title``; that of a page elsewhere, where the first one led, may be another machine's."""
    if "redirect_url" in script.elements:
        return {}
    return {
        "http.title": http1.title(b"<title>%b</title>" % script.first("title").encode("utf-8", "replace"))
    }


_ATTRIBUTE: Final = re.compile(r"^\s+([A-Za-z][A-Za-z0-9-]{0,63}): (.*)$", re.MULTILINE)
_ATTRIBUTES: Final = 256
_NUMBERS: Final = re.compile(r"[0-9]{1,5}(\.[0-9]{1,5}){1,3}", re.ASCII)


def _root(script: Script) -> Words:
    """``ldap-rootdse``: a line for each value."""
    entry: dict[str, tuple[bytes, ...]] = {}
    for name, value in _ATTRIBUTE.findall(script.output)[:_ATTRIBUTES]:
        entry[name.lower()] = (*entry.get(name.lower(), ()), value.strip().encode("utf-8", "replace"))
    return ldap.evidence(entry) if entry else {}


def _description(script: Script) -> Words:
    """``snmp-sysdescr``, which ends with the uptime."""
    return {"snmp.sysdescr": one_line(script.output.partition("\n  System uptime:")[0])}


def _sql(script: Script) -> Words:
    """``ms-sql-info``: the number of each instance's version, which has zeros before numbers."""
    several = (values for path, values in script.elements.items() if path.endswith("Version.number"))
    numbers = (number for values in several for number in values if _NUMBERS.fullmatch(number))
    return {"mssql.version": tuple(".".join(str(int(part)) for part in each.split(".")) for each in numbers)}


_READERS: Final[Mapping[str, Callable[[Script], Words]]] = {
    "http-title": _title,
    "ldap-rootdse": _root,
    "ms-sql-info": _sql,
    "mysql-info": lambda script: {"mysql.version": script.first("Version")},
    "snmp-sysdescr": _description,
    "vnc-info": lambda script: {"vnc.version": lines.text(script.first("Protocol version").encode())},
}
