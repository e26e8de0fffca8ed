from __future__ import annotations

import re
import socket
import threading
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.alerts import sending
from scanner.alerts.channels.syslog import _cef, _line
from scanner.alerts.letters import letter_of
from scanner.alerts.model import Event, Outcome
from tests.alerts.sites import NOW, raise_alarms, read, rule, syslog

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from scanner.alerts.model import Letter, Result
    from scanner.inventory import Inventory

RFC_5424 = re.compile(
    rb"<(\d{1,3})>1 \d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z [!-~]{1,255} vetuste \d+ [!-~]{1,32} - CEF:.*"
)
TO = ("siem",)


def delivered(inventory: Inventory, folder: Path, address: str) -> Result:
    source = read(folder, rule("breaker", TO), syslog(address))
    (result,) = sending._deliver(inventory, source.file, NOW)
    return result


def cef_read(line: str) -> tuple[list[str], dict[str, str]]:
    """A line of CEF as its standard reads it: seven parts of a header, then keys and values."""
    parts = re.match(r"((?:[^\\|]|\\[\\|])*\|){7}", line)
    assert parts is not None
    head = [re.sub(r"\\([\\|])", r"\1", part) for part in re.findall(r"((?:[^\\|]|\\.)*)\|", parts[0])]
    rest = line[parts.end() :]
    found = list(re.finditer(r"(?:^| )(\w+)=", rest))
    ends = [*(each.start() for each in found[1:]), len(rest)]
    values = {each[1]: rest[each.end() : end] for each, end in zip(found, ends, strict=True)}
    return head, {key: re.sub(r"\\([\\=])", r"\1", value) for key, value in values.items()}


class Stream:
    """A receiver over TCP that reads to the end, or does something else."""

    def __init__(self, port: int = 0, *, mode: str = "reads") -> None:
        self.listening = socket.create_server(("127.0.0.1", port))
        self.port, self.mode, self.got = self.listening.getsockname()[1], mode, b""
        self.over = threading.Event()

    @contextmanager
    def serving(self) -> Iterator[Stream]:
        thread = threading.Thread(target=self._serve)
        thread.start()
        try:
            yield self
        finally:
            self.over.set()
            thread.join(30)
            self.listening.close()

    def _serve(self) -> None:
        connection, _ = self.listening.accept()
        with closing(connection):
            if self.mode == "hangs":
                self.over.wait(30)
            elif self.mode == "resets":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            else:
                while part := connection.recv(4096):
                    self.got += part


def test_a_stream_has_each_alarm_with_its_length_before_it(inventory: Inventory, tmp_path: Path) -> None:
    raise_alarms(inventory, ["one", "zwei é"], to=TO)
    with Stream().serving() as receiver:
        assert delivered(inventory, tmp_path, f"tcp://127.0.0.1:{receiver.port}").outcome is Outcome.SENT
    rest, lines = receiver.got, []
    while rest:
        length, _, rest = rest.partition(b" ")
        lines.append(rest[: int(length)])
        rest = rest[int(length) :]
    told = [RFC_5424.fullmatch(line) for line in lines]
    assert [found and found[1] for found in told] == [b"131", b"131"], "local0, error"
    head, extension = cef_read(lines[1].decode().partition(" - ")[2])
    assert [head[0], *head[4:7]] == ["CEF:0", "breaker", "The circuit breaker stopped subnets", "9"]
    assert extension == {
        "rt": str(int(NOW.timestamp() * 1000)),
        "externalId": "2",
        "cs1Label": "site",
        "cs1": "CHU",
        "cs2Label": "ward",
        "cs2": "Cardiologie",
        "dst": "10.20.0.1",
        "msg": "zwei é",
    }


@pytest.mark.parametrize("mode", ["hangs", "resets"])
def test_a_stream_that_nobody_reads_to_the_end_is_told_again(
    inventory: Inventory, tmp_path: Path, mode: str
) -> None:
    raise_alarms(inventory, ["one"], to=TO)
    with Stream(mode=mode).serving() as receiver:
        address = f"tcp://127.0.0.1:{receiver.port}"
        assert delivered(inventory, tmp_path, address).outcome is Outcome.FAILED
    assert delivered(inventory, tmp_path, address).outcome is Outcome.FAILED, "nobody is there"
    with Stream(receiver.port).serving() as again:
        assert delivered(inventory, tmp_path, address).outcome is Outcome.SENT
    assert b"msg=one" in again.got


