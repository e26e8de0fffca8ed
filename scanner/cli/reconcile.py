"""Compare the network with a register: what only one side has, and where they differ.

REGISTER is ad or glpi, whose file vetuste import read before. Unregistered: a machine was seen on the
network, and no record of the register is it. Unseen: a record is no machine that was seen; why, and whether
its address was scanned at all, stands beside it. Differing: what the machine says of itself cannot be what
the register says; an old record of a machine that was installed anew looks so.
"""

from __future__ import annotations

from collections import Counter
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final

import click

from scanner.classify import default_classifier
from scanner.cli.terminal.commands import command as command_of
from scanner.cli.terminal.options import Where, Words, flat, formats, where
from scanner.cli.terminal.output import say, write_csv, write_lines, write_objects
from scanner.cli.terminal.switches import Argument, Option
from scanner.cli.terminal.table import Cell, Column, table, terminal_width
from scanner.cli.terminal.words import heading
from scanner.errors import ConfigError
from scanner.inventory import open_inventory
from scanner.inventory.records.comparing import KINDS, Difference, differences, registers_in
from scanner.language import Message, translate

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_KINDS: Final = {
    "unregistered": Message("not in the register"),
    "unseen": Message("not on the network"),
    "differing": Message("differing"),
}
_COLUMNS: Final = ("ward", "address", "name")
_CSV: Final = (
    *("kind", "site", "ward", "register", "name", "asset", "ip", "system", "last_seen"),
    *("id", "registered", "enabled", "last_contact", "reasons"),
)


@command_of(
    __doc__,
    examples=(
        ("What the directory does not know:", "vetuste reconcile ad --only unregistered"),
        ("How many of each in every ward:", "vetuste reconcile ad --by-ward"),
        ("For a spreadsheet:", "vetuste reconcile glpi --format csv"),
    ),
)
@click.argument("register", cls=Argument, help="The register: ad, glpi.")
@where
@click.option(
    "--only",
    cls=Option,
    type=Words(KINDS),
    multiple=True,
    help="Only these: unregistered, unseen, differing.",
)
@click.option("--ward", cls=Option, default="", metavar="NAME", help="Only this ward; * and ? as in a shell.")
@click.option("--by-ward", cls=Option, is_flag=True, help="How many of each, ward by ward.")
@formats("table", "csv", "json", "jsonl")
def command(  # noqa: PLR0913 - one parameter an option
    *, register: str, where: Where, only: tuple[tuple[str, ...], ...], ward: str, by_ward: bool, form: str
) -> None:
    """Compare and print."""
    kinds = flat(only) or KINDS
    with open_inventory(where.url()) as inventory:
        known = registers_in(inventory)
        if register not in known:
            raise ConfigError(
                "no records of {register} were imported; known here: {known}",
                register=repr(register),
                known=", ".join(known) or "-",
            )
        found = (
            each
            for each in differences(inventory, register, default_classifier())
            if each.kind in kinds and _is_in(each, ward)
        )
        if by_ward:
            _write_sums(found, kinds, form)
        else:
            _write(found, form)


def _is_in(found: Difference, ward: str) -> bool:
    return not ward or fnmatchcase(found.ward.casefold(), ward.casefold())


def _write(found: Iterable[Difference], form: str) -> None:
    if form == "csv":
        write_csv(_CSV, (_flat(each) for each in found))
    elif form in {"json", "jsonl"}:
        write_objects(form, (_object(each) for each in found))
    else:
        counts: Counter[str] = Counter()
        heads = [Column(translate("what")), *(Column(heading(key)) for key in _COLUMNS)]
        heads += [Column(translate("on the network")), Column(translate("in the register"))]
        heads += [Column(translate("last contact")), Column(translate("why"))]
        write_lines(table(heads, _rows(found, counts), width=terminal_width()))
        _sum_up(counts)


def _sum_up(counts: Counter[str]) -> None:
    say()
    say(
        "Not in the register: {unregistered}. Not on the network: {unseen}. Differing: {differing}.",
        **{kind: counts[kind] for kind in KINDS},
    )


def _rows(found: Iterable[Difference], counts: Counter[str]) -> Iterator[list[Cell]]:
    for each in found:
        counts[each.kind] += 1
        texts = [
            _KINDS[each.kind].render(), each.ward or translate("(not known)"), each.address, each.name,
            each.system, each.registered, f"{each.contact:%Y-%m-%d}" if each.contact else "", _why(each),
        ]  # fmt: skip
        yield [Cell(text) for text in texts]


def _why(found: Difference) -> str:
    reasons = [reason.render() for reason in found.reasons]
    if found.enabled is False:
        reasons.insert(0, translate("disabled"))
    return "; ".join(reasons)


def _write_sums(found: Iterable[Difference], kinds: Iterable[str], form: str) -> None:
    """How many of each kind every ward has."""
    sums: dict[tuple[str, str], Counter[str]] = {}
    for each in found:
        sums.setdefault((each.site, each.ward), Counter())[each.kind] += 1
    rows = [
        {"site": site, "ward": ward, **{kind: counts[kind] for kind in kinds}}
        for (site, ward), counts in sorted(sums.items())
    ]
    if form == "csv":
        write_csv(["site", "ward", *kinds], rows)
    elif form in {"json", "jsonl"}:
        write_objects(form, rows)
    else:
        heads = [
            Column(heading("ward")),
            *(Column(_KINDS[kind].render(), figures=True) for kind in kinds),
        ]
        cells = [
            [Cell(str(row["ward"]) or translate("(not known)")), *(Cell(str(row[kind])) for kind in kinds)]
            for row in rows
        ]
        write_lines(table(heads, cells, width=terminal_width()))
        _sum_up(sum(sums.values(), Counter[str]()))


def _object(found: Difference) -> dict[str, Any]:
    return {
        "kind": found.kind,
        "site": found.site,
        "ward": found.ward,
        "register": found.register,
        "name": found.name,
        "asset": found.asset,
        "ip": found.address or None,
        "system": found.system,
        "last_seen": found.last_seen.isoformat() if found.last_seen else None,
        "id": found.own_id,
        "registered": found.registered,
        "enabled": found.enabled,
        "last_contact": found.contact.isoformat() if found.contact else None,
        "reasons": [reason.render() for reason in found.reasons],
    }


def _flat(found: Difference) -> dict[str, Any]:
    """The same in cells."""
    row = _object(found)
    enabled = {True: "yes", False: "no", None: ""}[found.enabled]
    return {**row, "enabled": enabled, "reasons": "; ".join(row["reasons"])}
