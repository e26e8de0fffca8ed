"""``vetuste scope``, over real keys and a real inventory."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from tests.audit.signing import Hospital, fingerprint
from tests.cli.process import process, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def signers(tmp_path: Path) -> Hospital:
    """A site file that demands two signatures, and has none."""
    return Hospital(tmp_path / "signers")


def test_doubts_are_listed_one_a_line(hospital: Path) -> None:
    code, out, err = run("scope", "check", cwd=hospital)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "site.toml: policy.window: there is no window: everything may be sent by day as well",
        "Doubts: 1.",
    ]


def test_doubts_fail_only_where_that_is_asked_for(hospital: Path) -> None:
    code, out, err = run("scope", "check", "--fail-on", "doubt", "--json", cwd=hospital)
    assert (code, err) == (1, "")
    assert json.loads(out) == [
        {
            "doubt": "no-window",
            "key": "policy.window",
            "says": "there is no window: everything may be sent by day as well",
        }
    ]
    site = hospital / "site.toml"
    site.write_text(site.read_text() + '[policy]\nwindow = "22:00-05:30 Europe/Paris"\n')
    assert run("scope", "check", "--fail-on", "doubt", "--json", cwd=hospital) == (0, "[]\n", "")


def test_machines_of_the_inventory_are_looked_at(hospital: Path) -> None:
    site = hospital / "site.toml"
    site.write_text(site.read_text().replace("10.20.9.0/24", "10.20.8.0/24"))
    _, out, _ = run("scope", "check", cwd=hospital)
    assert "machines of the inventory lie outside every ward (3): 10.20.9.7, 10.20.9.8, 10.20.9.9" in out
    site.write_text(site.read_text().replace("CHU de Démonstration", "Autre").replace("10.20.8", "10.20.9"))
    said = "are machines of the site CHU de Démonstration in the inventory (6): 10.20.0.1,"
    assert said in run("scope", "check", cwd=hospital)[1]
    _, out, _ = run("scope", "check", "--db", "none.db", cwd=hospital)
    assert "inventory" not in out


def test_an_inventory_that_cannot_be_read_is_an_error(hospital: Path) -> None:
    (hospital / "broken.db").write_bytes(b"no database" * 100)
    code, _, err = run("scope", "check", "--db", "broken.db", cwd=hospital)
    assert code == 2
    assert err.count("\n") == 1


@pytest.mark.parametrize("verb", [["check"], ["verify"], ["letter"]])
def test_without_a_site_file_there_is_no_scope(verb: list[str], tmp_path: Path) -> None:
    code, out, err = run("scope", *verb, cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err == "vetuste: there is no site file: name one with --site (docs/site-file.md)\n"


def test_two_roles_sign_and_both_are_verified(signers: Hospital) -> None:
    where = signers.folder
    code, out, err = run("scope", "verify", cwd=where)
    assert (code, err) == (2, "")
    assert [line.split(":")[:2] for line in out.splitlines()] == [["biomedical", " no"], ["rssi", " no"]]
    for role in signers.keys:
        code, out, err = run("scope", "sign", "--role", role, "--key", f"key-{role}", cwd=where)
        assert (code, out, err) == (0, f"{role} has signed site.toml: site.toml.{role}.sig\n", "")
    code, out, err = run("scope", "verify", "--json", cwd=where)
    assert (code, err) == (0, "")
    assert json.loads(out) == [
        {"role": role, "file": f"site.toml.{role}.sig", "key": fingerprint(key), "why": None}
        for role, key in signers.keys.items()
    ]
    assert run("scope", "verify", cwd=where)[1] == "".join(
        f"{role}: signed with the key {fingerprint(key)}\n" for role, key in signers.keys.items()
    )


def test_a_signature_that_does_not_count_is_complained_of_at_once(signers: Hospital) -> None:
    arguments = ["scope", "sign", "--role", "rssi", "--key", "key-biomedical"]
    code, out, err = run(*arguments, cwd=signers.folder)
    assert (code, out) == (0, "rssi has signed site.toml: site.toml.rssi.sig\n")
    assert err == (
        "vetuste: site.toml.rssi.sig: its key is none of those that sign for rssi in allowed_signers\n"
    )
    code, out, _ = run("scope", "verify", "--json", cwd=signers.folder)
    assert code == 2
    assert "none of those that sign" in json.loads(out)[1]["why"]


def test_where_no_signature_is_demanded_none_is_missing(signers: Hospital) -> None:
    signers.site.write_text(signers.site.read_text().replace("signed = true", "signed = false"))
    code, out, err = run("scope", "verify", cwd=signers.folder)
    assert code == 0
    assert out.count(": no: ") == 2
    assert err == "This file demands no signature: signed = true is missing in [site].\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--role", "dsi", "--key", "key-rssi"], "'dsi' is no role of this file; it names: biomedical, rssi"),
        (["--role", "rssi", "--key", "none"], "none: ssh-keygen signs nothing with this key"),
        (["--role", "rssi"], "--key"),
    ],
)
def test_what_cannot_be_signed_is_one_line(signers: Hospital, arguments: list[str], said: str) -> None:
    code, out, err = run("scope", "sign", *arguments, cwd=signers.folder)
    assert (code, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1


def test_a_key_of_no_use_is_said_in_a_process_too(signers: Hospital) -> None:
    code, out, err = process(
        "scope", "sign", "--role", "rssi", "--key", "site.toml", cwd=signers.folder, SSH_ASKPASS="false"
    )
    assert (code, out) == (2, "")
    assert err.endswith("vetuste: site.toml: ssh-keygen signs nothing with this key; it said why above\n")


def test_the_letter_is_written_in_the_language_that_is_asked_for(hospital: Path) -> None:
    code, out, err = run("scope", "letter", "--lang", "en", cwd=hospital)
    assert (code, err) == (0, "")
    assert out.startswith("# Inventory of systems that are no longer maintained")
    assert run("scope", "letter", cwd=hospital)[1].startswith("# Inventaire des systèmes")  # the site's
    code, said, err = run("scope", "letter", "--lang", "en", "--out", "letter.md", cwd=hospital)
    assert (code, said, err) == (0, "", "The letter was written to letter.md.\n")
    assert (hospital / "letter.md").read_text(encoding="utf-8") == out


def test_the_letter_says_what_a_scan_of_the_whole_site_would_send(hospital: Path) -> None:
    site = hospital / "site.toml"
    site.write_text(
        site.read_text()
        .replace('name = "Archives"', 'name = "Archives"\npassive_only = true')
        .replace(
            'name = "Réanimation"', 'name = "Réanimation"\nprofile = "clinical"\nports = { smb = [1445] }'
        )
        + '[policy]\nprofile = "office"\nexclude = ["10.20.0.0/24"]\n'
    )
    _, out, _ = run("scope", "letter", "--lang", "en", cwd=hospital)
    wards = dict(re.findall(r"^### (.*)\n\n((?:[- ] .*\n)+)", out, re.MULTILINE))
    assert "NOTHING is ever sent here" in wards["Archives"]
    assert "NOTHING is sent here: all its addresses are excluded" in wards["Cardiologie"]
    assert "Profile clinical: at most 50 attempts" in wards["Réanimation"]
    assert "Ports asked: 1445/tcp, 137/udp, 3389/tcp\n" in wards["Réanimation"]


def test_a_letter_about_nothing_is_an_error(hospital: Path) -> None:
    site = hospital / "site.toml"
    site.write_text(site.read_text() + '[policy]\nexclude = ["10.20.0.0/16"]\n')
    code, out, err = run("scope", "letter", cwd=hospital)
    assert (code, out) == (2, "")
    assert "nothing is left to scan" in err
