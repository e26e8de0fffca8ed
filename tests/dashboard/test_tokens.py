from __future__ import annotations

import json
import stat
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from scanner.dashboard.access import Register
from scanner.dashboard.access.issuing import enter, new_token, strike
from scanner.dashboard.access.register import Entry, digest_of, read_entries
from scanner.dashboard.visitor import Role
from scanner.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "tokens.json"


def test_what_is_entered_is_read_and_the_token_is_nowhere(file: Path) -> None:
    token = new_token()
    until = datetime(2027, 1, 31, 12, tzinfo=UTC)
    entry = Entry('wall "screen" é', Role.REMEDIATOR, frozenset({"CHU"}), frozenset({"Réa", "Béta"}), until)
    enter(file, entry, token)
    (known,) = read_entries(file)
    assert known == replace(entry, digest=digest_of(token))
    assert known.visitor().sees("CHU", "Réa")
    assert not known.visitor().sees("CHU", "Archives")
    assert token not in file.read_text(encoding="utf-8")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in file.parent.iterdir()] == ["tokens.json"]


def test_tokens_are_long_and_never_the_same() -> None:
    made = {new_token() for _ in range(100)}
    assert len(made) == 100
    assert all(len(token) >= 50 for token in made)


@pytest.mark.parametrize("name", ["", " ", "a\nb", "x" * 201, "a\u202eb", "\x1b[31m"])
def test_a_name_that_could_deceive_is_none(file: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="name"):
        enter(file, Entry(name, Role.READER), new_token())


def test_a_name_is_given_once_to_a_token_and_once_to_the_proxys(file: Path) -> None:
    enter(file, Entry("DSI", Role.READER), new_token())
    enter(file, Entry("DSI", Role.OPERATOR))
    with pytest.raises(ConfigError, match="taken"):
        enter(file, Entry("DSI", Role.OPERATOR), new_token())
    with pytest.raises(ConfigError, match="taken"):
        enter(file, Entry("DSI", Role.OPERATOR))
    assert strike(file, "DSI") == 2
    assert read_entries(file) == ()
    with pytest.raises(ConfigError, match="nobody"):
        strike(file, "DSI")


def test_two_do_not_change_the_file_at_once(file: Path) -> None:
    enter(file, Entry("DSI", Role.READER), new_token())
    other = file.with_name("tokens.json.new")
    other.touch()
    with pytest.raises(ConfigError, match="somebody else"):
        enter(file, Entry("rssi", Role.READER), new_token())
    assert len(read_entries(file)) == 1


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_a_file_that_others_reach_is_not_believed(file: Path, mode: int) -> None:
    enter(file, Entry("DSI", Role.READER), new_token())
    file.chmod(mode)
    with pytest.raises(ConfigError, match="others"):
        read_entries(file)


GOOD = {"name": "DSI", "role": "reader", "sites": [], "wards": [], "sha256": "0" * 64}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"\xff",
        b"[" * 200_000,
        b'{"version": 1}',
        b'{"version": 1, "visitors": [1]}',
        b'{"version": 1, "visitors": {"a": 1}}',
        json.dumps({"version": 2, "visitors": []}).encode(),
        *(
            json.dumps({"version": 1, "visitors": [{**GOOD, **wrong}]}).encode()
            for wrong in (
                {"name": ""},
                {"name": 7},
                {"role": "admin"},
                {"role": 3},
                {"sites": "CHU"},
                {"wards": "Réa"},
                {"wards": [1]},
                {"wards": None},
                {"sha256": 0},
                {"expires": "tomorrow"},
                {"expires": "2027-01-01T00:00:00"},
                {"expires": 5},
            )
        ),
    ],
)
def test_a_damaged_file_lets_nobody_in(file: Path, content: bytes, caplog: pytest.LogCaptureFixture) -> None:
    token = new_token()
    enter(file, Entry("DSI", Role.READER), token)
    register = Register(file)
    assert register.holder(digest_of(token)) is not None
    file.write_bytes(content)
    assert register.entries() == ()
    assert "nobody is let in by a token" in caplog.text
    with pytest.raises(ConfigError):
        read_entries(file)


def test_a_file_that_is_gone_lets_nobody_in(file: Path) -> None:
    token = new_token()
    enter(file, Entry("DSI", Role.READER), token)
    register = Register(file)
    assert register.holder(digest_of(token)) is not None
    file.unlink()
    assert register.holder(digest_of(token)) is None


def test_no_digest_is_no_token(file: Path) -> None:
    enter(file, Entry("DSI", Role.OPERATOR))
    register = Register(file)
    assert register.holder("") is None
    assert register.holder(digest_of("")) is None
