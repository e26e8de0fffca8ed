"""What a worker and a centre refuse: in one line, before anything is taken or sent."""

from __future__ import annotations

import subprocess
from contextlib import closing
from typing import TYPE_CHECKING

import pytest

from scanner.fleet.engine import JobDispatcher
from scanner.fleet.home import home_of
from scanner.fleet.model import Chunk
from tests.cli.process import run

if TYPE_CHECKING:
    from pathlib import Path

    from tests.fleet.running.hospitals import Fleet

SIGNED = b"""
[site]
name = "Nord"
signed = true

[signing]
roles = ["rssi"]
allowed_signers = "/etc/hostname"

[[ward]]
name = "Ward"
subnets = ["127.99.0.0/28"]
"""


def refused(fleet: Fleet, *words: str, code: int = 2, **changes: str) -> str:
    """The one line that a worker says, who takes nothing."""
    JobDispatcher(fleet.url).enqueue("nord", [Chunk(1, 1, ((0, 0),))])
    centre = changes.get("VETUSTE_CENTRE", fleet.as_role("nord"))
    asked = ("worker", "--site", "nord", "--state", "state", *words)
    found, out, said = run(*asked, cwd=fleet.folder, VETUSTE_CENTRE=centre)
    assert (found, out, len(said.splitlines())) == (code, "", 1), said
    assert fleet.rows("SELECT status::text, attempts FROM jobs.procrastinate_jobs") == [("todo", 0)]
    return said


def test_another_version(one_site: Fleet) -> None:
    one_site.rows("UPDATE fleet.centre SET version = '99.0' RETURNING 1")
    assert "99.0" in refused(one_site)


def test_the_role_of_another_site(one_site: Fleet) -> None:
    assert "nord, and not of sud" in refused(one_site, "--site", "sud")


@pytest.mark.parametrize("key", ["Nord", "", "nord; DROP", "../nord", "n" * 32])
def test_what_is_no_key(one_site: Fleet, key: str) -> None:
    assert "no key" in refused(one_site, "--site", key)


def test_secrets_and_links(one_site: Fleet) -> None:
    url = "postgresql://nord:hunter2@localhost/x"
    assert "hunter2" not in refused(one_site, "--centre", url)
    assert "verify-full" in refused(one_site, VETUSTE_CENTRE="postgresql://nord@centre.example.org/x")
    assert "not named" in refused(one_site, VETUSTE_CENTRE="")
    said = refused(one_site, code=3, VETUSTE_CENTRE="postgresql://nord:hunter2@localhost:1/x")
    assert "hunter2" not in said


def test_a_folder_that_another_worker_has(one_site: Fleet) -> None:
    with home_of(one_site.folder / "state", "nord", None):
        assert "another worker" in refused(one_site, code=3)


def test_a_site_file_that_is_not_its_digest(one_site: Fleet) -> None:
    one_site.rows("UPDATE fleet.sites SET text = text || '# more' RETURNING 1")
    assert "digest" in refused(one_site)


def test_unsigned_and_wrongly_signed_site_files(one_site: Fleet) -> None:
    """Whose keys count is this machine's own business: what the site file names is never read."""
    key, signers = one_site.folder / "key", one_site.folder / "signers"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    public = (one_site.folder / "key.pub").read_text().split(maxsplit=2)
    signers.write_text(f'rssi namespaces="vetuste-scope" {public[0]} {public[1]}\n')
    asked = ("--allowed-signers", str(signers))
    assert "nothing unsigned" in refused(one_site, *asked)
    one_site.replace_site("nord", SIGNED)
    assert "--allowed-signers" in refused(one_site)
    assert "not signed" in refused(one_site, *asked)
    _sign(one_site.folder, key)
    signature = (one_site.folder / "site.toml.sig").read_bytes()
    one_site.replace_site("nord", SIGNED + b"# more\n", rssi=signature)
    assert "does not sign" in refused(one_site, *asked)
    one_site.replace_site("nord", SIGNED, rssi=signature)
    with home_of(one_site.folder / "state", "nord", signers) as home:
        assert home.source(one_site.store.sites.one("nord")).file.site.signed


def _sign(folder: Path, key: Path) -> None:
    (folder / "site.toml").write_bytes(SIGNED)
    words = ["ssh-keygen", "-Y", "sign", "-q", "-n", "vetuste-scope", "-f", str(key), "site.toml"]
    subprocess.run(words, cwd=folder, check=True)


def test_old_scans_go(one_site: Fleet) -> None:
    with home_of(one_site.folder / "state", "nord", None) as home, closing(home.inventory()):
        home.tidy()
