"""A bundle says where it was changed, whoever changed it, as far as a head from elsewhere reaches."""

from __future__ import annotations

import hashlib
import io
import json
import tracemalloc
from copy import deepcopy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.audit.bundle import TRAILER, header
from scanner.audit.canonical import canonical, digest
from scanner.audit.chain import Row, segments_of
from scanner.audit.verifying import Verified, examine
from scanner.errors import VetusteError
from tests.audit.bundling import LEDGER, OBSERVATIONS, bundled, members, packed, unpacked

BUNDLE, RAW = bundled(), bundled(raw=True)
HEAD = examine(io.BytesIO(BUNDLE)).head


def found(bundle: bytes) -> Verified:
    return examine(io.BytesIO(bundle))


def refused(bundle: bytes) -> str:
    with pytest.raises(VetusteError) as caught:
        found(bundle)
    return str(caught.value)


def test_a_bundle_is_verified_and_made_again_byte_for_byte() -> None:
    assert bundled() == BUNDLE
    assert (found(BUNDLE).rows, found(BUNDLE).raw) == (12, False)
    assert found(RAW).raw
    assert found(RAW).head == found(BUNDLE).head


@pytest.mark.parametrize("bundle", [BUNDLE, RAW], ids=["digests", "raw"])
@pytest.mark.parametrize("bits", [0x01, 0xFF])
def test_no_byte_can_be_changed(bundle: bytes, bits: int) -> None:
    for place in range(len(bundle)):
        damaged = bytearray(bundle)
        damaged[place] ^= bits
        refused(bytes(damaged))


def test_no_byte_of_the_tar_can_be_changed_by_who_packs_it_again() -> None:
    tar = unpacked(RAW)
    assert found(packed(tar)).head == HEAD
    told = [place for place, byte in enumerate(tar) if byte]  # the rest, most of it, are zeros
    for place in (*told, *range(0, len(tar), 7)):
        damaged = bytearray(tar)
        damaged[place] ^= 0x01
        refused(packed(bytes(damaged)))


def test_a_bundle_cannot_be_cut_or_added_to() -> None:
    for size in range(len(BUNDLE)):
        refused(BUNDLE[:size])
    for more in (b"\0", b"\0" * 512, BUNDLE, BUNDLE[-TRAILER:]):
        refused(BUNDLE + more)
        refused(packed(unpacked(BUNDLE) + more))
    tar = unpacked(BUNDLE)
    for size in range(0, len(tar), 64):
        refused(packed(tar[:size]))


def test_the_changed_row_is_named() -> None:
    damaged = unpacked(BUNDLE).replace(b"10.20.0.5", b"10.20.0.6")
    assert refused(packed(damaged)) == "row 2 of observations/000002.jsonl was changed"


def test_anybody_can_compute_the_head_from_the_documented_format() -> None:
    files = members(RAW)
    manifest = files["manifest.json"]
    said = json.loads(manifest)
    link = bytes(32)
    for segment in said["segments"]:
        content = files[f"{segment['table']}/{segment['number']:06}.jsonl"]
        assert hashlib.sha256(content).hexdigest() == segment["sha256"]
        body = {key: value for key, value in segment.items() if key != "link"}
        plain = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
        whole = b"".join(
            len(part).to_bytes(8, "big") + part for part in (b"vetuste-campaign-1 link", link, plain)
        )
        assert hashlib.sha256(whole).hexdigest() == segment["link"]
        link = hashlib.sha256(whole).digest()
    domain = b"vetuste-campaign-1 head"
    whole = b"".join(len(part).to_bytes(8, "big") + part for part in (domain, manifest))
    assert files["HEAD"] == f"{hashlib.sha256(whole).hexdigest()}\n".encode()


