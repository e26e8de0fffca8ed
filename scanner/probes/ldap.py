"""The LDAP probe: the root of a directory, which every server shows to anybody ([RFC 4512] 5.1).

One search and no bind. A domain controller says there which release's functions it has ([MS-ADTS] 3.1.1.3.2).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from scanner.errors import ProtocolError
from scanner.model import Transport
from scanner.probes import Learnt, Probe, Send, der, lines, tls, x509
from scanner.probes.der import OCTETS, SEQUENCE, SET, element, enter, framing, integer, next_element
from scanner.wire import Reader

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from scanner.probes import Conversation, Peer

KEYS: Final = (
    "ldap.rootdse", "ldap.vendor", "ldap.capabilities", "ldap.functionality", "ldap.host", "ldap.domain",
    "tls.version", *x509.KEYS,
)  # fmt: skip

Attributes = dict[str, tuple[bytes, ...]]
"""An entry: its attributes, by name in lower case."""

_SECURE: Final = 636
_MESSAGE: Final = b"\x30"
_SEARCH, _ENTRY, _PRESENT, _BOOLEAN = 0x63, 0x64, 0x87, 0x01
_OTHER_ANSWERS: Final = frozenset({0x65, 0x73, 0x78})
"""The end of a search, a referral, a notice of disconnection ([RFC 4511] 4.5.2, 4.5.3, 4.4.1)."""
_MOST_VALUES: Final = 16

ASKED: Final = (
    "defaultNamingContext", "dnsHostName", "domainControllerFunctionality", "domainFunctionality",
    "forestFunctionality", "isGlobalCatalogReady", "objectClass", "serverName", "supportedCapabilities",
    "supportedLDAPVersion", "vendorName", "vendorVersion", "directoryTreeName", "dsaName",
    "ibm-osregistrycontext",
)  # fmt: skip
"""[MS-ADTS] 3.1.1.3.2, [RFC 3045], [RFC 4512] 5.1, and three that only eDirectory or OS/400 has; none names a
person."""

_DOMAIN_CONTROLLER: Final = b"1.2.840.113556.1.4.800"
_LIGHTWEIGHT: Final = b"1.2.840.113556.1.4.1851"
"""[MS-ADTS] 3.1.1.3.4.3: Active Directory, as a domain's directory or as one on its own (AD LDS)."""
_COMPONENT: Final = re.compile(r"\s*DC=([^,=+\\]{1,63})\s*", re.IGNORECASE)


def search(filter_: bytes, attributes: Iterable[str]) -> bytes:
    """A search of the root alone ([RFC 4511] 4.5.1): base object, no limits, values wanted."""
    wanted = element(SEQUENCE, *(element(OCTETS, name.encode()) for name in attributes))
    scope = integer(0, der.ENUMERATED) * 2 + integer(0) * 2 + element(_BOOLEAN, b"\0")
    operation = element(_SEARCH, element(OCTETS), scope, filter_, wanted)
    return element(SEQUENCE, integer(1), operation)


def parse_entry(message: bytes) -> Attributes:
    """The entry in an answer ([RFC 4511] 4.5.2); empty where the server shows none.

    Raises:
        ProtocolError: it is no answer of a directory.
    """
    return parse_named_entry(message)[1]


def parse_named_entry(message: bytes) -> tuple[bytes, Attributes]:
    """The same, with the name of the entry before it: the root's is empty.

    Raises:
        ProtocolError: it is no answer of a directory.
    """
    parts = enter(Reader(message), SEQUENCE, "LDAP")
    enter(parts, der.INTEGER, "LDAP")
    tag, operation = next_element(parts)
    if tag in _OTHER_ANSWERS:
        return b"", {}
    if tag != _ENTRY:
        raise ProtocolError(f"LDAP: an operation {tag:#04x} in answer to a search")
    entry_name = enter(operation, OCTETS, "LDAP").rest()
    listed = enter(operation, SEQUENCE, "LDAP")
    found: Attributes = {}
    while listed.remaining:
        attribute = enter(listed, SEQUENCE, "LDAP")
        name = enter(attribute, OCTETS, "LDAP").rest().decode("latin-1").lower()
        values = enter(attribute, SET, "LDAP")
        said: list[bytes] = []
        while values.remaining:
            said.append(enter(values, OCTETS, "LDAP").rest())
        found[name] = tuple(said)
    return entry_name, found


def evidence(entry: Mapping[str, tuple[bytes, ...]]) -> dict[str, str | tuple[str, ...]]:
    """What the root of a directory says of its server."""
    said = {name: _texts(entry.get(name.lower(), ())) for name in ASKED}
    first = {name: values[0] if values else "" for name, values in said.items()}
    vendor = lines.text(f"{first['vendorName']} {first['vendorVersion']}".encode())
    return {
        "ldap.rootdse": tuple(
            lines.text(f"{name}={value}".encode()) for name in ASKED for value in said[name]
        ),
        "ldap.vendor": vendor or next((name for name in said["objectClass"] if name.endswith("rootDSE")), ""),
        "ldap.capabilities": said["supportedCapabilities"],
        "ldap.functionality": _functionality(entry, first),
        "ldap.host": first["dnsHostName"],
        "ldap.domain": _domain(first["defaultNamingContext"]),
    }


def _texts(values: Iterable[bytes]) -> tuple[str, ...]:
    return tuple(sorted({text for value in values if (text := lines.text(value))}))[:_MOST_VALUES]


def _functionality(entry: Mapping[str, tuple[bytes, ...]], first: Mapping[str, str]) -> str:
    """The level of this server itself ([MS-ADTS] 6.1.4.2), and whose it is if it is no domain controller's.

    Windows 2000 has no such attribute: its domain controllers state none.
    """
    capabilities = entry.get("supportedcapabilities", ())
    level = first["domainControllerFunctionality"]
    if not level and _DOMAIN_CONTROLLER not in capabilities:
        return ""
    kind = first["vendorName"] or ("AD LDS" if _LIGHTWEIGHT in capabilities else "")
    return lines.text(f"{level or 'unstated'} {kind}".encode())


def _domain(context: str) -> str:
    """``DC=ward,DC=example`` as DNS writes it; nothing where it is no domain's."""
    parts = [_COMPONENT.fullmatch(part) for part in context.split(",")]
    return ".".join(part[1] for part in parts if part) if all(parts) else ""


def redact(raw: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """The answers without certificates; the root of a directory names nobody."""
    return tuple(answer if answer.startswith(_MESSAGE) else tls.redacted(answer) for answer in raw)


def converse(peer: Peer) -> Conversation:
    """The conversation with one server; the end of the search, which follows the entry, is not waited for."""
    if peer.service == _SECURE:
        yield from tls.secure("tls.version")
    answer = yield Send(search(element(_PRESENT, b"objectClass"), ASKED), framing)
    learnt = {key: value for key, value in evidence(parse_entry(answer)).items() if value}
    if learnt:
        yield Learnt(learnt)


PROBE: Final = Probe(
    "ldap",
    Transport.TCP,
    (389, _SECURE),
    KEYS,
    converse,
    rank=50,
    exchanges=2,
    size=512,
    logs=(
        "Active Directory: nothing as it is installed, event 1644 only where 15 Field Engineering is 5. "
        "OpenLDAP: the connection and the search, at its usual loglevel stats (slapd.conf(5))."
    ),
    trouble=(
        "None with a search of the root, which every member of a domain asks again and again. Windows 2000 "
        "and Server 2003 without update MS08-035 stop at malformed requests; this one is not."
    ),
    redact=redact,
)
