"""Signed scopes, with real keys and the real ssh-keygen on either side."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from typing import TYPE_CHECKING
from unittest.mock import patch

import pytest

from scanner.audit import keygen
from scanner.audit.signatures import demand_signed, sign, verify
from scanner.config import SiteSource
from scanner.errors import ConfigError, VetusteError
from tests.audit.signing import SITE, fingerprint, new_key, ssh_sign

if TYPE_CHECKING:
    from pathlib import Path

    from tests.audit.signing import Hospital


def refusal(hospital: Hospital, role: str = "biomedical") -> str:
    """The line in which a scan of this hospital ends: the one about this role's signature."""
    with pytest.raises(ConfigError) as caught:
        demand_signed(hospital.source())
    with pytest.raises(ConfigError) as alone:
        verify(hospital.source(), role)
    said, said_alone = (re.sub(r"verify time \S+", "", str(each.value)) for each in (caught, alone))
    assert said == said_alone
    assert caught.value.exit_code == 2
    assert said.isprintable()
    return said.replace(f"{hospital.folder}/", "")


def test_a_scope_that_everybody_signed_is_signed(hospital: Hospital) -> None:
    assert demand_signed(hospital.source()) == ("biomedical", "rssi")
    assert verify(hospital.source(), "rssi") == fingerprint(hospital.keys["rssi"])


def test_where_no_signature_is_demanded_none_is_looked_for(hospital: Hospital) -> None:
    hospital.site.write_text(SITE.replace("signed = true\n", ""))
    hospital.allowed.unlink()
    assert demand_signed(hospital.source()) == ()


def test_what_the_product_signs_ssh_keygen_verifies(hospital: Hospital) -> None:
    hospital.signature("rssi").unlink()
    file = sign(hospital.source(), "rssi", hospital.keys["rssi"])
    assert file == hospital.signature("rssi")
    assert file.stat().st_mode & 0o777 == 0o644
    names = ["-f", str(hospital.allowed), "-I", "rssi", "-s", str(file)]
    command = ["ssh-keygen", "-Y", "verify", "-n", "vetuste-scope", *names]
    with hospital.site.open("rb") as content:
        subprocess.run(command, stdin=content, stdout=subprocess.DEVNULL, check=True)
    assert demand_signed(hospital.source()) == ("biomedical", "rssi")
    assert [each.name for each in hospital.folder.iterdir() if each.name.startswith(".")] == []


def test_a_missing_signature_is_named(hospital: Hospital) -> None:
    hospital.signature("rssi").unlink()
    assert refusal(hospital, "rssi") == (
        "site.toml.rssi.sig: rssi has not signed site.toml: there is no such signature (vetuste scope sign)"
    )


def test_a_changed_file_is_refused(hospital: Hospital) -> None:
    hospital.site.write_text(SITE.replace("10.0.0.0/24", "10.0.0.0/16"))
    assert refusal(hospital) == (
        "site.toml.biomedical.sig: does not sign site.toml as it stands: that was changed since, or this "
        "signs something else, or is damaged (ssh-keygen: Signature verification failed: incorrect signature)"
    )


def test_the_signature_of_another_file_is_refused(hospital: Hospital) -> None:
    other = ssh_sign(hospital.keys["biomedical"], SITE.replace("A", "Other").encode())
    hospital.signature("biomedical").write_bytes(other)
    assert "does not sign site.toml as it stands" in refusal(hospital)


@pytest.mark.parametrize("namespace", ["file", "git", "vetuste-scopes", "vetuste"])
def test_a_signature_for_another_purpose_is_refused(hospital: Hospital, namespace: str) -> None:
    made = ssh_sign(hospital.keys["biomedical"], SITE.encode(), namespace)
    hospital.signature("biomedical").write_bytes(made)
    assert "namespace does not match" in refusal(hospital)


def test_the_key_of_somebody_else_is_refused(hospital: Hospital, tmp_path: Path) -> None:
    made = ssh_sign(new_key(tmp_path / "other"), SITE.encode())
    hospital.signature("biomedical").write_bytes(made)
    assert refusal(hospital) == (
        "site.toml.biomedical.sig: its key is none of those that sign for biomedical in allowed_signers"
    )


