"""Learn from what machines say to each other; nothing is ever sent.

Captures (pcap, pcapng, packed with gzip or Zstandard) are read with --pcap, an interface that a mirror port
feeds is heard with --interface. What clients and servers say of their systems becomes evidence as a scan's
answers do, at the time of its packet; no content of what they say is kept, and nothing that names a person.

Machines are recorded in the wards of the site file, and addresses outside of them are left out; without a
site file all are taken. What agrees with what is known of a machine stands beside it; of what contradicts,
the newer stands. No address counts as scanned by that. With --jsonl one line a machine is printed instead, in
the form of classify's output with its evidence, and nothing is recorded.

An interface is heard until --for is over, or Ctrl-C: what was heard comes into the inventory every minute.
Only root, or who has the right to (docs/listening.md), may hear one. Of a file that is damaged, what stood
before is taken; the exit code is 3 only where nothing could be read.
"""

from __future__ import annotations

import math
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import click

from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.exits import DONE, FINDINGS, INTERRUPTED
from scanner.cli.terminal.heard_lines import Span, print_heard, summary_object, tell_packets
from scanner.cli.terminal.hearing import Heard, hear_files, hear_interface
from scanner.cli.terminal.listening import Aim, print_lines, record
from scanner.cli.terminal.options import Where, formats, today, where
from scanner.cli.terminal.output import tell, write_json
from scanner.cli.terminal.switches import Argument, Option
from scanner.inventory import LISTENING
from scanner.language import translate
from scanner.model import Status
from scanner.process import rare_collections
from scanner.wire import printable

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Generator
    from datetime import date

    from scanner.imports.listening import Listening

_MINUTE = 60.0
"""Seconds after which what an interface told comes into the inventory."""


@command_of(
    __doc__,
    examples=(
        ("A capture that the network team handed over:", "vetuste listen --pcap monday.pcapng.gz"),
        ("All of a folder, for another program:", "vetuste listen --pcap captures/ --jsonl"),
        ("While it is captured elsewhere:", "ssh probe tcpdump -w - -U | vetuste listen --pcap -"),
        ("A mirror port, for a day:", "vetuste listen --interface eth1 --for 24h"),
    ),
)
@click.option(
    "--pcap",
    "first",
    cls=Option,
    multiple=True,
    metavar="FILE",
    help="Captures, or folders of them; - is standard input. More may follow.",
)
@click.argument("more", nargs=-1, cls=Argument, metavar="[FILE]...", help="More captures.")
@click.option("--interface", cls=Option, metavar="IF", help="Hear this interface, eth1.")
@click.option(
    "--for", "span", cls=Option, type=Span(), metavar="TIME", help="For so long, 90s, 30m, 24h, 7d."
)
@where
@click.option(
    "--fail-on",
    cls=Option,
    multiple=True,
    type=click.Choice([status.value for status in Status]),
    help="End with code 1 where a machine that was heard has this status; may be repeated.",
)
@formats("table", "json", "jsonl")
@today
def command(
    *,
    where: Where,
    fail_on: tuple[str, ...],
    form: str,
    today: date,
    **asked: Any,  # noqa: ANN401 - what is listened to, which _heard_of reads by name
) -> None:
    """Listen, then record or print."""
    heard = Heard()
    names, interface = (*asked["first"], *asked["more"]), asked["interface"]
    portions = _portions(
        names, interface, asked["span"], heard, every=math.inf if form == "jsonl" else _MINUTE
    )
    with rare_collections(), closing(portions):
        found: Counter[Status]
        if form == "jsonl":
            found = print_lines(portions, today)
        else:
            request = {LISTENING: interface or [printable(name) for name in names]}
            scope = printable(f"listen {interface or ' '.join(names)}")
            summary = record(portions, heard, Aim(where.site_source(), where.url(), today, request, scope))
            found = summary.statuses
            if form == "json":
                write_json(summary_object(summary, heard))
            else:
                print_heard(summary)
    if interface:
        tell_packets(heard)
    if heard.interrupted:
        tell("interrupted: what was heard up to here is kept")
        sys.exit(INTERRUPTED)
    sys.exit(FINDINGS if any(found[Status(status)] for status in fail_on) else DONE)


def _portions(
    names: tuple[str, ...], interface: str | None, span: float | None, heard: Heard, *, every: float
) -> Generator[Listening, None, None]:
    """What is listened to."""
    if bool(names) == bool(interface):
        raise click.UsageError(translate("name either captures, with --pcap, or one --interface"))
    if interface:
        return hear_interface(interface, math.inf if span is None else span, every, heard)
    if span is not None:
        raise click.UsageError(translate("--for is for an --interface: captures are read to their end"))
    return hear_files(names, heard)
