from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.classify import default_classifier
from scanner.cli.terminal import verdicts
from scanner.cli.terminal.evidence_lines import LONGEST, Line, lines_of
from scanner.cli.terminal.objects import identity_object
from scanner.cli.terminal.text import json_line
from scanner.cli.terminal.verdicts import Judge
from scanner.errors import ConfigError
from scanner.fingerprints import load_fingerprints
from scanner.language import LANGUAGES, use_language
from scanner.lifecycle import judge, load_lifecycle
from tests.cli.conftest import SAMBA, XP
from tests.cli.process import run

if TYPE_CHECKING:
    from pathlib import Path

    from scanner.model import Evidence


TODAY = date(2026, 11, 23)


def line(host: str, evidence: Evidence) -> bytes:
    return json.dumps({"host": host, "evidence": evidence}).encode() + b"\n"


def classify(tmp_path: Path, content: bytes, *options: str) -> tuple[int, list[dict[str, Any]], str]:
    (tmp_path / "e.jsonl").write_bytes(content)
    code, out, err = run("classify", "e.jsonl", "--today", "2026-11-23", *options, cwd=tmp_path)
    return code, [json.loads(each) for each in out.splitlines()], err


def test_the_form_of_the_contract(tmp_path: Path) -> None:
    code, (found,), err = classify(tmp_path, line("10.0.0.1", XP))
    assert (code, err) == (0, "")
    assert list(found) == [
        "host",
        "status",
        "certainty",
        "identity",
        "candidates",
        "earliest",
        "latest",
        "reasons",
    ]
    assert list(found["identity"]) == [
        "vendor",
        "family",
        "product",
        "version",
        "edition",
        "device",
        "hardware",
    ]
    assert (found["host"], found["status"]) == ("10.0.0.1", "unsupported")
    candidates = {each["release"]: each for each in found["candidates"]}
    assert candidates["windows-xp-sp3"] == {
        "release": "windows-xp-sp3",
        "name": "Windows XP SP3",
        "product": "Windows XP",
        "role": "client",
        "end": "2014-04-08",
    }
    assert str(found["latest"]) > "2014-04-08"


def test_values_may_stand_alone_or_in_lists(tmp_path: Path) -> None:
    alone = {key: values[0] for key, values in XP.items()}
    _, found, _ = classify(tmp_path, line("a", XP) + line("a", alone))  # type: ignore[arg-type]
    assert found[0] == found[1]


def test_another_day_another_verdict(tmp_path: Path) -> None:
    (tmp_path / "e.jsonl").write_bytes(line("a", XP))
    _, out, _ = run("classify", "--today", "2003-01-01", "e.jsonl", cwd=tmp_path)
    assert json.loads(out)["status"] != "unsupported"


def test_reasons_in_french_and_the_rest_the_same(tmp_path: Path) -> None:
    _, english, _ = classify(tmp_path, line("a", SAMBA))
    _, french, _ = classify(tmp_path, line("a", SAMBA), "--lang", "fr")
    pairs = list(zip(english[0]["reasons"], french[0]["reasons"], strict=True))
    assert [pair for pair in pairs if pair[0] == pair[1]] == []
    del english[0]["reasons"], french[0]["reasons"]
    assert english == french


@pytest.mark.parametrize(
    ("bad", "named"),
    [
        (b"{", "JSON"),
        (b"[1]", "object"),
        (b'"x"', "object"),
        (b"{}", "host:"),
        (b'{"host": 1, "evidence": {}}', "host:"),
        (b'{"host": "", "evidence": {}}', "host:"),
        (b'{"host": "a"}', "evidence:"),
        (b'{"host": "a", "evidence": []}', "evidence:"),
        (b'{"host": "a", "evidence": {"smb.native_os": 1}}', "evidence.smb.native_os:"),
        (b'{"host": "a", "evidence": {"smb.native_os": ["x", null]}}', "evidence.smb.native_os:"),
        (b'{"host": "a", "evidence": {"smb.native_os": {"x": "y"}}}', "evidence.smb.native_os:"),
        (b'{"host": "a", "evidence": {"k": "1", "k": "2"}}', "k:"),
        (b'{"host": "\xff", "evidence": {}}', "UTF-8"),
        (b'{"host": "a", "evidence": {"k": ' + b"[" * 100_000, "JSON"),
        (b'{"host": ' + b"9" * 10_000 + b"}", "JSON"),
        (b'{"host": "' + b"a" * (LONGEST + 10) + b'", "evidence": {}}', "1 MiB"),
        (b'{"host": "a", "evidence": {"\\u001b[2J\\n": 1}}', "evidence."),
    ],
)
def test_a_bad_line_is_named_and_the_rest_goes_on(bad: bytes, named: str, tmp_path: Path) -> None:
    code, found, err = classify(tmp_path, line("first", XP) + bad + b"\n\n" + line("last", XP))
    assert code == 2
    assert [each["host"] for each in found] == ["first", "last"]
    assert err.count("\n") == 1
    assert err.startswith("vetuste: e.jsonl:2: ")
    assert named in err
    assert err.strip().isprintable()


