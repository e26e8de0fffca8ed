"""What nmap's scripts say, as evidence: one table, for second opinions and for imported files.

Pure. Texts and structure come from strangers: from hosts, and from whoever made the file. What a script does
not say is left out, and so is what it says of people (the user of ``nbstat``). Where a script's silence has
other causes too, it is no answer: ``smb-protocols`` may say that SMB 1 is on, never that it is off.
"""

from __future__ import annotations

import re
from binascii import a2b_base64
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from scanner.probes import x509
from scanner.wire import printable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scanner.model import Evidence

_VALUES: Final = 32
"""Most values of one evidence key."""

_Facts: TypeAlias = "Mapping[str, str | tuple[str, ...]]"


@dataclass(frozen=True, slots=True)
class Script:
    """What one script said."""

    id: str
    output: str = ""
    """For people to read."""
    elements: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """For programs: the path of keys (``subject.commonName``) to values; a table without a key adds none."""

    def first(self, path: str) -> str:
        """The first value there; empty where there is none."""
        return next(iter(self.elements.get(path, ())), "")


def evidence_of(script: Script) -> Evidence:
    """The evidence in what a script said; nothing where the product has no word for it."""
    rule = _ntlm if script.id.endswith("-ntlm-info") else _RULES.get(script.id)
    if rule is None:
        return {}
    evidence = {key: _clean(values) for key, values in rule(plain(script)).items()}
    return {key: values for key, values in evidence.items() if values}


def _clean(values: str | tuple[str, ...]) -> tuple[str, ...]:
    several = (values,) if isinstance(values, str) else values[:_VALUES]
    texts = (printable(value.strip(" \t\r\n\0")).strip() for value in several)
    return tuple(dict.fromkeys(text for text in texts if text and text not in _EMPTY))


_BYTE: Final = re.compile(rb"\\x([0-9A-Fa-f]{2})")


def unescaped(text: str) -> bytes:
    r"""The bytes that a host said: those that are no printable ASCII are ``\xC3`` to nmap."""
    return _BYTE.sub(lambda found: bytes.fromhex(found[1].decode()), text.encode("utf-8", "replace"))


def plain(script: Script) -> Script:
    """The same script with its texts as the host said them."""
    elements = {path: tuple(map(_plain, values)) for path, values in script.elements.items()}
    return replace(script, output=_plain(script.output), elements=elements)


def _plain(text: str) -> str:
    if "\\x" not in text:
        return text
    raw = unescaped(text)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")


_EMPTY: Final = frozenset({"<unknown>", "<empty>", "nil"})
"""How scripts write that there is nothing."""


def _taken(script: Script, keys: Mapping[str, str]) -> dict[str, str | tuple[str, ...]]:
    """Elements that are evidence as they stand."""
    return {key: script.elements.get(path, ()) for path, key in keys.items()}


_CHALLENGE: Final = {
    "NetBIOS_Computer_Name": "ntlm.netbios_name",
    "NetBIOS_Domain_Name": "ntlm.netbios_domain",
    "DNS_Computer_Name": "ntlm.dns_name",
    "DNS_Domain_Name": "ntlm.dns_domain",
    "DNS_Tree_Name": "ntlm.dns_forest",
}
_VERSION: Final = re.compile(r"\d{1,3}\.\d{1,3}\.\d{1,5}")


def _ntlm(script: Script) -> _Facts:
    """``rdp-ntlm-info`` and its like: the fields of an NTLM challenge ([MS-NLMP] 2.2.1.2)."""
    version = script.first("Product_Version")
    facts = _taken(script, _CHALLENGE)
    if _VERSION.fullmatch(version):
        facts |= {"ntlm.version": version, "ntlm.challenge": "versioned"}
    return facts


_SESSION: Final = {
    "os": "smb.native_os",
    "lanmanager": "smb.native_lm",
    "server": "netbios.name",
    "workgroup": "netbios.domain",
    "fqdn": "ntlm.dns_name",
    "domain_dns": "ntlm.dns_domain",
    "forest_dns": "ntlm.dns_forest",
}


