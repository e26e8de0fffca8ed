from __future__ import annotations

import re
import string
import sys
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.data import data_directory
from scanner.errors import DataError
from scanner.fingerprints import LONGEST, Fingerprint, Match, load_fingerprints, read_fingerprints, recognise
from scanner.fingerprints.literals import folded, literals
from scanner.fingerprints.quantifiers import UnsafeError, check_pattern

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

FINGERPRINTS = load_fingerprints()
EVERY = [fingerprint for entries in FINGERPRINTS.by_key.values() for fingerprint in entries]
CHAPTERS = {
    f"{key}: {entries[start].name}": entries[start : start + 50]
    for key, entries in FINGERPRINTS.by_key.items()
    for start in range(0, len(entries), 50)
}
"""Fifty fingerprints of a key at a time: there are ten thousand."""
each = pytest.mark.parametrize("chapter", CHAPTERS.values(), ids=CHAPTERS.keys())


# --- the data that ships


@each
def test_each_example_is_won_by_its_own_fingerprint(chapter: Sequence[Fingerprint]) -> None:
    assert not [fingerprint.name for fingerprint in chapter if not fingerprint.examples]
    for fingerprint, value, gives in ((each, *example) for each in chapter for example in each.examples):
        match = FINGERPRINTS.match(fingerprint.key, value)
        assert match is not None, fingerprint.name
        assert match.fingerprint is fingerprint
        told = {**{key: (name,) for key, name in match.names.items()}, **match.suggests, **match.asserts}
        assert {key: told.get(key) for key in gives} == {key: (wanted,) for key, wanted in gives.items()}


@each
def test_each_fingerprint_misses_its_near_misses(chapter: Sequence[Fingerprint]) -> None:
    assert not [each.name for each in chapter if not each.refuses], "a near miss shows where a pattern ends"
    assert not [(each.name, value) for each in chapter for value in each.refuses if recognise(each, value)]


@each
def test_a_fingerprint_wants_the_whole_value(chapter: Sequence[Fingerprint]) -> None:
    for fingerprint, value in ((each, value) for each in chapter for value, _ in each.examples):
        more = (f"\x7f{value}", f"{value}\n", f" {value}")
        assert not [words for words in more if recognise(fingerprint, words)], fingerprint.name


@settings(max_examples=300)
@given(
    st.text(max_size=400) | st.from_regex(r"(Windows|Samba|Unix|Hyper-V)( [ -~]{0,20}){0,6}", fullmatch=True)
)
def test_any_text_is_matched_or_missed(text: str) -> None:
    for key in FINGERPRINTS.by_key:
        match = FINGERPRINTS.match(key, text)
        assert match is None or match.value == text


def test_a_pattern_sees_256_characters() -> None:
    lm = next(one for one in EVERY if one.name == "The file server of macOS")
    (value, _), *_ = lm.examples
    assert len(value) < LONGEST
    assert recognise(lm, value + "1" * 8) is not None
    assert recognise(lm, value + "1" * LONGEST) is None


# --- the beginnings that save most patterns from being tried


def plainly(key: str, value: str) -> Match | None:
    """The first match, with every pattern tried."""
    return next((found for one in FINGERPRINTS.by_key[key] if (found := recognise(one, value))), None)


def test_the_same_wins_where_only_what_fits_is_tried() -> None:
    said = {value for one in EVERY for value in (*dict(one.examples), *one.refuses)}
    for key in FINGERPRINTS.by_key:
        for value in said:
            assert FINGERPRINTS.match(key, value) == plainly(key, value)


@st.composite
def nearly(draw: st.DrawFn) -> tuple[str, str]:
    """A key, and words that one of its patterns takes, or nearly."""
    one = draw(st.sampled_from(EVERY))
    words = st.from_regex(one.expression, fullmatch=True) | st.sampled_from([*dict(one.examples)])
    value = draw(words)
    cut = draw(st.integers(0, len(value)))
    kept = value[:cut] + draw(st.text(max_size=3)) + value[cut + draw(st.integers(0, 2)) :]
    changed = value.swapcase(), value[:cut], kept, kept * 30, draw(st.text(max_size=20))
    return one.key, draw(st.sampled_from((value, *changed)))


@settings(max_examples=1000)
@given(nearly())
def test_the_same_wins_on_any_text(said: tuple[str, str]) -> None:
    assert FINGERPRINTS.match(*said) == plainly(*said)


