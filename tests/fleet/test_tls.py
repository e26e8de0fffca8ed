"""Who may connect to the centre over a network, on Debian's PostgreSQL, set up as docs/fleet.md says."""

from __future__ import annotations

import contextlib
import re
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from scanner.fleet.centre_store import CentreStore
from scanner.fleet.dsn import checked
from scanner.fleet.errors import LinkError
from scanner.fleet.model import FleetSite
from scanner.fleet.roles import make_role
from scanner.fleet.schema import install
from scanner.fleet.worker_store import WorkerStore
from tests.fleet.centres import apply_jobs
from tests.integration.peers_devices import postgres

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = Path(__file__).parents[2] / "docs" / "fleet.md"
PASSWORD = "not-a-secret-of-anybody"  # noqa: S105 - as it says


def block(language: str, beginning: str) -> str:
    """The block of the page that has a line beginning so."""
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    return next(text for text in found if re.search(rf"^{re.escape(beginning)}", text, re.MULTILINE))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Certificates as the page makes them; those of another authority in ``other``."""
    made = tmp_path_factory.mktemp("tls")
    script = block("sh", "new() {").replace("centre.example", "localhost")
    script += script[script.index("new nord") :].replace("nord", "sud")
    for place in (made, made / "other"):
        place.mkdir(exist_ok=True)
        subprocess.run(["bash", "-euc", script], cwd=place, check=True, capture_output=True)
    return made


def connected(dsn: str) -> psycopg.Connection[tuple[Any, ...]]:
    """A connection to a server that may be starting yet."""
    for _ in range(300):
        with contextlib.suppress(psycopg.OperationalError):
            return psycopg.connect(dsn, autocommit=True)
        time.sleep(0.1)
    return psycopg.connect(dsn, autocommit=True)


@pytest.fixture(scope="module")
def port(folder: Path) -> Iterator[int]:
    """A server, and a centre on it with the sites nord, by certificate, and sud, by password."""
    lines = block("text", "# TYPE") + block("text", "hostssl    vetuste   sud").replace(
        "10.2.0.5", "127.0.0.1"
    )
    head, certificates, rest = lines.partition("hostssl    vetuste   +vetuste_site")
    *rest_lines, password = (certificates + rest).splitlines(keepends=True)
    administrator = "host all postgres 127.0.0.1/32 trust\n"  # the test's own way in
    (folder / "pg_hba.conf").write_text(administrator + head + password + "".join(rest_lines), "utf-8")
    files = [folder / name for name in ("server.crt", "server.key", "ca.crt", "pg_hba.conf")]
    settings = ["hba_file={folder}/pg_hba.conf", "fsync=off"]
    for line in block("ini", "ssl = on").splitlines():
        name, value = line.split(" = ")
        if name != "listen_addresses":
            settings.append(f"{name}={value.strip(chr(39))}".replace("file=", "file={folder}/"))
    with postgres(folder, *settings, files=files) as port:
        as_postgres = f"postgresql://postgres@127.0.0.1:{port}/"
        with contextlib.closing(connected(f"{as_postgres}postgres")) as connection:
            connection.execute("CREATE DATABASE vetuste ENCODING 'UTF8' TEMPLATE template0")
        assert install(f"{as_postgres}vetuste", apply_jobs)
        with CentreStore(f"{as_postgres}vetuste") as store:
            for key in ("nord", "sud"):
                store.sites.add(FleetSite(key, b"", ""), key)
                make_role(store.link, key, PASSWORD if key == "sud" else None)
            verifier = store.link.rows("SELECT rolpassword FROM pg_authid WHERE rolname = 'sud'")[0][0]
            assert verifier.startswith("SCRAM-SHA-256$")
        yield port


def url(folder: Path, port: int, role: str = "nord", certificate: str | None = "nord", **more: str) -> str:
    """How a worker connects."""
    words = {"sslmode": "verify-full", "sslrootcert": str(folder / "ca.crt"), **more}
    if certificate is not None:
        words |= {"sslcert": str(folder / f"{certificate}.crt"), "sslkey": str(folder / f"{certificate}.key")}
    told = "&".join(f"{name}={value}" for name, value in words.items())
    return f"postgresql://{role}@localhost:{port}/vetuste?{told}"


def site_seen(dsn: str) -> str:
    """The site that the centre shows whoever connects so."""
    store = WorkerStore(dsn)
    try:
        return store.site().key
    finally:
        store.link.close()


def test_an_own_certificate_is_let_in(folder: Path, port: int) -> None:
    assert site_seen(checked(url(folder, port), {}, key="VETUSTE_CENTRE", argument=False)) == "nord"


def test_a_password_is_let_in_where_the_centre_says_so(
    folder: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert site_seen(checked(url(folder, port, "sud", None), {}, key="", argument=True)) == "sud"


@pytest.mark.parametrize(
    ("why", "role", "certificate", "more"),
    [
        ("another site's certificate", "nord", "sud", {}),
        ("no certificate", "nord", None, {}),
        ("a password where a certificate is wanted", "nord", None, {"password": PASSWORD}),
        ("a wrong password", "sud", None, {"password": "another"}),
        ("a certificate where a password is wanted", "sud", "sud", {}),
        ("a certificate of another authority", "nord", "other/nord", {}),
        ("a server of another authority", "nord", "nord", {"sslrootcert": "other/ca.crt"}),
        ("no TLS", "nord", "nord", {"sslmode": "disable"}),
        ("no TLS, with a password", "sud", None, {"sslmode": "disable", "password": PASSWORD}),
        ("the owner, from a network", "vetuste", None, {"password": PASSWORD}),
        ("another database", "nord", "nord", {"dbname": "postgres"}),
    ],
)
def test_nobody_else_is(  # noqa: PLR0913, PLR0917 - what a client may have
    folder: Path, port: int, why: str, role: str, certificate: str | None, more: dict[str, str]
) -> None:
    words = {name: str(folder / text) if name == "sslrootcert" else text for name, text in more.items()}
    with pytest.raises(LinkError) as told:
        site_seen(make_conninfo(url(folder, port, role, certificate), **words))
    assert PASSWORD not in str(told.value), why


def test_the_name_of_the_server_is_proven(folder: Path, port: int) -> None:
    elsewhere = url(folder, port).replace("@localhost", "@127.0.0.1")  # the certificate names localhost only
    with pytest.raises(LinkError, match=r"127\.0\.0\.1"):
        site_seen(elsewhere)
