"""``campaign``: from one machine to another, by files alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.audit.signing import new_key, public
from tests.cli.process import process, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def sealed(hospital: Path) -> str:
    """A folder whose campaign 2026 is closed and exported; gives the head."""
    assert run("campaign", "open", "2026", "--from", "2026-11-01", cwd=hospital)[0] == 0
    code, out, _ = run("campaign", "close", "2026", "--json", cwd=hospital)
    assert code == 0
    assert run("campaign", "export", "2026", "2026.tar.gz", cwd=hospital)[0] == 0
    return str(json.loads(out)["head"])


def elsewhere(hospital: Path, tmp_path: Path) -> Path:
    """Another machine, to which only the bundle came."""
    other = tmp_path / "other"
    other.mkdir(mode=0o755)
    (other / "2026.tar.gz").write_bytes((hospital / "2026.tar.gz").read_bytes())
    return other


def test_another_machine_verifies_the_bundle_without_an_inventory(
    hospital: Path, sealed: str, tmp_path: Path
) -> None:
    other = elsewhere(hospital, tmp_path)
    code, out, err = process("campaign", "verify", "2026.tar.gz", "--head", sealed, cwd=other)
    assert (code, err) == (0, "")
    assert "The head is the one that was kept" in out
    assert sorted(file.name for file in other.iterdir()) == ["2026.tar.gz"]
    code, out, _ = run("campaign", "verify", "2026.tar.gz", cwd=other)
    assert code == 0
    assert "could have made all of this anew" in out


def test_a_bundle_made_anew_is_found_by_the_head_that_was_kept(hospital: Path, sealed: str) -> None:
    code, _, err = run("campaign", "verify", "2026.tar.gz", "--head", "0" * 64, cwd=hospital)
    assert code == 3
    assert "not the one that was kept" in err
    content = bytearray((hospital / "2026.tar.gz").read_bytes())
    content[len(content) // 2] ^= 1
    (hospital / "2026.tar.gz").write_bytes(content)
    code, out, err = run("campaign", "verify", "2026.tar.gz", "--head", sealed, cwd=hospital)
    assert (code, out) == (3, "")
    assert err.startswith("vetuste: 2026.tar.gz: ")


@pytest.mark.usefixtures("sealed")
def test_a_signed_head_is_verified_elsewhere(hospital: Path, tmp_path: Path) -> None:
    other = elsewhere(hospital, tmp_path)
    key = new_key(other / "key")
    (other / "allowed").write_text(f"rssi {public(key)}\n")
    (other / "allowed").chmod(0o644)
    signing = ("--key", str(key), "--out", str(other / "sig"))
    assert run("campaign", "sign", "2026", *signing, cwd=hospital)[0] == 0
    signed = ("--signature", "sig", "--allowed-signers", "allowed")
    code, out, _ = run("campaign", "verify", "2026.tar.gz", *signed, cwd=other)
    assert code == 0
    assert "signed by rssi" in out
    assert run("campaign", "verify", "2026.tar.gz", "--signature", "sig", cwd=other)[0] == 2


def test_every_export_tells_the_head_and_no_format_has_it(hospital: Path, sealed: str) -> None:
    for form in ("csv", "jsonl", "remediation"):
        code, out, err = run("export", form, cwd=hospital)
        assert code == 0
        assert f"its head is {sealed}" in err
        assert sealed not in out


def test_the_inventory_is_verified_against_its_seals(hospital: Path, sealed: str) -> None:
    code, out, _ = run("campaign", "verify", "--head", sealed, cwd=hospital)
    assert code == 0
    assert "2026: as it was sealed" in out
    code, _, err = run("campaign", "verify", "--head", "f" * 64, cwd=hospital)
    assert code == 3
    assert "no campaign of this inventory has the head" in err


def test_campaigns_are_listed_and_shown(hospital: Path, sealed: str) -> None:
    assert run("campaign", "open", "Réa", "--ward", "Réanimation", cwd=hospital)[0] == 0
    _, out, _ = run("campaign", "list", "--json", cwd=hospital)
    assert [(each["name"], each["head"]) for each in json.loads(out)] == [("2026", sealed), ("Réa", None)]
    assert run("campaign", "list", cwd=hospital)[0] == 0
    _, out, _ = run("campaign", "show", "2026", "--json", cwd=hospital)
    shown = json.loads(out)["manifest"]
    assert shown["site_file"]["text"] == (hospital / "site.toml").read_text()
    assert "segments" not in shown
    code, out, _ = run("campaign", "show", "2026", cwd=hospital)
    assert code == 0
    assert "Cardiologie" in out
    assert run("campaign", "show", "Réa", cwd=hospital)[0] == 0


def test_mistakes_end_in_one_line(hospital: Path) -> None:
    for arguments in (
        ("show", "none"),
        ("close", "none"),
        ("export", "none", "x"),
        ("verify", "none.tar.gz"),
        ("verify", "--signature", "a", "--allowed-signers", "b"),
    ):
        code, out, err = run("campaign", *arguments, cwd=hospital)
        assert (code, out, err.count("\n")) == (2, "", 1)
