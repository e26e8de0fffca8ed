"""Prove what is said of one machine, from evidence to verdict, and list what was ever sent to it.

HOST is an address, a name, a fully qualified name, or the id of an asset.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from scanner.classify import default_classifier
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.history_lines import history_object, print_history
from scanner.cli.terminal.options import Where, formats, today, where
from scanner.cli.terminal.output import write_json
from scanner.cli.terminal.proofs import print_proof, proof_object
from scanner.cli.terminal.switches import Argument
from scanner.inventory import asset_detail, history_of, open_inventory

if TYPE_CHECKING:
    from datetime import date


@command_of(
    __doc__,
    examples=(
        ("By address:", "vetuste explain 10.20.0.5"),
        ("By name, for a script:", "vetuste explain PC-CARDIO-12 --json"),
    ),
)
@click.argument("host", cls=Argument)
@where
@formats("table", "json")
@today
def command(*, host: str, where: Where, form: str, today: date) -> None:
    """Read everything kept of it, and classify its evidence again, step by step."""
    with open_inventory(where.url()) as inventory:
        detail = asset_detail(inventory, host, today=today)
        history = history_of(inventory, detail.asset.id)
    steps = default_classifier().proof(detail.asset.evidence)
    if form == "json":
        write_json({**proof_object(detail, steps), **history_object(history)})
    else:
        print_proof(detail, steps)
        print_history(history)