def _session(script: Script) -> _Facts:
    """``smb-os-discovery``, which logs on: only in files of others, never run by this product."""
    facts = _taken(script, _SESSION)
    return {**facts, "smb.smb1": "yes"} if facts["smb.native_os"] else facts


_DIALECTS: Final = {
    "202": "2.0.2",
    "210": "2.1",
    "21": "2.1",
    "300": "3.0",
    "30": "3.0",
    "302": "3.0.2",
    "311": "3.1.1",
}
"""The digits of a dialect's number, to its name; nmap wrote 2.02, 2:0:2 and 2.0.2 over the years."""
_SMB1: Final = "NT LM 0.12"


def _dialect(text: str) -> str:
    return _DIALECTS.get("".join(re.findall("[0-9]", text[:16])).lstrip("0"), "")


def _protocols(script: Script) -> _Facts:
    """``smb-protocols``: every dialect that was agreed."""
    listed = script.elements.get("dialects", ())
    old = any(text.startswith(_SMB1) for text in listed)
    new = sorted(filter(None, map(_dialect, listed)))
    highest = new[-1] if new else _SMB1 if old else ""
    return {"smb.dialect": highest, "smb.smb1": "yes" if old else ""}


def _signing2(script: Script) -> _Facts:
    """``smb2-security-mode``: one sentence, under the dialect that was agreed."""
    for path in script.elements:
        signing = _SIGNING2.get(script.first(path).rstrip("!"))
        if signing is not None:
            return {"smb.dialect": _dialect(path), "smb.signing": signing}
    return {}


_SIGNING2: Final = {
    "Message signing enabled and required": "required",
    "Message signing enabled but not required": "enabled",
    "Message signing is disabled and not required": "disabled",
}


def _signing1(script: Script) -> _Facts:
    """``smb-security-mode``, which speaks SMB 1."""
    said = _SIGNING1.get(script.first("message_signing"), "")
    return {"smb.signing": said, "smb.smb1": "yes"} if said else {}


_SIGNING1: Final = {"required": "required", "supported": "enabled", "disabled": "disabled"}

_NBSTAT: Final = re.compile(
    r"NetBIOS name: (?P<name>[^,]{1,16}), NetBIOS user: .{0,64}, NetBIOS MAC: (?P<mac>[0-9a-fA-F:]{17})?"
)


def _nbstat(script: Script) -> _Facts:
    """``nbstat``: the names that a host registered; never the one of its user."""
    said = _NBSTAT.match(script.output)
    name = script.first("server_name") or (said["name"] if said else "")
    mac = script.first("mac.address") or (said["mac"] if said else "")
    return {"netbios.name": name, "netbios.mac": (mac or "").lower()}


def _server(script: Script) -> _Facts:
    """``http-server-header``."""
    return {"http.server": script.elements.get("", ())}


_SERVER_LINE: Final = re.compile(r"^\s*Server: ([^\r\n]{1,256})", re.IGNORECASE | re.MULTILINE)


def _headers(script: Script) -> _Facts:
    """``http-headers``: lines."""
    return {"http.server": tuple(_SERVER_LINE.findall(script.output))}


_PEM: Final = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]{1,32768})-----END CERTIFICATE-----")


def _certificate(script: Script) -> _Facts:
    """``ssl-cert``: the certificate itself is in it."""
    found = _PEM.search(script.first("pem"))
    try:
        return x509.facts(a2b_base64(found[1])) if found else {}
    except ValueError:  # not Base64
        return {}


_RULES: Final[Mapping[str, Callable[[Script], _Facts]]] = {
    "http-headers": _headers,
    "http-server-header": _server,
    "nbstat": _nbstat,
    "smb-os-discovery": _session,
    "smb-protocols": _protocols,
    "smb-security-mode": _signing1,
    "smb2-security-mode": _signing2,
    "ssl-cert": _certificate,
}