def test_standard_input_and_a_byte_order_mark(tmp_path: Path) -> None:
    code, out, err = run("classify", "-", cwd=tmp_path, stdin=b"\xef\xbb\xbf" + line("a", XP) + b"nonsense\n")
    assert code == 2
    assert json.loads(out)["host"] == "a"
    assert err.startswith("vetuste: stdin:2: ")


def test_a_name_cannot_command_the_terminal(tmp_path: Path) -> None:
    _, (found,), _ = classify(tmp_path, line("\x1b[2J\ud800", {"http.title": ("\x9b31m",)}))
    assert found["host"] == "\ufffd[2J\ufffd"


def test_unknown_keys_are_no_error(tmp_path: Path) -> None:
    code, (found,), err = classify(tmp_path, line("a", {**XP, "future.key": ("x",)}))
    assert (code, err) == (0, "")
    assert found["status"] == "unsupported"


SAID = [
    (key, value)
    for key, found in load_fingerprints().by_key.items()
    for one in found
    for value in (*dict(one.examples), *one.refuses)
]


@settings(max_examples=300)
@given(st.text(min_size=1), st.lists(st.sampled_from(SAID), max_size=4), st.sampled_from(LANGUAGES))
def test_a_line_is_the_object_of_the_contract(host: str, said: list[tuple[str, str]], language: str) -> None:
    evidence = {key: (value,) for key, value in said}
    identity = default_classifier().classify(evidence)
    candidates = [load_lifecycle().releases[each] for each in identity.candidates]
    use_language(language)
    try:
        told = identity_object(identity, judge(candidates, TODAY), candidates)
        wanted = json_line({"host": host, **told})
        judging = Judge(TODAY)
        assert judging.line(host, evidence) == wanted
        assert judging.line(host, evidence) == wanted, "as it is remembered"
    finally:
        use_language(LANGUAGES[0])


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdicts, "_KEPT", 3)
    monkeypatch.setattr(verdicts, "_CHARACTERS", 3000)
    small = Judge(TODAY)
    large: dict[tuple[str, str], str] = {}
    for _ in range(2):
        for key, value in SAID[::20]:
            line = small.line("a", {key: (value,)})
            assert large.setdefault((key, value), line) == line
            assert len(small._lines) <= 3
            sizes = [len(each.candidates + each.reasons) for each in small._judged.values()]
            assert sum(sizes) <= 3000 or len(sizes) == 1


def test_what_is_very_long_is_not_remembered() -> None:
    judging = Judge(TODAY)
    identities = judging._classifier._identities
    before = len(identities)
    for long in ({"smb.native_os": ("x" * 100_000,)}, {"y" * 100_000: ("x",)}):
        assert judging.line("a", long) == judging.line("a", long)
        assert len(identities) == before
    assert sum(len(line.before + line.between) for line in judging._lines.values()) < 100_000


def test_an_empty_file_gives_nothing(tmp_path: Path) -> None:
    assert classify(tmp_path, b"") == (0, [], "")


class Counted:
    """A stream that counts how much of it was held at once."""

    def __init__(self, content: bytes) -> None:
        self.content, self.place, self.largest = content, 0, 0

    def readline(self, limit: int) -> bytes:
        end = self.content.find(b"\n", self.place) + 1 or len(self.content)
        part = self.content[self.place : min(end, self.place + limit)]
        self.place += len(part)
        self.largest = max(self.largest, len(part))
        return part


def test_an_endless_line_is_never_held_whole() -> None:
    stream = Counted(b"x" * (5 * LONGEST) + b"\n" + line("a", XP))
    wrong, good = lines_of(stream, "f")  # type: ignore[arg-type]  # as much of a stream as is used
    assert isinstance(wrong, ConfigError)
    assert isinstance(good, Line)
    assert stream.largest <= LONGEST + 1


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=60).map(lambda part: part.replace(b"\n", b"")), max_size=6))
def test_any_bytes_are_lines_or_complaints(parts: list[bytes]) -> None:
    stream = Counted(b"\n".join(parts))
    for found in lines_of(stream, "f"):  # type: ignore[arg-type]  # as above
        assert isinstance(found, Line | ConfigError)
        assert str(found).isprintable()
