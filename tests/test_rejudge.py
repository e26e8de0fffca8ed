from __future__ import annotations

import random
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from scanner.classify import default_classifier
from scanner.inventory import Inventory, assets_rows, open_inventory, restating
from scanner.inventory.evidence import evidence_between, evidence_of
from scanner.inventory.transactions import reading
from scanner.model import Certainty, Evidence, Identity, Outcome
from scanner.rejudge import rejudge
from tests.inventory.hospital import NOTHING, RELEASES, TODAY, XP, XP_OR_POS, host, record, seen

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Tomorrow:
    """A classifier of other fingerprints, which remembers what it was asked."""

    version = "d2"

    def __init__(self, sees: Identity) -> None:
        self.sees = sees
        self.heard: list[Evidence] = []

    def classify(self, evidence: Evidence) -> Identity:
        self.heard.append(evidence)
        return self.sees if evidence.get("smb.native_os") == ("Windows 5.1",) else NOTHING


@pytest.fixture
def inventory(tmp_path: Path) -> Iterator[Inventory]:
    with open_inventory(f"sqlite:///{tmp_path}/i.db", create=True) as opened:
        yield opened


def _identities(inventory: Inventory) -> list[Identity]:
    return [each.identity for each in assets_rows(inventory, today=TODAY, releases=RELEASES)]


def _counts(inventory: Inventory) -> list[object]:
    with closing(inventory.connect()) as connection:
        return [
            connection.execute(f"SELECT count(*) FROM {table}").fetchone()  # noqa: S608 - constants
            for table in ("observations", "evidence", "scans", "assets", "coverage")
        ]


def test_what_is_seen_otherwise_is_told_and_kept(inventory: Inventory) -> None:
    record(inventory, None, [host("10.0.0.1", "Bloc", XP), host("10.0.0.2", "", XP_OR_POS)])
    before = _counts(inventory)
    changes = list(rejudge(inventory, Tomorrow(XP_OR_POS)))  # type: ignore[arg-type]
    assert [(each.address, each.ward, each.before, each.after) for each in changes] == [
        ("10.0.0.1", "Bloc", XP, XP_OR_POS)
    ]
    assert _identities(inventory) == [XP_OR_POS, XP_OR_POS]
    assert {each.data_version for each in assets_rows(inventory, today=TODAY, releases=RELEASES)} == {"d2"}
    assert _counts(inventory) == before
    assert list(rejudge(inventory, Tomorrow(XP_OR_POS))) == []  # type: ignore[arg-type]


def test_a_dry_run_changes_nothing(inventory: Inventory) -> None:
    record(inventory, None, [host("10.0.0.1", "", XP)])
    assert len(list(rejudge(inventory, Tomorrow(XP_OR_POS), dry_run=True))) == 1  # type: ignore[arg-type]
    assert _identities(inventory) == [XP]


def test_it_hears_the_evidence_that_the_identity_rests_on(inventory: Inventory) -> None:
    old = seen("10.0.0.1", {"smb.native_os": ("Windows 5.0",)})
    more = seen("10.0.0.1", {"smb.native_os": ("Windows 5.1",), "x.y": ("2", "1")}, port=139)
    record(inventory, None, [host("10.0.0.1", "", XP, old)])
    record(inventory, None, [host("10.0.0.1", "", XP, more, seen("10.0.0.1", {"x.y": ("1", "3")}))])
    record(inventory, None, [host("10.0.0.1", "", NOTHING, seen("10.0.0.1", outcome=Outcome.STALLED))])
    tomorrow = Tomorrow(XP)
    assert list(rejudge(inventory, tomorrow)) == []  # type: ignore[arg-type]
    assert tomorrow.heard == [{"smb.native_os": ("Windows 5.1",), "x.y": ("2", "1", "3")}]


def test_batches_lose_nobody_and_readers_go_on(inventory: Inventory) -> None:
    record(inventory, None, (host(f"10.0.{n >> 8}.{n & 255}", "", XP) for n in range(1100)))
    changes = rejudge(inventory, Tomorrow(XP_OR_POS))  # type: ignore[arg-type]
    first = next(changes)
    kept = _identities(inventory).count(XP_OR_POS)
    assert 0 < kept < 1100
    assert 1 + sum(1 for _ in changes) == 1100
    assert first.address == "10.0.0.0"
    assert set(map(str, _identities(inventory))) == {str(XP_OR_POS)}