@pytest.mark.parametrize(
    ("pattern", "begins", "holds"),
    [
        ("abc", ("abc",), ("abc",)),
        (r"ab\dcd\d", ("ab",), ("cd",)),
        (r"(?P<x>a)b(?:c|d)e", ("abce", "abde"), ("abce", "abde")),
        ("a?b", ("ab", "b"), ("b",)),
        ("a{0,3}b", ("a", "b"), ("b",)),
        ("a{2}b", ("aab",), ("aab",)),
        ("[ab]c{1,2}d", ("ac", "bc"), ("ac", "bc")),
        (r"\d+ word", ("",), (" word",)),
        ("(?i)aBc", ("",), ("abc",)),
        ("a(?i:B)c", ("a",), ("abc",)),
        ("(?:aa|a)b|c", ("aab", "ab", "c"), ("aab", "ab", "c")),
        ("a|", ("",), ("",)),
        ("[a-z]{3}x", tuple("abcdefghijklmnopqrstuvwxyz"), ("x",)),
        ("(?:a|ab)", ("a",), ("a",)),
        ("[^a]b", ("",), ("b",)),
        (".b", ("",), ("b",)),
        ("", ("",), ("",)),
        ("(?x) a b # c", ("ab",), ("ab",)),
        (r"\w+(?:[xy]=\d*(?:One|Two)|z=\d*Three)", ("",), ("one", "three", "two")),
        (r"\dab(?: [a-z]\d)?e", ("",), ("ab",)),
        ("\\d(?i:\u0130\u017f)", ("",), ("is",)),
    ],
)
def test_what_all_matches_have_in_common(
    pattern: str, begins: tuple[str, ...], holds: tuple[str, ...]
) -> None:
    assert literals(pattern) == (begins, holds)


