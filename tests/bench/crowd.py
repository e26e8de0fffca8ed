"""Evidence of any number of machines, like that of a hospital: ``python -m tests.bench.crowd LINES [SHARE]``.

Each line is one machine: the values that its kind of machine says, taken from the examples of the
fingerprints, and a name and a GUID of its own that no fingerprint looks at. A share of them (30 of 100) also
says something that fingerprints do look at and that no other machine says: a banner with a host name, a
kernel's build date. With a share of 0 a few hundred identities do for everybody: the best case.
"""

from __future__ import annotations

import json
import random
import sys
from typing import TYPE_CHECKING, Final

from scanner.fingerprints import load_fingerprints

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

SHARE: Final = 30
"""How many of a hundred machines say something that no other one says."""
CHOICES: Final = 6
"""How many different values of a key most machines share: a hospital buys in lots."""
KINDS: Final = {
    "windows": ("smb.native_os", "smb.native_lm", "smb.dialect", "smb.max_mpx", "ntlm.version", "rdp.flags"),
    "server": ("smb.dialect", "ntlm.version", "http.server", "msrpc.endpoints", "mssql.version"),
    "unix": ("ssh.banner", "http.server", "smtp.banner", "snmp.sysdescr", "mysql.version"),
    "device": ("snmp.sysdescr", "snmp.sysobjectid", "http.title", "telnet.banner", "tls.subject"),
    "imaging": ("dicom.version", "dicom.class_uid", "http.server", "ftp.banner"),
}
"""What a kind of machine speaks."""
OWN: Final = {
    "http.title": "Poste {name} - Synapse",
    "tls.subject": "CN={name}.chu.example,O=CHU,C=FR",
    "ftp.banner": "{name} Microsoft FTP Service (Version 5.0).",
    "smtp.banner": "{name}.chu.example Microsoft ESMTP MAIL Service, Version: 5.0.2195.{small} ready",
    "ssh.banner": "SSH-2.0-OpenSSH_8.4p1 Debian-5+deb11u3 {name}",
    "snmp.sysdescr": "Linux {name} 4.19.0-6-amd64 #1 SMP Debian 4.19.67-2 (2019-08-{small}) x86_64",
    "smb.native_lm": "Samba 4.7.6-{name}",
    "smb.native_os": "Windows 5.1 {name}",
    "mssql.version": "10.50.{small}.{number}",
    "dicom.version": "PACS_{name}",
    "msrpc.endpoints": "{guid} v1.0",
}
"""What of it can be a machine's own words."""


def machines(number: int, share: int = SHARE, seed: int = 1) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """So many machines, the same ones for the same seed: address and evidence."""
    dice = random.Random(seed)
    examples = {
        key: [value for one in found for value, _ in one.examples]
        for key, found in load_fingerprints().by_key.items()
    }
    lots = [
        {key: dice.choice(examples[key]) for key in dice.choice(list(KINDS.values()))}
        for _ in range(len(KINDS) * CHOICES**2)
    ]
    for count in range(number):
        yield (
            ".".join(map(str, (0x0A000000 + count).to_bytes(4))),
            _says(count, dice.choice(lots), share, dice),
        )


def _says(count: int, lot: Mapping[str, str], share: int, dice: random.Random) -> dict[str, list[str]]:
    name, guid = f"pc-{count:07d}", f"{dice.getrandbits(32):08x}-9a1e-4a55-8d4b-{count:012x}"
    evidence = {key: [value] for key, value in lot.items()}
    if dice.randrange(100) < share:
        key = dice.choice([key for key in lot if key in OWN])
        evidence[key] = [OWN[key].format(name=name, guid=guid, small=count % 90 + 10, number=count)]
    return {**evidence, "smb.server_guid": [guid], "ntlm.netbios_name": [name.upper()]}


def lines(number: int, share: int = SHARE) -> Iterator[bytes]:
    """The same as ``vetuste classify`` reads it."""
    for address, evidence in machines(number, share):
        yield json.dumps({"host": address, "evidence": evidence}).encode() + b"\n"


if __name__ == "__main__":
    sys.stdout.buffer.writelines(lines(*map(int, sys.argv[1:])))
