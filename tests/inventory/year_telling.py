"""Telling people what became of a year, with examples of what went wrong and what was to be seen of it."""

from __future__ import annotations

from collections import defaultdict
from ipaddress import ip_address
from typing import TYPE_CHECKING

from sqlalchemy import select

from scanner.inventory.tables import TIES
from scanner.inventory.transactions import reading

if TYPE_CHECKING:
    from collections.abc import Callable

    from scanner.inventory import Inventory
    from tests.inventory.year_judge import Figures, Judge, Seen


def told(
    judge: Judge, figures: Figures, inventory: Inventory, say: Callable[[str], object], most: int = 3
) -> None:
    """Say what was found, with examples of what went wrong and what was to be seen of it."""
    say(
        f"machines {figures.machines}, exactly one asset {figures.one} ({figures.share:.3%}; "
        f"{figures.possible:.3%} of those whose evidence joins), assets {figures.assets} "
        f"({figures.hollow} of shared and blind sights alone; {len(figures.displaced)} count nowhere)"
    )
    say(f"quiet machines that are one asset {figures.quiet[True]}, that are not {figures.quiet[False]}")
    say(f"assets of several machines {len(figures.joined)}, of which unexplained {len(figures.unexplained)}")
    for name, counts in (("shared", figures.shared), ("blind", figures.blind)):
        say(f"{name} sights at their machine's asset {counts[True]}, elsewhere {counts[False]}")
    say(f"lost {len(figures.lost)}, invented {len(figures.invented)}, hidden {len(figures.hidden)}")
    with reading(inventory) as connection:
        ties = defaultdict[int, list[str]](list)
        for row in connection.execute(
            select(TIES.c.kind, TIES.c.asset_id, TIES.c.other_id, TIES.c.scan_id, TIES.c.how)
        ):
            ties[row.asset_id].append(f"{row.kind} {row.other_id or ''} in scan {row.scan_id}: {row.how}")
    lives = defaultdict[int, list[str]](list)
    wanted = {each for kind in figures.kinds for each in _first(judge, figures, kind, most)}
    wanted |= {number for asset in _worst(figures)[:most] for number in figures.joined[asset]}
    for (scan, packed), records in judge.seen.items():
        for each in records:
            if each.machine.number in wanted:
                lives[each.machine.number].append(_line(judge, scan, packed, each))
    for kind, number in sorted(figures.split_kinds.items()):
        say(f"\n{kind}: {number} of {figures.kinds[kind]} are not one asset")
        for machine in _first(judge, figures, kind, most):
            _example(judge, figures, machine, lives[machine], ties, say)
    for asset in _worst(figures)[:most]:
        say(f"\nasset {asset} holds machines {figures.joined[asset]}; its ties: {ties[asset][:4]}")
        for machine in figures.joined[asset][:3]:
            _example(judge, figures, machine, lives[machine], ties, say)


def _worst(figures: Figures) -> list[int]:
    """Assets that hold several machines, those first of which nothing explains it."""
    return sorted(figures.joined, key=lambda asset: asset not in figures.unexplained)


def _first(judge: Judge, figures: Figures, kind: str, most: int) -> list[int]:
    """Some that went wrong, those first that could have gone right."""
    wrong = [number for number in figures.split if judge.machines[number].kind == kind]
    return sorted(wrong, key=lambda number: number in figures.divided)[:most]


def _example(  # noqa: PLR0913, PLR0917 - what is known of a machine, each by name
    judge: Judge,
    figures: Figures,
    number: int,
    life: list[str],
    ties: dict[int, list[str]],
    say: Callable[[str], object],
) -> None:
    machine, assets = judge.machines[number], figures.split.get(number, [])
    divided = ", nothing of its own joins its parts" if number in figures.divided else ""
    say(f"  {machine.kind} {number}, speaks {machine.speaks}, assets {assets}{divided}; {machine.changes}")
    for before, line in zip(["", *life], life, strict=False):
        if _asset_in(before) != _asset_in(line):
            say(f"    {line}")
    for asset in assets[:4]:
        for tie in ties[asset][:2]:
            say(f"    tie of {asset}: {tie[:300]}")


def _asset_in(line: str) -> str:
    return line.partition("asset ")[2].partition(" ")[0]


def _line(judge: Judge, scan: int, packed: bytes, seen: Seen) -> str:
    words = (
        f"{sort}={text}{'' if len(judge.sayers[sort, text]) == 1 else '*'}"
        for sort, text in sorted(seen.words)
    )
    return f"scan {scan} {ip_address(packed)} asset {seen.asset} ({seen.how}): {' '.join(words) or 'blind'}"
