"""The certificate that a Windows makes for its own Remote Desktop ([RFC 5280] 4.1): self-signed, in its name.

All machines have the key in ``host.pem``, which protects nothing. The signature is none, only as long: nobody
can trust these anyway, and a true one would take Python longer than all the rest of a connection.
"""

from __future__ import annotations

import base64
import hashlib
import ssl
from functools import cache
from importlib.resources import files
from time import gmtime, strftime
from typing import TYPE_CHECKING, Final

from scanner.simulator.asn1 import der, elements, oid
from scanner.simulator.machine import unix_seconds

if TYPE_CHECKING:
    from scanner.simulator.machine import Machine

_NULL: Final = der(0x05, b"")
_RSA: Final = der(0x30, der(0x06, oid("1.2.840.113549.1.1.1")) + _NULL)
_SHA1_RSA: Final = der(0x30, der(0x06, oid("1.2.840.113549.1.1.5")) + _NULL)
_SHA256_RSA: Final = der(0x30, der(0x06, oid("1.2.840.113549.1.1.11")) + _NULL)
_COMMON_NAME: Final = der(0x06, oid("2.5.4.3"))
_VERSION: Final = bytes.fromhex("a003020102")
_EXTENSIONS: Final = der(
    0xA3,
    # ExtKeyUsage: serverAuth; KeyUsage: keyEncipherment and dataEncipherment.
    bytes.fromhex("30223013 0603551d25 040c 300a 06082b06010505070301 300b 0603551d0f 0404 03020430"),
)
_HALF_A_YEAR: Final = 15_811_200


@cache
def _key() -> tuple[str, bytes]:
    """The key as PEM, and its public half ([RFC 8017] A.1.1)."""
    text = files("scanner.simulator").joinpath("host.pem").read_text("ascii")
    pem = text[text.index("-----BEGIN") :]
    (_, numbers), *_ = elements(base64.b64decode("".join(pem.splitlines()[1:-1])))
    return pem, der(0x30, b"".join(der(0x02, number) for _, number in elements(numbers)[1:3]))


def of(machine: Machine, now: int) -> str:
    """Key and certificate as PEM: made when the machine was started, and again after each half a year."""
    pem, public = _key()
    since = unix_seconds(machine.booted)
    since += max(0, unix_seconds(now) - since) // _HALF_A_YEAR * _HALF_A_YEAR
    dates = (strftime("%y%m%d%H%M%SZ", gmtime(when)) for when in (since, since + _HALF_A_YEAR))
    text = machine.dns_name if machine.joined else machine.name
    name = der(0x30, der(0x31, der(0x30, _COMMON_NAME + der(0x0C, text.encode("utf-8")))))
    algorithm = _SHA256_RSA if machine.personality.ntlm.startswith("10.") else _SHA1_RSA
    parts = (
        *(_VERSION, der(0x02, b"\x40" + machine.guid[1:]), algorithm, name),
        der(0x30, b"".join(der(0x17, when.encode("ascii")) for when in dates)),
        *(name, der(0x30, _RSA + der(0x03, b"\0" + public)), _EXTENSIONS),
    )
    content = der(0x30, b"".join(parts))
    signature = hashlib.shake_128(content).digest(256)
    whole = der(0x30, content + algorithm + der(0x03, b"\0" + signature))
    return pem + ssl.DER_cert_to_PEM_cert(whole)