def test_datagrams_reach_udp_and_unix_sockets(inventory: Inventory, tmp_path: Path) -> None:
    local = tmp_path / "log"
    for family, place in ((socket.AF_INET, ("127.0.0.1", 0)), (socket.AF_UNIX, str(local))):
        with closing(socket.socket(family, socket.SOCK_DGRAM)) as receiver:
            receiver.bind(place)
            receiver.settimeout(30)
            name = receiver.getsockname()
            address = f"unix:{local}" if family == socket.AF_UNIX else f"udp://127.0.0.1:{name[1]}"
            raise_alarms(inventory, [str(family)], to=TO)
            assert delivered(inventory, tmp_path, address).outcome is Outcome.SENT
            assert RFC_5424.fullmatch(receiver.recv(65536))
        raise_alarms(inventory, ["afterwards"], to=TO)
        assert delivered(inventory, tmp_path, address).outcome is Outcome.FAILED
        raise_alarms(inventory, [], to=TO)


def test_a_unix_socket_that_nobody_reads_is_given_up(inventory: Inventory, tmp_path: Path) -> None:
    with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as receiver:
        receiver.bind(str(tmp_path / "log"))
        raise_alarms(inventory, [f"machine {number}" for number in range(300)], to=TO)
        with closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as other:
            other.setblocking(False)  # noqa: FBT003 - the socket's own
            other.connect(str(tmp_path / "log"))
            with suppress(BlockingIOError):
                while True:
                    other.send(b"x")
        result = delivered(inventory, tmp_path, f"unix:{tmp_path}/log")
    assert result.why is not None
    assert "took nothing" in result.why.render()


def test_of_many_alarms_the_rest_is_one_event(inventory: Inventory, tmp_path: Path) -> None:
    raise_alarms(inventory, [f"machine {number}" for number in range(70)], to=TO)
    with Stream().serving() as receiver:
        delivered(inventory, tmp_path, f"tcp://127.0.0.1:{receiver.port}")
    assert receiver.got.count(b"CEF:0|") == 51
    assert b"msg=and 20 more: vetuste alert list" in receiver.got


@given(name=st.text(max_size=60) | st.sampled_from(["a|b=c\\d", "x\r\nCEF:0|evil", "msg=1 cs1=2", "\\"]))
def test_no_name_adds_a_field_or_an_event(name: str) -> None:
    event = Event("breaker", name, 9, name, name, "fd00::1", NOW, "7")
    line = _cef(event, letter(name))
    assert not re.search(r"[\r\n\0]", line)
    head, extension = cef_read(line)
    plain = re.sub(r"[\r\n\0]+", " ", name)
    assert len(head) == 7
    assert head[5] == plain
    expected = {"rt", "externalId", "cs1Label", "cs1", "c6a3Label", "c6a3", "msg"}
    assert set(extension) == (expected | {"cs2Label", "cs2"} if name else expected)
    assert extension["msg"] == plain
    assert extension["cs1"] == plain


def letter(site: str) -> Letter:
    from scanner.alerts.model import Letter  # noqa: PLC0415 - at run time here alone

    return Letter(site, "", "", (), "", NOW)


def test_a_line_is_short_enough_for_any_receiver(inventory: Inventory, tmp_path: Path) -> None:
    raise_alarms(inventory, ["n" * 10_000], to=TO, ward="w" * 200)
    source = read(tmp_path, rule("breaker", TO), syslog("udp://127.0.0.1:9"))
    from scanner.inventory import waiting_alarms  # noqa: PLC0415 - here alone

    told = letter_of(source.file.site, "siem", waiting_alarms(inventory, "CHU", "siem"), NOW)
    told = replace(told, site="s" * 200)
    assert len(_line(told.events[0], told)) <= 2048, "RFC 5424, 6.1: what receivers should take"
