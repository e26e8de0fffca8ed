"""Machines that are judged alike, and what was sent in all: sums of the database, in both databases."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from scanner.addresses import IPV6_END, number_of
from scanner.inventory import assets_rows, ledger_rows
from scanner.inventory.alike import alike_rows
from scanner.inventory.sent import sent_rows
from scanner.model import Outcome
from tests.inventory.hospital import (
    NOTHING,
    RELEASES,
    TEN,
    TODAY,
    XP,
    XP_OR_2003,
    attempt,
    host,
    record,
    recorder,
)

if TYPE_CHECKING:
    from scanner.config import SiteFile
    from scanner.inventory import Inventory


def test_every_machine_counts_once_where_it_is_and_as_what(inventory: Inventory, site: SiteFile) -> None:
    identities = (XP, XP, XP_OR_2003, NOTHING, TEN)
    hosts = [host(f"10.20.0.{number}", "Cardiologie", each) for number, each in enumerate(identities)]
    hosts += [host("10.20.1.65", "Bloc", TEN), host("192.0.2.1", "", XP)]
    record(inventory, site, hosts)
    counted: Counter[tuple[object, ...]] = Counter()
    for row in alike_rows(inventory, today=TODAY, releases=RELEASES):
        counted[row.place.ward, row.candidates, row.certainty, row.verdict] += row.machines
    assert counted == Counter(
        (asset.place.ward, asset.candidates, asset.identity.certainty, asset.verdict)
        for asset in assets_rows(inventory, today=TODAY, releases=RELEASES)
    )
    assert max(counted.values()) == 2
    assert list(alike_rows(inventory, sites={"elsewhere"}, today=TODAY)) == []
    here = sum(row.machines for row in alike_rows(inventory, sites={"CHU"}, today=TODAY, releases=RELEASES))
    assert here == len(hosts)


def test_what_was_sent_is_the_sum_of_the_ledger(inventory: Inventory, site: SiteFile) -> None:
    assert sent_rows(inventory) == ()
    with recorder(inventory, site) as scan:
        for last in range(9):
            outcome = Outcome.SILENT if last % 3 else Outcome.ANSWERED
            probe = "smb" if last % 2 else "look"
            scan.sent(
                [attempt(f"10.20.0.{last}", probe=probe, outcome=outcome, sent=last, received=3 * last)]
            )
            scan.visited(number_of(f"10.20.0.{last}"))
        scan.finish("done", {})
    sums: dict[tuple[str, Outcome], list[int]] = {}
    for row in ledger_rows(inventory, [(0, IPV6_END)]):
        each = sums.setdefault((row.attempt.probe, row.attempt.outcome), [0, 0, 0])
        for place, number in enumerate((1, row.attempt.sent, row.attempt.received)):
            each[place] += number
    for sites in (None, {"CHU"}, {"CHU", "elsewhere"}):
        found = sent_rows(inventory, sites)
        assert {(row.probe, row.outcome): [row.attempts, row.sent, row.received] for row in found} == sums
        assert list(found) == sorted(found, key=lambda row: (row.probe, row.transport, row.outcome))
    assert sent_rows(inventory, {"elsewhere"}) == ()
