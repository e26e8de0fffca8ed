from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert

from scanner.inventory import history_of
from scanner.inventory.tables import EVIDENCE_KEYS, TIES, TRAITS
from scanner.inventory.transactions import writing
from tests.inventory.history.year import ADDRESSES, FIRST, Night, keep
from tests.inventory.hospital import LTSC, XP, host, record

if TYPE_CHECKING:
    from scanner.config import SiteFile
    from scanner.inventory import Inventory

ALL = frozenset(ADDRESSES)
A, B = ADDRESSES[:2]
BLOC = "10.20.1.65"


def test_what_says_the_same_is_folded_and_what_comes_back_is_told_again(
    inventory: Inventory, site: SiteFile
) -> None:
    keep(
        inventory,
        site,
        [
            Night({1: (A, XP)}, ALL),
            Night({1: (A, XP)}, ALL),
            Night({2: (B, XP)}, ALL),
            Night({1: (BLOC, XP)}, ALL),
            Night({1: (BLOC, LTSC)}, ALL),
            Night({1: (A, XP)}, ALL),
        ],
    )
    stays = history_of(inventory, 1).stays
    assert [(stay.address, stay.ward, stay.identity.candidates, stay.scans) for stay in stays] == [
        (A, "Cardiologie", ("w-xp",), 2),
        (BLOC, "Bloc", ("w-xp",), 1),
        (BLOC, "Bloc", ("w-10-l",), 1),
        (A, "Cardiologie", ("w-xp",), 1),
    ]
    assert [(stay.last - stay.first).days for stay in stays] == [30, 0, 0, 0]


def test_traits_and_ties_are_told_with_their_sources(inventory: Inventory, site: SiteFile) -> None:
    keep(inventory, site, [Night({1: (A, XP), 2: (B, XP)}, ALL)])
    with writing(inventory) as connection:
        connection.execute(insert(EVIDENCE_KEYS).values(id=77, key="x.name"))
        trait = {"site_id": 1, "key_id": 77, "value": "PC-1", "asset_id": 1, "scan_id": 1}
        connection.execute(insert(TRAITS).values(**trait, first=FIRST, last=FIRST))
        tie = {"kind": "merged", "asset_id": 1, "other_id": 2, "at": FIRST, "author": "it"}
        connection.execute(insert(TIES).values(**tie, how="the same PC", moved="{}"))
    for asset in (1, 2):
        (tie_of,) = history_of(inventory, asset).ties
        assert (tie_of.asset, tie_of.other, tie_of.scan, tie_of.author) == (1, 2, None, "it")
        assert tie_of.how == "the same PC"
    *_, known = history_of(inventory, 1).traits
    assert (known.key, known.value, known.first, known.scan) == ("x.name", "PC-1", FIRST, 1)


def test_a_real_scan_leaves_a_stay_and_nobody_has_none(inventory: Inventory, site: SiteFile) -> None:
    record(inventory, site, [host(A, "Cardiologie", XP)])
    (stay,) = history_of(inventory, 1).stays
    assert (stay.address, stay.ward, stay.scans) == (A, "Cardiologie", 1)
    nobody = history_of(inventory, 99)
    assert (nobody.stays, nobody.traits, nobody.ties) == ((), (), ())