def test_the_key_of_another_role_is_refused(hospital: Hospital) -> None:
    shutil.copy(hospital.signature("rssi"), hospital.signature("biomedical"))
    assert "none of those that sign for biomedical" in refusal(hospital)


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ('valid-before="20200101"', "allowed_signers:1: key has expired"),
        ('valid-after="20990101"', "allowed_signers:1: key is not yet valid"),
        ('namespaces="git"', "allowed_signers:1: key is not permitted for use in signature namespace"),
    ],
)
def test_a_key_that_may_not_sign_now_is_refused(hospital: Hospital, option: str, said: str) -> None:
    hospital.allow({"biomedical": option, "rssi": ""})
    assert f"its key may not sign for biomedical: {said}" in refusal(hospital)


def test_a_key_within_its_dates_and_purposes_signs(hospital: Hospital) -> None:
    hospital.allow({"biomedical": 'valid-before="20990101",namespaces="git,vetuste-scope"', "rssi": ""})
    assert demand_signed(hospital.source()) == ("biomedical", "rssi")


def test_nobody_signs_where_nobody_may(hospital: Hospital) -> None:
    hospital.allowed.write_text("")
    assert "none of those that sign" in refusal(hospital)
    hospital.allowed.unlink()
    assert refusal(hospital) == "allowed_signers: cannot be read: No such file or directory"


def test_a_file_that_is_no_signature_is_refused(hospital: Hospital) -> None:
    for content in (b"", b"-----BEGIN SSH SIGNATURE-----\n", os.urandom(300), b"\0" * (1 << 20)):
        hospital.signature("biomedical").write_bytes(content)
        assert "does not sign site.toml as it stands" in refusal(hospital)
    hospital.signature("biomedical").write_bytes(b" " * ((1 << 20) + 1))
    assert "is larger than 1 MiB" in refusal(hospital)


# Who decides whose signature counts


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_list_of_signers_that_others_may_write_is_refused(hospital: Hospital, mode: int) -> None:
    hospital.allowed.chmod(mode)
    assert refusal(hospital).startswith("allowed_signers: others could change")


@pytest.mark.parametrize("mode", [0o775, 0o757])
def test_a_folder_in_which_others_could_replace_it_is_refused(hospital: Hospital, mode: int) -> None:
    hospital.folder.chmod(mode)
    assert refusal(hospital).startswith("allowed_signers: others could change")
    hospital.folder.chmod(mode | 0o1000)  # sticky, as /tmp: others may add files and replace none
    assert demand_signed(hospital.source())


def test_a_list_of_signers_of_somebody_else_is_refused(hospital: Hospital) -> None:
    us = os.geteuid()
    if not us:
        os.chown(hospital.allowed, 4242, 4242)
    with patch("scanner.audit.keygen.os.geteuid", return_value=us and us + 1):
        assert refusal(hospital).startswith("allowed_signers: others could change")


def test_the_list_of_signers_may_stand_elsewhere(hospital: Hospital, tmp_path: Path) -> None:
    elsewhere = tmp_path / "etc"
    elsewhere.mkdir(mode=0o755)
    named = f'roles = ["biomedical", "rssi"]\nallowed_signers = "{elsewhere}/signers"'
    hospital.site.write_text(SITE.replace('roles = ["biomedical", "rssi"]', named))
    hospital.sign("biomedical", "rssi")
    hospital.allowed.rename(elsewhere / "signers")
    assert demand_signed(hospital.source()) == ("biomedical", "rssi")
    hospital.allowed.symlink_to(elsewhere / "signers")  # a link is judged by where it leads
    elsewhere.chmod(0o777)
    with pytest.raises(ConfigError, match="others could change"):
        demand_signed(hospital.source())


# Signing


def test_a_role_that_the_file_does_not_name_cannot_sign(hospital: Hospital) -> None:
    with pytest.raises(ConfigError, match=r"signing\.roles: 'dsi' is no role of this file; it names: bio"):
        sign(hospital.source(), "dsi", hospital.keys["rssi"])
    assert not hospital.signature("dsi").exists()


