"""What a scan of the simulated hospital needs beside it: a site file, and the truth to compare with."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING

from scanner.simulator.plan import names
from scanner.simulator.services import by_probe

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.simulator.plan import Hospital, Ward

TRUTH_COLUMNS = ("address", "ward", "personality", "product", "listening")


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _ward(ward: Ward) -> str:
    lines = (
        "[[ward]]",
        f"name = {_text(ward.name)}",
        f"building = {_text(ward.building)}",
        f"floor = {_text(ward.floor)}",
        f"unit = {_text(ward.unit)}",
        f"subnets = [{_text(str(ward.subnet))}]",
        "lab = true",
    )
    return "\n".join(lines)


def site_file(hospital: Hospital, ports: tuple[int, ...]) -> str:
    """The text of a site file for this hospital: every ward may be scanned without limits.

    Args:
        hospital: who is where.
        ports: what stands for the registered ports, in the order of the services. What is left out is not
            asked for: on the loopback interface the machine's own services would answer.
    """
    site, spoken = names()["site"], by_probe(ports)
    head = (
        "[site]",
        f"name = {_text(site['name'])}",
        f"finess = {_text(site['finess'])}",
        f"group = {_text(site['group'])}",
        'language = "fr"',
        "",
        "[policy]",
        'profile = "lab"',
        f"probes = [{', '.join(map(_text, spoken))}]",
        "",
        "[ports]",
        *(f"{probe} = [{', '.join(map(str, numbers))}]" for probe, numbers in spoken.items()),
        *(("", "[snmp]", 'community_env = ["VETUSTE_SNMP"]') if "snmp" in spoken else ()),
    )
    return "\n\n".join(("\n".join(head), *map(_ward, hospital.wards))) + "\n"


def write_truth(hospital: Hospital, path: Path) -> None:
    """Write what every machine is, as CSV: address, ward, personality, product, whether it answers SYNs."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(TRUTH_COLUMNS)
        for place in hospital.places.values():
            listening = "yes" if place.listening else "no"
            kind = place.personality
            writer.writerow((place.address, place.ward.name, kind.key, kind.product, listening))
