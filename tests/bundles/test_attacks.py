"""A bundle that is damaged, cut, forged or an attack is refused whole, in one line, and changes nothing."""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import tracemalloc
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.audit.bundle import END, header, trailer
from scanner.bundles import key_of, read_bundle, take
from scanner.classify import default_classifier
from scanner.errors import DataError
from scanner.inventory import Inventory, open_inventory
from scanner.inventory.breakers import keep_trip
from scanner.inventory.transactions import writing
from tests.bundles.forging import edited, forged, line, members, packed, tarred
from tests.bundles.hospitals import carried, ours, scan, stopped, ward
from tests.bundles.rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable

LATER = "2099-01-01T00:00:00.000000Z"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("there")
    with open_inventory(f"sqlite:///{folder}/inventory.db", create=True) as there:
        number = scan(there, ours(folder), ward())
        with writing(there) as connection:
            keep_trip(connection, 1, number, stopped())
        whole = carried(there, number).getvalue()
    full = ("phantoms/000001.jsonl", line({"block": "0a1401", "addresses": "00" * 32}))
    parts = members(whole)
    return forged([*(each for each in parts if each[0] != "SHA256SUMS"), full])


def refusal(content: bytes) -> str:
    """What is said of it, on one line."""
    with pytest.raises(DataError) as caught:
        read_bundle(io.BytesIO(content))
    said = str(caught.value)
    assert "\n" not in said
    assert said.isprintable()
    return said


def test_the_forgers_own_bundle_is_welcome(bundle: bytes) -> None:
    """Else nothing below would prove anything."""
    rows = read_bundle(io.BytesIO(bundle)).rows
    assert rows == {"hosts": 6, "ledger": 8, "visits": 3, "trips": 1, "phantoms": 1}
    assert read_bundle(io.BytesIO(edited(bundle, "head", lambda _: None))).rows == rows


def test_every_byte_counts(bundle: bytes) -> None:
    places = [*range(40), *range(len(bundle) - 120, len(bundle)), *range(40, len(bundle) - 120, 37)]
    for place in places:
        changed = bytearray(bundle)
        changed[place] ^= 1 << place % 8
        refusal(bytes(changed))


def test_wherever_it_is_cut_and_whatever_is_added(bundle: bytes) -> None:
    for size in [*range(0, len(bundle), 97), len(bundle) - 1]:
        refusal(bundle[:size])
    for more in (b"\0", b"\0" * 512, bundle, trailer(hashlib.sha256(b"").hexdigest())):
        refusal(bundle + more)


def test_what_is_no_bundle() -> None:
    for content in (b"", b"\0" * 4096, gzip.compress(b"x"), packed(b""), packed(END), packed(b"x" * 2048)):
        refusal(content)
    assert "this is no bundle of a scan" in refusal(forged([("head.json", line({"campaign": 1}))]))


def test_a_newer_format_says_so(bundle: bytes) -> None:
    newer = edited(bundle, "head", lambda head: head.update(format="vetuste-scan-2"))
    assert "maybe of a newer vetuste" in refusal(newer)


@pytest.mark.parametrize(
    "name",
    ["../../etc/passwd", "/etc/passwd", "hosts/../x", "hosts/000001.jsonl ", "ledger/000007.jsonl", ""],
)
def test_no_other_name_may_stand_in_it(bundle: bytes, name: str) -> None:
    parts = members(bundle)
    refusal(forged([*parts[:2], (name, parts[1][1]), *parts[2:]]))


def test_members_may_not_be_doubled_dropped_or_swapped(bundle: bytes) -> None:
    parts = members(bundle)[:-1]
    for place in range(len(parts)):
        refusal(forged([*parts[: place + 1], parts[place], *parts[place + 1 :]]))
    refusal(forged(parts[1:]))
    refusal(forged([parts[0], parts[2], parts[1], *parts[3:]]))
    sums = members(bundle)[-1]
    refusal(packed(tarred([*parts[:2], *parts[3:], sums])))
    refusal(packed(tarred(parts)))
    refusal(packed(tarred([*parts, (sums[0], sums[1] + sums[1])])))
    refusal(packed(tarred([*parts, sums, sums])))
    refusal(packed(tarred([*parts, sums, ("SHA256SUMS.sig", b"x"), ("SHA256SUMS.sig", b"x")])))


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.CHRTYPE])
def test_links_and_devices_may_not_stand_in_it(bundle: bytes, kind: bytes) -> None:
    about = tarfile.TarInfo("hosts/000001.jsonl")
    about.type, about.linkname, about.mode = kind, "/etc/passwd", 0o600
    head = tarred(members(bundle)[:1])[: -len(END)]
    refusal(packed(head + about.tobuf(tarfile.USTAR_FORMAT) + END))


