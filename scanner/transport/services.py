"""Where a probe may be held: on which ports of a ward's hosts, or why on none."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from scanner.language import Message
from scanner.transport.limits import REFUSED_PORTS

if TYPE_CHECKING:
    from scanner.model import Transport
    from scanner.probes import Probe
    from scanner.transport.limits import Limits, Terms


class Services(NamedTuple):
    """The ports of one probe under one ward's terms."""

    ports: tuple[tuple[int, int], ...]
    """Each with the registered port that it stands for."""
    why_none: Message | None = None
    """Where there is none: why."""


def services(probe: Probe, terms: Terms, only_ports: frozenset[int] | None) -> Services:
    """Where a probe may be held.

    Args:
        probe: whose conversation.
        terms: of the ward.
        only_ports: the ports that the operator asked for, where some were.
    """
    if terms.probes is not None and probe.name not in terms.probes:
        return Services((), Message("the site file does not name it among the probes"))
    given = terms.given.get(probe.name, {})
    for need in probe.needs:
        if not given.get(need):
            return Services((), Message("the site file gives no {need} for it", {"need": need}))
    named = terms.ports.get(probe.name)
    pairs = zip(named, probe.ports, strict=False) if named else ((port, port) for port in probe.ports)
    whys = [
        (pair, _why_not(probe.transport, pair, terms.limits, only_ports, named=named is not None))
        for pair in pairs
    ]
    allowed = tuple(pair for pair, why in whys if why is None)
    return Services(allowed, None if allowed else next((why for _, why in whys if why), None))


def _why_not(
    transport: Transport,
    pair: tuple[int, int],
    limits: Limits,
    only_ports: frozenset[int] | None,
    *,
    named: bool,
) -> Message | None:
    port, service = pair
    if limits.services is not None and (transport, service) not in limits.services:
        return Message("the profile {profile} has none of its ports", {"profile": limits.profile})
    if port in REFUSED_PORTS and not named:
        return Message("its ports are refused unless the site file names them")
    if only_ports is not None and port not in only_ports:
        return Message("none of its ports was asked for")
    return None