def _edited(rows: list[dict[str, Any]], draw: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - hypothesis's own
    rows = deepcopy(rows)
    place = draw(st.integers(0, len(rows) - 1))
    match draw(st.sampled_from(["drop", "double", "move", "change"])):
        case "drop":
            del rows[place]
        case "double":
            rows.insert(draw(st.integers(0, len(rows))), rows[place])
        case "move":
            rows.insert(draw(st.integers(0, len(rows) - 1)), rows.pop(place))
        case _:
            rows[place]["address"] = draw(st.text(alphabet=st.characters(codec="utf-8"), max_size=20))
    return rows


@given(st.data())
def test_a_chain_made_anew_over_edited_rows_has_another_head(data: st.DataObject) -> None:
    rows = _edited(OBSERVATIONS, data.draw)
    forged = found(bundled(rows))
    assert (forged.head == HEAD) == (rows == OBSERVATIONS)


@given(st.data())
def test_edited_rows_under_the_sealed_manifest_are_found(data: st.DataObject) -> None:
    rows = _edited(OBSERVATIONS, data.draw)
    ours, theirs = members(BUNDLE), members(bundled(rows))
    if rows != OBSERVATIONS:
        names = list(dict.fromkeys([*ours, *theirs]))
        mixed = {**theirs, "HEAD": ours["HEAD"], "manifest.json": ours["manifest.json"]}
        parts = [(name, mixed[name]) for name in names if name in mixed]
        tar = b"".join(
            header(name, len(content)) + content + bytes(-len(content) % 512) for name, content in parts
        )
        refused(packed(tar + bytes(1024)))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(alphabet=st.characters(codec="utf-8")),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(alphabet=st.characters(codec="utf-8")), inner),
    max_leaves=8,
)


@given(JSON)
def test_there_is_one_way_to_write_a_value(value: Any) -> None:  # noqa: ANN401 - anything that JSON has
    written = canonical(value)
    assert json.loads(written) == value
    assert canonical(json.loads(written)) == written
    assert b"\n" not in written


@given(st.lists(st.binary(max_size=8), max_size=3), st.lists(st.binary(max_size=8), max_size=3))
def test_parts_of_a_digest_never_run_into_each_other(one: list[bytes], other: list[bytes]) -> None:
    assert (digest("link", *one) == digest("link", *other)) == (one == other)
    assert digest("link", *one) != digest("head", *one)


@pytest.mark.parametrize(
    "manifest",
    [
        b"",
        b"[]",
        b"{}",
        b'{"format":"vetuste-campaign-1"}',
        b"[" * 100_000,
        b'{"format":"vetuste-campaign-1","previous":"","segments":[1]}',
        b'{"chain":"","format":"vetuste-campaign-1","previous":"","segments":[{"table":"../../etc/passwd"}]}',
        b'{"format":"vetuste-campaign-1","x":"\\ud800"}',
        b'{"format":"vetuste-campaign-1","n":1.5}',
        b'{"format":"vetuste-campaign-1","segments":{}}',
    ],
)
def test_a_strange_manifest_is_refused_in_one_sentence(manifest: bytes) -> None:
    head = digest("head", manifest).encode() + b"\n"
    parts = [("HEAD", head), ("manifest.json", manifest)]
    tar = b"".join(
        header(name, len(content)) + content + bytes(-len(content) % 512) for name, content in parts
    )
    assert "\n" not in refused(packed(tar + bytes(1024)))


def test_a_bomb_is_read_in_little_memory() -> None:
    lie = unpacked(BUNDLE)[:1024] + header("manifest.json", 1 << 25)
    bomb = packed(lie + bytes(1 << 25))
    huge = packed(lie[:1024] + header("manifest.json", 1 << 32) + bytes(1 << 20))
    zeros = packed(unpacked(BUNDLE)[:-1024] + bytes(1 << 26))
    for each in (huge, zeros):
        tracemalloc.start()
        refused(each)
        assert tracemalloc.get_traced_memory()[1] < 1 << 23
        tracemalloc.stop()
    refused(bomb)


def test_what_is_no_bundle_is_refused() -> None:
    for content in (b"", b"\x1f\x8b", b"PK\x03\x04" * 100, bytes(4096), packed(b""), packed(bytes(1024))):
        refused(content)


def test_segments_are_cut_at_so_many_rows() -> None:
    rows = [Row(row) for row in LEDGER]
    assert [lines.segment.rows for lines in segments_of("ledger", rows, most=2)] == [2, 2, 1]
    assert list(segments_of("ledger", [])) == []
