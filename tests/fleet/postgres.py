"""Debian's PostgreSQL as a centre has it: over TLS, by certificate; and what no administrator does to it."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.fleet.certificates import Authority
    from tests.namespaces import Namespace

ACCOUNT = "postgres"
PORT = 5432
DATABASE = "centre"
OWNER = "vetuste"
"""The centre's own role: it owns its database and may make roles, and nothing else."""
_PATIENCE = 60
_HBA = f"""local   all        all                    trust
hostnossl all        all           all        reject
hostssl {DATABASE}   +vetuste_site all        cert
hostssl   all        all           all        reject
"""
# A killed server loses nothing that it had committed: the machine lives on, and its page cache with it.
_SETTINGS = ("fsync=off", "full_page_writes=off", "log_min_messages=fatal", "max_connections=80")


@dataclass
class Postgres:
    """One server, with its data in a folder of its own."""

    folder: Path
    prefix: Sequence[str]
    address: str
    process: subprocess.Popen[bytes] | None = field(default=None, compare=False)

    def url_of(self, role: str, database: str = DATABASE) -> str:
        """A database, for somebody on the same machine: over the server's socket."""
        return f"postgresql://{role}@/{database}?host={self.folder}&port={PORT}"

    def start(self) -> None:
        """Start it, and wait until it answers; after a kill it recovers first."""
        options = [f"listen_addresses={self.address}", f"port={PORT}", *_SETTINGS]
        options += [f"unix_socket_directories={self.folder}", "ssl=on", f"ssl_ca_file={self.folder}/ca.crt"]
        options += [f"ssl_cert_file={self.folder}/server.crt", f"ssl_key_file={self.folder}/server.key"]
        words = [*self.prefix, _program("postgres"), "-D", f"{self.folder}/data"]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [*words, *(f"-c{option}" for option in options)], stdout=log, stderr=log, cwd="/"
            )
        patience = time.monotonic() + _PATIENCE
        while not self._answers():
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < patience, (self.folder / "log").read_text()
            time.sleep(0.05)

    def kill(self) -> None:
        """End every process of it at once, as a machine does that loses its power."""
        assert self.process is not None
        self.process.send_signal(signal.SIGSTOP)  # so that it starts no more of them
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        for pid in map(int, children):
            os.kill(pid, signal.SIGKILL)
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """End it in order."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.wait(timeout=_PATIENCE)

    def ask(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        """Rows, or nothing, as the server's administrator sees them."""
        with psycopg.connect(self.url_of(ACCOUNT), autocommit=True) as connection:
            found = connection.execute(sql.encode(), values or None)
            return found.fetchall() if found.description else []

    def _answers(self) -> bool:
        try:
            psycopg.connect(self.url_of(ACCOUNT, "postgres")).close()
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def postgres(namespace: Namespace, address: str, authority: Authority) -> Iterator[Postgres]:
    """A server in a namespace with an empty database, as long as the context lasts."""
    user = ("setpriv", f"--reuid={ACCOUNT}", f"--regid={ACCOUNT}", "--clear-groups")
    folder = Path(tempfile.mkdtemp(prefix="vtpg"))  # a socket's path has 107 bytes at most
    try:
        for file in (authority.root, *authority.issue("server", f"subjectAltName=IP:{address}")):
            shutil.copy(file, folder)
        for path in (folder, *folder.iterdir()):
            shutil.chown(path, ACCOUNT, ACCOUNT)
        (folder / "server.key").chmod(0o600)
        made = [*user, _program("initdb"), "--no-sync", "-A", "trust", "-E", "UTF8", "-D", f"{folder}/data"]
        subprocess.run(made, check=True, capture_output=True, timeout=120, cwd="/")
        (folder / "data" / "pg_hba.conf").write_text(_HBA)
        server = Postgres(folder, namespace.command(*user), address)
        try:
            server.start()
            with psycopg.connect(server.url_of(ACCOUNT, "postgres"), autocommit=True) as connection:
                connection.execute(f"CREATE ROLE {OWNER} LOGIN CREATEROLE".encode())
                connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}".encode())
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder)


def _program(name: str) -> str:
    return str(max(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4])))
