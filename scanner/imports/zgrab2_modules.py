"""What zgrab2's modules grab, as the words of our probes (fields as in ``zgrab2_schemas``)."""

from __future__ import annotations

import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeAlias
from uuid import UUID

from scanner.imports.banners import ended, greeted
from scanner.imports.heard import version_of
from scanner.imports.replaying import replayed
from scanner.probes import ldap, tls_hello, x509

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from scanner.imports.heard import Words

_Json: TypeAlias = "Mapping[str, Any]"

_SMB2: Final = b"\xfeSMB"
_SIGNING: Final = ((0x02, "required"), (0x01, "enabled"))
"""[MS-SMB2] 2.2.4, SecurityMode."""
_GUID: Final = 16
_LISTED: Final = 64


@dataclass(frozen=True, slots=True)
class Told:
    """What a module grabbed."""

    probe: str
    """Whose words they are."""
    port: int
    """Where the module goes, if it is not told where."""
    words: Words


def told(protocol: str, result: _Json) -> Told | None:
    """What the module of a protocol grabbed; None where the product has no words for it."""
    if protocol == "banner":
        probe, words = greeted(text(result, "banner").encode("utf-8", "replace"))
        return Told(probe, _BANNER, words) if probe else None
    if protocol not in _MODULES:
        return None
    probe, port, read = _MODULES[protocol]
    if protocol == "http" and text(_answer(result), "request", "url", "scheme") == "https":
        port = _HTTPS
    return Told(probe, port, read(result))


def field(value: object, *path: str) -> Any:  # noqa: ANN401 - JSON is anything
    """What stands at a path of keys; None where nothing does."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def text(value: object, *path: str) -> str:
    """The text at a path; empty where there is none."""
    found = field(value, *path)
    return found if isinstance(found, str) else ""


def texts(value: object, *path: str) -> tuple[str, ...]:
    """The texts of the list at a path, or the one that stands there itself."""
    found = field(value, *path)
    return tuple(each for each in (_listed(found) or [found]) if isinstance(each, str))


def _listed(value: object) -> list[Any]:
    """A list, as far as it is looked at; empty where it is none."""
    return value[:_LISTED] if isinstance(value, list) else []


def _raw(value: object, *path: str) -> bytes:
    """The bytes at a path, which are in base64; empty where there are none."""
    try:
        return binascii.a2b_base64(text(value, *path).encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        return b""


def _greeting(probe: str, *more: str) -> Callable[[_Json], Words]:
    """A module whose banner, and what was said after it, our probe hears."""

    def read(result: _Json) -> Words:
        said = [text(result, name).encode("utf-8", "replace") for name in ("banner", *more)]
        return replayed(probe, *(ended(each) for each in said if each)) if said[0] else {}

    return read


def _ssh(result: _Json) -> Words:
    said = replayed("ssh", ended(text(result, "server_id", "raw").encode("utf-8", "replace")))
    key = field(result, "key_exchange", "server_host_key")
    try:
        digest = binascii.b2a_base64(bytes.fromhex(text(key, "fingerprint_sha256")), newline=False)
    except ValueError:
        digest = b""
    name, shown = text(key, "algorithm"), digest.decode().rstrip("=")
    return {
        **said,
        "ssh.kex": texts(result, "server_key_exchange", "kex_algorithms"),
        "ssh.hostkeys": texts(result, "server_key_exchange", "host_key_algorithms"),
        "ssh.ciphers": texts(result, "server_key_exchange", "server_to_client_ciphers"),
        "ssh.hostkey": f"{name} SHA256:{shown}" if name and shown else "",
    }


def _http(result: _Json) -> Words:
    """The header block, put together again, and the body; of a chain of redirections the first answer."""
    answer = _answer(result)
    status, headers = field(answer, "status_code"), field(answer, "headers")
    if not isinstance(status, int) or not isinstance(headers, dict):
        return {}
    lines = [f"HTTP/1.1 {status % 1000:03d} -", *_header_lines(headers), "", ""]
    head = "\r\n".join(lines).encode("utf-8", "replace")
    return replayed("http", head + text(answer, "body").encode("utf-8", "replace")[: 1 << 16])


def _answer(result: _Json) -> Any:  # noqa: ANN401 - JSON is anything
    chain = _listed(field(result, "redirect_response_chain"))
    return chain[0] if chain else field(result, "response")


def _header_lines(headers: Mapping[str, Any]) -> Iterator[str]:
    """Lines of a header block. How long the body was, and how it was packed, is not true any more."""
    pairs = [(name, texts(headers, name)) for name in list(headers)[:_LISTED]]
    pairs += [(text(each, "key"), texts(each, "value")) for each in _listed(headers.get("unknown"))]
    for name, values in pairs:
        if name not in {"content_length", "content_encoding", "transfer_encoding"}:
            yield from (f"{_line(name.replace('_', '-'))}: {_line(value)}" for value in values)


def _line(text_: str) -> str:
    return " ".join(text_.split())


def _smb(result: _Json) -> Words:
    """Not the dialect: zgrab2 offers some only, so what is agreed to says little of what a host can."""
    negotiated = field(result, "negotiation_log")
    mode, guid = field(negotiated, "security_mode"), _raw(negotiated, "server_guid")
    modern = isinstance(mode, int) and _raw(negotiated, "protocol_id") == _SMB2
    signing = next((name for bit, name in _SIGNING if modern and mode & bit), "disabled" if modern else "")
    return {
        "smb.smb1": "yes" if field(result, "smbv1_support") is True else "",
        "smb.native_os": text(result, "native_os") or text(result, "os_name"),
        "smb.native_lm": text(result, "ntlm"),
        "netbios.domain": text(result, "group_name"),
        "smb.signing": signing,
        "smb.server_guid": str(UUID(bytes_le=guid)) if len(guid) == _GUID and any(guid) else "",
    }


_CHALLENGE: Final = {
    "netbios_computer_name": "ntlm.netbios_name",
    "netbios_domain_name": "ntlm.netbios_domain",
    "dns_computer_name": "ntlm.dns_name",
    "dns_domain_name": "ntlm.dns_domain",
    "forest_name": "ntlm.dns_forest",
}


def _rdp(result: _Json) -> Words:
    version = version_of(text(result, "os_version"))
    names = {key: text(result, name) for name, key in _CHALLENGE.items()}
    return {**names, "ntlm.version": version, "ntlm.challenge": "versioned" if version else ""}


def _ldap(result: _Json) -> Words:
    """The root's attributes, whose names lost their capitals and got underscores."""
    others = field(result, "other_attributes")
    named = {**(others if isinstance(others, dict) else {}), **result}
    entry = {
        name.replace("_", "").lower(): tuple(value.encode("utf-8", "replace") for value in texts(named, name))
        for name in list(named)[:_LISTED]
    }
    return ldap.evidence(entry)


