"""Servers that say the same again and again are listened to less and less, until they say something new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scanner.capture import connections
from scanner.capture.ear import Ear
from scanner.capture.streams import Stream
from tests.capture.spoken import datagram, stream

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pytest

    from scanner.capture.telling import Frame

FLAGS, FIN = 47, 1
SERVER, CLIENT = "10.0.0.1", "10.0.0.2"


def greetings(versions: Sequence[bytes]) -> list[list[Frame]]:
    """A server's greeting in so many connections that it closes, one after the other."""
    talks = []
    for number, version in enumerate(versions):
        *_, said = stream(SERVER, 22, CLIENT, 40_000 + number, b"SSH-2.0-" + version + b"\r\n")
        data = bytearray(said.data)
        data[FLAGS] |= FIN
        talks.append([said._replace(data=bytes(data))])
    return talks


def listened(talks: Sequence[Sequence[Frame]], monkeypatch: pytest.MonkeyPatch) -> tuple[int, set[str]]:
    """To how many of these a source listened, and what was heard."""
    opened = 0

    class Counted(Stream):
        def __init__(self, *given: object) -> None:
            nonlocal opened
            opened += 1
            super().__init__(*given)  # type: ignore[arg-type]  # those of a Stream

    monkeypatch.setattr(connections, "Stream", Counted)
    heard = Ear().hear(frame for talk in talks for frame in talk)
    banners = {value for seen in heard for value in seen.evidence.get("ssh.banner", ())}
    return opened, banners


def test_of_a_thousand_equal_greetings_a_few_are_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    opened, banners = listened(greetings([b"same"] * 1000), monkeypatch)
    assert banners == {"same"}
    assert opened < 40


def test_a_server_that_says_something_else_is_heard_again(monkeypatch: pytest.MonkeyPatch) -> None:
    _, banners = listened(greetings([b"same"] * 500 + [b"other"] * 70), monkeypatch)
    assert banners == {"same", "other"}


def test_each_client_of_an_address_is_listened_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behind it may be many machines, of which one speaks seldom."""
    versions = [b"same"] * 500 + [b"seldom"] + [b"same"] * 5
    talks = [
        stream(CLIENT, 40_000 + number, SERVER, 22, b"SSH-2.0-" + version + b"\r\n")
        for number, version in enumerate(versions)
    ]
    opened, banners = listened(talks, monkeypatch)
    assert opened == len(versions)
    assert banners == {"same", "seldom"}


def test_datagrams_that_come_again_are_understood_once_and_dated_anew() -> None:
    said = b"HTTP/1.1 200 OK\r\nSERVER: Linux/3.10 UPnP/1.0 Box/1\r\nST: upnp:rootdevice\r\n\r\n"
    first = datagram(SERVER, 1900, CLIENT, 50_000, said)
    again = first._replace(at=first.at + 3600)
    (seen,) = [each for each in Ear().hear([first, again]) if each.probe == "ssdp"]
    assert seen.at.timestamp() == again.at
