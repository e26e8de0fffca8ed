"""The half of ``docs/safety.md`` that the code says of itself: ``python -m tests.safety`` (``make docs``).

``--check`` changes nothing and fails where that half is stale.
"""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING

from scanner.addresses import AddressSet
from scanner.probes import probes
from scanner.sweep.plan import plan
from scanner.targets import Scope
from scanner.transport.gate import Gate
from scanner.transport.limits import PROFILES, REFUSED_PORTS, Terms

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from scanner.probes import Probe
    from scanner.sweep.plan import Share
    from scanner.transport.limits import Limits

PAGE = Path(__file__).parents[1] / "docs" / "safety.md"
BEGIN = "<!-- From here on made by `make docs` from the code itself. -->"
_WIDTH = 118
_HOST = AddressSet.of(["10.0.0.1/32"])


def half() -> str:
    """Everything after the mark."""
    return "\n".join(
        [BEGIN, "", *_profiles(), *_refused(), *(line for each in probes() for line in _probe(each))]
    )


def _profiles() -> Iterator[str]:
    yield from ("## How much, by profile", "")
    yield "| profile | attempts a second, in all | to one host | attempts to a host in a scan | ports |"
    yield "|---|---|---|---|---|"
    for limits in PROFILES.values():
        rate = "no limit" if limits.rate is None else f"{limits.rate:g}"
        host = "2 a second" if limits.host_interval else "no limit"
        yield f"| `{limits.profile}` | {rate} | {host} | {limits.connections} | {_services(limits)} |"
    yield ""


def _services(limits: Limits) -> str:
    if limits.services is None:
        return "all but the refused ones"
    ordered = sorted(limits.services, key=lambda pair: (pair[0].value, pair[1]))
    return ", ".join(f"{port}/{transport}" for transport, port in ordered)


def _refused() -> Iterator[str]:
    yield from ("## Refused ports", "")
    yield fill(
        f"- These ports, unless the site file names them: {', '.join(_runs(REFUSED_PORTS))}.",
        _WIDTH,
        subsequent_indent="  ",
    )
    yield "  Printers print what they receive; pumps and controllers stop."
    yield ""


def _runs(ports: Iterable[int]) -> Iterator[str]:
    """Ports in order, several in a row as one."""
    for _, group in groupby(enumerate(sorted(ports)), key=lambda pair: pair[1] - pair[0]):
        run = [port for _, port in group]
        yield str(run[0]) if len(run) == 1 else f"{run[0]} to {run[-1]}"


def _probe(probe: Probe) -> Iterator[str]:
    yield from (f"## What the probe `{probe.name}` sends to one host", "")
    ports = ", ".join(f"{port}/{probe.transport}" for port in probe.ports)
    yield f"Ports {ports}; the next only where the one before told nothing. In one conversation at most:"
    yield f"{probe.connections} connections, {probe.exchanges} messages, {probe.size} bytes of payload."
    yield from (
        "",
        "| profile | connections, least to most | packets that we send, least to most |",
        "|---|---|---|",
    )
    for limits in PROFILES.values():
        share = _share(limits, probe)
        if share is not None:
            cells = _range(share, "connections"), _range(share, "packets")
            yield f"| under `{limits.profile}` | {' | '.join(cells)} |"
    yield from (
        "",
        "Least: one attempt is refused, or nothing more is needed. Most: every connection that may be made",
    )
    yield from (
        "is made, is spoken on to its end, and the host is asked again whether it is still there.",
        "",
    )
    yield fill(f"What the target may log: {probe.logs}", _WIDTH)
    yield ""
    yield fill(f"Known trouble: {probe.trouble}", _WIDTH)
    yield ""


def _share(limits: Limits, probe: Probe) -> Share | None:
    """What a plan says of one host; nothing where the profile does not let the probe be held."""
    terms = Terms(limits)
    gate = Gate(Scope.of(None, AddressSet()), lambda _: terms, in_flight=1)
    return plan([(_HOST, terms)], gate, [probe])[0] if gate.services(probe, terms).ports else None


def _range(share: Share, name: str) -> str:
    found = getattr(share, name)
    return f"{found.least:g} to {found.most:g}"


def page() -> str:
    """The page as it should be: what people wrote, and what follows the mark."""
    written, mark, _ = PAGE.read_text(encoding="utf-8").partition(BEGIN)
    if not mark:
        raise SystemExit(f"{PAGE.name} has lost the line after which it is made: {BEGIN}")
    return written + half()


def main() -> int:
    """Write the half, or compare it."""
    for probe in probes():
        if not (probe.logs and probe.trouble):
            raise SystemExit(f"the probe {probe.name} says nothing of what targets log, or of known trouble")
    made = page()
    if "--check" in sys.argv[1:]:
        same = PAGE.read_text(encoding="utf-8") == made
        sys.stderr.write("" if same else f"{PAGE.name} is stale: make docs\n")
        return 0 if same else 1
    PAGE.write_text(made, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
