"""A hospital group of any size, two scans deep: ``python -m tests.bench.million FILE [ASSETS]``.

With 1,000,000 assets some 10,000,000 rows of evidence, in four sites of a hundred wards each. What is written
is what the recorder would have written, by the same functions as far as they make rows, in bulk. A year lies
between the two scans: of the first one only sights are left, and what the identities of machines rest on that
were gone when the second one came. Equal arguments give equal rows.
"""

from __future__ import annotations

import json
import random
import sqlite3
import sys
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

from scanner.addresses import address_of
from scanner.classify import default_classifier
from scanner.config import load_site
from scanner.fingerprints import load_fingerprints
from scanner.inventory import open_inventory
from scanner.inventory.answers import pack
from scanner.inventory.blocks import block_of
from scanner.inventory.identities import to_columns
from scanner.inventory.identity.traits import ADDRESS
from scanner.inventory.merging import pack_address
from scanner.inventory.places import keep_site
from scanner.inventory.tables import METADATA
from scanner.inventory.transactions import writing
from scanner.inventory.utc import stamp
from tests.bench.crowd import CHOICES, KINDS, OWN

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from scanner.inventory import Inventory

SITES: Final = 4
WARDS: Final = 100
"""Of each site; of a small inventory, fewer."""
ROOM: Final = 4096
"""Addresses of a ward, a /20; some 2,500 of them are machines'."""
OWN_WORDS: Final = 100
"""Of so many machines one says something that fingerprints look at and that no other machine says."""
FIRST, SECOND = datetime(2025, 11, 3, 20, tzinfo=UTC), datetime(2026, 11, 2, 20, tzinfo=UTC)
KNOWN_BY: Final = "card guid name fqdn"
"""What the second scan knew machines again by."""
_AT_ONCE: Final = 20_000
_BASE: Final = 0x0A000000
_SAID: Final = (b"\x00\x00\x00\x7f\xffSMBr" + bytes(90), b"\x00\x00\x01\x02\xffSMBs" + bytes(range(120)))


@dataclass(frozen=True)
class Machine:
    """One asset to be written."""

    id: int
    ward: int
    """Its place among all wards of all sites."""
    address: str
    evidence: dict[str, tuple[str, ...]]
    identity: int
    before: int
    """Its identity in the first scan."""
    in_first: bool
    in_second: bool

    @property
    def site(self) -> int:
        """The number of its site, from 1."""
        return self.ward * SITES // (SITES * WARDS) + 1


class Identities:
    """Identities by the evidence that makes them."""

    def __init__(self) -> None:
        self.rows: dict[bytes, tuple[int, tuple[object, ...]]] = {}

    def of(self, evidence: Mapping[str, tuple[str, ...]]) -> int:
        """The number of the identity that evidence makes."""
        columns = to_columns(default_classifier().classify(evidence), "bench")
        return self.rows.setdefault(columns.digest, (len(self.rows) + 1, tuple(columns)))[0]