def test_what_stays_as_it_was_is_not_written_again(
    inventory: Inventory, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(inventory, None, [host("10.0.0.1", "Bloc", XP), host("10.0.0.2", "", XP_OR_POS)])
    list(rejudge(inventory, Tomorrow(XP_OR_POS)))  # type: ignore[arg-type]
    monkeypatch.setattr(restating, "writing", None)
    assert list(rejudge(inventory, Tomorrow(XP_OR_POS))) == []  # type: ignore[arg-type]


def test_however_few_identities_are_remembered(inventory: Inventory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(restating, "_REMEMBERED", 2)
    monkeypatch.setattr(restating, "_AT_ONCE", 3)
    identities = [Identity((f"w-{n % 7}",), Certainty.HINT) for n in range(40)]
    record(inventory, None, (host(f"10.0.0.{n}", "", each) for n, each in enumerate(identities)))
    changes = list(rejudge(inventory, Tomorrow(XP)))  # type: ignore[arg-type]
    assert [each.before for each in changes] == identities
    assert [each.address for each in changes] == [f"10.0.0.{n}" for n in range(40)]
    assert set(map(str, _identities(inventory))) == {str(XP)}


def test_evidence_is_heard_as_others_read_it(inventory: Inventory) -> None:
    dice = random.Random(1)
    for scan in range(3):
        hosts = []
        for number in dice.sample(range(12), 9):
            told = [
                seen(
                    f"10.0.0.{number}",
                    {f"k.{dice.randrange(3)}": tuple(dice.choices("abc", k=2)) for _ in range(2)},
                    port=port,
                    outcome=dice.choice((Outcome.ANSWERED, Outcome.STALLED)),
                )
                for port in range(dice.randrange(1, 4))
            ]
            hosts.append(host(f"10.0.0.{number}", "", XP, *told, seen(f"10.0.0.{number}")))
        record(inventory, None, hosts, data=f"d{scan}")
    with reading(inventory) as connection:
        numbers = [row[0] for row in connection.exec_driver_sql("SELECT id FROM assets ORDER BY id")]
        wanted = {asset: rests[0] for asset, rests in evidence_of(connection, numbers).items()}
        found = evidence_between(connection, numbers[0], numbers[-1])
        assert len(wanted) > 9
        assert found == {asset: evidence for asset, evidence in wanted.items() if evidence}
        assert [list(each) for each in found.values()] == [list(wanted[asset]) for asset in found]
        one = evidence_between(connection, numbers[3], numbers[4])
        assert one == {asset: wanted[asset] for asset in numbers[3:5] if wanted[asset]}


def test_what_a_scan_writes_meanwhile_is_newer(inventory: Inventory) -> None:
    same = seen("10.0.0.1", {"smb.native_os": ("Windows 5.1",), "smb.server_guid": ("01" * 16,)})
    record(inventory, None, [host("10.0.0.1", "", XP, same)])
    newer = Identity(("w-2003",), Certainty.CERTAIN)

    class Slow(Tomorrow):
        def classify(self, evidence: Evidence) -> Identity:
            record(inventory, None, [host("10.0.0.1", "", newer, same)])
            return super().classify(evidence)

    list(rejudge(inventory, Slow(XP_OR_POS)))  # type: ignore[arg-type]
    assert _identities(inventory) == [newer]


def test_the_packaged_fingerprints_judge_stored_evidence(inventory: Inventory) -> None:
    evidence = {"smb.native_os": ("Windows 5.1",), "smb.native_lm": ("Windows 2000 LAN Manager",)}
    record(inventory, None, [host("10.0.0.1", "", NOTHING, seen("10.0.0.1", evidence))])
    classifier = default_classifier()
    (change,) = rejudge(inventory, classifier)
    assert change.after == classifier.classify(evidence)
    assert change.after.candidates
