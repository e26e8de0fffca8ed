"""What the mail servers of several tests say of NTLM."""

from __future__ import annotations

from base64 import b64encode

from tests.probes import made

EXCHANGE_2003 = (
    b"TlRMTVNTUAACAAAAFgAWADgAAAA1goriYo7ENUsXagIAAAAAAAAAAGwAbABOAAAABQLODgAAAA9FAFgAQwBIAC0AQwBMAEkALQA2ADYA"
    b"AgAWAEUAWABDAEgALQBDAEwASQAtADYANgABABYARQBYAEMASAAtAEMATABJAC0ANgA2AAQAFgBlAHgAYwBoAC0AYwBsAGkALQA2ADYA"
    b"AwAWAGUAeABjAGgALQBjAGwAaQAtADYANgAAAAAA"
)
"""The challenge of the example in [MS-SMTPNTLM] 4.2."""
EXCHANGE_2003_FACTS = {
    "ntlm.challenge": "versioned",
    "ntlm.version": "5.2.3790",
    "ntlm.netbios_name": "EXCH-CLI-66",
    "ntlm.netbios_domain": "EXCH-CLI-66",
    "ntlm.dns_name": "exch-cli-66",
    "ntlm.dns_domain": "exch-cli-66",
}
XP = b64encode(made.challenge())
"""A challenge made here; Dovecot carried it in the recordings, from a helper of ours."""
XP_FACTS = {
    "ntlm.challenge": "versioned",
    "ntlm.version": "5.1.2600",
    "ntlm.netbios_name": "ward-pc-07",
    "ntlm.netbios_domain": "CHU",
    "ntlm.dns_name": "ward-pc-07.chu.example",
    "ntlm.dns_domain": "chu.example",
    "ntlm.dns_forest": "example",
}
