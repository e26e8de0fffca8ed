"""Whether second opinions can be had here: nmap, python-nmap, impacket."""

from __future__ import annotations

from scanner.cli.checkup import Finding, State
from scanner.deep.allowed import scripts
from scanner.deep.installed import MACHINES, Installed, installed
from scanner.language import Message


def opinions(there: Installed | None = None) -> Finding:
    """Whether ``scan --deep`` can ask every program that it knows."""
    found = there or installed()
    if found.machine not in MACHINES:
        says = Message("second opinions cannot be kept harmless on {machine}", {"machine": found.machine})
        fix = Message(
            "scan without --deep, or from Linux on {machines}", {"machines": ", ".join(sorted(MACHINES))}
        )
        return Finding("opinions", State.WARN, says, fix)
    parts = {"nmap": found.nmap, "python-nmap": found.python_nmap, "impacket": found.impacket}
    missing = [name for name, version in parts.items() if not version]
    if missing:
        says = Message("second opinions (scan --deep) lack {missing}", {"missing": ", ".join(missing)})
        fix = Message('apt install nmap, and pip install "vetuste[deep]"')
        return Finding("opinions", State.WARN, says, fix)
    versions = ", ".join(f"{name} {version}" for name, version in parts.items())
    values = {"versions": versions, "measured": scripts().measured}
    says = Message(
        "second opinions can be had: {versions}; nmap's scripts were measured with {measured}", values
    )
    return Finding("opinions", State.OK, says)