def certified(result: _Json) -> Words:
    """What a TLS handshake told: version, cipher, certificate. Its log is the result, or stands in it."""
    log = field(result, "tls") or field(_answer(result), "request", "tls_log") or result
    hello = field(log, "handshake_log", "server_hello")
    later = field(hello, "supported_versions", "selected_version", "value")
    version = later or field(hello, "version", "value")
    cipher = field(hello, "cipher_suite", "value")
    certificate = _raw(log, "handshake_log", "server_certificates", "certificate", "raw")
    return {
        "tls.version": tls_hello.VERSIONS.get(version, "") if isinstance(version, int) else "",
        "tls.cipher": tls_hello.SUITES.get(cipher, "") if isinstance(cipher, int) else "",
        **x509.facts(certificate),
    }


def _postgres(result: _Json) -> Words:
    is_ssl = field(result, "is_ssl")
    return {"postgresql.ssl": ("yes" if is_ssl else "no") if isinstance(is_ssl, bool) else ""}


_MODULES: Final[Mapping[str, tuple[str, int, Callable[[_Json], Words]]]] = {
    "ftp": ("ftp", 21, _greeting("ftp")),
    "http": ("http", 80, _http),
    "imap": ("imap", 143, _greeting("imap")),
    "ldap": ("ldap", 389, _ldap),
    "mssql": ("mssql", 1433, lambda result: {"mssql.version": text(result, "version")}),
    "mysql": ("mysql", 3306, lambda result: {"mysql.version": text(result, "server_version")}),
    "pop3": ("pop3", 110, _greeting("pop3")),
    "postgres": ("postgresql", 5432, _postgres),
    "rdp": ("rdp", 3389, _rdp),
    "smb": ("smb", 445, _smb),
    "smtp": ("smtp", 25, _greeting("smtp", "ehlo")),
    "ssh": ("ssh", 22, _ssh),
    "telnet": ("telnet", 23, _greeting("telnet")),
    "tls": ("tls", 443, lambda _: {}),
}
"""By the protocol that a module names: whose words they are, where it goes, and what is read of it."""
_BANNER: Final = 80
_HTTPS: Final = 443
