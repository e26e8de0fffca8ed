"""A whole hospital on 127.0.0.0/8, reachable from this machine alone: for demo, tests and benchmarks.

Its codec is its own: nothing here is shared with the parsers that it tests. :class:`Hospital` is the plan,
and pure; :func:`serve` puts it on sockets; ``python -m scanner.simulator`` is the process.

What differs from real machines, knowingly: a machine without a service accepts there and resets, or says
nothing to a datagram, since no unprivileged program can have the kernel refuse one address of a shared port.
Nobody but nobody gets in (an anonymous session), and no share can be opened; of the old dialects of SMB only
NT LM 0.12 is spoken; nothing is signed; of compounded and chained requests the first is answered. RDP ends
with TLS and the challenge of CredSSP, SSH with a host key whose signature is none; MSRPC says who serves, in
32-bit NDR, and is called no further; SNMP has the system group, HTTP one page and an icon.
"""

from __future__ import annotations

from scanner.simulator.plan import Hospital
from scanner.simulator.process import started
from scanner.simulator.server import serve

__all__ = ["Hospital", "serve", "started"]
