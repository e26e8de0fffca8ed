"""Signed heads, with signatures that ssh-keygen made."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from scanner.audit.heads import demand_head, head_given, sign_head, verify_head
from scanner.errors import ConfigError, VetusteError
from tests.audit.signing import new_key, public, ssh_sign

if TYPE_CHECKING:
    from pathlib import Path

HEAD, OTHER = "ab" * 32, "ac" * 32


@pytest.fixture
def allowed(tmp_path: Path) -> Path:
    tmp_path.chmod(0o755)
    file = tmp_path / "allowed_signers"
    file.write_text(f"rssi@chu {public(new_key(tmp_path / 'key'))}\n")
    file.chmod(0o644)
    return file


def test_what_is_signed_is_verified_by_us_and_by_ssh_keygen(tmp_path: Path, allowed: Path) -> None:
    signature = tmp_path / "head.sig"
    sign_head(HEAD, tmp_path / "key", signature)
    assert verify_head(HEAD, signature, allowed) == "rssi@chu"
    command = ["ssh-keygen", "-Y", "verify", "-n", "vetuste-campaign", "-I", "rssi@chu"]
    command += ["-f", str(allowed), "-s", str(signature)]
    subprocess.run(command, input=f"{HEAD}\n".encode(), check=True, capture_output=True)


def test_another_head_is_not_signed(tmp_path: Path, allowed: Path) -> None:
    sign_head(HEAD, tmp_path / "key", tmp_path / "sig")
    with pytest.raises(VetusteError, match=f"does not sign the head {OTHER}"):
        verify_head(OTHER, tmp_path / "sig", allowed)


def test_a_signature_for_a_scope_or_of_a_stranger_does_not_count(tmp_path: Path, allowed: Path) -> None:
    (tmp_path / "scope").write_bytes(ssh_sign(tmp_path / "key", f"{HEAD}\n".encode()))
    with pytest.raises(VetusteError, match="does not sign"):
        verify_head(HEAD, tmp_path / "scope", allowed)
    sign_head(HEAD, new_key(tmp_path / "stranger"), tmp_path / "sig")
    with pytest.raises(VetusteError, match="none of those"):
        verify_head(HEAD, tmp_path / "sig", allowed)


def test_no_byte_of_a_signature_can_be_changed_in_its_middle(tmp_path: Path, allowed: Path) -> None:
    sign_head(HEAD, tmp_path / "key", tmp_path / "sig")
    content = (tmp_path / "sig").read_bytes()
    damaged = content[:120] + (b"A" if content[120:121] != b"A" else b"B") + content[121:]
    (tmp_path / "sig").write_bytes(damaged)
    with pytest.raises(VetusteError):
        verify_head(HEAD, tmp_path / "sig", allowed)


def test_allowed_signers_that_others_may_write_are_not_believed(tmp_path: Path, allowed: Path) -> None:
    sign_head(HEAD, tmp_path / "key", tmp_path / "sig")
    allowed.chmod(0o666)
    with pytest.raises(ConfigError, match="others could change"):
        verify_head(HEAD, tmp_path / "sig", allowed)


def test_a_head_is_taken_as_people_write_it_down_and_whole() -> None:
    assert head_given(f" SHA256:{HEAD.upper()}\n") == HEAD
    demand_head(HEAD, " ".join(HEAD[place : place + 8] for place in range(0, 64, 8)))
    with pytest.raises(VetusteError, match="not the one that was kept"):
        demand_head(HEAD, OTHER)
    for text in ("", HEAD[:16], HEAD + "0", "x" * 64):
        with pytest.raises(ConfigError):
            head_given(text)