def test_a_bomb_is_refused_before_it_fills_anything(bundle: bytes) -> None:
    """A gibibyte of zeros in a mebibyte: in a member that is too large, in one a line, in the filling."""
    tracemalloc.start()
    zeros = bytes(1 << 26)
    bombs = [
        packed(tarred(members(bundle)[:1])[: -len(END)] + header("hosts/000001.jsonl", len(zeros)) + zeros),
        packed(tarred(members(bundle)[:1]) + zeros),
        packed(b"".join(zeros for _ in range(4))),
    ]
    spaces = b'{"n":' + b" " * ((1 << 22) - 8) + b"1}\n"
    many = [members(bundle)[0], *((f"ledger/{n:06}.jsonl", spaces) for n in range(1, 40))]
    bombs.append(forged(many))
    del zeros, many
    tracemalloc.reset_peak()
    before = tracemalloc.get_traced_memory()[0]
    for bomb in bombs:
        refusal(bomb)
    assert tracemalloc.get_traced_memory()[1] - before < 1 << 26
    tracemalloc.stop()


def test_what_becomes_too_large_is_refused_by_its_ratio(bundle: bytes) -> None:
    """Lines that are right, the same again and again: far smaller than scans are."""
    host = members(bundle)[1][1].split(b"\n")[1] + b"\n"
    same = [(f"hosts/{n:06}.jsonl", host * 2000) for n in range(1, 12)]
    assert "far larger than scans do" in refusal(forged([members(bundle)[0], *same]))


def _set(**values: object) -> Callable[[Any], None]:
    return lambda row: row.update(values)


def _seen(**values: object) -> Callable[[Any], None]:
    return lambda row: row["seen"][0].update(values)


HEADS = [
    _set(started="yesterday"),
    _set(started="2026-11-20T12:00:00Z"),
    _set(started="2026-11-20 12:00:00.000000Z"),
    _set(ended="2026-11-20T11:00:00.000000Z"),
    _set(state="running"),
    _set(counts={"seen": -1}),
    _set(counts={"seen": 1.5}),
    _set(counts={"seen": True}),
    _set(counts=[]),
    _set(spans=[[5, 4]]),
    _set(spans=[[1 << 200, 1 << 201]]),
    _set(spans=[[1]]),
    _set(spans=[[1, 2, 3]]),
    _set(digest="x"),
    _set(request=[]),
    _set(request={"a": {"a": {"a": {"a": {"a": {"a": 1}}}}}}),
    _set(request={"targets": "\x1b[2J"}),
    _set(versions={"data": "\x1b[2J"}),
    _set(scope="a\nb"),
    _set(scope=None),
    _set(profile="x" * 5000),
    _set(more=1),
    _set(site=[]),
    _set(site={"site": {"name": "CHU"}, "esu": [], "ward": []}),
    lambda head: head["site"]["site"].update(name="\x1b"),
    lambda head: head["site"]["esu"][0].update(until="soon"),
    lambda head: head["site"]["ward"][0].update(subnets=["10.20.0.1/24"]),
    lambda head: head["site"]["ward"][0].update(subnets="10.20.0.0/24"),
    lambda head: head["site"].update(inventory={"url": "sqlite:////etc/passwd"}),
    lambda head: head.pop("spans") and None,
]
HOSTS = [
    _set(address="10.20.0.256"),
    _set(address="10.20.0.05"),
    _set(address="fe80::1%eth0"),
    _set(address="2001:DB8::1"),
    _set(address=5),
    _set(ward="a\x1b[2J"),
    _set(ward="w" * 300),
    _set(seen=[]),
    _set(seen={}),
    _set(unasked={"rdp": ["{x:99999999999}", {"x": "1"}]}),
    _set(unasked={"rdp": ["{x.__class__}", {"x": "1"}]}),
    _set(unasked={"rdp": ["{x!r}", {"x": "1"}]}),
    _set(unasked={"rdp": ["{y}", {"x": "1"}]}),
    _set(unasked={"rdp": ["{", {}]}),
    _set(unasked={"rdp": ["x"]}),
    _set(unasked=[]),
    _seen(port=65536),
    _seen(port=-1),
    _seen(port=True),
    _seen(port=1.0),
    _seen(service=1 << 70),
    _seen(transport="sctp"),
    _seen(outcome="fine"),
    _seen(outcome=["answered"]),
    _seen(probe="p" * 65),
    _seen(connections=-1),
    _seen(detail="a\x00b"),
    _seen(at="2026-11-20T12:00:00.000000"),
    _seen(at="0000-00-00T00:00:00.000000Z"),
    _seen(evidence={"SMB": ["x"]}),
    _seen(evidence={"smb.native_os": ["\x1b]0;x\x07"]}),
    _seen(evidence={"smb.native_os": ["\u202ex"]}),
    _seen(evidence={"smb.native_os": []}),
    _seen(evidence={"smb.native_os": ["x", "x"]}),
    _seen(evidence={"smb.native_os": "x"}),
    _seen(evidence={"smb.native_os": [str(n) for n in range(17)]}),
    _seen(evidence={"smb.native_os": ["x" * 300]}),
    _seen(evidence=None),
    _seen(raw=["###"]),
    _seen(raw=[5]),
    _seen(more=1),
]
ATTEMPTS = [
    _set(n=-1),
    _set(n=1 << 60),
    _set(at=1 << 60),
    _set(sent=-5),
    _set(received=1 << 70),
    _set(address="x"),
    _set(scan=1),
    _set(probe="\n"),
]
REST = [
    ("visits", _set(version=5)),
    ("visits", _set(version=6)),
    ("visits", _set(block="0a14")),
    ("visits", _set(block="0A1400")),
    ("visits", _set(addresses="00")),
    ("trips", _set(subnet="10.20.0.1/24")),
    ("trips", _set(subnet="x" * 100)),
    ("trips", _set(fallen=["x"])),
    ("trips", _set(cause=["{fallen.x}", {"fallen": "2"}])),
    ("trips", _set(at=None)),
    ("trips", _set(cleared=5)),
    ("phantoms", _set(block="0a140100")),
    ("phantoms", _set(addresses="zz" * 32)),
]


