"""``bundle``: from one machine to another by a file alone."""

from __future__ import annotations

import json
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.audit.signing import new_key, public
from tests.bundles.forging import edited, forged, members
from tests.cli.process import process, run

if TYPE_CHECKING:
    from pathlib import Path

SITE = "CHU de Démonstration"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    return new_key(tmp_path / "key")


@pytest.fixture
def centre(tmp_path: Path) -> Path:
    """A folder of another machine, with nothing but who may speak for which site."""
    made = tmp_path / "centre"
    made.mkdir(mode=0o755)
    return made


def allow(centre: Path, key: Path, name: str = SITE) -> str:
    file = centre / "allowed_signers"
    file.write_text(f'"{name}" namespaces="vetuste-bundle" {public(key)}\n')
    file.chmod(0o644)
    return str(file)


@pytest.fixture
def bundle(hospital: Path, key: Path, centre: Path) -> Path:
    """The hospital's scan, signed, on a stick."""
    out = centre / "a.bundle"
    code, said, err = run("bundle", "export", "latest", "--out", str(out), "--key", str(key), cwd=hospital)
    assert (code, err) == (0, "")
    assert said.startswith(f"Scan 1 of {SITE}, of 2026-11-20 21:00 UTC, was exported")
    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    return out


def counted(folder: Path) -> str:
    code, out, _ = run("count", "--by", "ward,status", "--today", "2026-11-23", "--json", cwd=folder)
    assert code == 0
    return out


def test_a_signed_bundle_goes_from_one_machine_to_another(
    hospital: Path, bundle: Path, centre: Path, key: Path
) -> None:
    signers = allow(centre, key)
    code, out, err = process("bundle", "import", bundle.name, "--allowed-signers", signers, cwd=centre)
    assert (code, err) == (0, "")
    assert out.startswith(f"Scan 1 of {SITE} was imported: ")
    assert counted(centre) == counted(hospital)
    before = (centre / "inventory.db").read_bytes()
    code, out, _ = run("bundle", "import", bundle.name, "--allowed-signers", signers, cwd=centre)
    assert (code, out) == (0, f"This scan of {SITE} is here already, as scan 1: nothing was changed.\n")
    code, out, _ = run("bundle", "import", bundle.name, "--unsigned", "--json", cwd=centre)
    assert json.loads(out) == {
        "site": SITE,
        "scan": 1,
        "already": True,
        "hosts": 0,
        "observations": 0,
        "outside": 0,
    }
    assert (centre / "inventory.db").read_bytes() == before


def test_who_may_not_speak_for_a_site_brings_nothing(
    bundle: Path, centre: Path, key: Path, tmp_path: Path
) -> None:
    stranger = new_key(tmp_path / "stranger")
    for signers in (allow(centre, key, "Another"), allow(centre, stranger)):
        code, out, err = run("bundle", "import", bundle.name, "--allowed-signers", signers, cwd=centre)
        assert (code, out) == (2, "")
        assert f"may not speak for '{SITE}'" in err
        assert err.count("\n") == 1
    assert not (centre / "inventory.db").exists()


def test_a_bundle_that_nobody_signed_is_asked_for(hospital: Path, centre: Path, key: Path) -> None:
    out = centre / "b.bundle"
    code, _, err = run("bundle", "export", "1", "--out", str(out), cwd=hospital)
    assert (code, err) == (0, "The bundle is not signed: it is imported with --unsigned only.\n")
    signers = allow(centre, key)
    code, _, err = run("bundle", "import", out.name, "--allowed-signers", signers, cwd=centre)
    assert (code, err) == (
        2,
        "vetuste: b.bundle: the bundle is not signed; --unsigned imports it all the same\n",
    )
    for both in ((), ("--unsigned", "--allowed-signers", signers)):
        assert run("bundle", "import", out.name, *both, cwd=centre)[0] == 2
    assert not (centre / "inventory.db").exists()
    assert run("bundle", "import", out.name, "--unsigned", cwd=centre)[0] == 0