def test_a_key_that_signs_nothing_leaves_the_old_signature(
    hospital: Hospital, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = hospital.signature("rssi").read_bytes()
    no_key = tmp_path / "no-key"
    no_key.write_text("no key\n")
    for key in (tmp_path / "missing", no_key):
        with pytest.raises(ConfigError, match="ssh-keygen signs nothing with this key"):
            sign(hospital.source(), "rssi", key)
        assert str(key) in capfd.readouterr().err  # ssh-keygen's own words
    assert hospital.signature("rssi").read_bytes() == before


def test_a_key_in_an_agent_signs_by_its_public_half(hospital: Hospital) -> None:
    key, add = hospital.keys["rssi"], 'until [ -S "$0" ]; do sleep 0.01; done; exec ssh-add -q "$1"'
    with tempfile.TemporaryDirectory() as short:  # the path of a socket has at most 107 characters
        socket = f"{short}/agent"
        command = ["ssh-agent", "-D", "-a", socket]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL) as agent:
            try:
                with patch.dict(os.environ, {"SSH_AUTH_SOCK": socket}):
                    subprocess.run(["sh", "-c", add, socket, str(key)], check=True, timeout=30)
                    key.unlink()
                    hospital.signature("rssi").unlink()
                    sign(hospital.source(), "rssi", hospital.folder / "key-rssi.pub")
            finally:
                agent.terminate()
    assert demand_signed(hospital.source()) == ("biomedical", "rssi")


def test_a_signature_that_cannot_be_written_is_said(hospital: Hospital) -> None:
    hospital.signature("rssi").unlink()
    hospital.signature("rssi").mkdir()
    with pytest.raises(VetusteError, match="cannot be written: Is a directory"):
        sign(hospital.source(), "rssi", hospital.keys["rssi"])
    assert [each.name for each in hospital.folder.iterdir() if each.name.startswith(".")] == []


def test_without_ssh_keygen_one_line_names_its_package(hospital: Hospital, tmp_path: Path) -> None:
    source = hospital.source()
    with patch.dict(os.environ, {"PATH": str(tmp_path)}):
        for attempt in (lambda: demand_signed(source), lambda: sign(source, "rssi", hospital.keys["rssi"])):
            with pytest.raises(ConfigError, match="ssh-keygen is missing: apt install openssh-client"):
                attempt()


def test_an_ssh_keygen_that_hangs_is_not_waited_for(hospital: Hospital, tmp_path: Path) -> None:
    stuck = tmp_path / "ssh-keygen"
    stuck.write_text("#!/bin/sh\nexec sleep 60\n")
    stuck.chmod(0o755)
    source = hospital.source()
    with (
        patch.dict(os.environ, {"PATH": f"{tmp_path}:{os.environ['PATH']}"}),
        patch.object(keygen, "_SECONDS", 0.1),
        pytest.raises(ConfigError, match="does not come to an end"),
    ):
        demand_signed(source)


# Every byte counts


def changed(content: bytes, place: int) -> bytes:
    """The same with one byte changed: a bit of it, another one at each place."""
    return content[:place] + bytes([content[place] ^ 1 << place % 8]) + content[place + 1 :]


def test_every_byte_of_a_site_file_is_signed(hospital: Hospital) -> None:
    source = hospital.source()
    others = [changed(source.content, place) for place in range(len(source.content))]
    others += [source.content[:-1], source.content + b"\n", b"\xef\xbb\xbf" + source.content, b""]
    for content in others:
        with pytest.raises(ConfigError, match="does not sign"):
            verify(SiteSource(source.path, content, source.file), "biomedical")


def test_a_changed_signature_is_refused_or_signs_nothing_else(hospital: Hospital) -> None:
    source, file = hospital.source(), hospital.signature("biomedical")
    whole = file.read_bytes()
    other = SiteSource(source.path, source.content + b"# more\n", source.file)
    accepted = 0
    for place in range(len(whole)):
        file.write_bytes(changed(whole, place))
        try:
            verify(source, "biomedical")
        except ConfigError:
            continue
        accepted += 1
        with pytest.raises(ConfigError, match="does not sign"):
            verify(other, "biomedical")
    assert accepted <= whole.count(b"\n")  # ends of lines alone do not count


def test_the_bytes_that_are_verified_are_those_that_were_read(hospital: Hospital) -> None:
    source = hospital.source()
    hospital.site.write_text("changed meanwhile")
    assert demand_signed(source) == ("biomedical", "rssi")