@pytest.mark.parametrize(
    ("table", "change"),
    [
        *(("head", change) for change in HEADS),
        *(("hosts", change) for change in HOSTS),
        *(("ledger", change) for change in ATTEMPTS),
        *REST,
    ],
)
def test_what_no_scan_says(bundle: bytes, table: str, change: Callable[[Any], None]) -> None:
    refusal(edited(bundle, table, change))


@pytest.mark.parametrize(
    "content",
    [
        b"\n",
        b"[]\n",
        b"{}",
        b"5\n",
        b"null\n",
        b"\xff\n",
        b"[" * 100_000 + b"\n",
        b"1" * 5000 + b"\n",
        b'{"a":1,"a":2}\n',
        b'{"a": 1}\n',
        b'"\\ud800"\n',
        b"NaN\n",
    ],
)
@pytest.mark.parametrize("member", ["head.json", "hosts/000001.jsonl", "visits/000001.jsonl"])
def test_lines_that_are_none(bundle: bytes, member: str, content: bytes) -> None:
    refusal(forged([(name, content if name == member else body) for name, body in members(bundle)]))


def test_attempts_stand_in_their_order(bundle: bytes) -> None:
    """Else one of them could stand twice, which the ledger's key would find in the middle of the writing."""
    name = "ledger/000001.jsonl"
    body = dict(members(bundle))[name]
    first = body.split(b"\n")[0] + b"\n"
    refusal(forged([(each, first + body if each == name else text) for each, text in members(bundle)]))


@given(data=st.data())
@settings(max_examples=150)
def test_whatever_else_a_line_says(bundle: bytes, data: st.DataObject) -> None:
    """Random values at random places of lines: refused, or as good as the product's own."""
    table = data.draw(st.sampled_from(["head", "hosts", "ledger", "visits", "trips", "phantoms"]))
    value = data.draw(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.integers(), max_size=2)
    )

    def change(row: dict[str, Any]) -> None:
        place: Any = row
        while isinstance(place, dict | list) and place:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            key = data.draw(st.sampled_from(keys))
            if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
                place[key] = value
                return
            place = place[key]

    with suppress(DataError):
        read_bundle(io.BytesIO(edited(bundle, table, change)))


def take_it(centre: Inventory, content: bytes) -> None:
    bundle = read_bundle(io.BytesIO(content))
    take(centre, bundle, None, default_classifier(), key=key_of(bundle.head))


def test_what_is_of_the_future_is_refused_whole(bundle: bytes, centre: Inventory) -> None:
    before = rows_of(centre)
    soon = (datetime.now(UTC) + timedelta(days=2)).isoformat(timespec="microseconds").replace("+00:00", "Z")
    for table, change in (("head", _set(started=soon, ended=soon)), ("hosts", _seen(at=LATER))):
        with pytest.raises(DataError, match="of the future"):
            take_it(centre, edited(bundle, table, change))
    assert rows_of(centre) == before


class _Changing(io.BytesIO):
    """A file that somebody changes after it was verified."""

    def __init__(self, first: bytes, later: bytes) -> None:
        super().__init__(first)
        self.later = later

    def change(self) -> None:
        self.seek(0)
        self.truncate()
        self.write(self.later)


def test_a_file_that_is_changed_after_it_was_verified(bundle: bytes, centre: Inventory) -> None:
    before = rows_of(centre)
    other = edited(bundle, "phantoms", _set(addresses="01" * 32))
    for later in (other, bundle[: len(bundle) // 2], b""):
        stream = _Changing(bundle, later)
        read = read_bundle(stream)
        stream.change()
        with pytest.raises(DataError):
            take(centre, read, None, default_classifier(), key="x")
    assert rows_of(centre) == before
