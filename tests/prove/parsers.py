"""Every probe, a million conversations with up to three bytes changed: evidence or one of our errors.

``make prove`` runs it, and prints how much of each probe's code damage reached. ``VETUSTE_DAMAGED`` is how
many conversations each probe gets (1,000,000), ``VETUSTE_SEED`` makes others.
"""

from __future__ import annotations

import ast
import os
import random
import runpy
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import coverage
import pytest

from scanner.probes import probes
from tests.probes.damage import damaged_conversation
from tests.probes.test_every_probe import TOLD, check

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from scanner.probes import Probe
    from tests.probes.told import Told

DAMAGED = int(os.environ.get("VETUSTE_DAMAGED", "1000000"))
SEED = os.environ.get("VETUSTE_SEED", "1")
TRACED = 20_000
"""Conversations that are held under the tracer, which makes them slow."""
LEAST = 90
"""Per cent of a probe's statements that damage must reach; the rest are declarations and refusals of ours."""


def conversations_of(probe: Probe) -> list[Told]:
    return [told for told in TOLD.values() if told.probe.name == probe.name]


def hold(told: Sequence[Told], number: int, chance: random.Random) -> dict[str, int]:
    """Hold so many; how many went to their end, and how many broke off."""
    ends = {"whole": 0, "broken": 0}
    for index in range(number):
        one = told[index % len(told)]
        heard = one.hold(damaged_conversation(one.connections, chance))
        check(one, heard)
        ends["broken" if heard.error else "whole"] += 1
    return ends


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Iterator[list[str]]:
    """Lines that are printed whatever becomes of the test."""
    lines: list[str] = []
    yield lines
    with capsys.disabled():
        sys.stdout.write("".join(f"\n  {line}" for line in lines))


@pytest.mark.parametrize("probe", probes(), ids=lambda probe: probe.name)
def test_damage_is_an_error_of_ours_at_worst(probe: Probe, say: list[str]) -> None:
    told, chance = conversations_of(probe), random.Random(f"{SEED} {probe.name}")
    module = sys.modules[probe.converse.__module__]
    tracer = coverage.Coverage(data_file=None, include=[str(module.__file__)])
    with tracer.collect():
        runpy.run_path(str(module.__file__))  # what builds constants runs then
        hold(told, min(TRACED, DAMAGED), chance)
    _, statements, _, missing, _ = tracer.analysis2(module)
    ends = hold(told, max(0, DAMAGED - TRACED), chance)
    inside = set(statements) & bodies(Path(str(module.__file__)))
    unreached = sorted(inside & set(missing))
    reached = 100 * (1 - len(unreached) / len(inside))
    say.append(
        f"{probe.name}: {DAMAGED} conversations, {ends}; {reached:.0f} % reached, not lines {unreached}"
    )
    assert reached >= LEAST


def bodies(file: Path) -> set[int]:
    """The lines inside functions: all others run when the module is imported."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef):
            lines |= set(range(node.body[0].lineno, (node.end_lineno or node.lineno) + 1))
    return lines
