"""What holds for every format: whose words they are, and that no file does more than be refused."""

from __future__ import annotations

import gzip
import hashlib
import io
import random
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from scanner.errors import ConfigError
from scanner.imports import CutShortError, formats
from scanner.imports.dhcp_leases import DHCP
from scanner.imports.heard import OWN_KEYS
from scanner.imports.masscan import MASSCAN
from scanner.imports.nmap_evidence import NMAP
from scanner.imports.streams import Watched, unpacked
from scanner.model import Observation, Outcome
from scanner.probes import probes
from tests.imports.mutating import places, records, replaced
from tests.imports.samples import NOW, SAMPLES, heard, read

if TYPE_CHECKING:
    from collections.abc import Sequence

OWN = {NMAP, MASSCAN, DHCP}
"""Whose observations no probe's are: a port that is open, a neighbour's address, a lease."""
FORMATS = [form.name for form in formats()]


def test_formats_are_found_by_being_there() -> None:
    assert FORMATS == ["dhcp", "masscan", "nmap", "zgrab2"]
    assert set(SAMPLES) == set(FORMATS)


@pytest.mark.parametrize("form", FORMATS)
def test_every_key_is_declared_by_the_probe_whose_words_they_are(form: str) -> None:
    declared = {probe.name: set(probe.keys) for probe in probes()} | {name: set(OWN_KEYS) for name in OWN}
    evidence = heard(form, SAMPLES[form])
    assert evidence
    for where, words in evidence.items():
        assert set(words) <= declared[where.rpartition(" ")[2]], where


@pytest.mark.parametrize("form", FORMATS)
def test_a_whole_file_is_heard_whole(form: str) -> None:
    found = read(form, SAMPLES[form])
    assert [each for each in found if isinstance(each, ConfigError)] == []
    assert_sane(found)


def assert_sane(found: Sequence[Observation | ConfigError]) -> None:
    """Observations that may be kept, and errors that may be printed."""
    for each in found:
        if isinstance(each, ConfigError):
            assert str(each).isprintable()
            assert str(each).startswith("file:")
            continue
        assert each.outcome is Outcome.ANSWERED
        assert each.at <= NOW
        assert each.at.utcoffset() is not None
        assert (each.connections, each.raw) == (0, ())
        assert 0 <= each.endpoint.port < 1 << 16
        for key, values in each.evidence.items():
            assert key.isprintable()
            assert 0 < len(values) <= 16
            assert all(0 < len(value) <= 256 and value.isprintable() for value in values)


def try_to_read(form: str, content: bytes) -> list[Observation | ConfigError]:
    """What comes of a file of which nothing is promised: observations, or one of our errors."""
    try:
        found = read(form, content)
    except ConfigError as error:
        found = [error]
    assert_sane(found)
    return found


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_that_ends_early_gives_what_stood_whole_before_and_says_so(form: str) -> None:
    content = SAMPLES[form]
    whole = len(read(form, content))
    before = 0
    for end in range(0, len(content), max(1, len(content) // 200)):
        found = try_to_read(form, content[:end])
        errors = [each for each in found if isinstance(each, ConfigError)]
        assert len(errors) <= 1
        if errors:
            assert found[-1] is errors[0]
            assert isinstance(errors[0], CutShortError) or len(found) == 1
        assert before <= len(found) - len(errors) <= whole
        before = len(found) - len(errors)


@pytest.mark.parametrize("form", FORMATS)
@given(content=st.binary(max_size=400))
@example(content=b"")
@example(content=b"\x1f\x8b")
@example(content=b"\xef\xbb\xbf")
@example(content=b"[]\n{}\n[[]]\nnull\n0\n1e999\n" + b"9" * 5000 + b"\n" + b"[" * 100000)
@example(content='{"ip": "::1%eth0"}\n{"ip": "\udcff"}'.encode("utf-8", "surrogatepass"))
def test_noise_is_refused(form: str, content: bytes) -> None:
    try_to_read(form, content)


def damaged(content: bytes, chance: random.Random) -> bytes:
    """A file with some wounds: bytes changed, taken out, put in, moved, or the end cut off."""
    wounded = bytearray(content)
    for _ in range(chance.randint(1, 4)):
        place, length = chance.randrange(len(wounded)), chance.randrange(1, 40)
        match chance.randrange(6):
            case 0:
                wounded[place] = chance.randrange(256)
            case 1:
                del wounded[max(1, place) : place + length]
            case 2:
                wounded[place:place] = chance.randbytes(length)
            case 3:
                start = chance.randrange(len(wounded))
                wounded[place : place + length] = wounded[start : start + length]
            case 4:
                wounded[place:place] = chance.choice(INSERTED)
            case _:
                del wounded[max(1, place) :]
    return bytes(wounded)


INSERTED = (
    b"null", b"[]", b"{}", b'"x"', b"-1", b"1e999", b"true", b"\\u0000", b"&#0;", b"&lt;", b"&x;", b"<host>",
    b"</host>", b"<elem>", b"<!--", b"<![CDATA[", b"]]>", b"\\xff", b"\n", b"\x00", b"9" * 20, b"..",
    b"<table key='a'>",
)  # fmt: skip
"""What hurts a parser more than noise does."""


@pytest.mark.parametrize("form", FORMATS)
@given(seed=st.integers(min_value=0, max_value=1 << 32))
def test_damage_is_an_error_of_ours_at_worst(form: str, seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(10):
        try_to_read(form, damaged(SAMPLES[form], chance))


WORDS = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), st.text(max_size=20))
VALUES = st.recursive(
    WORDS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=9), inner, max_size=4)
)


@pytest.mark.parametrize("form", ["masscan", "zgrab2"])
@given(data=st.data())
def test_any_value_may_stand_where_another_was_expected(form: str, data: st.DataObject) -> None:
    record = data.draw(st.sampled_from(records(SAMPLES[form])))
    place = data.draw(st.sampled_from(list(places(record))))
    try_to_read(form, replaced(record, place, data.draw(VALUES)))


@pytest.mark.parametrize("form", FORMATS)
def test_a_packed_file_is_unpacked(form: str) -> None:
    packed = gzip.compress(SAMPLES[form])
    watched = Watched(io.BytesIO(packed))
    assert unpacked(watched).read() == SAMPLES[form]
    assert watched.size == len(packed)
    assert watched.digest == hashlib.sha256(packed).hexdigest()


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("lost", [1, 9, 60])
def test_of_a_packed_file_that_ends_early_what_came_is_read(form: str, lost: int) -> None:
    packed = gzip.compress(SAMPLES[form] * (form != "nmap") + SAMPLES[form])
    found = try_to_read(form, packed[:-lost])
    assert isinstance(found[-1], CutShortError)
    assert len(found) > 1


@pytest.mark.parametrize("form", FORMATS)
def test_a_broken_pack_is_said_once(form: str) -> None:
    packed = bytearray(gzip.compress(SAMPLES[form]))
    packed[-8] ^= 1  # the sum
    found = try_to_read(form, bytes(packed))
    assert "is damaged" in str(found[-1])
    assert not isinstance(found[-1], CutShortError)
    assert found[:-1] == read(form, SAMPLES[form])