_ATOMS = st.sampled_from(["a", "b", "ab", "[ab]", "[^a]", r"\w", ".", "(?i:a)", "é", "(?:a|b)", "(?:ab|a|)"])
_PATTERNS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=4).map("".join),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: f"(?:{'|'.join(parts)})"),
        st.tuples(inner, st.sampled_from(["?", "*", "+", "{2}", "{1,3}", "{0}", "{7}", "+?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=8,
)


@settings(max_examples=500)
@given(st.data())
def test_no_match_begins_otherwise(data: st.DataObject) -> None:
    pattern = data.draw(_PATTERNS)
    begins, holds = literals(pattern)
    for value in data.draw(st.lists(st.from_regex(pattern, fullmatch=True), min_size=1, max_size=5)):
        assert value.startswith(begins)
        assert any(text in folded(value) for text in holds)


def test_folded_letters_are_those_that_a_pattern_without_case_takes_for_one() -> None:
    characters = map(chr, range(sys.maxunicode + 1))
    cased = "".join(each for each in characters if {each.lower(), each.upper(), each.casefold()} != {each})
    for letter in (*string.ascii_lowercase, "é", "ß", "ς", "\u0131"):
        found = re.findall(f"(?i:{letter})", cased)
        assert len(found) > 1
        assert {folded(each) for each in found} == {folded(letter)}


# --- patterns that may become slow


@pytest.mark.parametrize(
    "pattern",
    [
        r"(?:a+)+b", r"(?:a*)*", r"(?:a|aa)*b", r"(?:a|b|ab)*c", r"(?:\w+ ?){1,9}x", r"a*a*b", r".*.*",
        r"\d+\w+",
        r".+ .+", r"x*(?:y?)x*z", r"(?P<one>\d+)(?P<two>\d*)", r"(?:a?){20}a{20}", r"[a-z]+(?:z|q)[a-z]+",
        r"(?:[ab]+|c)d*e(?:a+)+", r"\s*(?:\n|x)\s*", r"[^a]*[^b]*", r"(?:ab*c?)*d", r"a*(?:b*)a*",
    ],
)  # fmt: skip
def test_a_pattern_that_could_be_slow_is_refused(pattern: str) -> None:
    with pytest.raises(UnsafeError):
        check_pattern(pattern)


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(a)\1", r"(?<!x)y", r"(?(1)a|b)", "^a", "a$", r"\bword"])
def test_what_cannot_be_checked_is_refused(pattern: str) -> None:
    with pytest.raises((UnsafeError, re.error)):
        check_pattern(pattern)


@pytest.mark.parametrize(
    "pattern",
    [
        r"a+b+c+", r"\d{1,3}(?:\.\d{1,3})?", r"Windows [ -~]{1,100} 9600", r"[a-z]+-[a-z]+",
        r"(?:ab|cd){1,4}",
        r"(?: (?:N|KN))?(?: Evaluation)? \d{5}", r"\w+=\w+", r"[^,]*,[^,]*", r"(?:\.\d){0,3}",
    ],
)  # fmt: skip
def test_a_plain_pattern_is_accepted(pattern: str) -> None:
    check_pattern(pattern)


@each
def test_values_made_to_be_slow_come_to_an_end(chapter: Sequence[Fingerprint]) -> None:
    for fingerprint, value in ((each, value) for each in chapter for value, _ in each.examples):
        for cut in range(len(value) + 1):
            last = value[cut - 1 : cut] or "x"
            slow = (value[:cut] + last * LONGEST)[: LONGEST - 1] + "\0"
            assert recognise(fingerprint, slow) is None, fingerprint.name


# --- what a file must not say

TOP = 'evidence = "a.key"\nvoice = "v"\n'
GOOD = """[[fingerprint]]
name = "One"
pattern = 'one (?P<build>[0-9.]{1,9})'
asserts = { family = "Windows" }
examples = [{ value = "one 1.2", gives = { build = "1.2" } }]
refuses = ["one x"]
"""


def refused(folder: Path, text: str) -> str:
    file = folder / "a.key.toml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as caught:
        read_fingerprints(folder)
    message = str(caught.value)
    assert message.startswith(str(file))
    assert "\n" not in message
    return message.removeprefix(str(file))


def entry(**changed: str) -> str:
    lines = {
        "name": '"Two"',
        "pattern": "'two'",
        "asserts": '{ family = "Windows" }',
        "examples": '[{ value = "two" }]',
    }
    lines.update(changed)
    return "[[fingerprint]]\n" + "".join(f"{key} = {value}\n" for key, value in lines.items() if value)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.key.toml").write_text(TOP + GOOD + entry(), encoding="utf-8")
    (found,) = read_fingerprints(tmp_path).by_key.values()
    assert [one.name for one in found] == ["One", "Two"]
    assert found[0].voice == "v"


def test_a_file_may_serve_several_keys(tmp_path: Path) -> None:
    (tmp_path / "a.key.toml").write_text('evidence = "a.key"\nalso = ["b.key"]\n' + GOOD, encoding="utf-8")
    (tmp_path / "b.key").mkdir()
    (tmp_path / "b.key" / "general.toml").write_text('evidence = "b.key"\n' + entry(), encoding="utf-8")
    (tmp_path / "b.key" / "words.toml").write_text(
        'evidence = "b.key"\n' + entry(name="'Three'", examples="[{ value = 'two' }]"), encoding="utf-8"
    )
    with pytest.raises(DataError, match="two is won by Three"):
        read_fingerprints(tmp_path)
    (tmp_path / "b.key" / "words.toml").unlink()
    found = read_fingerprints(tmp_path).by_key
    assert [(one.name, one.key, one.voice) for one in found["a.key"]] == [("One", "a.key", "a")]
    assert [(one.name, one.file) for one in found["b.key"]] == [
        ("One", "a.key.toml"), ("Two", "b.key/general.toml"),
    ]  # fmt: skip
    assert found["b.key"][0].voice == "b"


def test_without_a_voice_the_protocol_is_the_voice(tmp_path: Path) -> None:
    (tmp_path / "a.key.toml").write_text('evidence = "a.key"\n' + GOOD, encoding="utf-8")
    assert read_fingerprints(tmp_path).by_key["a.key"][0].voice == "a"


def test_a_group_that_took_no_part_claims_nothing(tmp_path: Path) -> None:
    text = entry(pattern="'two(?: (?P<edition>[a-z]{1,5}))?'", names='{ version = "{edition}" }')
    (tmp_path / "a.key.toml").write_text(TOP + text, encoding="utf-8")
    match = read_fingerprints(tmp_path).match("a.key", "two")
    assert match is not None
    assert dict(match.asserts) == {"family": ("Windows",)}
    assert dict(match.names) == {}


@pytest.mark.parametrize(
    ("changed", "complaint"),
    [
        ({"patern": "'two'"}, "fingerprint.1.patern: unknown key; did you mean pattern?"),
        ({"name": ""}, "fingerprint.1.name: must be a text"),
        ({"name": "'ONE.'"}, "name (ONE.): is hardly to be told from One"),
        ({"pattern": "1"}, "pattern (Two): must be a text"),
        ({"pattern": "'two('"}, "pattern (Two): is no regular expression"),
        (
            {"pattern": "'(?:t+)+wo'"},
            "pattern (Two): would be slow on a hostile answer: a quantifier stands inside",
        ),
        ({"pattern": f"'{'two' * 400}'"}, "pattern (Two): is longer than"),
        ({"pattern": "'(two)'"}, "pattern (Two): has a group without a name"),
        ({"pattern": "'(?P<colour>two)'"}, "pattern (Two): the group colour is not used"),
        ({"asserts": '{ build = "{number}" }'}, "pattern (Two): has no group number"),
        ({"asserts": '{ build = "{" }'}, "asserts (Two): has a brace that closes or opens nothing"),
        ({"asserts": '{ build = "{0.__class__}" }'}, "asserts (Two): may hold names of groups"),
        ({"asserts": '{ build = "{build!r}" }'}, "asserts (Two): may hold names of groups"),
        (
            {"asserts": '{ famly = "Windows" }'},
            "fingerprint.1.asserts.famly: unknown key; did you mean family?",
        ),
        ({"asserts": '{ build = "7601" }'}, "asserts (Two): a build is nobody's"),
        ({"suggests": '{ build = "7601", role = "server" }'}, "suggests (Two): a build is nobody's"),
        ({"asserts": "{ build = 7601 }"}, "asserts (Two): must be a text or a list of texts"),
        ({"asserts": '{ since = "10" }'}, "asserts (Two): must be a table from the name of a lifecycle file"),
        ({"asserts": ""}, "fingerprint.1 (Two): asserts nothing and suggests nothing"),
        ({"imitated": '"yes"'}, "imitated (Two): must be true or false"),
        ({"examples": ""}, "examples (Two): there must be at least one"),
        ({"examples": "[]"}, "examples (Two): there must be at least one"),
        ({"examples": '[{ value = "twoo" }]'}, "examples (Two): is not matched whole: twoo"),
        ({"examples": '[{ valu = "two" }]'}, "fingerprint.1.examples.valu: unknown key; did you mean value?"),
        (
            {"examples": '[{ value = "two", gives = { family = "Linux" } }]'},
            "examples (Two): two gives family",
        ),
        ({"examples": '[{ value = "one 1" }]', "pattern": "'one 1'"}, "examples (Two): one 1 is won by One"),
        ({"refuses": '["two"]'}, "refuses (Two): matches what it must not: two"),
    ],
)
def test_a_wrong_entry_is_named(tmp_path: Path, changed: dict[str, str], complaint: str) -> None:
    message = refused(tmp_path, TOP + GOOD + entry(**changed))
    line, _, told = message.removeprefix(":").partition(": ")
    assert told.startswith(complaint)
    assert 9 <= int(line) <= 16


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('evidence = "b.key"\n' + GOOD, ":1: evidence: must be the file's name: a.key"),
        (GOOD, ": evidence: must be the file's name"),
        ('evidence = "a.key"\nvoice = 1\n' + GOOD, ":2: voice: must be a text"),
        ('evidence = "a.key"\ncontradicts = 1\n' + GOOD, ":2: contradicts: must be true or false"),
        ('evidence = "a.key"\nfingerprint = 1\n', ":2: fingerprint: must be tables"),
        (
            'evidence = "a.key"\nfingerprints = []\n',
            ":2: fingerprints: unknown key; did you mean fingerprint?",
        ),
    ],
)
def test_a_wrong_file_is_named(tmp_path: Path, text: str, complaint: str) -> None:
    assert refused(tmp_path, text).startswith(complaint)


SHIPPED = (data_directory() / "smb.max_mpx.toml").read_text(encoding="utf-8")


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_file_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    start = data.draw(st.integers(0, len(SHIPPED) - 1))
    length = data.draw(st.integers(0, 12))
    text = (
        SHIPPED[:start]
        + data.draw(st.text(st.characters(codec="utf-8"), max_size=6))
        + SHIPPED[start + length :]
    )
    folder = tmp_path_factory.getbasetemp() / "damaged"
    folder.mkdir(exist_ok=True)
    (folder / "smb.max_mpx.toml").write_text(text, encoding="utf-8")
    try:
        tomllib.loads((folder / "smb.max_mpx.toml").read_bytes().decode())
        well_formed = True
    except tomllib.TOMLDecodeError:
        well_formed = False
    try:
        found = read_fingerprints(folder)
    except DataError as refusal:
        told = str(refusal)
    else:
        told = ""
        assert well_formed
        assert all(one.examples for one in found.by_key["smb.max_mpx"])
    assert not told or "smb.max_mpx.toml" in told
