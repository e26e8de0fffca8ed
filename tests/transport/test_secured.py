"""TLS with servers old and new: what they say of themselves is heard, whatever they are."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Self

import pytest
import uvloop

from scanner.errors import PeerClosedError, ProtocolError
from scanner.model import Outcome, Transport
from scanner.probes import Learnt, Probe, Secure, Send
from tests.transport.test_conversation import ADDRESS, door_to, line, meet_at

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from scanner.model import Observation
    from scanner.probes import Conversation, Peer

VERSIONS = {
    "0301": ssl.TLSVersion.TLSv1,
    "0302": ssl.TLSVersion.TLSv1_1,
    "0303": ssl.TLSVersion.TLSv1_2,
    "0304": ssl.TLSVersion.TLSv1_3,
}


def ask_inside(_: Peer) -> Conversation:
    opened = yield Secure()
    yield Learnt({"test.version": opened[:2].hex(), "test.certificate": str(len(opened) - 2)})
    heard = yield Send(b"hello\n", line, limit=4000)
    yield Learnt({"test.greeting": heard.decode("latin-1").strip()})


@pytest.fixture(scope="module")
def identity(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, bytes]:
    """A key and a certificate of its own: the file, and the certificate in DER."""
    file = tmp_path_factory.mktemp("tls") / "host.pem"
    subject = ("-subj", "/CN=old.example", "-days", "1")
    made = ["openssl", "req", "-x509", "-newkey", "rsa:1024", "-nodes", "-sha1", *subject]
    subprocess.run([*made, "-keyout", file, "-out", f"{file}.crt"], check=True, capture_output=True)
    file.write_bytes(file.read_bytes() + file.with_name("host.pem.crt").read_bytes())
    return file, ssl.PEM_cert_to_DER_cert(file.with_name("host.pem.crt").read_text(encoding="ascii"))


def server_side(file: Path, version: ssl.TLSVersion) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.set_ciphers("ALL:@SECLEVEL=0")
    context.load_cert_chain(file)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = version
    return context


class Server:
    """One connection, served in a thread of its own."""

    def __init__(self, serve: Callable[[socket.socket], None]) -> None:
        self.listening = socket.create_server((ADDRESS, 0))
        self.port: int = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self._serve, args=(serve,))

    def _serve(self, serve: Callable[[socket.socket], None]) -> None:
        connection, _ = self.listening.accept()
        with connection, suppress(OSError):
            serve(connection)

    def __enter__(self) -> Self:
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.thread.join()
        self.listening.close()


def hold(serve: Callable[[socket.socket], None], hears: int = 1 << 13) -> Observation:
    with Server(serve) as server:
        keys = ("test.version", "test.certificate", "test.greeting")
        probe = Probe(
            "test", Transport.TCP, (server.port,), keys, ask_inside, rank=1, exchanges=2, hears=hears
        )
        door = door_to()
        seen = uvloop.run(meet_at(probe, door))
    (attempt,) = door.gate.ledger
    assert attempt.outcome is seen.outcome
    return seen


@pytest.mark.parametrize("version", VERSIONS)
def test_every_version_is_spoken(identity: tuple[Path, bytes], version: str) -> None:
    file, certificate = identity
    parting: list[bytes] = []

    def serve(connection: socket.socket) -> None:
        with server_side(file, VERSIONS[version]).wrap_socket(connection, server_side=True) as secured:
            secured.recv(100)
            secured.sendall(b"good ")
            secured.sendall(b"evening\nand more")
            parting.append(secured.recv(100))

    seen = hold(serve)
    assert seen.outcome is Outcome.ANSWERED
    assert seen.evidence == {
        "test.version": (version,),
        "test.certificate": (str(len(certificate)),),
        "test.greeting": ("good evening",),
    }
    assert seen.raw[0] == bytes.fromhex(version) + certificate
    assert parting == [b""], "TLS was ended, not torn off"


def test_who_speaks_something_else_has_no_tls() -> None:
    def serve(connection: socket.socket) -> None:
        connection.sendall(b"220 ftp ready\r\n")
        drained(connection)

    seen = hold(serve)
    assert (seen.outcome, seen.evidence) == (Outcome.FOREIGN, {})
    assert seen.detail.startswith("no TLS")


def test_who_hangs_up_has_none_either() -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1000)

    assert hold(serve).outcome is Outcome.CLOSED


def test_who_says_nothing_is_not_waited_for() -> None:
    seen = hold(drained)
    assert seen.outcome is Outcome.STALLED


def test_a_drip_does_not_prolong_the_wait() -> None:
    """A record header, then a byte now and then: the whole handshake has the time of one answer."""

    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(bytes.fromhex("1603034000"))
        connection.settimeout(0.1)
        while True:
            connection.sendall(b"\2")
            with suppress(TimeoutError):
                if not connection.recv(100):
                    return

    assert hold(serve).outcome is Outcome.STALLED


def test_an_endless_handshake_is_cut() -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(1000)
        hello = bytes.fromhex("160303004a02000046 0303") + bytes(32) + bytes.fromhex("20") + bytes(32)
        connection.sendall(hello + bytes.fromhex("c02f00"))
        while True:
            connection.sendall(bytes.fromhex("1603034000") + bytes.fromhex("0bffffff") + bytes(0x3FFC))

    seen = hold(serve)
    assert seen.outcome in {Outcome.EXCESSIVE, Outcome.FOREIGN}
    assert seen.evidence == {}


def test_what_breaks_inside_leaves_what_was_learnt(identity: tuple[Path, bytes]) -> None:
    file, _ = identity

    def serve(connection: socket.socket) -> None:
        context = server_side(file, ssl.TLSVersion.TLSv1_2)
        secured = context.wrap_socket(connection, server_side=True)
        secured.recv(100)
        with socket.socket(fileno=secured.detach()) as bare:
            bare.sendall(bytes.fromhex("1703030010") + bytes(16))
            drained(bare)

    seen = hold(serve)
    assert (seen.outcome, seen.evidence["test.version"]) == (Outcome.FOREIGN, ("0303",))


def test_a_datagram_is_not_secured() -> None:
    """A probe that asks for it gets an error, as for everything that cannot be."""

    def converse(_: Peer) -> Conversation:
        try:
            yield Secure()
        except PeerClosedError as error:
            raise ProtocolError(str(error)) from None

    probe = Probe("test", Transport.UDP, (9,), (), converse, rank=1)
    seen = uvloop.run(meet_at(probe, door_to()))
    assert (seen.outcome, seen.connections) == (Outcome.CLOSED, 0), "and nothing was sent"


def drained(connection: socket.socket) -> None:
    """Hear until the peer has nothing more to say."""
    while connection.recv(1 << 16):
        pass