def machines(number: int, identities: Identities, seed: int = 1) -> Iterator[Machine]:
    """So many machines, ward after ward, by address."""
    dice = random.Random(seed)
    lots = _lots(dice)
    known = [identities.of(lot) for lot in lots]
    for count in range(number):
        ward = count * SITES * WARDS // number
        place = count - -(-ward * number // (SITES * WARDS))
        address = address_of(_BASE + ward * ROOM + 1 + place * (ROOM - 2) * SITES * WARDS // number)
        lot = dice.randrange(len(lots))
        fate, own = dice.random(), not dice.randrange(OWN_WORDS)
        evidence = {**lots[lot], **_names(count, dice)}
        if own:
            evidence |= _own(count, lots[lot], dice)
        yield Machine(
            id=count + 1,
            ward=ward,
            address=address,
            evidence=evidence,
            identity=identities.of(evidence) if own else known[lot],
            before=known[lot if fate < 0.97 else (lot + 1) % len(lots)],
            in_first=fate < 0.98,
            in_second=not 0.5 < fate < 0.52,
        )


def _lots(dice: random.Random) -> list[dict[str, tuple[str, ...]]]:
    examples = {
        key: [value for one in found for value, _ in one.examples]
        for key, found in load_fingerprints().by_key.items()
    }
    return [
        {key: (dice.choice(examples[key]),) for key in dice.choice(list(KINDS.values()))}
        for _ in range(len(KINDS) * CHOICES**2)
    ]


def _names(count: int, dice: random.Random) -> dict[str, tuple[str, ...]]:
    return {
        "smb.server_guid": (f"{dice.getrandbits(32):08x}-9a1e-4a55-8d4b-{count:012x}",),
        "ntlm.netbios_name": (f"PC-{count:07d}",),
        "ntlm.dns_name": (f"pc-{count:07d}.s{count % 7}.chu.example",),
        "ntlm.dns_domain": (f"s{count % 7}.chu.example",),
        "neighbour.mac": (":".join(f"{byte:02x}" for byte in (0x00151700000000 + count).to_bytes(7)[1:]),),
    }


def _own(count: int, lot: Mapping[str, object], dice: random.Random) -> dict[str, tuple[str, ...]]:
    key = dice.choice([key for key in lot if key in OWN])
    said = OWN[key].format(name=f"pc-{count:07d}", guid=f"{count:032x}", small=count % 90 + 10, number=count)
    return {key: (said,)}


def site_text(site: int) -> str:
    """The site file of one of the sites, numbered from 1."""
    heads = f'[site]\nname = "Site {site}"\nfiness = "00000000{site}"\n'
    wards = (
        f'[[ward]]\nname = "Ward {ward % WARDS + 1}"\nbuilding = "{"ABCDEFGH"[ward % 8]}"\n'
        f'owner = "{("DSI", "biomedical")[ward % 2]}"\n'
        f'subnets = ["{address_of(_BASE + ward * ROOM)}/20"]\n'
        for ward in range((site - 1) * WARDS, site * WARDS)
    )
    return heads + "".join(wards)


def build(file: Path, assets: int, seed: int = 1) -> None:
    """Build one; the site files stand beside it."""
    with open_inventory(f"sqlite:///{file}", create=True) as inventory:
        wards = _places(inventory, file)
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        for pragma in ("synchronous = OFF", "cache_size = -400000", "temp_store = MEMORY"):
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        keys = _once(connection)
        identities = Identities()
        crowd = machines(assets, identities, seed)
        observation = 0
        while part := list(islice(crowd, _AT_ONCE)):
            observation = _part(connection, part, wards, keys, observation)
        rows = ((number, *columns) for number, columns in identities.rows.values())
        _add(connection, "identities", rows)
        _traits(connection, keys)
        _covered(connection)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _places(inventory: Inventory, file: Path) -> list[int]:
    """Write the sites; gives the ids of all wards."""
    ids: list[int] = []
    for site in range(1, SITES + 1):
        path = file.with_name(f"{file.stem}.site-{site}.toml")
        path.write_text(site_text(site), encoding="utf-8")
        with writing(inventory) as connection:
            _, wards = keep_site(connection, load_site(path))
        ids += [wards[f"Ward {ward + 1}"] for ward in range(WARDS)]
    return ids


def _once(connection: sqlite3.Connection) -> dict[str, int]:
    """Scans, keys of evidence and of traits, and kinds of attempts; gives the keys' ids."""
    for scan in range(1, 2 * SITES + 1):
        when = stamp(FIRST if scan <= SITES else SECOND)
        site = (scan - 1) % SITES + 1
        spans = json.dumps([[_BASE + (site - 1) * WARDS * ROOM, _BASE + site * WARDS * ROOM - 1]])
        row = (scan, site, when, when, "done", "office", "all", '{"data": "bench"}', "{}", "{}", "", spans)
        _add(connection, "scans", [row])
    said = {key for kind in KINDS.values() for key in kind} | {ADDRESS, *_names(0, random.Random(0))}
    keys = {key: number for number, key in enumerate(sorted(said), 1)}
    _add(connection, "evidence_keys", ((number, key) for key, number in keys.items()))
    probes = sorted({key.partition(".")[0] for key in said - {ADDRESS}})
    kinds = ((number, probe, "tcp", 445, 445, "answered") for number, probe in enumerate(probes, 1))
    _add(connection, "ledger_kinds", kinds)
    return keys


def _add(connection: sqlite3.Connection, table: str, rows: Iterable[tuple[object, ...]]) -> None:
    marks = ", ".join("?" * len(METADATA.tables[table].c))
    connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)  # noqa: S608 - names from below


def _part(
    connection: sqlite3.Connection,
    part: list[Machine],
    wards: list[int],
    keys: Mapping[str, int],
    observation: int,
) -> int:
    """Write some machines; gives the id of the last observation."""
    observations, evidence, ledger = [], [], []
    for each in part:
        protocols: dict[str, list[str]] = {}
        for key in each.evidence:
            protocols.setdefault(key.partition(".")[0], []).append(key)
        scan = each.site + (SITES if each.in_second else 0)
        at = stamp((SECOND if each.in_second else FIRST) + timedelta(milliseconds=40 * each.id))
        packed = pack_address(each.address)
        for place, (probe, told) in enumerate(protocols.items()):
            observation += 1
            where = (scan, each.id, each.address, 445, "link" if probe == "neighbour" else "tcp", 445, probe)
            raw = pack(_SAID) if probe == "smb" else None
            observations.append((observation, *where, at, "answered", "", 1, raw))
            evidence += [(observation, keys[key], 0, each.evidence[key][0]) for key in told]
            ledger.append((scan, packed, each.id * 8 + place, 40 * each.id, 1 + place % 5, 180, 240))
    _add(connection, "observations", observations)
    _add(connection, "evidence", sorted(evidence))
    _add(connection, "ledger", ledger)
    _add(connection, "assets", (_asset(each, wards) for each in part))
    _add(connection, "sights", (sight for each in part for sight in _sights(each, wards)))
    return observation


def _asset(each: Machine, wards: list[int]) -> tuple[object, ...]:
    scan = each.site + (SITES if each.in_second else 0)
    name, fqdn, domain, mac = (
        each.evidence[key][0]
        for key in ("ntlm.netbios_name", "ntlm.dns_name", "ntlm.dns_domain", "neighbour.mac")
    )
    place = (each.site, wards[each.ward], each.address, pack_address(each.address))
    first, last = (FIRST if each.in_first else SECOND), (SECOND if each.in_second else FIRST)
    times = tuple(stamp(at + timedelta(milliseconds=40 * each.id)) for at in (first, last))
    identity = each.identity if each.in_second else each.before
    return (each.id, *place, name, fqdn, domain, mac, identity, scan, *times, scan, None, None)


def _sights(each: Machine, wards: list[int]) -> Iterator[tuple[object, ...]]:
    packed, ward = pack_address(each.address), wards[each.ward]
    if each.in_first:
        yield (
            each.site,
            each.id,
            packed,
            stamp(FIRST + timedelta(milliseconds=40 * each.id)),
            ward,
            each.before,
            "",
        )
    if each.in_second:
        at = stamp(SECOND + timedelta(milliseconds=40 * each.id))
        yield each.site + SITES, each.id, packed, at, ward, each.identity, KNOWN_BY if each.in_first else ""


def _traits(connection: sqlite3.Connection, keys: Mapping[str, int]) -> None:
    """What tells one machine from others, of everything that is known of it."""
    for key in ("smb.server_guid", "ntlm.netbios_name", "ntlm.dns_name", "neighbour.mac"):
        connection.execute(
            "INSERT INTO traits SELECT site_id, key_id, value, assets.id, first_seen, at, scan_id"
            " FROM evidence JOIN observations ON observations.id = observation_id"
            " JOIN assets ON assets.id = asset_id WHERE key_id = ? ORDER BY 1, 2, 3, 4",
            (keys[key],),
        )
    connection.execute(
        "INSERT INTO traits SELECT site_id, ?, address, id, first_seen, last_seen, last_scan_id"
        " FROM assets ORDER BY 1, 3, 4",
        (keys[ADDRESS],),
    )


def _covered(connection: sqlite3.Connection) -> None:
    """Every address of every ward was asked, by both scans."""
    everyone = b"\xff" * 32
    for site in range(1, SITES + 1):
        first = _BASE + (site - 1) * WARDS * ROOM
        blocks = [block_of(first + number) for number in range(0, WARDS * ROOM, 256)]
        _add(connection, "coverage", ((site, *block, everyone) for block in blocks))
        for scan in (site, site + SITES):
            _add(connection, "visits", ((scan, *block, everyone) for block in blocks))


if __name__ == "__main__":
    build(Path(sys.argv[1]), *map(int, sys.argv[2:] or ("1000000",)))