def test_a_signature_for_something_else_does_not_count(bundle: Path, centre: Path, key: Path) -> None:
    """The same key, the same bytes, another purpose: as somebody would sign a scope."""
    parts = members(bundle.read_bytes())
    sums = dict(parts)["SHA256SUMS"]
    done = subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-q", "-n", "vetuste-scope", "-f", key],
        input=sums,
        capture_output=True,
        check=True,
    )
    bundle.write_bytes(forged(parts, signature=done.stdout))
    code, _, err = run("bundle", "import", bundle.name, "--allowed-signers", allow(centre, key), cwd=centre)
    assert code == 2
    assert "signs something else, or is damaged" in err


def test_another_list_of_digests_is_not_what_was_signed(bundle: Path, centre: Path, key: Path) -> None:
    signature = dict(members(bundle.read_bytes()))["SHA256SUMS.sig"]
    other = edited(bundle.read_bytes(), "head", lambda head: head.update(scope="x"))
    bundle.write_bytes(forged(members(other), signature=signature))
    code, _, err = run("bundle", "import", bundle.name, "--allowed-signers", allow(centre, key), cwd=centre)
    assert (code, err.count("\n")) == (2, 1)
    assert not (centre / "inventory.db").exists()


def test_ordinary_tools_open_and_verify_it(bundle: Path, centre: Path, key: Path) -> None:
    subprocess.run(["tar", "xzf", bundle], cwd=centre, check=True)
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=centre, check=True)
    subprocess.run(
        [
            *("ssh-keygen", "-Y", "verify", "-q", "-n", "vetuste-bundle", "-I", SITE),
            *("-f", allow(centre, key), "-s", "SHA256SUMS.sig"),
        ],
        cwd=centre,
        input=(centre / "SHA256SUMS").read_bytes(),
        check=True,
    )


def test_what_is_on_a_stick(bundle: Path, centre: Path) -> None:
    code, out, _ = run("bundle", "show", bundle.name, cwd=centre)
    assert code == 0
    assert f"A scan of {SITE}" in out
    code, out, _ = run("bundle", "show", bundle.name, "--json", cwd=centre)
    told = json.loads(out)
    assert (told["site"], told["signed"], told["state"]) == (SITE, True, "done")
    assert told["rows"]["hosts"] > 0
    assert sorted(file.name for file in centre.iterdir()) == [bundle.name]


def test_a_damaged_one_is_refused_in_one_line(bundle: Path, centre: Path) -> None:
    bundle.write_bytes(bundle.read_bytes()[:-1])
    for words in (("show", bundle.name), ("import", bundle.name, "--unsigned")):
        code, out, err = run("bundle", *words, cwd=centre)
        assert (code, out) == (2, "")
        assert err == "vetuste: a.bundle: this is no bundle, or it was changed or cut\n"
    assert not (centre / "inventory.db").exists()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("export", "9", "--out", "x"), "there is no scan 9"),
        (("export", "first", "--out", "x"), "'first' is no scan"),
        (("export", "1", "--out", "x/y"), "cannot be written"),
        (("export", "1", "--out", "x", "--key", "nothing"), "ssh-keygen signs nothing with this key"),
        (("import", "nothing", "--unsigned"), "cannot be read"),
        (("show", "nothing"), "cannot be read"),
    ],
)
def test_mistakes(hospital: Path, words: tuple[str, ...], says: str) -> None:
    code, out, err = run("bundle", *words, cwd=hospital)
    assert code in {2, 3}
    assert out == ""
    assert says in err.splitlines()[-1]
    assert not (hospital / "x").exists()


def test_a_bundle_of_another_site_than_the_one_that_is_named(
    bundle: Path, centre: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other.toml"
    other.write_text('[site]\nname = "X"\n[[ward]]\nname = "A"\nsubnets = ["10.0.0.0/24"]\n')
    code, _, err = run("bundle", "import", bundle.name, "--unsigned", "--site", str(other), cwd=centre)
    assert code == 2
    assert f"the bundle is of '{SITE}', and not of 'X'" in err
    (centre / "site.toml").write_bytes(other.read_bytes())  # one that only lies there
    assert run("bundle", "import", bundle.name, "--unsigned", cwd=centre)[0] == 0
