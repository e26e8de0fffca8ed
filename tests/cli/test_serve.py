"""The dashboard as a process: how it begins, whom it refuses to be heard by, how it ends."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import signal
import socket
import ssl
import subprocess
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.cli.process import process, run, start

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import Popen

EXAMPLE = Path(__file__).parents[2] / "inventory.db.example"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    shutil.copy(EXAMPLE, tmp_path / "inventory.db")
    return tmp_path


@pytest.fixture
def certificate(here: Path) -> tuple[str, str]:
    """A certificate of nobody, and its key."""
    command = (
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem"
    )
    subprocess.run(command.split(), cwd=here, check=True, capture_output=True)
    return str(here / "cert.pem"), str(here / "key.pem")


@contextlib.contextmanager
def served(here: Path, *options: str) -> Iterator[tuple[int, Popen[bytes], list[str]]]:
    """The dashboard, once it says where it is: its port, itself, and what it said before."""
    with start("serve", "--port", "0", *options, cwd=here) as running:
        assert running.stderr is not None
        said = [running.stderr.readline().decode()]
        while said[-1] and "://" not in said[-1]:
            said.append(running.stderr.readline().decode())
        found = re.search(r"https?://[^/]*:(\d+)/", said[-1])
        try:
            assert found is not None, said
            yield int(found[1]), running, said[:-1]
        finally:
            if running.poll() is None:
                running.kill()


def asked(port: int, raw: bytes) -> bytes:
    """What is answered to these bytes."""
    with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
        connection.sendall(raw)
        answer = b""
        while part := connection.recv(65536):
            answer += part
        return answer


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_answers_until_it_is_ended_and_ends_in_order(here: Path, number: signal.Signals) -> None:
    with served(here) as (port, running, said):
        answer = asked(port, b"GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nserver:" not in answer.lower()
        kept = HTTPConnection("127.0.0.1", port)
        kept.request("GET", "/static/vetuste.css")
        assert kept.getresponse().read()
        running.send_signal(number)
        out, err = running.communicate(timeout=30)
        kept.close()
    assert (running.returncode, out) == (0, b"")
    assert said == ["there are no tokens: whoever is at this machine comes in as remediator\n"]
    assert err.decode() == "the dashboard has ended\n"


def test_what_is_no_http_is_refused_with_our_headers(here: Path) -> None:
    with served(here) as (port, _, _):
        for raw in (
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n",
            b"GET / HTTP/1.1\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: localhost\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
            b"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n0",
            b"GET / HTTP/1.0\r\n\r\n",
            b"GET http://evil.example/ HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
        ):
            answer = asked(port, raw)
            assert answer.startswith(b"HTTP/1.1 4"), raw[:60]
            assert b"content-security-policy: default-src 'self'" in answer
            assert b"evil" not in answer


def test_tls_and_tokens_from_the_first_to_the_last(here: Path, certificate: tuple[str, str]) -> None:
    code, out, err = process("serve", "token", "DSI", "--role", "operator", cwd=here)
    assert code == 0
    token = out.strip()
    assert "inventory.db.tokens.json" in err
    log = here / "audit.jsonl"
    cert, key = certificate
    with served(here, "--tls-cert", cert, "--tls-key", key, "--audit-log", str(log)) as (port, running, said):
        context = ssl.create_default_context(cafile=cert)
        context.check_hostname = False

        def ask(bearer: str) -> tuple[int, str | None]:
            connection = HTTPSConnection("127.0.0.1", port, context=context, timeout=30)
            with contextlib.closing(connection):
                connection.request("GET", "/", headers={"Authorization": f"Bearer {bearer}"})
                answer = connection.getresponse()
                return answer.status, answer.headers["strict-transport-security"]

        assert said == []
        assert ask(token) == (200, "max-age=31536000")
        assert ask("guess")[0] == 401
        assert process("serve", "token", "--revoke", "DSI", cwd=here)[0] == 0
        assert ask(token)[0] == 401
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=30)
    assert running.returncode == 0
    assert [json.loads(line)["event"] for line in log.read_text(encoding="ascii").splitlines()] == [
        "refused"
    ] * 2
    assert log.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--host", "0.0.0.0"), "TLS"),  # noqa: S104 - refused
        (("--host", "::"), "TLS"),
        (("--host", "192.0.2.1"), "TLS"),
        (("--host", "example.org"), "--host"),
        (("--host", "192.0.2.1", "--tls-cert", "c", "--tls-key", "k"), "tokens"),
        (("--host", "0.0.0.0", "--trust-proxy", "10.0.0.1"), "--public-name"),  # noqa: S104 - refused
        (("--tls-cert", "c"), "--tls-key"),
        (("--tls-key", "k"), "--tls-cert"),
        (("--tls-cert", "c", "--tls-key", "k"), "certificate"),
        (("--trust-proxy", "proxy"), "no address"),
        (("--trust-proxy", "10.0.0.1/8"), "no address"),
        (("--trust-proxy", "10.0.0.1", "--proxy-role", "admin"), "--proxy-role"),
        (("--proxy-role", "reader"), "--trust-proxy"),
        (("--local-role", "operator", "--trust-proxy", "10.0.0.1"), "--local-role"),
        (("--port", "65536"), "--port"),
        (("--port", "-1"), "--port"),
        (("--site", "nowhere.toml"), "site file"),
        (("--tokens", "others.json"), "chmod 600"),
        (("nonsense",), "nonsense"),
    ],
)
def test_what_may_not_be_is_refused_in_one_line(here: Path, options: tuple[str, ...], says: str) -> None:
    others = here / "others.json"
    others.write_text("{}", encoding="utf-8")
    others.chmod(0o644)
    code, out, err = run("serve", *options, cwd=here)
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert says in err


def test_what_cannot_be_is_said_in_one_line(here: Path, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, _, err = process("serve", "--port", str(port), cwd=here)
        assert (code, err.count("\n")) == (2, 1)
        assert str(port) in err
    code, _, err = process("serve", "--port", "0", "--audit-log", "no/such/folder", cwd=here)
    assert (code, err.count("\n")) == (3, 1)
    (tmp_path / "inventory.db").unlink()
    code, _, err = process("serve", "--port", "0", cwd=here)
    assert (code, err.count("\n")) == (2, 1)


def test_tokens_are_given_listed_and_taken_back(here: Path) -> None:
    given = run("serve", "token", "wall screen", "--ward", "Réa", "--expires", "90", cwd=here)
    assert given[0] == 0
    assert re.fullmatch(r"vetuste_[\w-]{43}\n", given[1])
    assert run("serve", "token", "rssi", "--role", "operator", "--by-proxy", cwd=here)[1] == ""
    code, out, _ = run("serve", "token", "--list", cwd=here)
    assert code == 0
    first, second = out.splitlines()
    assert re.fullmatch(r"wall screen  reader  token  Réa  until \d{4}-\d\d-\d\d", first)
    assert second == "rssi  operator  by proxy"
    assert given[1].strip() not in out
    assert run("serve", "token", "--revoke", "rssi", cwd=here)[0] == 0
    assert run("serve", "token", "--list", cwd=here)[1].count("\n") == 1


def test_a_ward_that_the_site_file_does_not_have_is_doubted(here: Path) -> None:
    (here / "site.toml").write_text(
        '[site]\nname = "CHU"\n[[ward]]\nname = "Réa"\nsubnets = ["10.20.9.0/24"]\n', encoding="utf-8"
    )
    code, _, err = run("serve", "token", "DSI", "--ward", "Réa", "--ward", "Rea", cwd=here)
    assert code == 0
    assert err.splitlines()[0] == "the site file has no ward 'Rea'"
    assert "'Réa'" not in err


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("DSI", "--list"),
        ("DSI", "--revoke", "DSI"),
        ("--list", "--revoke", "DSI"),
        ("--revoke", "nobody"),
        ("--list", "--role", "reader"),
        ("DSI", "--role", "nobody"),
        ("DSI", "--role", "admin"),
        ("DSI", "--expires", "0"),
        ("",),
        ("a\nb",),
    ],
)
def test_wrong_options_give_nothing(here: Path, options: tuple[str, ...]) -> None:
    code, out, err = run("serve", "token", *options, cwd=here)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert not (here / "inventory.db.tokens.json").exists()


def test_without_the_extra_it_says_how_to_get_it(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("scanner.cli.terminal.serving.find_spec", lambda _: None)
    for arguments in (("serve",), ("serve", "token", "DSI")):
        code, _, err = run(*arguments, cwd=here)
        assert code == 2
        assert err == 'vetuste: the dashboard needs packages of its own: pip install "vetuste[dashboard]"\n'
